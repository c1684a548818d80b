"""What an MRT file says, as values (RFC 6396): a record and its contents, octet for octet where others are to read on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple, TypeAlias

from bgp.iana import MessageType
from bgp.wire.context import Context
from bgp.wire.nlri import FAMILIES
from rib.family import Family
from rib.prefix import Prefix

Address: TypeAlias = IPv4Address | IPv6Address


class Type(IntEnum):
    """Record types (RFC 6396 4)."""

    BGP = 5  #: deprecated: 2-octet AS numbers, IPv4, messages without their header (RFC 6396 B.2)
    TABLE_DUMP = 12
    TABLE_DUMP_V2 = 13
    BGP4MP = 16
    BGP4MP_ET = 17


class Legacy(IntEnum):
    """Subtypes of BGP (RFC 6396 B.2) that are read."""

    UPDATE = 1
    STATE_CHANGE = 3
    OPEN = 5
    NOTIFY = 6
    KEEPALIVE = 7


#: The message that each of them holds.
LEGACY_MESSAGES: Final = {
    Legacy.UPDATE: MessageType.UPDATE,
    Legacy.OPEN: MessageType.OPEN,
    Legacy.NOTIFY: MessageType.NOTIFICATION,
    Legacy.KEEPALIVE: MessageType.KEEPALIVE,
}


class Rib2(IntEnum):
    """Subtypes of TABLE_DUMP_V2 (RFC 6396 4.3, RFC 6397 3, RFC 8050 4)."""

    PEER_INDEX_TABLE = 1
    RIB_IPV4_UNICAST = 2
    RIB_IPV4_MULTICAST = 3
    RIB_IPV6_UNICAST = 4
    RIB_IPV6_MULTICAST = 5
    RIB_GENERIC = 6
    GEO_PEER_TABLE = 7
    RIB_IPV4_UNICAST_ADDPATH = 8
    RIB_IPV4_MULTICAST_ADDPATH = 9
    RIB_IPV6_UNICAST_ADDPATH = 10
    RIB_IPV6_MULTICAST_ADDPATH = 11
    RIB_GENERIC_ADDPATH = 12


class Bgp4mp(IntEnum):
    """Subtypes of BGP4MP and BGP4MP_ET (RFC 6396 4.4, RFC 8050 3)."""

    STATE_CHANGE = 0
    MESSAGE = 1
    MESSAGE_AS4 = 4
    STATE_CHANGE_AS4 = 5
    MESSAGE_LOCAL = 6
    MESSAGE_AS4_LOCAL = 7
    MESSAGE_ADDPATH = 8
    MESSAGE_AS4_ADDPATH = 9
    MESSAGE_LOCAL_ADDPATH = 10
    MESSAGE_AS4_LOCAL_ADDPATH = 11


class Peer(NamedTuple):
    """Who a route or a message came from."""

    address: Address
    asn: int


class IndexedPeer(NamedTuple):
    """An entry of the peer index table (RFC 6396 4.3.1); `type` says how long its address and AS number are."""

    type: int
    bgp_id: IPv4Address
    address: Address
    asn: int


class GeoPeer(NamedTuple):
    """The same with its place: latitude and longitude as IEEE 754 single floats (RFC 6397 3)."""

    type: int
    bgp_id: IPv4Address
    address: Address
    asn: int
    latitude: bytes
    longitude: bytes


class PeerIndexTable(NamedTuple):
    """The peers that the entries after it count by (RFC 6396 4.3.1)."""

    collector: IPv4Address
    view: bytes
    peers: tuple[IndexedPeer, ...]


class GeoPeerTable(NamedTuple):
    """Where the collector and its peers are (RFC 6397 3). Floats as octets: NaN is to stay what it is."""

    collector: IPv4Address
    view: bytes
    latitude: bytes
    longitude: bytes
    peers: tuple[GeoPeer, ...]


class RibEntry(NamedTuple):
    """A route of a RIB record (RFC 6396 4.3.4): `peer` by its place in the index table, `originated` in seconds."""

    peer: int
    originated: int
    path_id: int | None
    attributes: bytes


class Rib(NamedTuple):
    """All routes to a prefix (RFC 6396 4.3.2, RFC 8050 4.1)."""

    subtype: int
    sequence: int
    prefix: Prefix
    entries: tuple[RibEntry, ...]


class RibGeneric(NamedTuple):
    """All routes to one NLRI of any family (RFC 6396 4.3.3); with a path identifier before it in RFC 8050 4.2's form."""

    subtype: int
    sequence: int
    family: Family
    nlri: bytes
    entries: tuple[RibEntry, ...]

    @property
    def has_path_id(self) -> bool:
        """Whether `nlri` begins with a path identifier."""
        return self.subtype == Rib2.RIB_GENERIC_ADDPATH


