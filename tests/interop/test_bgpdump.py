"""The C program bgpdump prints of records that we write what `bgp decode --format bgpdump` prints of them."""

from __future__ import annotations

import io
import shutil
import subprocess
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from interop.conftest import REQUIRED
from strategies import prefixes, updates

from bgp.app.decode import run_decode
from bgp.app.form import Form
from bgp.message import MpReach, MpUnreach, Update
from bgp.wire.context import Context
from bgp.wire.formats.mrt import RIBS, encode
from bgp.wire.formats.mrt_rib import rib_attributes
from bgp.wire.formats.mrt_values import (
    AS4,
    Bgp4mp,
    IndexedPeer,
    MessageRecord,
    Peer,
    PeerIndexTable,
    Record,
    Rib,
    Rib2,
    RibEntry,
    TableDump,
)
from bgp.wire.header import with_header
from bgp.wire.update import encode_update

pytestmark = pytest.mark.skipif(
    shutil.which("bgpdump") is None and not REQUIRED, reason="bgpdump is not installed: make interop installs it"
)
FOUR, SIX = IPv4Address("192.0.2.1"), IPv6Address("2001:db8:0:1::5")
PEERS: Final = Record(
    0, 0, None, PeerIndexTable(FOUR, b"", (IndexedPeer(2, FOUR, FOUR, 65001), IndexedPeer(3, FOUR, SIX, 65002)))
)
#: bgpdump prints nothing of the multicast ones.
UNICAST: Final = (
    Rib2.RIB_IPV4_UNICAST, Rib2.RIB_IPV6_UNICAST, Rib2.RIB_IPV4_UNICAST_ADDPATH, Rib2.RIB_IPV6_UNICAST_ADDPATH,
)  # fmt: skip
AS4_PATH: Final = 17


def compare(folder: Path, *records: Record) -> None:
    path = folder / "records.mrt"
    path.write_bytes(b"".join(map(encode, records)))
    theirs = subprocess.run(["bgpdump", "-m", str(path)], capture_output=True)
    if theirs.returncode < 0:
        event("bgpdump crashed")  # it does so on some long AS_PATHs
        return
    out, err = io.StringIO(), io.StringIO()
    run_decode([str(path)], form=Form.BGPDUMP, strict=False, out=out, err=err)
    assert sorted(out.getvalue().splitlines()) == sorted(theirs.stdout.decode().splitlines())


once = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def messages(draw: st.DrawFn) -> Record:
    subtype = draw(st.sampled_from([Bgp4mp.MESSAGE, Bgp4mp.MESSAGE_AS4]))
    context = Context(as4=subtype in AS4)
    update = draw(updates(context))
    # RFC 6793 6 drops confederation segments of AS4_PATH, bgpdump keeps them; it prints some LOCAL_PREFs as negative.
    assume(not any(one.code == AS4_PATH or (one.code == 5 and one.value >= 1 << 31) for one in update.attributes))  # type: ignore[operator]
    body = encode_update(update, context)
    assume(len(body) < 4000)
    ends = draw(st.sampled_from([(FOUR, IPv4Address("192.0.2.2")), (SIX, IPv6Address("2001:db8::2"))]))
    peer, local = Peer(ends[0], 65001), Peer(ends[1], 65002)
    exact = draw(st.sampled_from([None, 5]))
    return Record(0, 7, exact, MessageRecord(subtype, peer, local, 0, with_header(2, body)))


@given(record=messages())
@once
def test_messages(tmp_path: Path, record: Record) -> None:
    compare(tmp_path, record)


def only_next_hops_of(afi: int, update: Update) -> Update:
    """`update` with the attributes that a table of this address family can have."""
    kept = [one for one in update.attributes if not isinstance(one.value, MpUnreach)]
    assume(all(one.value.family.afi == afi for one in kept if isinstance(one.value, MpReach)))
    return replace(update, attributes=tuple(kept))


@st.composite
def ribs(draw: st.DrawFn) -> Record:
    subtype = draw(st.sampled_from(UNICAST))
    family, with_path_id = RIBS[subtype]
    update = only_next_hops_of(family.afi, draw(updates(Context())))
    attributes = rib_attributes(update, Context())
    entries = tuple(RibEntry(peer, 5, 7 if with_path_id else None, attributes) for peer in (0, 1))
    return Record(0, 9, None, Rib(subtype, 1, draw(prefixes(family.afi)), entries))


@given(record=ribs())
@once
def test_tables(tmp_path: Path, record: Record) -> None:
    compare(tmp_path, PEERS, record)


@given(update=updates(Context(as4=False)), prefix=prefixes(1))
@once
def test_tables_of_the_first_kind(tmp_path: Path, update: Update, prefix: object) -> None:
    kept = tuple(one for one in update.attributes if not isinstance(one.value, MpReach | MpUnreach))
    assume(not any(one.code == AS4_PATH for one in kept))
    attributes = rib_attributes(replace(update, attributes=kept), Context(as4=False))
    compare(tmp_path, Record(0, 9, None, TableDump(0, 1, prefix, 1, 5, Peer(FOUR, 65001), attributes)))  # type: ignore[arg-type]
