from ipaddress import IPv4Address
from bgp.message import Open
from bgp.capability import *
from bgp.capability import Unknown
from rib.family import Family
def decode_open(b):
    caps=[]; p=10
    while p<len(b):
        t,l=b[p],b[p+1]; q=p+2; p=q+l
        while q<p:
            c,n=b[q],b[q+1]; v=b[q+2:q+2+n]; q+=2+n
            if c==1: caps.append(Multiprotocol(Family(v[0]<<8|v[1], v[3])))
            elif c==65: caps.append(FourOctetAs(int.from_bytes(v,"big")))
            elif c==6: caps.append(ExtendedMessage())
            else: caps.append(Unknown(c,v))
    return Open(b[0], b[1]<<8|b[2], b[3]<<8|b[4], IPv4Address(b[5:9]), tuple(caps))
def validate_open(*a, **k): pass
