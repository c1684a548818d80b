"""The kinds of extended communities (RFC 4360, RFC 5701): what their octets say, and under which name.

    1 octet   Type: the highest bit says that IANA does not assign it, the next one that it does not leave the AS
    1 octet   Sub-type, for most types
    6 octets  Value (18 in an IPv6 address specific one)

A row a kind. A community that no row reads, or reads in part only, is its octets.
"""

from __future__ import annotations

from enum import IntFlag
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, NamedTuple

from rib.kinds import Kind, Registry
from rib.layout import (
    ADDRESS,
    ADDRESS6,
    FLOAT,
    LONG_AS,
    MAC,
    U8,
    U16,
    U24,
    U32,
    Field,
    Layout,
    flags,
    named,
    padding,
)


class AsNumber(NamedTuple):
    """A number that an AS gives out: route target, route origin and others (RFC 4360 3.1, RFC 5668 2)."""

    asn: int
    number: int


class AddressNumber(NamedTuple):
    """A number that the owner of an address gives out (RFC 4360 3.2, RFC 5701 2)."""

    address: IPv4Address | IPv6Address
    number: int


class Rate(NamedTuple):
    """How much, in octets (or packets) a second: FlowSpec traffic rate (RFC 8955 7.1), link bandwidth."""

    asn: int
    rate: float


class TrafficActionFlag(IntFlag):
    """What else happens to FlowSpec traffic (RFC 8955 7.3)."""

    TERMINAL = 1  #: later filters apply too
    SAMPLE = 2


class TrafficAction(NamedTuple):
    """RFC 8955 7.3."""

    flags: TrafficActionFlag


class TrafficMarking(NamedTuple):
    """RFC 8955 7.5."""

    dscp: int


class CopyFlag(IntFlag):
    """Whether traffic goes on as well (draft-ietf-idr-flowspec-redirect-ip)."""

    COPY = 1


class RedirectToAddress(NamedTuple):
    """draft-ietf-idr-flowspec-redirect-ip."""

    address: IPv4Address | IPv6Address
    flags: CopyFlag


class RedirectToNextHop(NamedTuple):
    """An earlier form of the same: to the next hop of the route."""

    flags: CopyFlag


class OspfRouteType(NamedTuple):
    """RFC 4577 4.2.6."""

    area: IPv4Address
    route_type: int
    options: int


class Color(NamedTuple):
    """RFC 9012 4.3; the two highest bits of `flags` say how a colour may be met (RFC 9830 2.4.4)."""

    flags: int
    color: int


class Encapsulation(NamedTuple):
    """RFC 9012 4.1."""

    tunnel_type: int


class Nothing(NamedTuple):
    """A kind that says all there is to say."""


class OriginValidation(NamedTuple):
    """RFC 8097 2."""

    state: int


class Cost(NamedTuple):
    """draft-ietf-idr-custom-decision: compared at the point of insertion, the lower one wins."""

    point: int
    community_id: int
    cost: int


class MobilityFlag(IntFlag):
    """RFC 7432 7.7."""

    STICKY = 1


class MacMobility(NamedTuple):
    """RFC 7432 7.7."""

    flags: MobilityFlag
    sequence: int


class EsiFlag(IntFlag):
    """RFC 7432 7.5."""

    SINGLE_ACTIVE = 1


class EsiLabel(NamedTuple):
    """RFC 7432 7.5; `label` is all 24 bits, of which an MPLS label takes the upper 20."""

    flags: EsiFlag
    label: int


class Mac(NamedTuple):
    """A MAC address: the ES-Import route target (RFC 7432 7.6) and the router's MAC (RFC 9135 8.1)."""

    mac: str


class Layer2Flag(IntFlag):
    """RFC 8214 3.1."""

    BACKUP = 1
    PRIMARY = 2
    CONTROL_WORD = 4
    FLOW_LABEL = 8  #: RFC 9489, draft-ietf-bess-rfc7432bis


class Layer2Attributes(NamedTuple):
    """RFC 8214 3.1."""

    flags: Layer2Flag
    mtu: int


class ETreeFlag(IntFlag):
    """RFC 8317 5.1."""

    LEAF = 1


class ETree(NamedTuple):
    """RFC 8317 5.1; `label` is all 24 bits."""

    flags: ETreeFlag
    label: int


class DfElection(NamedTuple):
    """RFC 8584 2.2."""

    algorithm: int
    capabilities: int


class ArpNdFlag(IntFlag):
    """RFC 9047 2."""

    ROUTER = 1
    OVERRIDE = 2
    IMMUTABLE = 8


class ArpNd(NamedTuple):
    """RFC 9047 2."""

    flags: ArpNdFlag


class MulticastFlag(IntFlag):
    """RFC 9251 9.5."""

    IGMP_PROXY = 1
    MLD_PROXY = 2


