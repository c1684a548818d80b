"""Runs one case against a speaker: a tester that misbehaves, a watcher beside it, and routes that mark the end.

Nothing waits for time to pass. A marker is a good route that the tester sends after the octets of the case: when the watcher
has it, the speaker is through with all before it. Two rounds of markers, since routes of one round may come in any order.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from ipaddress import IPv4Address
from typing import Final, NamedTuple, TypeVar

from errors.cases import Case, Closed, Expected, Gone, Kept, Lost, Nothing, Reset, Up
from errors.octets import (
    INTERNAL,
    LOCAL_PREF,
    NEXT_HOP,
    ORIGIN,
    OURS,
    P4,
    P6,
    PATHS,
    THEIRS,
    WATCHER,
    WATCHER_ID,
    fields,
    good,
    opening,
    path,
    reach,
    u32,
    usual_open,
)

from bgp.iana import MessageType
from bgp.message import Nlri, Notification, PathAttribute
from bgp.net.transport import Transport
from bgp.testing import ScriptedPeer, Watcher
from bgp.wire.attributes import encode_value
from bgp.wire.context import DEFAULT
from bgp.wire.spelling import attribute, parts
from rib.family import IPV4_UNICAST, IPV6_UNICAST
from rib.prefix import Prefix

Peer = TypeVar("Peer", bound=ScriptedPeer)
ROUNDS: Final = 2
#: What markers are told by: their prefixes.
MARKS4: Final = tuple(bytes((24, 10, 0, number)) for number in range(1, 9))
MARKS6: Final = tuple(bytes((32, 0x20, 1, 0x0D, number)) for number in range(1, 9))


class End(NamedTuple):
    """One of a case's two sessions: how to reach the speaker."""

    transport: Transport
    address: str  #: the speaker's
    port: int
    own_address: str

    def dial(self, kind: type[Peer]) -> AbstractAsyncContextManager[Peer]:
        return kind.dial(self.transport, self.address, self.port, local_address=self.own_address)


class Place(NamedTuple):
    """Where a case runs."""

    tester: End
    watcher: End


def key(afi: int, nlri: bytes) -> tuple[object, Nlri]:
    return (IPV4_UNICAST if afi == 1 else IPV6_UNICAST), Prefix.from_nlri(afi, nlri)


def raw(attributes: tuple[PathAttribute, ...]) -> dict[int, tuple[int, bytes]]:
    """Flags and octets by code; of MP_REACH_NLRI without its prefixes, which one message may have more of."""
    found = {one.code: (one.flags, encode_value(one.code, one.value, DEFAULT)) for one in attributes}
    return found | ({14: without_prefixes(found[14][1])} if 14 in found else {})


def without_prefixes(reach: bytes) -> tuple[int, bytes]:
    """What can be known beforehand of an MP_REACH_NLRI that is passed on: all up to the reserved octet."""
    return 0x80, reach[: 4 + reach[3]]


def block_of(update: bytes) -> bytes:
    """The path attributes of an UPDATE."""
    at = 21 + int.from_bytes(update[19:21], "big")
    return update[at + 2 : at + 2 + int.from_bytes(update[at : at + 2], "big")]


def configuration(case: Case, tester: str, watcher: str) -> str:
    """The tables of the speaker's configuration for the two sessions of a case."""
    internal = case.kind == INTERNAL
    families = 'families = ["ipv4-unicast", "ipv6-unicast"]'
    extra = case.options if any(line.startswith("families") for line in case.options) else (families, *case.options)
    return "\n".join(
        f'[[peer]]\naddress = "{own}"\nasn = {asn}\npassive = true\nimport = "accept"\nexport = "accept"\n{more}\n'
        for own, asn, more in (
            (tester, OURS if internal else THEIRS, "\n".join(extra)),
            (watcher, WATCHER if internal else OURS, f'{families}\nnext_hop_ipv6 = "2001:db8::1"'),
        )
    )


