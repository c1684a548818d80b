"""BGP messages as frozen values. Octets are another package's knowledge: `bgp.decode` and `bgp.encode`.

`message.encode()` asks the package `bgp` itself, which names that door and loads what is behind it when it is opened: the
one arrow that does not go down the ladder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple, TypeAlias

import bgp
from bgp.attribute import (
    Aigp,
    BfdDiscriminator,
    BgpsecPath,
    Bier,
    DomainPath,
    LinkState,
    NextHopCharacteristics,
    PeLabels,
    PmsiTunnel,
    PrefixSid,
    ServicePath,
    TunnelEncapsulation,
)
from bgp.capability import Capability, FourOctetAs
from bgp.error import UpdateError
from bgp.iana import SUBCODES, CeaseSubcode, MessageType, NotificationCode
from rib.as_path import AsPath
from rib.attributes import Aggregator, Origin
from rib.community import Community, ExtendedCommunity, Ipv6ExtendedCommunity, LargeCommunity
from rib.evpn import EvpnRoute
from rib.family import Family
from rib.flowspec import FlowSpec, VpnFlowSpec
from rib.labelled import LabelledPrefix, VpnPrefix
from rib.link_state import LinkStateNlri
from rib.mup import MupRoute
from rib.mvpn import McastVpnRoute
from rib.prefix import Prefix
from rib.route_target import RouteTargetMembership
from rib.sr_policy import SrPolicy
from rib.texted import Texted
from rib.vpls import VplsRoute


def _encode(self: Message, context: bgp.Context | None = None) -> bytes:
    """`bgp.encode` of this message: its octets, header and all. Raises LocalError for what cannot be said."""
    return bgp.encode(self, bgp.Context() if context is None else context)


@dataclass(frozen=True, slots=True)
class Open:
    """OPEN (RFC 4271 4.2). `my_as` is the two-octet field, `asn` the AS number; `hold_time` in seconds."""

    version: int
    my_as: int
    hold_time: int
    bgp_id: IPv4Address
    capabilities: tuple[Capability, ...] = ()

    encode = _encode

    @property
    def asn(self) -> int:
        """The sender's AS number: of the four-octet AS capability where it is there (RFC 6793 4.1)."""
        return next((c.asn for c in self.capabilities if isinstance(c, FourOctetAs)), self.my_as)


@dataclass(frozen=True, slots=True)
class MalformedNlri(metaclass=Texted):
    """An NLRI that ends where its length says, but holds what its family does not have. `octets` are all of it.

    Text: "malformed 0a0b".
    """

    octets: bytes
    reason: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str) -> MalformedNlri:
        """The value of a text form. Raises ValueError."""
        return cls(bytes.fromhex(text.removeprefix("malformed ")))

    def __str__(self) -> str:
        return f"malformed {self.octets.hex()}"

    def __repr__(self) -> str:
        return f"MalformedNlri({str(self)!r})"


#: What a route leads to, in every family that we read.
Destination: TypeAlias = (
    Prefix
    | LabelledPrefix
    | VpnPrefix
    | EvpnRoute
    | FlowSpec
    | VpnFlowSpec
    | RouteTargetMembership
    | VplsRoute
    | LinkStateNlri
    | SrPolicy
    | MupRoute
    | McastVpnRoute
    | MalformedNlri
)


class PathPrefix(NamedTuple):
    """A prefix, or what other families have in its place, with its path identifier (RFC 7911 3)."""

    prefix: Destination
    path_id: int


#: One element of an NLRI field.
Nlri: TypeAlias = Destination | PathPrefix


@dataclass(frozen=True, slots=True)
class MpReach:
    """MP_REACH_NLRI (RFC 4760 3). `octets` is all after the SAFI where the family is none that we read, or it is malformed.

    The route distinguisher before a VPN next hop is left out: it is always 0 (RFC 4364 4.3.2).
    """

    family: Family
    next_hops: tuple[IPv4Address | IPv6Address, ...] = ()  #: global, then link-local (RFC 2545 3)
    nlri: tuple[Nlri, ...] = ()
    octets: bytes = b""


@dataclass(frozen=True, slots=True)
class MpUnreach:
    """MP_UNREACH_NLRI (RFC 4760 4). `octets` as in `MpReach`."""

    family: Family
    nlri: tuple[Nlri, ...] = ()
    octets: bytes = b""


@dataclass(frozen=True, slots=True)
class AttributeSet:
    """ATTR_SET (RFC 6368 5): the attributes that a route had in its customer's network, and that network's AS number."""

    asn: int
    attributes: tuple[PathAttribute, ...] = ()


#: What a path attribute can hold; octets where it is unknown or malformed.
AttributeValue: TypeAlias = (
    Origin
    | AsPath
    | IPv4Address
    | int
    | bool
    | Aggregator
    | tuple[Community, ...]
    | tuple[ExtendedCommunity, ...]
    | tuple[Ipv6ExtendedCommunity, ...]
    | tuple[LargeCommunity, ...]
    | tuple[IPv4Address, ...]
    | MpReach
    | MpUnreach
    | PmsiTunnel
    | TunnelEncapsulation
    | Aigp
    | LinkState
    | BfdDiscriminator
    | DomainPath
    | PrefixSid
    | PeLabels
    | BgpsecPath
    | ServicePath
    | NextHopCharacteristics
    | Bier
    | AttributeSet
    | bytes
)


