"""Why a route may not take part in the decision process (RFC 4271 9.1.2): every refused route has a reason to show."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Why(Enum):
    """The kinds of reason, in the field's words."""

    #: RFC 4271 9.1.2: our own AS number is in the AS_PATH.
    AS_LOOP = "own AS in AS_PATH"
    #: RFC 4456 8: we are the originator of the route.
    ORIGINATOR_LOOP = "own BGP identifier is ORIGINATOR_ID"
    #: RFC 4456 8: the route has passed our cluster.
    CLUSTER_LOOP = "own cluster id in CLUSTER_LIST"
    #: RFC 4271 6.3: NEXT_HOP must not be the receiving speaker's own address.
    NEXT_HOP_SELF = "next hop is an address of this speaker"
    #: RFC 4271 6.3: NEXT_HOP must be a usable host address.
    NEXT_HOP_INVALID = "next hop is not a host address"
    #: RFC 4271 9.1.2.1: no route to the next hop.
    NEXT_HOP_UNRESOLVABLE = "next hop is unresolvable"
    #: The import policy said no.
    POLICY = "rejected by import policy"
    #: RFC 8212: an eBGP peer without an import policy.
    NO_POLICY = "no import policy (RFC 8212)"
    #: RFC 4271 6.3: multicast and class E destinations are not unicast routes.
    NOT_UNICAST = "destination is not a unicast prefix"
    #: RFC 7606: a malformed UPDATE took the route away.
    MALFORMED = "treated as withdrawn (RFC 7606)"
    #: RFC 9774 4: nobody should send sets any more, and whoever was told so refuses them.
    AS_SET = "AS_SET in AS_PATH (RFC 9774)"
    #: RFC 9234 5: the route leaked against the roles.
    ROUTE_LEAK = "route leak (RFC 9234)"


class Ineligible(NamedTuple):
    """A reason and what it rests on, such as the AS number that was found."""

    why: Why
    detail: str = ""

    def __str__(self) -> str:
        if self.why is Why.AS_LOOP and self.detail:
            return f"own AS {self.detail} in AS_PATH"
        return f"{self.why.value}: {self.detail}" if self.detail else self.why.value
