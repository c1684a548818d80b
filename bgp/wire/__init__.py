from bgp.message import *
from bgp.capability import *
def encode(m, context=None):
    if isinstance(m, Open):
        caps=b""
        for c in m.capabilities:
            if isinstance(c,Multiprotocol): caps+=bytes((1,4))+c.family.afi.to_bytes(2,"big")+bytes((0,c.family.safi))
            elif isinstance(c,FourOctetAs): caps+=bytes((65,4))+c.asn.to_bytes(4,"big")
            elif isinstance(c,RouteRefresh): caps+=bytes((2,0))
            elif isinstance(c,ExtendedMessage): caps+=bytes((6,0))
        b=bytes((4,))+m.my_as.to_bytes(2,"big")+m.hold_time.to_bytes(2,"big")+m.bgp_id.packed+bytes((len(caps)+2,2,len(caps)))+caps; t=1
    elif isinstance(m, Keepalive): b=b""; t=4
    elif isinstance(m, Notification): b=bytes((m.code,m.subcode))+m.data; t=3
    return b"\xff"*16+(19+len(b)).to_bytes(2,"big")+bytes((t,))+b
