"""What a session knows that the octets of a message do not say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from rib.family import Family

#: Who the neighbour is: in our AS, in another one, or in another member AS of our confederation (RFC 5065).
Peering: TypeAlias = Literal["internal", "external", "confederation"]


@dataclass(frozen=True, slots=True)
class Context:
    """How to read and write messages. The defaults are those of a session without one: nobody's rules apply.

    `as4`: AS numbers have four octets (RFC 6793). `add_path`: the families whose NLRI carry path identifiers (RFC 7911).
    `extended`: messages may be longer than 4,096 octets (RFC 8654). `peering` None switches off what depends on the peer;
    `enforce_first_as` holds the AS_PATH of an external peer to begin with `peer_asn`. `families`: those negotiated, None
    for any. `disables`: an incorrect MP_REACH_NLRI or MP_UNREACH_NLRI costs its family and not the session (RFC 4760 7).
    """

    as4: bool = True
    add_path: frozenset[Family] = frozenset()
    extended: bool = False
    peering: Peering | None = None
    peer_asn: int | None = None
    enforce_first_as: bool = False
    families: frozenset[Family] | None = None
    disables: bool = False


#: RFC 6793: what today's speakers agree on, and nothing else.
DEFAULT: Final[Context] = Context()
