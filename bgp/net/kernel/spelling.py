"""Routes as rtnetlink messages. pyroute2 spells them and reads links; two short ways are our own, for speed.

- Out: a message differs from the next one by its destination only, so pyroute2 spells one for each way and prefix length,
  and what is between two destinations joins them. All have one sequence number: an error has the whole message with it.
- In: of a route we need six attributes, found by one walk. The tests hold `scan` equal to what pyroute2 reads.

A message is (linux/netlink.h, linux/rtnetlink.h)
- header: length (4), type (2), flags (2), sequence number (4), port (4), all in the machine's byte order
- rtmsg: family, destination length, source length, TOS, table, protocol, scope, type (1 each), flags (4)
- attributes: length with these four octets (2), type (2), value, padded to a multiple of four
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import groupby
from operator import itemgetter
from socket import AF_INET, AF_INET6
from struct import Struct
from typing import Final, NamedTuple

from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from bgp.net.kernel.model import Edit, Hop, KernelOptions, KernelRoute, Link, Refusal, Verb, Way
from rib.family import Afi

HEADER: Final = Struct("=IHHII")
ROUTE: Final = Struct("=8BI")
ATTRIBUTE: Final = Struct("=HH")
NEXT_HOP: Final = Struct("=HBBi")
NUMBER: Final = Struct("=I")
ERROR: Final = Struct("=i")

# linux/netlink.h
NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE = 1, 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP_INTR = 0x1, 0x4, 0x10
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE, NLM_F_DUMP = 0x100, 0x200, 0x400, 0x300
# linux/rtnetlink.h
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_DELADDR = 20, 21
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTN_UNICAST, RTN_BLACKHOLE = 1, 6
#: Unicast, and three ways to throw packets away: blackhole, unreachable, prohibit.
KINDS: Final = frozenset({1, 6, 7, 8})
#: A cache entry that IPv6 shows among the routes.
RTM_F_CLONED: Final = 0x200
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC, RTA_MULTIPATH, RTA_TABLE, RTA_VIA = 1, 4, 5, 6, 7, 9, 15, 18
#: The table's octet where the table's number needs more.
RT_TABLE_COMPAT: Final = 252
#: linux/if.h: up, and a carrier is there.
IFF_UP, IFF_RUNNING = 0x1, 0x40

TYPES: Final = {
    Verb.ADD: (RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL),
    Verb.REPLACE: (RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE),
    Verb.REMOVE: (RTM_DELROUTE, NLM_F_REQUEST),
}
_VERBS: Final = {spelt: verb for verb, spelt in TYPES.items()}
#: Of an NLRI.
_LENGTH: Final = itemgetter(0)
_SIGNIFICANT: Final = itemgetter(slice(1, None))
#: Spelt ways that are kept; ways are few but for a router that has a next hop a prefix.
_KEPT: Final = 4096


class Template(NamedTuple):
    """A message but for what differs: `start`, a sequence number, `middle`, the significant octets of a prefix, `end`."""

    start: bytes
    middle: bytes
    end: bytes
    size: int  #: of the whole


class Speller:
    """Spells edits for one protocol, metric and table."""

    def __init__(self, options: KernelOptions) -> None:
        self.options = options
        self._templates: dict[tuple[Verb, int, int, Way], Template] = {}

    def messages(self, edit: Edit, sequence: int) -> bytes:
        """The requests to do what an edit says, all of that number, those of a prefix length together."""
        verb, afi, keys, way = edit
        number = NUMBER.pack(sequence)
        spelt: list[bytes] = []
        for length, some in groupby(sorted(keys, key=_LENGTH), _LENGTH):
            start, middle, end, _ = self._kept(verb, afi, length, way)
            before = start + number + middle
            spelt += before, (end + before).join(map(_SIGNIFICANT, some)), end
        return b"".join(spelt)

    def parts(self, edit: Edit, octets: int) -> Iterator[Edit]:
        """The edit in pieces, the messages of each of which take about so many octets at most."""
        verb, afi, keys, way = edit
        if keys:
            most = max(1, octets // self._kept(verb, afi, keys[0][0], way).size)
            for at in range(0, len(keys), most):
                yield edit if len(keys) <= most else edit._replace(keys=keys[at : at + most])

    def _kept(self, verb: Verb, afi: int, length: int, way: Way) -> Template:
        index = (verb, afi, length, way)
        made = self._templates.get(index)
        if made is None:
            if len(self._templates) >= _KEPT:
                self._templates.clear()
            made = self._templates[index] = self._template(*index)
        return made

    def _template(self, verb: Verb, afi: int, length: int, way: Way) -> Template:
        options, remove = self.options, verb is Verb.REMOVE
        attributes: list[tuple[str, object]] = []
        if length:
            attributes.append(("RTA_DST", "0.0.0.0" if afi == Afi.IPV4 else "::"))
        attributes += [("RTA_TABLE", options.table), ("RTA_PRIORITY", options.metric)]
        if not remove:
            attributes += _ways(afi, way)
        message = rtmsg()
        message["family"] = AF_INET if afi == Afi.IPV4 else AF_INET6
        message["dst_len"] = length
        message["table"] = options.table if options.table < 256 else RT_TABLE_COMPAT
        message["proto"] = options.protocol
        message["type"] = 0 if remove else (RTN_UNICAST if way.hops else RTN_BLACKHOLE)
        # RT_SCOPE_NOWHERE matches whatever there is; RT_SCOPE_LINK is for what no gateway is needed for.
        link = bool(way.hops) and all(hop.gateway is None for hop in way.hops)
        message["scope"] = 255 if remove else (253 if link and afi == Afi.IPV4 else 0)
        message["attrs"] = attributes
        message["header"]["type"], message["header"]["flags"] = TYPES[verb]
        message.reset()
        message.encode()
        octets = bytes(message.data)
        at = HEADER.size + ROUTE.size + (ATTRIBUTE.size if length else 0)
        # The rest of a destination that is shorter than an address is zeros.
        return Template(octets[:8], octets[12:at], octets[at + (length + 7) // 8 :], len(octets))

    def dump(self, afi: int, protocol: int, sequence: int) -> bytes:
        """The request for all routes of the table; of one protocol unless it is 0."""
        table = self.options.table
        return (
            HEADER.pack(36, RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, sequence, 0)
            + ROUTE.pack(AF_INET if afi == Afi.IPV4 else AF_INET6, 0, 0, 0, 0, protocol, 0, 0, 0)
            + ATTRIBUTE.pack(8, RTA_TABLE)
            + NUMBER.pack(table)
        )


def _ways(afi: int, way: Way) -> list[tuple[str, object]]:
    """The attributes that say where packets go."""
    attributes: list[tuple[str, object]] = []
    if way.source is not None:
        attributes.append(("RTA_PREFSRC", str(way.source)))
    if len(way.hops) == 1:
        hop = way.hops[0]
        return attributes + _gateway(afi, hop) + ([("RTA_OIF", hop.interface)] if hop.interface else [])
    if way.hops:
        hops = [{"oif": hop.interface, "flags": 0, "hops": 0, "attrs": _gateway(afi, hop)} for hop in way.hops]
        attributes.append(("RTA_MULTIPATH", hops))
    return attributes


def _gateway(afi: int, hop: Hop) -> list[tuple[str, object]]:
    if hop.gateway is None:
        return []
    if hop.gateway.version == 6 and afi == Afi.IPV4:  # RFC 8950
        return [("RTA_VIA", {"family": AF_INET6, "addr": str(hop.gateway)})]
    return [("RTA_GATEWAY", str(hop.gateway))]


def end_mark(sequence: int) -> bytes:
    """A request for nothing but an answer: all before it is done."""
    return HEADER.pack(HEADER.size, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, sequence, 0)


def read_refusal(message: bytes) -> Refusal | None:
    """What an NLMSG_ERROR says of a request that `Speller` made; None if it says that all is well."""
    if not (error := read_error(message)):
        return None
    at = HEADER.size + NUMBER.size
    _, kind, flags, _, _ = HEADER.unpack_from(message, at)
    at += HEADER.size
    family, length = message[at], message[at + 1]
    at += ROUTE.size + ATTRIBUTE.size  # the destination comes first
    nlri = bytes((length,)) + message[at : at + (length + 7) // 8]
    return Refusal(_VERBS[kind, flags], Afi.IPV4 if family == AF_INET else Afi.IPV6, nlri, error)


def read_error(message: bytes) -> int:
    """The errno of an NLMSG_ERROR; 0 says that all is well."""
    return -int(ERROR.unpack_from(message, HEADER.size)[0])


def dump_links(sequence: int) -> bytes:
    """The request for all links."""
    return HEADER.pack(32, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, sequence, 0) + bytes(16)


def messages(octets: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """(type, flags, sequence number, message with its header) of what was received."""
    at = 0
    while at + HEADER.size <= len(octets):
        length, kind, flags, sequence, _ = HEADER.unpack_from(octets, at)
        yield kind, flags, sequence, octets[at : at + length]
        at += max((length + 3) & ~3, HEADER.size)


def read_link(message: bytes) -> Link:
    """The link of an RTM_NEWLINK."""
    read = ifinfmsg(message)
    read.decode()
    flags = read["flags"]
    return Link(read["index"], str(read.get_attr("IFLA_IFNAME")), bool(flags & IFF_UP and flags & IFF_RUNNING))


def _attributes(octets: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(type, start, end) of each attribute's value."""
    while at + ATTRIBUTE.size <= end:
        length, kind = ATTRIBUTE.unpack_from(octets, at)
        yield kind & 0x3FFF, at + ATTRIBUTE.size, at + length
        at += max((length + 3) & ~3, ATTRIBUTE.size)


