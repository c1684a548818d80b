"""OPENs that probe a BGP speaker, and whether the session may come up after them (RFC 4271 6.2, 5492, 6286, 7607, 9072)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import Final

from bgp.iana import AS_TRANS, MessageType
from bgp.testing.probes import ENDED, TAKEN, Allowed, Probe
from bgp.wire.header import with_header


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """An OPEN before it is spelt; `length` is what Optional Parameters Length claims where that is not so."""

    asn: int
    bgp_id: IPv4Address
    version: int = 4
    my_as: int | None = None
    hold_time: int = 90
    parameters: bytes = b""
    length: int | None = None

    def octets(self) -> bytes:
        """The message, header and all."""
        my_as = self.my_as if self.my_as is not None else self.asn if self.asn < 65536 else AS_TRANS
        size = len(self.parameters) if self.length is None else self.length
        fixed = bytes((self.version,)) + my_as.to_bytes(2, "big") + self.hold_time.to_bytes(2, "big")
        return with_header(MessageType.OPEN, fixed + self.bgp_id.packed + bytes((size & 255,)) + self.parameters)


def capability(code: int, value: bytes = b"") -> bytes:
    """A capability in an optional parameter of its own."""
    return bytes((2, 2 + len(value), code, len(value))) + value


def usual(asn: int, bgp_id: IPv4Address) -> OpenDraft:
    """A right OPEN: both unicast families, route refresh, four-octet AS numbers."""
    families = capability(1, b"\0\1\0\1") + capability(1, b"\0\2\0\1")
    return OpenDraft(asn, bgp_id, parameters=families + capability(2) + capability(65, asn.to_bytes(4, "big")))


def open_probes(asn: int, bgp_id: IPv4Address) -> tuple[Probe, ...]:
    """Right and wrong OPENs of a speaker of that AS. `Outcome.TAKEN` is a session that may come up."""
    good = usual(asn, bgp_id)
    rows: Final[tuple[tuple[str, Allowed, OpenDraft], ...]] = (
        ("nothing wrong", TAKEN, good),
        ("version 3", ENDED, replace(good, version=3)),
        ("version 5", ENDED, replace(good, version=5)),
        ("AS 0", ENDED, replace(good, my_as=0, parameters=capability(65, bytes(4)))),
        ("AS 0 in the four-octet AS capability", ENDED, replace(good, parameters=capability(65, bytes(4)))),
        ("hold time 1", ENDED, replace(good, hold_time=1)),
        ("hold time 2", ENDED, replace(good, hold_time=2)),
        ("hold time 3", TAKEN, replace(good, hold_time=3)),
        ("BGP identifier 0", ENDED, replace(good, bgp_id=IPv4Address(0))),
        ("an unknown optional parameter", ENDED, replace(good, parameters=good.parameters + b"\x63\1\0")),
        ("an unknown capability", TAKEN, replace(good, parameters=good.parameters + capability(200, b"abc"))),
        ("a capability twice", TAKEN, replace(good, parameters=good.parameters + capability(2))),
        ("parameters that run past the message", ENDED, replace(good, length=255)),
        ("a parameter cut off", ENDED, replace(good, parameters=good.parameters + b"\2")),
        ("a capability cut off", ENDED, replace(good, parameters=good.parameters + b"\2\1\2")),
        ("a capability that overruns", ENDED, replace(good, parameters=good.parameters + b"\2\3\xc8\7a")),
        ("extended parameters", TAKEN, _extended(good)),
        ("extended parameters cut off", ENDED, replace(good, parameters=b"\xff\0", length=255)),
    )
    return tuple(Probe(draft.octets(), allowed, (name,)) for name, allowed, draft in rows)


def _extended(draft: OpenDraft) -> OpenDraft:
    """The same as RFC 9072 2 has it: an extended length, and parameters with lengths of two octets."""
    longer = bytearray()
    at = 0
    while at < len(draft.parameters):
        kind, size = draft.parameters[at : at + 2]
        longer += bytes((kind, 0, size)) + draft.parameters[at + 2 : at + 2 + size]
        at += 2 + size
    return replace(draft, parameters=b"\xff" + len(longer).to_bytes(2, "big") + bytes(longer), length=255)
