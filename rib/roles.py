"""Roles of the two ends of an external session, and the route leaks that they show (RFC 9234).

What was sent to a customer, a peer or a route server's client goes to customers only from there on; the attribute
ONLY_TO_CUSTOMER says so, with the AS number of whoever said it first.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from rib.attributes import Attributes
from rib.eligibility import Ineligible, Why
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family


class Role(Enum):
    """What we are to the peer (RFC 9234 3.1)."""

    PROVIDER = "provider"
    RS = "rs"  #: a route server
    RS_CLIENT = "rs-client"
    CUSTOMER = "customer"
    PEER = "peer"

    @property
    def opposite(self) -> Role:
        """What the peer must be to us (RFC 9234 4.2, table 2)."""
        return _OPPOSITES[self]


_OPPOSITES: Final = {
    Role.PROVIDER: Role.CUSTOMER,
    Role.CUSTOMER: Role.PROVIDER,
    Role.RS: Role.RS_CLIENT,
    Role.RS_CLIENT: Role.RS,
    Role.PEER: Role.PEER,
}
#: RFC 9234 5: the families that the rules are for, and no others.
FAMILIES: Final = frozenset({IPV4_UNICAST, IPV6_UNICAST})
#: Those whose peer hears routes that must go down from there on: a customer, a client, a peer.
_DOWNWARD: Final = frozenset({Role.PROVIDER, Role.RS, Role.PEER})
#: Those whose peer is a provider, a route server, or a peer.
_UPWARD: Final = frozenset({Role.CUSTOMER, Role.RS_CLIENT, Role.PEER})


def leak(role: Role, received: Attributes, peer_asn: int) -> Ineligible | None:
    """Why a route must not be used (RFC 9234 5, ingress 1 and 2); None if it may. `role` is ours."""
    marked = received.only_to_customer
    if marked is None:
        return None
    if role in (Role.PROVIDER, Role.RS):
        return Ineligible(Why.ROUTE_LEAK, f"from a {role.opposite.value}, but only to customers says AS {marked}")
    if role is Role.PEER and marked != peer_asn:
        return Ineligible(Why.ROUTE_LEAK, f"from a peer, but only to customers says AS {marked}")
    return None


def marked(role: Role, received: Attributes, peer_asn: int) -> Attributes:
    """The route as it is kept: what came from above or from beside goes to customers only (RFC 9234 5, ingress 3)."""
    if role in _UPWARD and received.only_to_customer is None:
        return received.replace(only_to_customer=peer_asn)
    return received


def may_go(role: Role, attributes: Attributes) -> bool:
    """Whether a route may be sent to the peer (RFC 9234 5, egress 2)."""
    return role not in _UPWARD or attributes.only_to_customer is None


def mark(role: Role, own_asn: int) -> int | None:
    """What ONLY_TO_CUSTOMER is set to on the way out where it is not there yet (RFC 9234 5, egress 1); None for nothing."""
    return own_asn if role in _DOWNWARD else None


def applies(family: Family) -> bool:
    """Whether the rules are for a family."""
    return family in FAMILIES
