"""The short ways to spell and to read routes, held equal to pyroute2's long ones."""

from __future__ import annotations

from ipaddress import ip_address
from socket import AF_INET, AF_INET6

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ipv4, ipv6, prefixes

from bgp.net.kernel.model import BLACKHOLE, Edit, Hop, KernelOptions, KernelRoute, Refusal, Verb, Way
from rib.prefix import Prefix

pytest.importorskip("pyroute2")

from pyroute2.netlink.rtnl.rtmsg import rtmsg

from bgp.net.kernel import spelling
from bgp.net.kernel.spelling import (
    ERROR,
    HEADER,
    NLM_F_ACK,
    NLMSG_ERROR,
    Speller,
    end_mark,
    messages,
    read_refusal,
    scan,
)

u31 = st.integers(1, (1 << 31) - 1)
protocols = st.integers(1, 255)


@st.composite
def ways(draw: st.DrawFn, afi: int) -> Way:
    """Blackholes, one hop and several."""
    addresses = st.one_of(ipv4, ipv6) if afi == 1 else ipv6
    hops = st.builds(Hop, st.one_of(addresses, st.none()), u31)
    source = draw(st.one_of(st.none(), ipv4 if afi == 1 else ipv6))
    return Way.of(draw(st.lists(hops, max_size=4)), source)


@st.composite
def routes(draw: st.DrawFn) -> KernelRoute:
    prefix = draw(st.sampled_from([1, 2]).flatmap(prefixes))
    return KernelRoute(prefix.afi, prefix.nlri, draw(ways(prefix.afi)), draw(protocols), draw(u31))


def as_pyroute2_reads(message: bytes) -> KernelRoute:
    """The route of a message that has one, by pyroute2 alone."""
    read = rtmsg(message)
    read.decode()
    afi = {AF_INET: 1, AF_INET6: 2}[read["family"]]
    default = "0.0.0.0" if afi == 1 else "::"
    prefix = Prefix(f"{read.get_attr('RTA_DST') or default}/{read['dst_len']}")
    hops = []
    if read["type"] == 1:
        several = read.get_attr("RTA_MULTIPATH")
        for hop in several or [read]:
            via, plain = hop.get_attr("RTA_VIA"), hop.get_attr("RTA_GATEWAY")
            gateway = via["addr"] if via else plain
            interface = hop["oif"] if several else hop.get_attr("RTA_OIF") or 0
            hops.append(Hop(None if gateway is None else ip_address(gateway), interface))
    source = read.get_attr("RTA_PREFSRC")
    way = Way.of(hops, None if source is None else ip_address(source))
    return KernelRoute(afi, prefix.nlri, way, read["proto"], read.get_attr("RTA_PRIORITY") or 0)


@given(route=routes(), table=st.sampled_from([254, 10_000]), verb=st.sampled_from([Verb.ADD, Verb.REPLACE]))
def test_what_is_spelt_is_read_as_it_was(route: KernelRoute, table: int, verb: Verb) -> None:
    options = KernelOptions(protocol=route.protocol, metric=route.metric, table=table)
    message = Speller(options).messages(Edit(verb, route.afi, [route.nlri], route.way), 7)
    assert as_pyroute2_reads(message) == route
    assert scan(message, table) == route
    assert scan(message, 253) is None
    ((_, _, sequence, whole),) = messages(message)
    assert (sequence, whole) == (7, message)


@given(first=prefixes(1), second=prefixes(1))
def test_one_template_serves_all_prefixes_of_a_length(first: Prefix, second: Prefix) -> None:
    speller = Speller(KernelOptions())
    way = Way.of([Hop(ip_address("10.0.0.2"), 3)])
    for prefix in (first, second, first):
        message = speller.messages(Edit(Verb.ADD, 1, [prefix.nlri], way), 1)
        found = as_pyroute2_reads(message)
        assert (found.nlri, found.way) == (prefix.nlri, way)


@given(found=st.lists(prefixes(1), min_size=1), verb=st.sampled_from(Verb))
def test_a_refusal_has_what_was_asked_for(found: list[Prefix], verb: Verb) -> None:
    way = Way.of([Hop(ip_address("10.0.0.2"), 3)])
    spelt = Speller(KernelOptions()).messages(Edit(verb, 1, [prefix.nlri for prefix in found], way), 7)
    whole = [message for _, _, _, message in messages(spelt)]
    answers = [HEADER.pack(20 + len(one), NLMSG_ERROR, 0, 7, 0) + ERROR.pack(-17) + one for one in whole]
    wanted = sorted((Refusal(verb, 1, prefix.nlri, 17) for prefix in found), key=lambda one: one.nlri[0])
    assert [read_refusal(answer) for answer in answers] == wanted
    assert read_refusal(HEADER.pack(36, NLMSG_ERROR, 0, 7, 0) + ERROR.pack(0) + end_mark(7)) is None


def test_a_removal_names_the_protocol_and_the_metric() -> None:
    edit = Edit(Verb.REMOVE, 1, [Prefix("10.0.0.0/8").nlri], BLACKHOLE)
    message = Speller(KernelOptions(protocol=99, metric=7)).messages(edit, 1)
    read = rtmsg(message)
    read.decode()
    assert (read["proto"], read.get_attr("RTA_PRIORITY"), read["header"]["type"]) == (99, 7, 25)
    assert not read["header"]["flags"] & NLM_F_ACK


@pytest.mark.parametrize(
    "field", [("type", 2), ("type", 5), ("flags", 0x200), ("tos", 16), ("src_len", 8), ("family", 28)]
)
def test_what_is_no_way_to_a_prefix_is_passed_over(field: tuple[str, int]) -> None:
    message = rtmsg()
    message["family"], message["dst_len"], message["type"], message["table"] = AF_INET, 24, 1, 254
    message[field[0]] = field[1]
    message["attrs"] = [("RTA_DST", "10.0.0.0"), ("RTA_OIF", 1)] if field[0] != "family" else []
    message["header"]["type"] = 24
    message.reset()
    message.encode()
    assert scan(bytes(message.data), 254) is None


def test_templates_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spelling, "_KEPT", 8)
    speller = Speller(KernelOptions())
    key = Prefix("10.0.0.0/8").nlri
    for number in range(50):
        speller.messages(Edit(Verb.ADD, 1, [key], Way((Hop(None, number + 1),))), 1)
    assert len(speller._templates) <= 8
