"""Values of the path attributes that the RIB carries without looking inside: tunnels, segment routing, link state, paths.

Lists of TLVs keep their order. A TLV that nobody here reads, or that is not as its RFC has it, is a `Tlv` with its octets,
so that every value becomes the octets again that it was read from.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import ClassVar, NamedTuple, TypeAlias

from rib.community import ExtendedCommunity
from rib.extended import TUNNEL_TYPES
from rib.texted import Texted


@dataclass(frozen=True, slots=True)
class Tlv:
    """A type and the octets of its value."""

    type: int
    value: bytes

    def __str__(self) -> str:
        return f"{self.type}:{self.value.hex()}"


# Tunnels.


@dataclass(frozen=True, slots=True)
class PmsiTunnel:
    """PMSI_TUNNEL (RFC 6514 5). `label` is all 24 bits: an MPLS label takes the upper 20, a VNI all (RFC 8365 5.1.3)."""

    flags: int
    type: int
    label: int
    identifier: bytes = b""

    @property
    def mpls_label(self) -> int:
        """The upper 20 bits."""
        return self.label >> 4

    @property
    def endpoint(self) -> IPv4Address | IPv6Address | None:
        """Who replicates, of ingress replication (RFC 6514 5, type 6); None of other tunnels."""
        return ip_address(self.identifier) if self.type == 6 and len(self.identifier) in (4, 16) else None


@dataclass(frozen=True, slots=True)
class VirtualNetwork:
    """Encapsulation sub-TLV of VXLAN and NVGRE tunnels (RFC 9012 3.2.1, 3.2.2)."""

    type: ClassVar[int] = 1
    flags: int
    vni: int
    mac: bytes


@dataclass(frozen=True, slots=True)
class GreKey:
    """Encapsulation sub-TLV of GRE tunnels (RFC 9012 3.2.4, 3.2.5)."""

    type: ClassVar[int] = 1
    key: int


@dataclass(frozen=True, slots=True)
class L2tpSession:
    """Encapsulation sub-TLV of L2TPv3 tunnels (RFC 9012 3.2.3)."""

    type: ClassVar[int] = 1
    session_id: int
    cookie: bytes = b""


@dataclass(frozen=True, slots=True)
class ProtocolType:
    """The EtherType of what is inside (RFC 9012 3.4.1)."""

    type: ClassVar[int] = 2
    protocol: int


@dataclass(frozen=True, slots=True)
class TunnelColor:
    """RFC 9012 3.4.2."""

    type: ClassVar[int] = 4
    color: ExtendedCommunity


@dataclass(frozen=True, slots=True)
class EgressEndpoint:
    """Where the tunnel ends; None: at the next hop (RFC 9012 3.1)."""

    type: ClassVar[int] = 6
    address: IPv4Address | IPv6Address | None


@dataclass(frozen=True, slots=True)
class DsField:
    """RFC 9012 3.3.1."""

    type: ClassVar[int] = 7
    value: int


@dataclass(frozen=True, slots=True)
class UdpPort:
    """The destination port (RFC 9012 3.3.2)."""

    type: ClassVar[int] = 8
    port: int


@dataclass(frozen=True, slots=True)
class LabelHandling:
    """What becomes of a label that the NLRI has (RFC 9012 3.5)."""

    type: ClassVar[int] = 9
    value: int


@dataclass(frozen=True, slots=True)
class LabelStack:
    """Label stack entries, 32 bits each (RFC 9012 3.6)."""

    type: ClassVar[int] = 10
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Preference:
    """Of an SR policy's candidate path (RFC 9830 2.4.1)."""

    type: ClassVar[int] = 12
    flags: int
    preference: int


@dataclass(frozen=True, slots=True)
class BindingSid:
    """RFC 9830 2.4.2: 0 octets, a label stack entry's four, or an SRv6 SID's sixteen."""

    type: ClassVar[int] = 13
    flags: int
    sid: bytes = b""


@dataclass(frozen=True, slots=True)
class ExplicitNullPolicy:
    """RFC 9830 2.4.5."""

    type: ClassVar[int] = 14
    flags: int
    policy: int


@dataclass(frozen=True, slots=True)
class Priority:
    """RFC 9830 2.4.6."""

    type: ClassVar[int] = 15
    priority: int


@dataclass(frozen=True, slots=True)
class Srv6BindingSid:
    """RFC 9830 2.4.3; `structure` holds the endpoint behaviour, if it is there."""

    type: ClassVar[int] = 20
    flags: int
    sid: IPv6Address
    structure: bytes = b""


@dataclass(frozen=True, slots=True)
class Weight:
    """Of a segment list (RFC 9830 2.4.4.1)."""

    type: ClassVar[int] = 9
    flags: int
    weight: int


@dataclass(frozen=True, slots=True)
class MplsSegment:
    """A segment of type A: a label stack entry (RFC 9830 2.4.4.2.1)."""

    type: ClassVar[int] = 1
    flags: int
    entry: int


@dataclass(frozen=True, slots=True)
class Srv6Segment:
    """A segment of type B: an SRv6 SID (RFC 9830 2.4.4.2.2); `structure` holds the endpoint behaviour, if it is there."""

    type: ClassVar[int] = 13
    flags: int
    sid: IPv6Address
    structure: bytes = b""


@dataclass(frozen=True, slots=True)
class SegmentList:
    """RFC 9830 2.4.4."""

    type: ClassVar[int] = 128
    tlvs: tuple[Weight | MplsSegment | Srv6Segment | Tlv, ...]