@dataclass(frozen=True, slots=True)
class PathAttribute:
    """One path attribute (RFC 4271 4.3): flags octet, type code, value."""

    flags: int
    code: int
    value: AttributeValue


@dataclass(frozen=True, slots=True)
class Update:
    """UPDATE (RFC 4271 4.3). `withdrawn` and `nlri` are the two plain IPv4 fields.

    `errors` says what RFC 7606 has to say of it; attributes that it is about hold octets where they could not be read.
    """

    withdrawn: tuple[Nlri, ...] = ()
    attributes: tuple[PathAttribute, ...] = ()
    nlri: tuple[Nlri, ...] = ()
    errors: tuple[UpdateError, ...] = ()

    encode = _encode

    def attribute(self, code: int) -> PathAttribute | None:
        """The first attribute of that code, which is the one that counts (RFC 7606 3 g)."""
        return next((attribute for attribute in self.attributes if attribute.code == code), None)


@dataclass(frozen=True, slots=True)
class Notification:
    """NOTIFICATION (RFC 4271 4.5)."""

    code: int
    subcode: int
    data: bytes = b""

    encode = _encode

    @property
    def shutdown_communication(self) -> str | None:
        """The text that an operator sent along (RFC 9003 2); None where there is none or it is malformed."""
        ended = (CeaseSubcode.ADMINISTRATIVE_SHUTDOWN, CeaseSubcode.ADMINISTRATIVE_RESET)
        if self.code != NotificationCode.CEASE or self.subcode not in ended or not self.data:
            return None
        text = self.data[1:]
        if len(text) != self.data[0] or not text:
            return None
        try:
            return text.decode()
        except UnicodeDecodeError:
            return None

    @property
    def hard_reset(self) -> Notification | None:
        """What a Hard Reset is for, which ends a session that graceful restart would go on with (RFC 8538 3.1).

        None of any other NOTIFICATION, and of one that does not say: a Hard Reset for a Hard Reset has no end.
        """
        this = bytes((NotificationCode.CEASE, CeaseSubcode.HARD_RESET))
        if (self.code, self.subcode) != tuple(this) or len(self.data) < 2 or self.data.startswith(this):
            return None
        return Notification(self.data[0], self.data[1], self.data[2:])

    def as_hard_reset(self) -> Notification:
        """This one as the reason of a Hard Reset (RFC 8538 3.1)."""
        return Notification(
            NotificationCode.CEASE, CeaseSubcode.HARD_RESET, bytes((self.code, self.subcode)) + self.data
        )

    def __str__(self) -> str:
        subcodes = SUBCODES.get(self.code)
        words = [_words(NotificationCode, self.code)]
        if subcodes is not None and (self.subcode or 0 in list(subcodes)):
            words.append(_words(subcodes, self.subcode))
        text = f"NOTIFICATION {self.code}/{self.subcode} ({', '.join(words)})"
        if (said := self.shutdown_communication) is not None:
            return f"{text}: {said!r}"
        if (inner := self.hard_reset) is not None:
            return f"{text} for {inner}"
        return f"{text} data {self.data.hex()}" if self.data else text


def _words(numbers: type[IntEnum], number: int) -> str:
    try:
        name = numbers(number).name
    except ValueError:
        return f"unknown {number}"
    return name.capitalize().replace("_", " ").replace(" as", " AS").replace("Bgp", "BGP")


@dataclass(frozen=True, slots=True)
class Keepalive:
    """KEEPALIVE (RFC 4271 4.4)."""

    encode = _encode


class FilterAction(IntEnum):
    """What becomes of an entry (RFC 5291 4)."""

    ADD = 0
    REMOVE = 1
    REMOVE_ALL = 2


@dataclass(frozen=True, slots=True)
class PrefixFilter:
    """An entry of the address prefix ORF (RFC 5292 2): prefixes within `prefix` of `minimum` to `maximum` bits, 0 for any.

    Of REMOVE_ALL there is nothing else: `prefix` is None.
    """

    action: FilterAction
    deny: bool = False
    sequence: int = 0
    minimum: int = 0
    maximum: int = 0
    prefix: Prefix | None = None


@dataclass(frozen=True, slots=True)
class FilterGroup:
    """The entries of one ORF type; octets where the type is none that we read (RFC 5291 4)."""

    type: int
    entries: tuple[PrefixFilter, ...] | bytes


@dataclass(frozen=True, slots=True)
class OutboundFilters:
    """What the sender does not want, and when: 1 at once, 2 with the next ROUTE-REFRESH (RFC 5291 4)."""

    when: int
    groups: tuple[FilterGroup, ...]


@dataclass(frozen=True, slots=True)
class RouteRefresh:
    """ROUTE-REFRESH (RFC 2918 3, subtypes of RFC 7313 3.2).

    `orf` is what follows (RFC 5291 5.2); octets where it cannot be read.
    """

    family: Family
    subtype: int = 0
    orf: OutboundFilters | bytes = b""

    encode = _encode


Message: TypeAlias = Open | Update | Notification | Keepalive | RouteRefresh

#: The type octet of each message.
TYPES: Final[dict[type[Message], MessageType]] = {
    Open: MessageType.OPEN,
    Update: MessageType.UPDATE,
    Notification: MessageType.NOTIFICATION,
    Keepalive: MessageType.KEEPALIVE,
    RouteRefresh: MessageType.ROUTE_REFRESH,
}
