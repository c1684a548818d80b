from __future__ import annotations
from dataclasses import dataclass
@dataclass(frozen=True, slots=True)
class Open:
    version:int; my_as:int; hold_time:int; bgp_id:object; capabilities:tuple
    @property
    def asn(self):
        from bgp.capability import FourOctetAs
        return next((c.asn for c in self.capabilities if isinstance(c,FourOctetAs)), self.my_as)
@dataclass(frozen=True, slots=True)
class Notification: code:int; subcode:int; data:bytes=b""
@dataclass(frozen=True, slots=True)
class Keepalive: pass
@dataclass(frozen=True, slots=True)
class RouteRefresh: family:object; subtype:int=0; orf:bytes=b""