@dataclass(frozen=True, slots=True)
class CandidatePathName:
    """RFC 9830 2.4.7."""

    type: ClassVar[int] = 129
    name: str


@dataclass(frozen=True, slots=True)
class PolicyName:
    """RFC 9830 2.4.8."""

    type: ClassVar[int] = 130
    name: str


SubTlv: TypeAlias = (
    VirtualNetwork
    | GreKey
    | L2tpSession
    | ProtocolType
    | TunnelColor
    | EgressEndpoint
    | DsField
    | UdpPort
    | LabelHandling
    | LabelStack
    | Preference
    | BindingSid
    | ExplicitNullPolicy
    | Priority
    | Srv6BindingSid
    | SegmentList
    | CandidatePathName
    | PolicyName
    | Tlv
)


@dataclass(frozen=True, slots=True)
class Tunnel:
    """One way to reach the next hop (RFC 9012 2)."""

    type: int
    tlvs: tuple[SubTlv, ...] = ()

    @property
    def name(self) -> str:
        """ "vxlan", … or the number."""
        return TUNNEL_TYPES.get(self.type, str(self.type))


@dataclass(frozen=True, slots=True)
class TunnelEncapsulation:
    """TUNNEL_ENCAPSULATION (RFC 9012 2)."""

    tunnels: tuple[Tunnel, ...]


# Metrics and liveness.


@dataclass(frozen=True, slots=True)
class Aigp:
    """AIGP (RFC 7311 3): TLVs, of which the first of type 1 counts."""

    tlvs: tuple[Tlv, ...]

    @classmethod
    def of(cls, metric: int) -> Aigp:
        """The attribute that says `metric` and nothing else."""
        return cls((Tlv(1, metric.to_bytes(8, "big")),))

    @property
    def metric(self) -> int | None:
        """The accumulated IGP metric; None where no TLV has it."""
        return next((int.from_bytes(tlv.value, "big") for tlv in self.tlvs if tlv.type == 1), None)


@dataclass(frozen=True, slots=True)
class BfdDiscriminator:
    """BFD_DISCRIMINATOR (RFC 9026 3.1.6)."""

    mode: int
    discriminator: int
    tlvs: tuple[Tlv, ...] = ()


# Segment routing.


@dataclass(frozen=True, slots=True)
class LabelIndex:
    """RFC 8669 3.1."""

    type: ClassVar[int] = 1
    flags: int
    index: int


@dataclass(frozen=True, slots=True)
class OriginatorSrgb:
    """(first label, number of labels) ranges (RFC 8669 3.2)."""

    type: ClassVar[int] = 3
    flags: int
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SidStructure:
    """How the bits of an SRv6 SID are divided (RFC 9252 3.2.1)."""

    type: ClassVar[int] = 1
    locator_block: int
    locator_node: int
    function: int
    argument: int
    transposition_length: int
    transposition_offset: int


@dataclass(frozen=True, slots=True)
class Srv6SidInformation:
    """RFC 9252 3.1."""

    type: ClassVar[int] = 1
    sid: IPv6Address
    flags: int
    behavior: int
    tlvs: tuple[SidStructure | Tlv, ...] = ()


@dataclass(frozen=True, slots=True)
class Srv6L3Service:
    """RFC 9252 2."""

    type: ClassVar[int] = 5
    tlvs: tuple[Srv6SidInformation | Tlv, ...]


@dataclass(frozen=True, slots=True)
class Srv6L2Service:
    """RFC 9252 2."""

    type: ClassVar[int] = 6
    tlvs: tuple[Srv6SidInformation | Tlv, ...]


@dataclass(frozen=True, slots=True)
class PrefixSid:
    """PREFIX_SID (RFC 8669 3, RFC 9252 2)."""

    tlvs: tuple[LabelIndex | OriginatorSrgb | Srv6L3Service | Srv6L2Service | Tlv, ...]


# Link state.


@dataclass(frozen=True, slots=True)
class LinkStateTlv:
    """A TLV of BGP_LS with its value: a number, a text, an address, several of them (RFC 9552 5.3)."""

    type: int
    value: int | float | str | IPv4Address | IPv6Address | tuple[int | float, ...]


@dataclass(frozen=True, slots=True)
class LinkState:
    """BGP_LS (RFC 9552 5.3): what is known of a node, a link or a prefix, in the order it was written."""

    tlvs: tuple[LinkStateTlv | Tlv, ...] = ()


# Paths through other domains.


class Domain(NamedTuple):
    """A domain that a route has passed, and how it came there (draft-ietf-bess-evpn-ipvpn-interworking 4)."""

    global_admin: int
    local_admin: int
    safi: int

    def __str__(self) -> str:
        return f"{self.global_admin}:{self.local_admin}:{self.safi}"


@dataclass(frozen=True, slots=True)
class DomainPath(metaclass=Texted):
    """D_PATH (draft-ietf-bess-evpn-ipvpn-interworking 4). Text: "65000:1:70 65000:2:128"."""

    segments: tuple[tuple[Domain, ...], ...]

    @classmethod
    def parse(cls, text: str) -> DomainPath:
        """The path, all in one segment, of a text form. Raises ValueError."""
        domains = tuple(Domain(*map(int, one.split(":"))) for one in text.split())
        return cls((domains,) if domains else ())

    def __str__(self) -> str:
        return " ".join(str(domain) for segment in self.segments for domain in segment)