def scan(message: bytes, table: int) -> KernelRoute | None:
    """The route of an RTM_NEWROUTE or RTM_DELROUTE; None where it is none of ours or anybody's way to a prefix of `table`."""
    family, length, source_length, tos, own_table, protocol, _, kind, flags = ROUTE.unpack_from(message, HEADER.size)
    if family not in (AF_INET, AF_INET6) or kind not in KINDS or source_length or tos or flags & RTM_F_CLONED:
        return None
    destination = bytes(16)
    metric = interface = 0
    gateway: IPv4Address | IPv6Address | None = None
    source: IPv4Address | IPv6Address | None = None
    hops: tuple[Hop, ...] = ()
    for attribute, start, end in _attributes(message, HEADER.size + ROUTE.size, len(message)):
        if attribute == RTA_DST:
            destination = message[start:end]
        elif attribute == RTA_TABLE:
            own_table = NUMBER.unpack_from(message, start)[0]
        elif attribute == RTA_PRIORITY:
            metric = NUMBER.unpack_from(message, start)[0]
        elif attribute == RTA_OIF:
            interface = NUMBER.unpack_from(message, start)[0]
        elif attribute == RTA_PREFSRC:
            source = _address(message[start:end])
        elif attribute == RTA_GATEWAY:
            gateway = _address(message[start:end])
        elif attribute == RTA_VIA:
            gateway = _address(message[start + 2 : end])
        elif attribute == RTA_MULTIPATH:
            hops = tuple(_hops(message, start, end))
    if own_table != table:
        return None
    if kind != RTN_UNICAST:
        hops = ()
    elif not hops:
        hops = (Hop(gateway, interface),)
    nlri = bytes((length,)) + destination[: (length + 7) // 8]
    return KernelRoute(Afi.IPV4 if family == AF_INET else Afi.IPV6, nlri, Way.of(hops, source), protocol, metric)


def _hops(message: bytes, at: int, end: int) -> Iterator[Hop]:
    while at + NEXT_HOP.size <= end:
        length, _, _, interface = NEXT_HOP.unpack_from(message, at)
        gateway: IPv4Address | IPv6Address | None = None
        for attribute, start, stop in _attributes(message, at + NEXT_HOP.size, at + length):
            if attribute == RTA_GATEWAY:
                gateway = _address(message[start:stop])
            elif attribute == RTA_VIA:
                gateway = _address(message[start + 2 : stop])
        yield Hop(gateway, interface)
        at += max((length + 3) & ~3, NEXT_HOP.size)


def _address(octets: bytes) -> IPv4Address | IPv6Address:
    return IPv4Address(octets) if len(octets) == 4 else IPv6Address(octets)
