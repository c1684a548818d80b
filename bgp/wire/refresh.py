from bgp.message import RouteRefresh
from rib.family import Family
def decode_refresh(b, enhanced=False): return RouteRefresh(Family(b[0]<<8|b[1],b[3]), b[2])
