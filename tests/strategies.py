"""Hypothesis strategies for BGP values and octets, the malformed ones included."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import strategies as st

from bgp.attribute import (
    Aigp,
    Association,
    BfdDiscriminator,
    BgpsecPath,
    Bier,
    BierDomain,
    Domain,
    DomainPath,
    EgressEndpoint,
    Functions,
    Hop,
    LabelIndex,
    LinkState,
    LinkStateTlv,
    MplsSegment,
    NextHopCharacteristics,
    OriginatorSrgb,
    PeLabel,
    PeLabels,
    PmsiTunnel,
    PolicyName,
    Preference,
    PrefixSid,
    SecurePathSegment,
    SegmentList,
    ServicePath,
    SidStructure,
    Signature,
    SignatureBlock,
    Srv6L2Service,
    Srv6L3Service,
    Srv6Segment,
    Srv6SidInformation,
    StackedLabels,
    SwapLabels,
    Tlv,
    Tunnel,
    TunnelColor,
    TunnelEncapsulation,
    UdpPort,
    Weight,
)
from bgp.capability import (
    AddPath,
    BfdStrictMode,
    BgpRole,
    Bgpsec,
    Capability,
    DynamicCapability,
    EnhancedRouteRefresh,
    ExtendedMessage,
    ExtendedNextHop,
    FourOctetAs,
    Fqdn,
    GracefulRestart,
    LinkLocalNextHop,
    LongLivedGracefulRestart,
    MultipleLabels,
    Multiprotocol,
    Multisession,
    OutboundRouteFiltering,
    PathsLimit,
    PrestandardRouteRefresh,
    RouteRefresh,
    SoftwareVersion,
    UnknownCapability,
)
from bgp.message import (
    FilterAction,
    FilterGroup,
    MpReach,
    MpUnreach,
    Nlri,
    Notification,
    Open,
    OutboundFilters,
    PathAttribute,
    PathPrefix,
    PrefixFilter,
    Update,
)
from bgp.message import RouteRefresh as RouteRefreshMessage
from bgp.wire.attributes import ATTRIBUTES
from bgp.wire.context import Context
from bgp.wire.spelling import attribute
from rib.as_path import AsPath, Segment
from rib.attributes import Aggregator, Origin
from rib.community import Community, ExtendedCommunity, Ipv6ExtendedCommunity, LargeCommunity
from rib.extended import Color
from rib.family import (
    IPV4_MULTICAST,
    IPV4_UNICAST,
    IPV6_LABELLED,
    IPV6_MULTICAST,
    IPV6_UNICAST,
    L2VPN_EVPN,
    VPNV4,
    Family,
)
from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher

READ_FAMILIES = (IPV4_UNICAST, IPV6_UNICAST, IPV4_MULTICAST, IPV6_MULTICAST)

u8 = st.integers(0, 255)
u16 = st.integers(0, 65535)
u32 = st.integers(0, (1 << 32) - 1)
ipv4 = st.integers(0, (1 << 32) - 1).map(IPv4Address)
ipv6 = st.integers(0, (1 << 128) - 1).map(IPv6Address)
families = st.sampled_from([*READ_FAMILIES, L2VPN_EVPN, Family(7, 9)])
#: Those that sessions of the tests may carry: also some whose NLRI are more than prefixes, and one that nobody knows.
CARRIED = (*READ_FAMILIES, VPNV4, IPV6_LABELLED, L2VPN_EVPN, Family(7, 9))


@st.composite
def prefixes(draw: st.DrawFn, afi: int) -> Prefix:
    """Any prefix of an address family; most are of everyday lengths."""
    bits = 32 if afi == 1 else 128
    length = draw(st.one_of(st.sampled_from([0, 8, 24, bits]), st.integers(0, bits)))
    size = (length + 7) // 8
    octets = bytearray(draw(st.binary(min_size=size, max_size=size)))
    if length % 8:
        octets[-1] &= 0xFF00 >> length % 8 & 0xFF
    return Prefix.from_nlri(afi, bytes((length,)) + bytes(octets))


def as_paths(size: int = 4, kinds: tuple[int, ...] = (1, 2, 3, 4)) -> st.SearchStrategy[AsPath]:
    """Paths whose AS numbers fit `size` octets."""
    asns = st.lists(st.integers(1, (1 << 8 * size) - 1), min_size=1, max_size=6).map(tuple)
    segments = st.builds(Segment, st.sampled_from(kinds), asns)
    return st.lists(segments, max_size=4).map(lambda found: AsPath(tuple(found)))


def nlri_lists(family: Family, context: Context) -> st.SearchStrategy[tuple[Nlri, ...]]:
    """NLRI of a family as the context has them."""
    prefix = prefixes(family.afi)
    element = st.builds(PathPrefix, prefix, u32) if family in context.add_path else prefix
    return st.lists(element, max_size=5).map(tuple)


@st.composite
def contexts(draw: st.DrawFn) -> Context:
    """Sessions of every kind."""
    peering = draw(st.sampled_from(["internal", "external"]))
    return Context(
        as4=draw(st.booleans()),
        add_path=draw(st.frozensets(st.sampled_from((*READ_FAMILIES[:2], VPNV4)))),
        extended=draw(st.booleans()),
        peering=peering,
        peer_asn=65001,
        enforce_first_as=draw(st.booleans()),
        families=frozenset({draw(st.sampled_from((IPV4_UNICAST, *CARRIED))), *draw(st.sets(st.sampled_from(CARRIED)))}),
        disables=draw(st.booleans()),
    )


#: TLVs of types that nobody reads.
tlvs = st.lists(st.builds(Tlv, st.integers(200, 255), st.binary(max_size=20)), max_size=3).map(tuple)
tunnel_encapsulations = st.lists(
    st.builds(
        Tunnel,
        st.sampled_from([1, 2, 7, 8, 15, 999]),
        st.lists(
            st.one_of(
                st.builds(EgressEndpoint, st.one_of(st.none(), ipv4, ipv6)),
                st.builds(UdpPort, u16),
                st.builds(Preference, u8, u32),
                st.builds(TunnelColor, u32.map(lambda color: ExtendedCommunity.make("color", Color(0, color)))),
                st.builds(
                    SegmentList,
                    st.lists(
                        st.one_of(
                            st.builds(Weight, u8, u32),
                            st.builds(MplsSegment, u8, u32),
                            st.builds(Srv6Segment, u8, ipv6, st.sampled_from([b"", bytes(8)])),
                        ),
                        max_size=3,
                    ).map(tuple),
                ),
                st.builds(PolicyName, st.text(max_size=10)),
                st.builds(Tlv, st.sampled_from([99, 199]), st.binary(max_size=20)),
            ),
            max_size=3,
        ).map(tuple),
    ),
    min_size=1,
    max_size=2,
).map(lambda found: TunnelEncapsulation(tuple(found)))
link_states = st.lists(
    st.one_of(
        st.builds(LinkStateTlv, st.sampled_from([1092, 1155]), u32),
        st.builds(LinkStateTlv, st.sampled_from([1026, 1098]), st.text(max_size=10)),
        st.builds(LinkStateTlv, st.sampled_from([1028, 1030]), ipv4),
        st.builds(LinkStateTlv, st.just(1089), st.floats(width=32, allow_nan=False)),
        st.builds(LinkStateTlv, st.just(1096), st.lists(u32, max_size=3).map(tuple)),
        st.builds(Tlv, st.sampled_from([1, 1025, 65535]), st.binary(max_size=20)),
    ),
    max_size=4,
).map(lambda found: LinkState(tuple(found)))
domain_paths = st.lists(
    st.lists(st.builds(Domain, u32, u16, u8), min_size=1, max_size=3).map(tuple), min_size=1, max_size=2
).map(lambda found: DomainPath(tuple(found)))
_sids = st.builds(
    Srv6SidInformation,
    ipv6,
    u8,
    u16,
    st.lists(
        st.one_of(st.builds(SidStructure, u8, u8, u8, u8, u8, u8), st.builds(Tlv, st.just(9), st.binary(max_size=5)))
    ).map(lambda found: tuple(found[:2])),
)
prefix_sids = st.lists(
    st.one_of(
        st.builds(LabelIndex, u16, u32),
        st.builds(OriginatorSrgb, u16, st.just(((16000, 8000),))),
        st.builds(Srv6L3Service, st.tuples(_sids)),
        st.builds(Srv6L2Service, st.tuples(_sids)),
        st.builds(Tlv, st.just(99), st.binary(max_size=20)),
    ),
    min_size=1,
    max_size=3,
).map(lambda found: PrefixSid(tuple(found)))


rds = st.builds(lambda asn, number: RouteDistinguisher.parse(f"{asn}:{number}"), u16, u32)
service_paths = st.tuples(
    st.lists(
        st.one_of(
            st.builds(Association, u8, rds, st.integers(0, (1 << 24) - 1)),
            st.just(StackedLabels()),
            st.builds(Tlv, st.just(99), st.binary(max_size=5)),
        ),
        max_size=2,
    ),
    st.lists(
        st.builds(
            Hop,
            u8,
            st.lists(
                st.one_of(
                    st.builds(Functions, u16, st.lists(rds, max_size=2).map(tuple)),
                    st.just(SwapLabels()),
                    st.builds(Tlv, st.just(99), st.binary(max_size=5)),
                ),
                min_size=1,
                max_size=2,
            ).map(tuple),
        ),
        min_size=1,
        max_size=2,
    ),
).map(lambda both: ServicePath((*both[0], *both[1])))
_labels = st.integers(0, (1 << 24) - 1)
pe_labels = st.one_of(
    st.lists(st.builds(PeLabel, ipv4.filter(lambda one: not one.is_multicast), _labels), min_size=1, max_size=3),
    st.lists(st.builds(PeLabel, ipv6.filter(lambda one: not one.is_multicast), _labels), min_size=1, max_size=3),
).map(lambda found: PeLabels(tuple(found)))


@st.composite
def bgpsec_paths(draw: st.DrawFn) -> BgpsecPath:
    """Signed paths, which nobody signed."""
    path = draw(st.lists(st.builds(SecurePathSegment, u8, u8, u32), min_size=1, max_size=3))
    signatures = st.builds(Signature, st.binary(min_size=20, max_size=20), st.binary(max_size=20))
    block = st.builds(SignatureBlock, u8, st.lists(signatures, min_size=len(path), max_size=len(path)).map(tuple))
    return BgpsecPath(tuple(path), tuple(draw(st.lists(block, min_size=1, max_size=2))))


@st.composite
def path_attributes(draw: st.DrawFn, context: Context) -> PathAttribute:
    """A well-formed path attribute."""
    size = 4 if context.as4 else 2
    values: dict[int, st.SearchStrategy[object]] = {
        1: st.sampled_from(Origin),
        2: as_paths(size),
        3: ipv4,
        4: u32,
        5: u32,
        6: st.just(True),
        7: st.builds(Aggregator, st.integers(1, (1 << 8 * size) - 1), ipv4),
        8: st.lists(u32.map(Community), min_size=1, max_size=70).map(tuple),
        9: ipv4,
        10: st.lists(ipv4, min_size=1, max_size=3).map(tuple),
        14: st.sampled_from(READ_FAMILIES).flatmap(lambda family: _reaches(family, context)),
        15: st.sampled_from(READ_FAMILIES).flatmap(
            lambda family: st.builds(MpUnreach, st.just(family), nlri_lists(family, context))
        ),
        16: st.lists(st.binary(min_size=8, max_size=8).map(ExtendedCommunity), min_size=1, max_size=3).map(tuple),
        17: as_paths(4).filter(lambda path: bool(path.segments)),
        18: st.builds(Aggregator, st.integers(1, (1 << 32) - 1), ipv4),
        32: st.lists(st.builds(LargeCommunity, u32, u32, u32), min_size=1, max_size=3).map(tuple),
        22: st.one_of(
            st.builds(PmsiTunnel, u8, st.just(6), st.integers(0, (1 << 24) - 1), st.binary(min_size=4, max_size=4)),
            st.builds(PmsiTunnel, u8, st.just(0), st.integers(0, (1 << 24) - 1)),
        ),
        23: tunnel_encapsulations,
        25: st.lists(st.binary(min_size=20, max_size=20).map(Ipv6ExtendedCommunity), min_size=1, max_size=3).map(tuple),
        26: st.builds(lambda metric, rest: Aigp((*Aigp.of(metric).tlvs, *rest)), st.integers(0, (1 << 64) - 1), tlvs),
        27: pe_labels,
        29: link_states,
        33: bgpsec_paths(),
        35: u32,
        36: domain_paths,
        37: service_paths,
        38: st.builds(lambda *two, rest: BfdDiscriminator(*two, (Tlv(1, bytes(4)), *rest)), u8, u32, rest=tlvs),
        39: st.builds(NextHopCharacteristics, families, st.binary(max_size=33), tlvs),
        40: prefix_sids,
        41: st.lists(
            st.one_of(st.builds(BierDomain, u8, u16, tlvs), st.builds(Tlv, st.just(99), st.binary(max_size=5))),
            min_size=1,
            max_size=3,
        ).map(lambda found: Bier(tuple(found))),
        99: st.binary(max_size=300),
        200: st.binary(max_size=3),
    }
    code = draw(st.sampled_from(sorted(values)))
    row = ATTRIBUTES.get(code)
    kind = row.kind if row is not None else draw(st.sampled_from([0x80, 0xC0, 0xE0]))
    flags = kind | draw(st.sampled_from([0, 0x10]))
    value = draw(values[code])
    return PathAttribute(flags | 0x10 if _is_long(value) else flags, code, value)  # type: ignore[arg-type]  # of the table


def _is_long(value: object) -> bool:
    """Whether a value may need a length of two octets, so that the flag has to be there."""
    if isinstance(value, TunnelEncapsulation | LinkState | PrefixSid | BgpsecPath | ServicePath):
        return True
    return (isinstance(value, tuple) and len(value) > 11) or (isinstance(value, bytes) and len(value) > 255)


def _reaches(family: Family, context: Context) -> st.SearchStrategy[MpReach]:
    hops = st.tuples(ipv4) if family.afi == 1 else st.one_of(st.tuples(ipv6), st.tuples(ipv6, ipv6))
    return st.builds(MpReach, st.just(family), hops, nlri_lists(family, context))


@st.composite
def updates(draw: st.DrawFn, context: Context) -> Update:
    """UPDATEs without two attributes of one code; they may lack what RFC 4271 wants."""
    attributes = draw(st.lists(path_attributes(context), max_size=7, unique_by=lambda one: one.code))
    plain = nlri_lists(IPV4_UNICAST, context)
    return Update(draw(plain), tuple(attributes), draw(plain))


capabilities: st.SearchStrategy[Capability] = st.one_of(
    st.builds(Multiprotocol, families),
    st.just(RouteRefresh()),
    st.builds(FourOctetAs, st.integers(1, (1 << 32) - 1)),
    st.just(ExtendedMessage()),
    st.builds(AddPath, st.lists(st.tuples(families, st.integers(1, 3)), max_size=3).map(tuple)),
    st.builds(
        GracefulRestart,
        st.booleans(),
        st.booleans(),
        st.integers(0, 4095),
        st.lists(st.tuples(families, st.booleans()), max_size=3).map(tuple),
    ),
    st.just(EnhancedRouteRefresh()),
    st.builds(ExtendedNextHop, st.lists(st.tuples(families, st.just(2)), max_size=2).map(tuple)),
    st.builds(Fqdn, st.text(max_size=20), st.text(max_size=20)),
    st.builds(
        OutboundRouteFiltering,
        st.lists(st.tuples(families, st.lists(st.tuples(u8, u8), max_size=3).map(tuple)), max_size=2).map(tuple),
    ),
    st.builds(BgpRole, u8),
    st.builds(DynamicCapability, st.lists(u8, max_size=3).map(tuple)),
    st.builds(Multisession, u8, st.lists(u8, max_size=3).map(tuple)),
    st.builds(
        LongLivedGracefulRestart,
        st.lists(st.tuples(families, st.booleans(), st.integers(0, (1 << 24) - 1)), max_size=3).map(tuple),
    ),
    st.builds(SoftwareVersion, st.text(max_size=20)),
    st.builds(PathsLimit, st.lists(st.tuples(families, u16), max_size=3).map(tuple)),
    st.builds(MultipleLabels, st.lists(st.tuples(families, u8), max_size=3).map(tuple)),
    st.just(LinkLocalNextHop()),
    st.builds(Bgpsec, st.integers(0, 15), st.booleans(), u16),
    st.just(BfdStrictMode()),
    st.just(PrestandardRouteRefresh()),
    st.builds(UnknownCapability, st.integers(129, 255), st.binary(max_size=255)),
)
opens = st.builds(Open, st.just(4), u16, u16, ipv4, st.lists(capabilities, max_size=6).map(tuple))
notifications = st.builds(Notification, u8, u8, st.binary(max_size=100))
_entries = st.one_of(
    st.just(PrefixFilter(FilterAction.REMOVE_ALL)),
    st.builds(
        PrefixFilter,
        st.sampled_from([FilterAction.ADD, FilterAction.REMOVE]),
        st.booleans(),
        u32,
        st.integers(0, 32),
        st.integers(0, 32),
        prefixes(1),
    ),
)
filters = st.builds(
    OutboundFilters,
    u8,
    st.lists(
        st.one_of(
            st.builds(FilterGroup, st.sampled_from([64, 128]), st.lists(_entries, max_size=3).map(tuple)),
            st.builds(FilterGroup, st.integers(1, 63), st.binary(max_size=5)),
        ),
        max_size=2,
    ).map(tuple),
)
route_refreshes = st.one_of(
    st.builds(RouteRefreshMessage, families, u8), st.builds(RouteRefreshMessage, st.just(IPV4_UNICAST), u8, filters)
)


@st.composite
def raw_attribute(draw: st.DrawFn, code: int, size: int) -> bytes:
    """One attribute, AS numbers of `size` octets; in one of ten its flags, its value or its length may be wrong."""
    row = ATTRIBUTES.get(code)
    flags = 0xC0 if row is None else int(row.kind)
    value = draw(_GOOD.get((code, size), _GOOD.get((code, 0), st.binary(max_size=20))))
    match draw(st.integers(-40, 3)):
        case 0:
            flags = draw(u8)
        case 1:
            value = draw(st.binary(max_size=20))
        case 2:
            made = attribute(flags, code, value)
            return made[: draw(st.integers(0, len(made)))]
        case 3:
            return bytes((flags & 0xE0 | 0x10, code)) + len(value).to_bytes(2, "big") + value
    return attribute(flags, code, value)


def _sequence(asns: tuple[int, ...], size: int) -> bytes:
    return bytes((2, len(asns))) + b"".join(asn.to_bytes(size, "big") for asn in asns)


_SEQUENCE = st.lists(st.integers(1, 65535), max_size=3)
#: Values by attribute code and size of AS numbers, 0 for either.
_GOOD: dict[tuple[int, int], st.SearchStrategy[bytes]] = {
    (1, 0): st.sampled_from([b"\0", b"\1", b"\2"]),
    (2, 2): _SEQUENCE.map(lambda asns: _sequence((65001, *asns), 2)),
    (2, 4): _SEQUENCE.map(lambda asns: _sequence((65001, *asns), 4)),
    (3, 0): st.just(b"\n\0\0\1"),
    (4, 0): st.binary(min_size=4, max_size=4),
    (5, 0): st.binary(min_size=4, max_size=4),
    (6, 0): st.just(b""),
    (7, 2): st.sampled_from([b"\0\1\1\2\3\4", b"\x5b\xa0\1\2\3\4"]),
    (7, 4): st.just(b"\0\0\0\1\1\2\3\4"),
    (8, 0): st.binary(min_size=4, max_size=4),
    (14, 0): st.sampled_from(
        [
            bytes.fromhex("000201 10 20010db8000000000000000000000001 00 20 20010db8"),
            bytes.fromhex("000201 10 20010db8000000000000000000000001 00 08 ff 00 20 20010db8"),
            bytes.fromhex("000101 04 0a000001 00 18 0a0102"),
            bytes.fromhex("000201 10 20010db8000000000000000000000001 00"),
            bytes.fromhex("001946 04 0a000001 00 0102"),
            bytes.fromhex(
                "000180 0c 0000000000000000 0a000001 00 60 000101 0000000100000001 0a 60 000201 0000000100000001 0b"
            ),
            bytes.fromhex(
                "000180 18 0000000000000000 20010db8000000000000000000000001 00 00000007 60 00010f 0000000100000001 0a"
            ),
            bytes.fromhex("000204 10 20010db8000000000000000000000001 00 21 00010f ff"),
            bytes.fromhex("000204 10 20010db8000000000000000000000001 00 21 000100 ff"),
            bytes.fromhex(
                "001946 04 0a000001 00 0522 0000000100000001 00000000000000000000 00000000 180a010200 00000000 000000"
            ),
            bytes.fromhex(
                "001946 04 0a000001 00 0522 0000000100000001 00000000000000000000 00000000 180a010200 00000000 000010"
            ),
            bytes.fromhex(
                "001946 04 0a000001 00 0522 0000000100000001 00000000000000000000 00000000 180a010200 0a000001 000000"
            ),
            bytes.fromhex("000709 03 010203 00 040506"),
            bytes.fromhex("000709 03 010203 00"),
            bytes.fromhex("000709 09 010203 00"),
        ]
    ),
    (15, 0): st.sampled_from(
        [
            bytes.fromhex("000201 20 20010db8"),
            bytes.fromhex("000201"),
            bytes.fromhex("000101 08 0a"),
            bytes.fromhex("000180 60 800000 0000000100000001 0a 60 000201 0000000100000001 0b"),
            bytes.fromhex("000204 20 000000 ff"),
            bytes.fromhex("000709 040506"),
            bytes.fromhex("000709"),
        ]
    ),
    (16, 0): st.sampled_from(
        [bytes.fromhex(text) for text in ("0603020000000001", "0603010000000001", "0603000000000000")]
    ),
    (17, 0): st.just(bytes.fromhex("0201 00011170")),
    (18, 0): st.just(bytes.fromhex("00011170 0a000001")),
}


_CODES = st.sampled_from(sorted({code for code, _ in _GOOD}))


@st.composite
def _field(draw: st.DrawFn, context: Context) -> bytes:
    if draw(st.integers(0, 15)) == 15:
        return draw(st.one_of(st.binary(max_size=8), st.sampled_from([b"\x21\n\1\2\3\4", b"\x18\n\1"])))
    some = draw(
        st.lists(
            st.sampled_from([b"\x18\n\1\2", b"\x08\n", b"\x10\n\1", b"\x09\n\xff", b"\x08\xe0", b"\0"]), max_size=3
        )
    )
    return b"".join(b"\0\0\0\1" + one if IPV4_UNICAST in context.add_path else one for one in some)


@st.composite
def raw_updates(draw: st.DrawFn, context: Context) -> bytes:
    """The body of an UPDATE: well-formed, nearly so, or not at all."""
    withdrawn, announced = draw(_field(context)), draw(_field(context))
    codes = list(draw(st.sampled_from([(1, 2, 3), (1, 2, 3), (1, 2), ()])))
    codes += draw(st.lists(st.one_of(_CODES, _CODES, u8), max_size=4, unique=draw(st.integers(0, 7)) > 0))
    size = 4 if context.as4 else 2
    block = b"".join(draw(raw_attribute(code, size)) for code in draw(st.permutations(codes)))
    body = len(withdrawn).to_bytes(2, "big") + withdrawn + len(block).to_bytes(2, "big") + block + announced
    if draw(st.integers(0, 20)) == 20:
        at = draw(st.integers(0, len(body) - 1))
        body = body[:at] + bytes((draw(u8),)) + body[at + 1 :]
    return body
