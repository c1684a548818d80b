"""What a running speaker answers to the questions of the control protocol, and what it does about its commands."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import asdict
from ipaddress import ip_address
from typing import Final, Protocol, assert_never

from bgp.app import own
from bgp.app.own import OwnRoute
from bgp.app.protocol import (
    Announce,
    AskKernel,
    AskLookup,
    AskNeighbors,
    AskReceived,
    AskRejected,
    AskRoute,
    AskRoutes,
    AskSent,
    AskSummary,
    Drain,
    Question,
    Refresh,
    Reload,
    Reset,
    Shutdown,
    Undrain,
    Withdraw,
)
from bgp.app.protocol_lines import end, row
from bgp.app.routes import (
    Decision,
    LostSpeller,
    SentSpeller,
    Speller,
    best_routes,
    decisions,
    in_order,
    lookup,
    received_routes,
    refused_routes,
    sent_routes,
)
from bgp.app.view import view_kernel, view_peer, view_summary
from bgp.error import LocalError
from bgp.iana import CeaseSubcode, NotificationCode
from bgp.message import Notification
from bgp.net import Peer, Speaker
from bgp.net.kernel import Fib
from rib.family import Family
from rib.policy import PrefixRange
from rib.route import Path

#: RFC 9003 2: octets of a shutdown communication.
LONGEST_MESSAGE: Final = 128


Command = Announce | Withdraw | Reset | Refresh | Drain | Undrain | Reload | Shutdown


class Failed(Exception):
    """The question was right, but what was asked for cannot be."""


class Program(Protocol):
    """The running `bgp run`, as questions need it."""

    speaker: Speaker
    started: float
    fib: Fib | None

    async def reload(self) -> str:
        """Read the configuration again; gives what changed. Raises ConfigError."""

    async def drain(self, wait: float) -> bool:
        """Leave in good order; gives whether it came to its end, and was not called off."""

    def undrain(self) -> None:
        """Call a drain off, or undo it."""

    def shutdown(self, message: str) -> None:
        """End soon."""

    def complain(self, error: Exception) -> None:
        """Log a mistake of our own."""


async def answer(program: Program, question: Question) -> AsyncGenerator[str, None]:
    """The lines of the answer. Raises LocalError or Failed, before the first line or between two."""
    speaker = program.speaker
    match question:
        case AskSummary():
            yield _row(asdict(await view_summary(speaker, program.started)))
        case AskNeighbors():
            for peer in find_peers(speaker, question.peer):
                yield _row(asdict(await view_peer(speaker, peer)))
        case AskRoute(prefix=prefix):
            for made in _found(decisions(speaker, prefix), prefix):
                yield _row(asdict(made))
        case AskLookup(to=address):
            for made in _found(lookup(speaker, address), address):
                yield _row(asdict(made))
        case AskKernel():
            if program.fib is None:
                raise Failed("this speaker programs no kernel: its configuration has no [kernel]")
            yield _row(asdict(view_kernel(program.fib)))
        case AskRoutes() | AskReceived() | AskSent() | AskRejected():
            async with aclosing(_listing(speaker, question)) as listing:
                async for lines in listing:
                    yield lines
        case _:
            said = await _obey(program, question)
            yield end(said)
            return
    yield end(None)


async def _obey(program: Program, command: Command) -> str:
    """Do what is asked; gives what was done, in words."""
    speaker = program.speaker
    match command:
        case Announce():
            routes, attributes = _own_routes(command), command.attributes()
            own.announce(speaker, dict.fromkeys(routes, attributes))
            return f"announced {_listed(routes)}"
        case Withdraw():
            return _withdraw(speaker, _own_routes(command))
        case Reset():
            (peer,) = find_peers(speaker, command.peer)
            peer.reset(cease(CeaseSubcode.ADMINISTRATIVE_RESET, command.message))
            return f"reset the session with {peer.address}"
        case Refresh():
            (peer,) = find_peers(speaker, command.peer)
            return _refresh(speaker, peer)
        case Drain(wait=wait):
            if not await program.drain(wait):
                raise Failed("the drain was called off")
            return "drained: every route of ours is taken back, the sessions are up"
        case Undrain():
            program.undrain()
            return "announces again"
        case Reload():
            return await program.reload()
        case Shutdown():
            program.shutdown(command.message)
            return "the speaker ends"
        case _:
            assert_never(command)


def cease(subcode: CeaseSubcode, message: str) -> Notification:
    """A Cease with a shutdown communication (RFC 9003). Raises LocalError for one that is too long."""
    octets = message.encode()
    if len(octets) > LONGEST_MESSAGE:
        raise LocalError(f"a message to the peer has at most {LONGEST_MESSAGE} octets, not {len(octets)} (RFC 9003)")
    return Notification(NotificationCode.CEASE, subcode, bytes((len(octets),)) + octets if octets else b"")


def _own_routes(command: Announce | Withdraw) -> tuple[OwnRoute, ...]:
    try:
        return own.own_routes(command.prefixes, command.family, command.routes)
    except ValueError as error:
        raise LocalError(str(error)) from None


def _withdraw(speaker: Speaker, routes: Iterable[OwnRoute]) -> str:
    """All of them or none."""
    missing = [route for route in routes if not own.is_announced(speaker, route)]
    if missing:
        raise Failed(f"not announced by this speaker: {_listed(missing)}")
    own.withdraw(speaker, routes)
    return f"withdrew {_listed(routes)}"


def _refresh(speaker: Speaker, peer: Peer) -> str:
    negotiated = peer.negotiated
    if negotiated is None:
        raise Failed(f"the session with {peer.address} is down: {peer.why_down}")
    for family in negotiated.families:
        speaker.groups.refresh(peer, family, marked=negotiated.enhanced_route_refresh)
    if not negotiated.route_refresh:
        return f"tells {peer.address} all routes again; the peer has no route refresh"
    peer.refresh()
    return f"tells {peer.address} all routes again, and has asked it for the same"


def _listed(routes: Iterable[OwnRoute]) -> str:
    return ", ".join(map(str, routes))


def _row(value: Mapping[str, object]) -> str:
    return row(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def find_peers(speaker: Speaker, wanted: str | None) -> list[Peer]:
    """The peer of that address or name, or all. Raises Failed if there is none."""
    if wanted is None:
        return list(speaker.peers.values())
    try:
        key = str(ip_address(wanted))
    except ValueError:
        key = wanted
    found = [peer for address, peer in speaker.peers.items() if key in (address, peer.options.name)]
    if not found:
        known = ", ".join(peer.options.label for peer in speaker.peers.values()) or "none"
        raise Failed(f"there is no peer {wanted!r}; there are: {known}")
    return found[:1]


def _found(made: list[Decision], wanted: object) -> list[Decision]:
    if not made:
        raise Failed(f"no route to {wanted}")
    return made


async def _listing(
    speaker: Speaker, question: AskRoutes | AskReceived | AskSent | AskRejected
) -> AsyncGenerator[str, None]:
    within = None if question.within is None else PrefixRange(question.within, ge=question.within.length)
    for family in _families(speaker, question.family):
        if within is not None and family.afi != within.prefix.afi:
            continue
        for speller, routes in _tables(speaker, question, family):
            if within is not None:
                routes = [route for route in routes if within.matches(family.afi, route[0])]
            async with aclosing(in_order(routes)) as ordered:
                async for piece in ordered:
                    yield "".join(map(row, speller.lines(family, piece)))


def _families(speaker: Speaker, wanted: Family | None) -> list[Family]:
    if wanted is not None:
        return [wanted]
    received = [peer.adj_in.tables for peer in speaker.peers.values() if peer.adj_in is not None]
    return sorted(set(speaker.loc_rib.tables).union(*received))


def _tables(
    speaker: Speaker, question: AskRoutes | AskReceived | AskSent | AskRejected, family: Family
) -> Iterable[tuple[Speller, list[tuple[bytes, Path]]]]:
    """What to list, one table after the other."""
    peers = find_peers(speaker, question.peer)
    match question:
        case AskRoutes(peer=None):
            yield Speller(), best_routes(speaker, family)
        case AskRoutes():
            yield Speller(), best_routes(speaker, family, peers[0])
        case AskReceived():
            yield Speller(), received_routes(peers[0], family)
        case AskSent():
            if (group := speaker.groups.of(peers[0])) is not None:
                yield SentSpeller(group.key.rules), sent_routes(speaker, peers[0], family)
        case AskRejected(lost=False):
            for peer in peers:
                yield Speller(), refused_routes(peer, family)
        case AskRejected():
            for peer in peers:
                yield LostSpeller(speaker), received_routes(peer, family)
        case _:
            assert_never(question)
