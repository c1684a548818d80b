"""MRT records, valid and damaged."""

from __future__ import annotations

from hypothesis import strategies as st
from strategies import contexts, ipv4, ipv6, prefixes, raw_updates, u8, u16, u32

from bgp.wire.formats.mrt import RIBS
from bgp.wire.formats.mrt_values import (
    AS4,
    Bgp4mp,
    Content,
    GeoPeer,
    GeoPeerTable,
    IndexedPeer,
    Legacy,
    LegacyMessage,
    LegacyStateChange,
    MessageRecord,
    Peer,
    PeerIndexTable,
    Record,
    Rib,
    Rib2,
    RibEntry,
    RibGeneric,
    StateChange,
    TableDump,
    Unread,
)
from bgp.wire.header import with_header
from rib.family import VPNV4

octets = st.binary(max_size=40)
places = st.binary(min_size=4, max_size=4)
messages = contexts().flatmap(raw_updates).map(lambda body: with_header(2, body, 65535))


@st.composite
def indexed_peers(draw: st.DrawFn) -> IndexedPeer:
    kind = draw(st.integers(0, 3))
    return IndexedPeer(kind, draw(ipv4), draw(ipv6 if kind & 1 else ipv4), draw(u32 if kind & 2 else u16))


geo_peers = st.builds(lambda peer, x, y: GeoPeer(*peer, x, y), indexed_peers(), places, places)


def entries(*, with_path_id: bool) -> st.SearchStrategy[tuple[RibEntry, ...]]:
    entry = st.builds(RibEntry, u16, u32, u32 if with_path_id else st.none(), octets)
    return st.lists(entry, max_size=4).map(tuple)


@st.composite
def ribs(draw: st.DrawFn) -> Rib:
    subtype = draw(st.sampled_from(sorted(RIBS)))
    family, with_path_id = RIBS[subtype]
    return Rib(subtype, draw(u32), draw(prefixes(family.afi)), draw(entries(with_path_id=with_path_id)))


@st.composite
def generic_ribs(draw: st.DrawFn) -> RibGeneric:
    """Of VPNv4, whose NLRI begin with their length in bits."""
    subtype = draw(st.sampled_from([Rib2.RIB_GENERIC, Rib2.RIB_GENERIC_ADDPATH]))
    nlri = bytes((24 + 64 + 24,)) + draw(st.binary(min_size=14, max_size=14))
    path_id = draw(places) if subtype == Rib2.RIB_GENERIC_ADDPATH else b""
    return RibGeneric(subtype, draw(u32), VPNV4, path_id + nlri, draw(entries(with_path_id=False)))


@st.composite
def table_dumps(draw: st.DrawFn) -> TableDump:
    afi = draw(st.sampled_from([1, 2]))
    peer = Peer(draw(ipv4 if afi == 1 else ipv6), draw(u16))
    return TableDump(draw(u16), draw(u16), draw(prefixes(afi)), draw(u8), draw(u32), peer, draw(octets))


@st.composite
def sessions(draw: st.DrawFn) -> MessageRecord | StateChange:
    subtype = draw(st.sampled_from(sorted(Bgp4mp)))
    asn, address = (u32 if subtype in AS4 else u16), draw(st.sampled_from([ipv4, ipv6]))
    peer, local = (Peer(draw(address), draw(asn)) for _ in range(2))
    if subtype in (Bgp4mp.STATE_CHANGE, Bgp4mp.STATE_CHANGE_AS4):
        return StateChange(subtype, peer, local, draw(u16), draw(u16), draw(u16))
    return MessageRecord(subtype, peer, local, draw(u16), draw(st.one_of(octets, messages)))


legacy_peers = st.builds(Peer, ipv4, u16)
legacy = st.one_of(
    st.builds(LegacyStateChange, legacy_peers, u16, u16),
    st.builds(
        LegacyMessage, st.just(Legacy.UPDATE), legacy_peers, legacy_peers, octets.map(lambda body: with_header(2, body))
    ),
)
contents: st.SearchStrategy[Content] = st.one_of(
    ribs(),
    sessions(),
    table_dumps(),
    generic_ribs(),
    legacy,
    st.builds(PeerIndexTable, ipv4, octets, st.lists(indexed_peers(), max_size=3).map(tuple)),
    st.builds(GeoPeerTable, ipv4, octets, places, places, st.lists(geo_peers, max_size=3).map(tuple)),
    st.builds(Unread, st.sampled_from([11, 32, 99]), u16, octets),
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    content = draw(contents)
    exact = draw(u32) if isinstance(content, MessageRecord | StateChange) and draw(st.booleans()) else None
    return Record(0, draw(u32), exact, content)


@st.composite
def damaged(draw: st.DrawFn, valid: bytes) -> bytes:
    """`valid` with some octets changed, cut off, or added."""
    found = bytearray(valid)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(found)))
        match draw(st.integers(0, 2)):
            case 0 if at < len(found):
                found[at] = draw(u8)
            case 1:
                del found[at:]
            case _:
                found[at:at] = draw(st.binary(max_size=3))
    return bytes(found)