class TableDump(NamedTuple):
    """A route of a TABLE_DUMP (RFC 6396 4.2)."""

    view: int
    sequence: int
    prefix: Prefix
    status: int
    originated: int
    peer: Peer
    attributes: bytes


class MessageRecord(NamedTuple):
    """A BGP message as it was received or, for a _LOCAL subtype, sent (RFC 6396 4.4.2)."""

    subtype: int
    peer: Peer
    local: Peer
    interface: int
    octets: bytes


class StateChange(NamedTuple):
    """A session's change of state, in RFC 4271 8.2.2's numbers (RFC 6396 4.4.1)."""

    subtype: int
    peer: Peer
    local: Peer
    interface: int
    old: int
    new: int


class LegacyMessage(NamedTuple):
    """A message of type BGP, put under the header that the record leaves out."""

    subtype: int
    peer: Peer
    local: Peer
    octets: bytes


class LegacyStateChange(NamedTuple):
    """A change of state of type BGP."""

    peer: Peer
    old: int
    new: int


class Unread(NamedTuple):
    """A record of a type that we do not read."""

    type: int
    subtype: int
    body: bytes


class Broken(NamedTuple):
    """A record that is not what its type says, and why."""

    type: int
    subtype: int
    body: bytes
    reason: str


Content: TypeAlias = (
    PeerIndexTable
    | GeoPeerTable
    | Rib
    | RibGeneric
    | TableDump
    | MessageRecord
    | StateChange
    | LegacyMessage
    | LegacyStateChange
    | Unread
    | Broken
)


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `time` in seconds with microseconds for an _ET type; `at`: octets into the file."""

    at: int
    time: int
    microseconds: int | None
    content: Content


_CONTEXTS: Final = {
    (as4, add_path): Context(as4=as4, add_path=frozenset(FAMILIES) if add_path else frozenset(), extended=True)
    for as4 in (False, True)
    for add_path in (False, True)
}
#: Subtypes of BGP4MP whose AS numbers have four octets, and those whose NLRI have path identifiers.
AS4: Final = frozenset({4, 5, 7, 9, 11})
ADD_PATH: Final = frozenset({8, 9, 10, 11})
#: How to read the messages of each subtype.
MESSAGE_CONTEXTS: Final = {subtype: _CONTEXTS[subtype in AS4, subtype in ADD_PATH] for subtype in Bgp4mp}
#: How the attributes of table dumps are to be read: TABLE_DUMP_V2 always has 4-octet AS numbers (RFC 6396 4.3.4).
TABLE_DUMP_CONTEXT: Final = _CONTEXTS[False, False]
RIB_CONTEXT: Final = _CONTEXTS[True, False]
RIB_ADD_PATH_CONTEXT: Final = _CONTEXTS[True, True]


def rib_context(with_path_id: bool) -> Context:
    """How to read the routes of TABLE_DUMP_V2."""
    return RIB_ADD_PATH_CONTEXT if with_path_id else RIB_CONTEXT


def context_of(record: MessageRecord | LegacyMessage) -> Context:
    """How to read the message of a record."""
    return MESSAGE_CONTEXTS[Bgp4mp(record.subtype)] if isinstance(record, MessageRecord) else TABLE_DUMP_CONTEXT
