"""Values of the path attributes that few networks use: service chains, multicast by bits, labels of multicast VPNs, BGPsec."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import ClassVar, NamedTuple

from bgp.attribute.usual import Tlv
from rib.family import Family
from rib.route_distinguisher import RouteDistinguisher

# Service function chains.


@dataclass(frozen=True, slots=True)
class Association:
    """The path in the other direction, of type 1 (RFC 9015 3.2.1.1)."""

    type: ClassVar[int] = 1
    kind: int
    rd: RouteDistinguisher
    path: int  #: its Service Path Identifier


@dataclass(frozen=True, slots=True)
class Functions:
    """Instances of a service function of some type that may do the work at a hop; none for any (RFC 9015 3.2.1.3)."""

    type: ClassVar[int] = 3
    function: int
    instances: tuple[RouteDistinguisher, ...] = ()


@dataclass(frozen=True, slots=True)
class SwapLabels:
    """MPLS Swapping/Stacking: the hop is told by labels (RFC 9015 3.2.1.4)."""

    type: ClassVar[int] = 4


@dataclass(frozen=True, slots=True)
class Hop:
    """Where packets with this Service Index go (RFC 9015 3.2.1.2)."""

    type: ClassVar[int] = 2
    index: int
    tlvs: tuple[Functions | SwapLabels | Tlv, ...] = ()


@dataclass(frozen=True, slots=True)
class StackedLabels:
    """SFP Traversal With MPLS Label Stack (RFC 9015 3.2.1.5)."""

    type: ClassVar[int] = 5


@dataclass(frozen=True, slots=True)
class ServicePath:
    """SFP (RFC 9015 3.2.1): the hops of a service function path, in order."""

    tlvs: tuple[Association | Hop | StackedLabels | Tlv, ...]

    @property
    def hops(self) -> tuple[Hop, ...]:
        """The hops alone."""
        return tuple(one for one in self.tlvs if isinstance(one, Hop))


# What the next hop can do.


@dataclass(frozen=True, slots=True)
class NextHopCharacteristics:
    """NEXT_HOP_CHARACTERISTICS (draft-ietf-idr-nhc 2.1): they count where `next_hop` is the route's."""

    #: The characteristics that IANA lists: entropy labels are understood, next-next hops, who the next hop is.
    ENTROPY_LABEL: ClassVar[int] = 1
    NEXT_NEXT_HOPS: ClassVar[int] = 2
    BGP_IDENTIFIER: ClassVar[int] = 3
    family: Family
    next_hop: bytes  #: as in MP_REACH_NLRI
    tlvs: tuple[Tlv, ...] = ()

    @property
    def next_hops(self) -> tuple[IPv4Address | IPv6Address, ...]:
        """The addresses of a next hop of 4, 16 or 32 octets; of any other, none."""
        octets = self.next_hop
        if len(octets) not in (4, 16, 32):
            return ()
        step = min(len(octets), 16)
        return tuple(ip_address(octets[at : at + step]) for at in range(0, len(octets), step))

    def has(self, code: int) -> bool:
        """Whether a characteristic is there."""
        return any(tlv.type == code for tlv in self.tlvs)


# Multicast.


@dataclass(frozen=True, slots=True)
class BierDomain:
    """A BIER sub-domain, and the number that the BFR-prefix has in it (RFC 9793 3.1)."""

    type: ClassVar[int] = 1
    sub_domain: int
    router: int  #: BFR-id; 0 for none
    tlvs: tuple[Tlv, ...] = ()


@dataclass(frozen=True, slots=True)
class Bier:
    """BIER (RFC 9793 3)."""

    tlvs: tuple[BierDomain | Tlv, ...]


class PeLabel(NamedTuple):
    """An upstream-assigned label for a PE (RFC 6514 8); `label` is all 24 bits."""

    address: IPv4Address | IPv6Address
    label: int

    @property
    def mpls_label(self) -> int:
        """The upper 20 bits."""
        return self.label >> 4


@dataclass(frozen=True, slots=True)
class PeLabels:
    """PE_DISTINGUISHER_LABELS (RFC 6514 8)."""

    labels: tuple[PeLabel, ...]


# Signed paths.


class SecurePathSegment(NamedTuple):
    """An AS that signed, how often it counts, and flags: 0x80 in a confederation (RFC 8205 3.1)."""

    p_count: int
    flags: int
    asn: int


class Signature(NamedTuple):
    """By whose key, and the signature (RFC 8205 3.2)."""

    key: bytes  #: Subject Key Identifier, 20 octets
    octets: bytes


@dataclass(frozen=True, slots=True)
class SignatureBlock:
    """The signatures of one algorithm suite, one for each AS (RFC 8205 3.2)."""

    algorithm: int
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class BgpsecPath:
    """BGPSEC_PATH (RFC 8205 3): in the place of AS_PATH, the last AS first. Nobody here checks the signatures."""

    path: tuple[SecurePathSegment, ...]
    blocks: tuple[SignatureBlock, ...]
