"""EVPN routes (RFC 7432 7, RFC 9136 3.1).

- 1 octet  Route Type
- 1 octet  Length, in octets
- n octets what the type has: see `_BODIES`; RD first in all of them

What is bound to the key: the label of type 1; Ethernet segment and labels of type 2; Ethernet segment, gateway and label of
type 5. A withdrawal may have anything there and goes out with zeros. Host bits of a type 5 prefix are cleared.

A route that is malformed within its length, or that RFC 9136 3.1 or 3.2 does not allow, is treated as withdrawn.
A type that nobody here knows is kept in octets when decoded; a session discards it (RFC 7606 5.4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import construct as c

from bgp.wire.fields import IPV4, IPV6, U8, U32, build, parse, value_of
from bgp.wire.nlri.kind import MALFORMED, Kind, delimited, fields_of, one_of
from bgp.wire.nlri.labelled import RD
from bgp.wire.nlri.prefix import masked
from bgp.wire.prefixes import HOST_BITS
from rib.community import ExtendedCommunity
from rib.ethernet import Esi, MacAddress
from rib.evpn import (
    EthernetAutoDiscovery,
    EthernetSegment,
    EvpnRoute,
    InclusiveMulticast,
    IpPrefix,
    MacIpAdvertisement,
    UnknownEvpnRoute,
)
from rib.family import Afi
from rib.worded import Worded

AD, MAC_IP, MULTICAST, SEGMENT, PREFIX = 1, 2, 3, 4, 5
MAC_BITS: Final = 48
RD_SIZE: Final = 8
ESI_SIZE: Final = 10
LABEL_SIZE: Final = 3

ESI: Final = value_of(c.Bytes(ESI_SIZE), Esi, bytes)
MAC: Final = value_of(c.Bytes(6), MacAddress, bytes)
LABEL: Final = c.Int24ub


def _sized_address(*sizes: int) -> c.Construct:
    """An address behind its length in bits; None for a length of 0 where that may be."""
    return value_of(
        c.Struct(
            "bits" / c.OneOf(U8, sizes), "address" / c.Switch(lambda this: this.bits, {0: c.Pass, 32: IPV4, 128: IPV6})
        ),
        lambda found: found.address,
        lambda address: {"bits": 0 if address is None else len(address.packed) * 8, "address": address},
    )


ADDRESS: Final = _sized_address(32, 128)
#: Label 2 of a MAC/IP route, which may be absent.
LABEL2: Final = value_of(
    c.GreedyBytes,
    lambda octets: _label2(octets),
    lambda label: b"" if label is None else label.to_bytes(LABEL_SIZE, "big"),
)


def _label2(octets: bytes) -> int | None:
    if len(octets) not in (0, LABEL_SIZE):
        raise ValueError(f"{len(octets)} octets after the first label")
    return int.from_bytes(octets, "big") if octets else None


def _prefix_body(afi: int, address: c.Construct, size: int) -> c.Construct:
    return value_of(
        c.Struct(
            "rd" / RD,
            "esi" / ESI,
            "tag" / U32,
            "bits" / U8,
            "prefix" / c.Bytes(size),
            "gateway" / address,
            "label" / LABEL,
        ),
        lambda found: _prefix_route(afi, found),
        lambda route: {
            "rd": route.rd,
            "esi": route.esi,
            "tag": route.tag,
            "bits": route.prefix.length,
            "prefix": route.prefix.nlri[1:].ljust(size, b"\0"),
            "gateway": route.gateway,
            "label": route.label,
        },
    )


def _prefix_route(afi: int, found: Any) -> IpPrefix:
    prefix = masked(afi, found.bits, found.prefix[: (found.bits + 7) // 8])
    return IpPrefix(found.rd, found.esi, found.tag, prefix, found.gateway, found.label)


#: The declaration of a route's body, by its type and its length.
_BODIES: Final[dict[int, dict[int, c.Construct]]] = {
    AD: {25: fields_of(EthernetAutoDiscovery, c.Struct("rd" / RD, "esi" / ESI, "tag" / U32, "label" / LABEL))},
    MAC_IP: dict.fromkeys(
        (33, 36, 37, 40, 49, 52),
        fields_of(
            MacIpAdvertisement,
            c.Struct(
                "rd" / RD,
                "esi" / ESI,
                "tag" / U32,
                c.Const(MAC_BITS, U8),
                "mac" / MAC,
                "ip" / _sized_address(0, 32, 128),
                "label" / LABEL,
                "label2" / LABEL2,
            ),
        ),
    ),
    MULTICAST: dict.fromkeys((17, 29), fields_of(InclusiveMulticast, c.Struct("rd" / RD, "tag" / U32, "ip" / ADDRESS))),
    SEGMENT: dict.fromkeys((23, 35), fields_of(EthernetSegment, c.Struct("rd" / RD, "esi" / ESI, "ip" / ADDRESS))),
    # RFC 9136 3.1: no address length here; the length of the route tells the two families apart.
    PREFIX: {34: _prefix_body(1, IPV4, 4), 58: _prefix_body(2, IPV6, 16)},
}
_TYPES: Final[dict[type[Worded], int]] = {
    EthernetAutoDiscovery: AD,
    MacIpAdvertisement: MAC_IP,
    InclusiveMulticast: MULTICAST,
    EthernetSegment: SEGMENT,
    IpPrefix: PREFIX,
}


def _decoded(found: Any) -> EvpnRoute:
    sizes = _BODIES.get(found.type)
    if sizes is None:
        return UnknownEvpnRoute(found.type, found.body)
    if len(found.body) not in sizes:
        raise ValueError(f"an EVPN route of type {found.type} with {len(found.body)} octets")
    route: EvpnRoute = parse(sizes[len(found.body)], found.body)
    return route


def _encoded(route: EvpnRoute) -> dict[str, object]:
    if isinstance(route, UnknownEvpnRoute):
        if route.type in _BODIES:
            raise ValueError(f"EVPN routes of type {route.type} have a form of their own")
        return {"type": route.type, "body": route.octets}
    kind = _TYPES.get(type(route))
    if kind is None:
        raise ValueError(f"{route} is no EVPN route")
    size = 58 if isinstance(route, IpPrefix) and route.prefix.afi == Afi.IPV6 else min(_BODIES[kind])
    return {"type": kind, "body": build(_BODIES[kind][size], route)}


FRAME: Final = c.Struct("type" / U8, "body" / c.Prefixed(U8, c.GreedyBytes))
ROUTE: Final = delimited(FRAME, value_of(FRAME, _decoded, _encoded))

#: Of a MAC/IP route, where the length of the MAC address and of the IP address stand.
_MAC_AT: Final = RD_SIZE + ESI_SIZE + 4
_IP_AT: Final = _MAC_AT + 7
#: By its length in bits, where an IP address ends that begins one octet after its length.
_AFTER_IP: Final = {0: 1, 32: 5, 128: 17}


def split(octets: bytes, at: int, end: int, withdrawn: bool) -> tuple[int, bytes, bytes] | None:
    """A route as key and binding."""
    if end - at < 2:
        return None
    kind, size = octets[at], octets[at + 1]
    start = at + 2
    after = start + size
    if after > end:
        return None
    sizes = _BODIES.get(kind)
    if sizes is None:
        return after, b"", b""
    found = _SPLITS[kind](octets[start:after]) if size in sizes else None
    if found is None:
        return after, b"", MALFORMED
    key, binding = found
    return after, bytes((kind,)) + key, b"" if withdrawn else binding


def _split_ad(body: bytes) -> tuple[bytes, bytes]:
    return body[:-LABEL_SIZE], body[-LABEL_SIZE:]


def _split_mac_ip(body: bytes) -> tuple[bytes, bytes] | None:
    ip = _AFTER_IP.get(body[_IP_AT])
    if body[_MAC_AT] != MAC_BITS or ip is None:
        return None
    labels = _IP_AT + ip
    if len(body) - labels not in (LABEL_SIZE, 2 * LABEL_SIZE):
        return None
    return body[:RD_SIZE] + body[RD_SIZE + ESI_SIZE : labels], body[RD_SIZE : RD_SIZE + ESI_SIZE] + body[labels:]


def _split_addressed(body: bytes) -> tuple[bytes, bytes] | None:
    """A route that ends with an address behind its length."""
    size = 4 if len(body) in (17, 23) else 16
    return (body, b"") if body[-size - 1] == 8 * size else None


def _split_prefix(body: bytes) -> tuple[bytes, bytes] | None:
    size = 4 if len(body) == 34 else 16
    bits = body[_MAC_AT]
    if bits > 8 * size:
        return None
    tail = _MAC_AT + 1 + size
    if any(body[RD_SIZE : RD_SIZE + ESI_SIZE]) and any(body[tail : tail + size]):
        return None  # RFC 9136 3.2: two overlay indexes
    prefix = body[_MAC_AT + 1 : _MAC_AT + 1 + (bits + 7) // 8]
    if bits & 7:
        prefix = prefix[:-1] + bytes((prefix[-1] & ~HOST_BITS[bits & 7],))
    key = body[:RD_SIZE] + body[RD_SIZE + ESI_SIZE : _MAC_AT + 1] + prefix.ljust(size, b"\0")
    return key, body[RD_SIZE : RD_SIZE + ESI_SIZE] + body[tail:]


_SPLITS: Final[dict[int, Callable[[bytes], tuple[bytes, bytes] | None]]] = {
    AD: _split_ad,
    MAC_IP: _split_mac_ip,
    MULTICAST: _split_addressed,
    SEGMENT: _split_addressed,
    PREFIX: _split_prefix,
}


def join(key: bytes, binding: bytes) -> bytes:
    """The route of a key and what is bound to it."""
    kind, rest = key[0], key[1:]
    if kind == AD:
        body = rest + (binding or bytes(LABEL_SIZE))
    elif kind in (MAC_IP, PREFIX):
        # The key of a prefix has room for one address more; so has its gateway.
        gateway = len(rest) - RD_SIZE - 5 if kind == PREFIX else 0
        binding = binding or bytes(ESI_SIZE + gateway + LABEL_SIZE)
        body = rest[:RD_SIZE] + binding[:ESI_SIZE] + rest[RD_SIZE:] + binding[ESI_SIZE:]
    else:
        body = rest
    return bytes((kind, len(body))) + body


#: How the extended community of a router's MAC address begins (RFC 9135 8.1).
ROUTER_MAC: Final = b"\x06\x03"
#: The octets that are bound to a prefix: no other kind of route has as many.
_PREFIX_BINDINGS: Final = frozenset(ESI_SIZE + size + LABEL_SIZE for size in (4, 16))


def overlay_problem(binding: bytes, communities: Sequence[ExtendedCommunity]) -> str | None:
    """Why a prefix leads nowhere (RFC 9136 3.1, 3.2 and its table 1): no label and no overlay index, or a MAC that is none."""
    if len(binding) not in _PREFIX_BINDINGS or any(binding[ESI_SIZE:-LABEL_SIZE]):
        return None  # the gateway is the overlay index, whatever the MAC address
    macs = [bytes(one[2:]) for one in communities if one.startswith(ROUTER_MAC)]
    group = next((mac for mac in macs if mac[0] & 1), None)
    if group is not None:
        return f"the router's MAC address {group.hex(':')} is that of a group"
    if not any(binding) and not any(map(any, macs)):
        return "a prefix with neither a label nor an overlay index"
    return None


EVPN: Final = Kind(ROUTE, ROUTE, one_of(*_TYPES, UnknownEvpnRoute), split, join, judge=overlay_problem)
