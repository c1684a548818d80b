from bgp.error import PeerError
HEADER_LENGTH=19
MARKER=b"\xff"*16
def check_header(o, longest):
    if o[:16]!=MARKER: raise PeerError(1,1,b"","bad marker")
    l=o[16]<<8|o[17]; t=o[18]
    if not 19<=l<=longest: raise PeerError(1,2,o[16:18],"bad length")
    if t not in (1,2,3,4,5): raise PeerError(1,3,o[18:19],"bad type")
    return l,t