class Run:
    """One case, from the first OPEN to the last withdrawal."""

    def __init__(self, case: Case, place: Place) -> None:
        self.case = case
        self.place = place
        self.watcher_is_internal = case.kind != INTERNAL
        self.octets = self._with_own_address(case.octets)

    def _with_own_address(self, octets: bytes) -> bytes:
        if self.case.name != "nexthop-self(receiver)":
            return octets
        own = IPv4Address(self.place.tester.address).packed
        return fields(b"", ORIGIN + PATHS[self.case.kind] + attribute(0x40, 3, own), P4)

    async def play(self) -> None:
        case = self.case
        async with AsyncExitStack() as stack:
            watcher = await stack.enter_async_context(self.place.watcher.dial(Watcher))
            asn = OURS if self.watcher_is_internal else WATCHER
            await watcher.establish(opening(asn=asn, identifier=WATCHER_ID))
            tester = await stack.enter_async_context(self.place.tester.dial(ScriptedPeer))
            if case.open is not None:
                await self.say_open(tester, watcher)
            elif case.at == "Established":
                await self.say_update(tester, watcher)
            else:
                await self.speak_out_of_turn(tester)
            await tester.connection.aclose()
            await watcher.watch(lambda watcher: not watcher.routes)

    async def say_open(self, tester: ScriptedPeer, watcher: Watcher) -> None:
        case = self.case
        assert case.open is not None
        if isinstance(case.expected, Up):
            await tester.establish(case.open)
            await tester.send(good(case.kind)[: int.from_bytes(good(case.kind)[16:18], "big")])
            await watcher.watch(lambda watcher: key(1, P4) in watcher.routes)
            return
        await tester.expect(MessageType.OPEN)
        await tester.send(case.open)
        await self.expect_close(tester)

    async def speak_out_of_turn(self, tester: ScriptedPeer) -> None:
        await tester.expect(MessageType.OPEN)
        if self.case.at == "OpenConfirm":
            await tester.send(usual_open(self.case.kind))
            await tester.expect(MessageType.KEEPALIVE)
        await tester.send(self.octets)
        await self.expect_close(tester)

    async def say_update(self, tester: ScriptedPeer, watcher: Watcher) -> None:
        case = self.case
        await tester.establish(usual_open(case.kind, case.capabilities))
        await tester.send(good(case.kind))
        await watcher.watch(lambda watcher: {key(1, P4), key(2, P6)} <= watcher.routes.keys())
        before = dict(watcher.routes)
        await tester.send(self.octets)
        if isinstance(case.expected, Reset | Closed):
            await self.expect_close(tester)
            return
        await self.settle(tester, watcher)
        after = {prefix: attributes for prefix, attributes in watcher.routes.items() if prefix not in MARKERS}
        self.compare(before, after)

    async def settle(self, tester: ScriptedPeer, watcher: Watcher) -> None:
        """Return when all that the tester has sent has had its effect at the watcher."""
        kind, expected = self.case.kind, self.case.expected
        lost = expected.afi if isinstance(expected, Lost) else None
        rest = PATHS[kind] + (LOCAL_PREF if kind == INTERNAL else b"")
        for number in range(ROUNDS):
            four, six = MARKS4[number], MARKS6[number]
            await tester.send(
                fields(b"", ORIGIN + rest[: len(PATHS[kind])] + NEXT_HOP + rest[len(PATHS[kind]) :], four),
                fields(b"", reach(six) + ORIGIN + rest, b""),
            )
            marks = {key(afi, mark) for afi, mark in ((1, four), (2, six)) if afi != lost}
            await watcher.watch(lambda watcher, marks=marks: marks <= watcher.routes.keys())
        if lost is not None:
            assert not watcher.routes.keys() & {key(lost, mark) for mark in (MARKS4 if lost == 1 else MARKS6)}

    async def expect_close(self, tester: ScriptedPeer) -> None:
        found = await tester.notification()
        expected = self.case.expected
        if isinstance(expected, Reset):
            assert found == Notification(expected.code, expected.subcode, expected.data)
        else:
            assert isinstance(expected, Closed)
            assert found is None

    def compare(
        self, before: dict[object, object], after: dict[object, object], expected: Expected | None = None
    ) -> None:
        match expected or self.case.expected:
            case Nothing():
                assert after == before
            case Gone(prefixes):
                gone = {key(afi, nlri) for afi, nlri in prefixes}
                assert after == {prefix: value for prefix, value in before.items() if prefix not in gone}
            case Lost(afi, prefixes, kept):
                prefixes = ((afi, P4 if afi == 1 else P6), *prefixes)
                if kept is not None:
                    gone = {key(*one) for one in prefixes}
                    self.compare({one: value for one, value in before.items() if one not in gone}, after, kept)
                else:
                    self.compare(before, after, Gone(prefixes))
            case Kept(changed, prefix, afi):
                where = key(afi, prefix)
                assert {one: value for one, value in after.items() if one != where} == {
                    one: value for one, value in before.items() if one != where
                }
                assert raw(after[where]) == self.expected_attributes(changed)  # type: ignore[arg-type]

    def expected_attributes(self, changed: dict[int, tuple[int, bytes] | None]) -> dict[int, tuple[int, bytes]]:
        """What an eBGP or iBGP watcher is to be told (RFC 4271 5), if nothing but `changed` is changed."""
        found: dict[int, tuple[int, bytes]] = {}
        for flags, code, value in parts(block_of(self.octets)):
            found.setdefault(code, (flags & 0xC0 | (0x10 if len(value) > 255 else 0), value))
        if 14 in found:
            found[14] = without_prefixes(found[14][1])
        if self.watcher_is_internal:
            found.setdefault(5, (0x40, u32(100)))
        else:
            found.pop(5, None)
            found[2] = (0x40, path(OURS, *_asns(found[2][1])))
            found[3] = (0x40, IPv4Address(self.place.watcher.address).packed)
        found |= {code: made for code, made in changed.items() if made is not None}
        return {code: made for code, made in found.items() if code not in changed or changed[code] is not None}


def _asns(value: bytes) -> list[int]:
    return [int.from_bytes(value[at : at + 4], "big") for at in range(2, len(value), 4)]


MARKERS: Final = {key(1, one) for one in MARKS4} | {key(2, one) for one in MARKS6}