class Multicast(NamedTuple):
    """RFC 9251 9.5."""

    flags: MulticastFlag


class Layer2Info(NamedTuple):
    """RFC 4761 3.2.4."""

    encapsulation: int
    control: int
    mtu: int
    preference: int


class NodeTarget(NamedTuple):
    """The speaker for which a route is meant (draft-ietf-idr-node-target-ext-comm)."""

    bgp_id: IPv4Address


class ServiceCarvingTime(NamedTuple):
    """When the DF election takes place: seconds of NTP, and their fraction in 1/65536 (RFC 9722 2.2)."""

    seconds: int
    fraction: int


class Direction(IntFlag):
    """Of the traffic at an interface: towards the router, away from it (draft-ietf-idr-flowspec-interfaceset 3)."""

    INPUT = 1
    OUTPUT = 2


class InterfaceGroup(NamedTuple):
    """Interfaces that an AS has put together under a number of 14 bits, and the direction there."""

    number: int
    direction: Direction


class InterfaceSet(NamedTuple):
    """Where a flow specification applies (draft-ietf-idr-flowspec-interfaceset 3)."""

    asn: int
    group: InterfaceGroup


class TransportClass(NamedTuple):
    """RFC 9832 4.3."""

    number: int


#: RFC 9012 11.1 and IANA's list of tunnel types.
TUNNEL_TYPES: Final[dict[int, str]] = {
    1: "l2tpv3",
    2: "gre",
    3: "transmit-tunnel-endpoint",
    4: "ipsec-tunnel",
    5: "ip-in-ip-ipsec",
    6: "mpls-in-ip-ipsec",
    7: "ip-in-ip",
    8: "vxlan",
    9: "nvgre",
    10: "mpls",
    11: "mpls-in-gre",
    12: "vxlan-gpe",
    13: "mpls-in-udp",
    14: "ipv6-tunnel",
    15: "sr-policy",
    17: "bare",
    18: "sr-tunnel",
    19: "geneve",
    20: "any-encapsulation",
}
VALIDATION_STATES: Final[dict[int, str]] = {0: "valid", 1: "not-found", 2: "invalid"}


def _row(code: str, name: str, make: type[Any], *fields: Field) -> Kind:
    return Kind(bytes.fromhex(code), name, Layout(make, *fields))


def _group(octets: bytes) -> InterfaceGroup:
    value = int.from_bytes(octets, "big")
    return InterfaceGroup(value & 0x3FFF, Direction(value >> 15 << 1 | value >> 14 & 1))


def _group_octets(group: InterfaceGroup) -> bytes:
    number, direction = group
    if not 0 <= number < 1 << 14:
        raise ValueError(f"group {number} does not fit 14 bits")
    bits = bool(direction & Direction.OUTPUT) << 15 | bool(direction & Direction.INPUT) << 14
    return (bits | number).to_bytes(2, "big")


def _group_text(group: InterfaceGroup) -> str:
    return f"{group.number}{''.join(f'+{one.name}'.lower() for one in Direction if one & group.direction)}"


def _group_of(text: str) -> InterfaceGroup:
    number, *words = text.split("+")
    direction = Direction(0)
    for word in words:
        direction |= Direction[word.upper()]
    return InterfaceGroup(int(number), direction)


#: "7+input+output".
_GROUP: Final = Field(2, r"\d+(?:\+input)?(?:\+output)?", _group, _group_octets, _group_text, _group_of)


def _by_admin(subtype: str, name: str, types: str = "000102") -> tuple[Kind, ...]:
    """The two-octet AS, IPv4 address and four-octet AS forms of one meaning, those of `types`."""
    forms: dict[str, tuple[type[Any], Field, Field]] = {
        "0": (AsNumber, U16, U32),
        "1": (AddressNumber, ADDRESS, U16),
        "2": (AsNumber, LONG_AS, U16),
    }
    pairs = [types[i : i + 2] for i in range(0, len(types), 2)]
    return tuple(_row(kind + subtype, name, *forms[kind[1]]) for kind in pairs)


