"""Graceful restart (RFC 4724, RFC 8538): what both roles say, and when routes of a session that ended are kept.

The *receiving* speaker keeps the routes of a neighbour that promised to forward while it restarts (`bgp.net.intake`).
The *restarting* speaker says so in its OPENs, and holds its routes back until every neighbour has said all it knows, so
that it does not tell the world what it half knows: `Deferral`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import trio

from bgp.capability import GracefulRestart, Negotiated
from bgp.iana import CeaseSubcode, NotificationCode
from bgp.message import Notification
from bgp.net.bell import Bell
from bgp.options import PeerOptions, RestartMode
from bgp.session import Closed
from rib.family import Family

#: RFC 8538 3: these end a session for good, whatever was agreed on restarts.
FINAL: Final = frozenset(
    {
        CeaseSubcode.MAXIMUM_NUMBER_OF_PREFIXES_REACHED,
        CeaseSubcode.ADMINISTRATIVE_SHUTDOWN,
        CeaseSubcode.PEER_DE_CONFIGURED,
    }
)


def offer(peer: PeerOptions, *, restarting: bool, forwarding: bool) -> GracefulRestart | None:
    """The capability in our OPEN; None for none.

    `restarting`: we have just come back; `forwarding`: packets went on being forwarded by the routes of before.
    """
    if peer.graceful_restart is RestartMode.OFF:
        return None
    kept = peer.families if peer.graceful_restart is RestartMode.ON else ()
    # Without families it only says that we keep the routes of a peer that restarts (RFC 4724 3).
    time = peer.restart_time if kept else 0
    return GracefulRestart(restarting and bool(kept), True, time, tuple((family, forwarding) for family in kept))


def kept_families(negotiated: Negotiated | None, closed: Closed) -> frozenset[Family]:
    """The families of which the routes stay after a session ended so (RFC 4724 4.2, RFC 8538 4)."""
    theirs = None if negotiated is None else negotiated.graceful_restart
    notification = closed.sent or closed.received
    if theirs is None or negotiated is None or (notification is not None and not _survives(theirs, notification)):
        return frozenset()
    return frozenset(family for family, _ in theirs.families if family in negotiated.families)


def _survives(theirs: GracefulRestart, notification: Notification) -> bool:
    if not theirs.notification:
        return False
    return (notification.code, notification.subcode) != (NotificationCode.CEASE, CeaseSubcode.HARD_RESET)


def forwarded_families(negotiated: Negotiated) -> frozenset[Family]:
    """The families for which a neighbour that is back forwarded all the while (RFC 4724 4.2)."""
    theirs = negotiated.graceful_restart
    return frozenset() if theirs is None else frozenset(family for family, kept in theirs.families if kept)


def harden(notification: Notification, negotiated: Negotiated | None, peer: PeerOptions) -> Notification:
    """`notification` as a Hard Reset (RFC 8538 3.1) where it must end what a lesser one would not."""
    theirs = None if negotiated is None else negotiated.graceful_restart
    agreed = theirs is not None and theirs.notification and peer.graceful_restart is not RestartMode.OFF
    final = notification.code == NotificationCode.CEASE and notification.subcode in FINAL
    keeps_something = peer.graceful_restart is RestartMode.ON or (theirs is not None and bool(theirs.families))
    if not (agreed and final and keeps_something):
        return notification
    inside = bytes((notification.code, notification.subcode)) + notification.data
    return Notification(NotificationCode.CEASE, CeaseSubcode.HARD_RESET, inside)


class Saying:
    """What a peer, while its session is up, has still to say End-of-RIB of."""

    def __init__(self) -> None:
        self._families: set[Family] = set()
        self._done = Bell()

    def begin(self, families: Iterable[Family]) -> None:
        """A session came up whose peer will say these; it is down, or the peer says none: nothing."""
        self._families = set(families)
        self._ring()

    def heard(self, family: Family) -> None:
        """The peer said End-of-RIB."""
        self._families.discard(family)
        self._ring()

    def _ring(self) -> None:
        if not self._families:
            self._done.ring()

    async def wait_over(self) -> None:
        """Return when nothing is left to be waited for."""
        await trio.lowlevel.checkpoint()
        while self._families:
            await self._done.wait()


class Deferral:
    """The wait of a speaker that has restarted, until its neighbours have said all they know (RFC 4724 4.1).

    The RFC has the speaker wait for all its peers but those that cannot say when they are done. Whether one that is not
    there can, nobody knows; a node that died would stop all others from learning anything new for the whole time. So a
    peer without a session is waited for only as long as one that is alive may need to come back.
    """

    def __init__(self, release: Callable[[], None]) -> None:
        self.over = trio.Event()
        self._waiting: dict[object, set[Family]] = {}
        self._absent: set[object] = set()
        self._release = release

    async def run(self, longest: float, absent: float) -> None:
        """Wait no longer than `longest` (the Selection_Deferral_Timer), for peers that do not come no longer than `absent`."""
        with trio.move_on_after(longest):
            with trio.move_on_after(absent):
                await self.over.wait()
            for peer in tuple(self._absent):
                self.excuse(peer)
            await self.over.wait()
        self.end()

    def await_peer(self, peer: object, families: tuple[Family, ...]) -> None:
        """`peer`, which has no session yet, should come and say all it knows of `families`."""
        self.expect(peer, families)
        self._absent.add(peer)

    def expect(self, peer: object, families: tuple[Family, ...]) -> None:
        """`peer`, which is there, has to say all it knows of `families` first."""
        self._waiting[peer] = set(families)
        self._absent.discard(peer)

    def heard(self, peer: object, family: Family) -> None:
        """`peer` said its End-of-RIB."""
        left = self._waiting.get(peer)
        if left is not None:
            left.discard(family)
            if not left:
                self.excuse(peer)

    def excuse(self, peer: object) -> None:
        """Do not wait for `peer`, or no longer: it has said all, knows no End-of-RIB, restarts itself, or is not there."""
        self._absent.discard(peer)
        if self._waiting.pop(peer, None) is not None and not self._waiting:
            self.end()

    def end(self) -> None:
        """Wait no longer."""
        if not self.over.is_set():
            self.over.set()
            self._release()
