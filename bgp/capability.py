from __future__ import annotations
from dataclasses import dataclass
from rib.family import Family, IPV4_UNICAST
class Capability: pass
@dataclass(frozen=True, slots=True)
class Multiprotocol(Capability): family: Family
@dataclass(frozen=True, slots=True)
class RouteRefresh(Capability): pass
@dataclass(frozen=True, slots=True)
class FourOctetAs(Capability): asn: int
@dataclass(frozen=True, slots=True)
class ExtendedMessage(Capability): pass
@dataclass(frozen=True, slots=True)
class AddPath(Capability): families: tuple
@dataclass(frozen=True, slots=True)
class Fqdn(Capability): host: str; domain: str
@dataclass(frozen=True, slots=True)
class Unknown(Capability): code: int; value: bytes
@dataclass(frozen=True, slots=True)
class Negotiated:
    families: tuple; as4: bool; add_path_receive: frozenset; add_path_send: frozenset; extended_message: bool; route_refresh: bool; enhanced_route_refresh: bool; extended_next_hop: frozenset; graceful_restart: object; peer_asn: int
def negotiate(ours, theirs, *, peer_as_field):
    f=lambda caps:[c.family for c in caps if isinstance(c,Multiprotocol)] or [IPV4_UNICAST]
    a4=[c.asn for c in theirs if isinstance(c,FourOctetAs)]
    return Negotiated(tuple(x for x in f(ours) if x in f(theirs)), bool(a4), frozenset(), frozenset(), any(isinstance(c,ExtendedMessage) for c in theirs), True, False, frozenset(), None, a4[0] if a4 else peer_as_field)
