"""Mobile user plane routes (draft-ietf-bess-mup-safi 3.1).

- 1 octet  Architecture Type: 1 for 3GPP 5G
- 2 octets Route Type
- 1 octet  Length, in octets
- n octets what the type has, RD first: see `_BODIES`

What is bound to the key: of type 3, all behind the prefix. Bits beyond a prefix are cleared; a source address of no bits
goes out as an absent one. A type that nobody here knows is kept in octets when decoded; a session discards it (RFC 7606 5.4).
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

import construct as c

from bgp.wire.fields import IPV4, IPV6, U8, U16, U32, build, parse, value_of
from bgp.wire.nlri.kind import MALFORMED, Kind, Split, delimited, fields_of, one_of
from bgp.wire.nlri.labelled import RD, RD_SIZE
from bgp.wire.nlri.prefix import IPV4_PREFIX, IPV6_PREFIX, LONGEST
from bgp.wire.prefixes import STEP4, STEP6, prefixes
from rib.family import Afi
from rib.mup import DirectSegment, InterworkSegment, MupRoute, Type1Session, Type2Session, UnknownMupRoute
from rib.worded import Worded

#: 3GPP 5G, the only architecture type.
ARCHITECTURE: Final = 1
INTERWORK, DIRECT, TYPE1, TYPE2 = 1, 2, 3, 4
#: Bits of a whole tunnel identifier.
TEID_BITS: Final = 32
_TYPES: Final[dict[type[Worded], int]] = {
    InterworkSegment: INTERWORK,
    DirectSegment: DIRECT,
    Type1Session: TYPE1,
    Type2Session: TYPE2,
}

_ADDRESSES: Final = {32: IPV4, 128: IPV6}
#: An address behind its length in bits.
SIZED: Final = value_of(
    c.Struct("bits" / c.OneOf(U8, (32, 128)), "address" / c.Switch(lambda this: this.bits, _ADDRESSES)),
    lambda found: found.address,
    lambda address: {"bits": address.max_prefixlen, "address": address},
)


def _source(octets: bytes) -> IPv4Address | IPv6Address | None:
    if octets in (b"", b"\0"):
        return None
    found: IPv4Address | IPv6Address = parse(SIZED, octets)
    return found


#: What stands at the end and may be absent.
SOURCE: Final = value_of(c.GreedyBytes, _source, lambda address: b"" if address is None else build(SIZED, address))


def _type2(afi: Afi) -> c.Construct:
    size = LONGEST[afi]
    return value_of(
        c.Struct(
            "rd" / RD,
            "bits" / c.ExprValidator(U8, lambda bits, _: size <= bits <= size + TEID_BITS),
            "endpoint" / _ADDRESSES[size],
            "teid" / c.GreedyBytes,
        ),
        lambda found: Type2Session(found.rd, found.endpoint, found.teid, found.bits - size),
        lambda route: {"rd": route.rd, "bits": route.bits + size, "endpoint": route.endpoint, "teid": route.teid},
    )


def _bodies(afi: Afi) -> dict[int, c.Construct]:
    prefix = IPV4_PREFIX if afi == Afi.IPV4 else IPV6_PREFIX
    return {
        INTERWORK: fields_of(InterworkSegment, c.Struct("rd" / RD, "prefix" / prefix)),
        DIRECT: fields_of(DirectSegment, c.Struct("rd" / RD, "ip" / _ADDRESSES[LONGEST[afi]])),
        TYPE1: fields_of(
            Type1Session,
            c.Struct("rd" / RD, "prefix" / prefix, "teid" / U32, "qfi" / U8, "endpoint" / SIZED, "source" / SOURCE),
        ),
        TYPE2: _type2(afi),
    }


FRAME: Final = c.Struct("architecture" / U8, "type" / U16, "body" / c.Prefixed(U8, c.GreedyBytes))


def _route(afi: Afi) -> c.Construct:
    bodies = _bodies(afi)

    def decoded(found: Any) -> MupRoute:
        if found.architecture != ARCHITECTURE or found.type not in bodies:
            return UnknownMupRoute(found.architecture, found.type, found.body)
        route: MupRoute = parse(bodies[found.type], found.body)
        return route

    def encoded(route: MupRoute) -> dict[str, object]:
        if isinstance(route, UnknownMupRoute):
            if route.architecture == ARCHITECTURE and route.type in bodies:
                raise ValueError(f"MUP routes of type {route.type} have a form of their own")
            return {"architecture": route.architecture, "type": route.type, "body": route.octets}
        kind = _TYPES.get(type(route))
        if kind is None:
            raise ValueError(f"{route} is no MUP route")
        return {"architecture": ARCHITECTURE, "type": kind, "body": build(bodies[kind], route)}

    return delimited(FRAME, value_of(FRAME, decoded, encoded))


#: Of a body, key and binding; None where it is malformed.
_Body = Callable[[bytes], tuple[bytes, bytes] | None]


def _split_bodies(afi: Afi) -> dict[int, _Body]:
    step = STEP4 if afi == Afi.IPV4 else STEP6
    longest = LONGEST[afi]

    def prefix(body: bytes) -> tuple[bytes, int] | None:
        """RD and prefix, and where they end."""
        if len(body) <= RD_SIZE:
            return None
        after = RD_SIZE + step[body[RD_SIZE]]
        found = prefixes(body, RD_SIZE, min(after, len(body)), step)
        return None if found is None else (body[:RD_SIZE] + found[0], after)

    def interwork(body: bytes) -> tuple[bytes, bytes] | None:
        found = prefix(body)
        return None if found is None or found[1] != len(body) else (found[0], b"")

    def direct(body: bytes) -> tuple[bytes, bytes] | None:
        return (body, b"") if len(body) == RD_SIZE + longest // 8 else None

    def type1(body: bytes) -> tuple[bytes, bytes] | None:
        found = prefix(body)
        if found is None:
            return None
        key, after = found
        bound = body[after:]
        endpoint = 6 + bound[5] // 8 if len(bound) > 5 and bound[5] in _ADDRESSES else len(bound) + 1
        if endpoint > len(bound):
            return None
        source = bound[endpoint:]
        if source == b"\0":
            return key, bound[:endpoint]
        if source and (source[0] not in _ADDRESSES or len(source) != 1 + source[0] // 8):
            return None
        return key, bound

    def type2(body: bytes) -> tuple[bytes, bytes] | None:
        bits = body[RD_SIZE] if len(body) > RD_SIZE else 0
        if not longest <= bits <= longest + TEID_BITS or len(body) != RD_SIZE + 1 + (bits + 7) // 8:
            return None
        return body, b""

    return {INTERWORK: interwork, DIRECT: direct, TYPE1: type1, TYPE2: type2}


def _splitter(afi: Afi) -> Split:
    bodies = _split_bodies(afi)

    def split(octets: bytes, at: int, end: int, withdrawn: bool) -> tuple[int, bytes, bytes] | None:
        if end - at < 4:
            return None
        kind = octets[at + 1] << 8 | octets[at + 2]
        after = at + 4 + octets[at + 3]
        if after > end:
            return None
        if octets[at] != ARCHITECTURE or kind not in bodies:
            return after, b"", b""
        found = bodies[kind](octets[at + 4 : after])
        if found is None:
            return after, b"", MALFORMED
        key, binding = found
        return after, octets[at : at + 3] + key, b"" if withdrawn else binding

    return split


def _joined(afi: Afi) -> Callable[[bytes, bytes], bytes]:
    # What stands behind the prefix of a withdrawal of type 3: some tunnel to no address; 0 is no tunnel identifier.
    nothing = (1).to_bytes(4, "big") + bytes(1) + bytes((LONGEST[afi],)) + bytes(LONGEST[afi] // 8)

    def join(key: bytes, binding: bytes) -> bytes:
        """The route of a key and what is bound to it."""
        body = key[3:] + (binding or nothing if key[2] == TYPE1 else b"")
        return key[:3] + bytes((len(body),)) + body

    return join


def _kind(afi: Afi) -> Kind:
    element = _route(afi)
    return Kind(element, element, one_of(*_TYPES, UnknownMupRoute), _splitter(afi), _joined(afi))


MUP4: Final = _kind(Afi.IPV4)
MUP6: Final = _kind(Afi.IPV6)