# fmt: off
KINDS: Final[tuple[Kind, ...]] = (
    *_by_admin("02", "target"),                                        # RFC 4360 4
    *_by_admin("03", "origin"),                                        # RFC 4360 5
    *_by_admin("05", "ospf-domain"),                                   # RFC 4577 4.2.4
    *_by_admin("08", "data-collection", "0002"),                       # RFC 4384
    *_by_admin("09", "source-as", "0002"),                             # RFC 6514 6
    *_by_admin("0a", "l2vpn-id", "0001"),                              # RFC 6074
    *_by_admin("07", "ospf-router-id", "01"),                          # RFC 4577 4.2.4
    *_by_admin("0b", "vrf-route-import", "01"),                        # RFC 6514 7
    _row("0109", "node-target", NodeTarget, ADDRESS, padding(2)),      # draft-ietf-idr-node-target-ext-comm
    *_by_admin("10", "vpn-distinguisher"),                             # of one vendor, as IANA lists it
    _row("0112", "segmented-next-hop", AddressNumber, ADDRESS, U16),   # RFC 7524 4
    *_by_admin("13", "target-record"),                                 # draft-ietf-bess-service-chaining 3
    _row("0204", "generic", AsNumber, LONG_AS, U16),                   # draft-ietf-idr-as4octet-extcomm-generic-subtype
    _row("4204", "generic-nontransitive", AsNumber, LONG_AS, U16),
    _row("4004", "link-bandwidth", Rate, U16, FLOAT),                  # draft-ietf-idr-link-bandwidth
    _row("0004", "link-bandwidth-transitive", Rate, U16, FLOAT),
    _row("0306", "ospf-route-type", OspfRouteType, ADDRESS, U8, U8),
    _row("030b", "color", Color, U16, U32),
    _row("030c", "encapsulation", Encapsulation, padding(4), named(2, TUNNEL_TYPES)),
    _row("030d", "default-gateway", Nothing, padding(6)),              # RFC 7432 7.8
    _row("4300", "origin-validation-state", OriginValidation, padding(5), named(1, VALIDATION_STATES)),
    _row("4301", "cost", Cost, U8, U8, U32),
    _row("0301", "cost-transitive", Cost, U8, U8, U32),
    _row("0600", "mac-mobility", MacMobility, flags(1, MobilityFlag), padding(1), U32),
    _row("0601", "esi-label", EsiLabel, flags(1, EsiFlag), padding(2), U24),
    _row("0602", "es-import", Mac, MAC),
    _row("0603", "router-mac", Mac, MAC),
    _row("0604", "layer2-attributes", Layer2Attributes, flags(2, Layer2Flag), U16, padding(2)),
    _row("0605", "e-tree", ETree, flags(1, ETreeFlag), padding(2), U24),
    _row("0606", "df-election", DfElection, U8, U16, padding(3)),
    _row("0608", "arp-nd", ArpNd, flags(1, ArpNdFlag), padding(5)),
    _row("0609", "multicast-flags", Multicast, flags(2, MulticastFlag), padding(4)),
    _row("060a", "evi-target", AsNumber, U16, U32),                    # RFC 9251 9.5
    _row("060b", "evi-target", AddressNumber, ADDRESS, U16),
    _row("060c", "evi-target", AsNumber, LONG_AS, U16),
    _row("060f", "service-carving-time", ServiceCarvingTime, U32, U16),
    _row("0702", "interface-set", InterfaceSet, U32, _GROUP),
    _row("4702", "interface-set-nontransitive", InterfaceSet, U32, _GROUP),
    _row("0a02", "transport-class", TransportClass, padding(2), U32),
    _row("0c00", "mup", AsNumber, U16, U32),                           # draft-ietf-bess-mup-safi
    _row("8006", "traffic-rate", Rate, U16, FLOAT),
    _row("800c", "traffic-rate-packets", Rate, U16, FLOAT),
    _row("8007", "traffic-action", TrafficAction, padding(5), flags(1, TrafficActionFlag)),
    *_by_admin("08", "redirect", "808182"),                            # RFC 8955 7.4
    _row("8009", "traffic-marking", TrafficMarking, padding(5), U8),
    _row("800a", "layer2-info", Layer2Info, U8, U8, U16, U16),
    _row("010c", "redirect-to-ip", RedirectToAddress, ADDRESS, flags(2, CopyFlag)),
    _row("0800", "redirect-to-next-hop", RedirectToNextHop, padding(5), flags(1, CopyFlag)),
)
#: RFC 5701; RFC 8956 6.1.
KINDS6: Final[tuple[Kind, ...]] = (
    _row("0002", "target", AddressNumber, ADDRESS6, U16),
    _row("0003", "origin", AddressNumber, ADDRESS6, U16),
    _row("000b", "vrf-route-import", AddressNumber, ADDRESS6, U16),    # RFC 6515 3
    _row("000c", "redirect-to-ip", RedirectToAddress, ADDRESS6, flags(2, CopyFlag)),
    _row("000d", "redirect", AddressNumber, ADDRESS6, U16),
    _row("0010", "vpn-distinguisher", AddressNumber, ADDRESS6, U16),
    _row("0012", "segmented-next-hop", AddressNumber, ADDRESS6, U16),  # RFC 7524 4
)
# fmt: on
EXTENDED: Final = Registry(KINDS)
EXTENDED6: Final = Registry(KINDS6)
