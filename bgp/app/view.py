"""What a speaker shows of itself: snapshots as frozen values of text and numbers.

All that the command line and the web may read is here and in `bgp.app.routes`; neither looks into a speaker itself.
Times are seconds before the snapshot.
"""

from __future__ import annotations

import resource
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import trio

from bgp.capability import (
    AddPath,
    Capability,
    ExtendedNextHop,
    FourOctetAs,
    Fqdn,
    GracefulRestart,
    Multiprotocol,
    UnknownCapability,
)
from bgp.iana import CapabilityCode
from bgp.message import Notification
from bgp.net import Peer, Speaker
from bgp.net.kernel import Fib
from bgp.net.rules import effective_policy, kind_of, own_asn
from bgp.options import PeerOptions, SpeakerOptions
from fsm.words import State, Timer
from rib.policy import Policy
from rib.prefix import nlri_text

#: Routes that are looked at in one go: about a millisecond.
PIECE: Final = 4096


@dataclass(frozen=True, slots=True)
class Summary:
    """A speaker at a glance."""

    asn: int
    router_id: str
    hostname: str
    listening: tuple[str, ...]
    uptime: float
    memory: int  #: peak, in octets
    routes: dict[str, int]  #: best routes by family
    paths: int
    announced: int
    update_groups: int
    draining: str  #: "no", "leaving" (RFC 8326) or "gone"
    peers: tuple[PeerLine, ...]


@dataclass(frozen=True, slots=True)
class PeerLine:
    """A neighbour in the summary."""

    address: str
    name: str
    asn: int
    kind: str
    state: str
    since: float  #: seconds in this state
    why: str  #: why it is not established, or not with all its families, or empty
    messages_received: int
    messages_sent: int
    received: int | None  #: routes it announced; None while it is down
    used: int | None  #: of them, those that may take part in the decision


@dataclass(frozen=True, slots=True)
class KernelView:
    """What is in the kernel's routing table of ours."""

    protocol: int
    metric: int
    table: int
    installed: int
    stale: int  #: of them, routes of a former run of which no peer has said anything yet
    written: int  #: since the start
    removed: int
    missing: dict[str, str]  #: routes that should be there and are not, and why


@dataclass(frozen=True, slots=True)
class NotificationView:
    """A NOTIFICATION that ended a session."""

    code: int
    subcode: int
    data: str
    text: str


@dataclass(frozen=True, slots=True)
class FamilyCount:
    """Routes of one family of a session."""

    family: str
    received: int
    refused: int
    best: int  #: of this peer's, those that won


@dataclass(frozen=True, slots=True)
class PeerView:
    """All there is to say of a neighbour: above all, why its session is down."""

    address: str
    name: str
    kind: str
    state: str
    since: float
    why: str
    port: int
    passive: bool
    local: str | None  #: our address and port of the connection, if there is one
    remote: str | None
    configured_local_address: str | None
    local_asn: int
    expected_asn: int
    received_asn: int | None
    received_router_id: str | None
    connect_error: str | None
    last_sent: NotificationView | None
    last_received: NotificationView | None
    next_attempt: float | None  #: seconds until the next dial
    hold_time_configured: int
    hold_time_received: int | None
    hold_time: int | None  #: negotiated
    keepalive_time: float | None
    hold_timer: float | None  #: seconds until the hold timer expires
    capabilities_sent: tuple[str, ...]
    capabilities_received: tuple[str, ...]
    families: tuple[str, ...]  #: negotiated
    disabled: dict[str, str]  #: of them, those whose routes are ignored, and the errors that did it (RFC 4760 7)
    import_policy: str
    export_policy: str
    messages_received: int
    messages_sent: int
    updates_received: int
    updates_sent: int
    times_established: int
    times_dropped: int
    queued: int  #: octets waiting to be sent
    routes: tuple[FamilyCount, ...]


_Element = TypeVar("_Element")


def pieces(elements: Sequence[_Element]) -> Iterator[Sequence[_Element]]:
    """The elements in runs that are short enough to be worked on before others get their turn."""
    for start in range(0, len(elements), PIECE):
        yield elements[start : start + PIECE]


def endpoint(address: str, port: int) -> str:
    """ "10.0.0.1:179", "[::1]:179"."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def kind(speaker: SpeakerOptions, peer: PeerOptions) -> str:
    """ "iBGP", "eBGP", or "confederation" for a peer in another member AS of ours."""
    return kind_of(speaker, peer).word


def policy_name(speaker: SpeakerOptions, peer: PeerOptions, policy: Policy | None) -> str:
    """A policy of a peer as a person would name it, the one that it has by default included."""
    policy = effective_policy(speaker, peer, policy)
    if policy is None:
        return "none: nothing passes (RFC 8212)"
    return policy.name or str(policy)


def capability_text(capability: Capability) -> str:
    """A capability in a few words."""
    match capability:
        case Multiprotocol(family):
            return str(family)
        case FourOctetAs(asn):
            return f"four-octet AS {asn}"
        case AddPath(families):
            modes = {1: "receive", 2: "send", 3: "both"}
            return "add-path " + ", ".join(f"{family} {modes.get(mode, mode)}" for family, mode in families)
        case GracefulRestart():
            restarting = ", restarting" if capability.restarting else ""
            return f"graceful restart {capability.time} s{restarting}"
        case ExtendedNextHop(families):
            return "extended next hop " + ", ".join(f"{family} via AFI {afi}" for family, afi in families)
        case Fqdn(host, domain):
            return f"host name {host}.{domain}".rstrip(".")
        case UnknownCapability(code, value):
            return f"capability {code} {value.hex()}".rstrip()
        case _:
            try:
                return CapabilityCode(capability.code).name.lower().replace("_", " ")
            except ValueError:
                return f"capability {capability.code}"


def view_notification(notification: Notification | None) -> NotificationView | None:
    """A NOTIFICATION, if there was one."""
    if notification is None:
        return None
    return NotificationView(
        notification.code,
        notification.subcode,
        notification.data.hex(),
        str(notification).removeprefix("NOTIFICATION "),
    )


def why_down(peer: Peer) -> str:
    """Why a session is not established, from all that is known; empty if it is."""
    if peer.state is State.ESTABLISHED:
        return ""
    reasons = [peer.why_down]
    if peer.connect_error is not None:
        reasons.append(peer.connect_error)
    elif peer.last_received is not None:
        reasons.append(f"received {peer.last_received}")
    elif peer.last_sent is not None:
        reasons.append(f"sent {peer.last_sent}")
    return "; ".join(dict.fromkeys(reason for reason in reasons if reason))


async def view_summary(speaker: Speaker, started: float) -> Summary:
    """The speaker now."""
    return summarize(speaker, started, await view_peers(speaker))


def summarize(speaker: Speaker, started: float, peers: Iterable[PeerView]) -> Summary:
    """The speaker now, with a line for each of `peers`."""
    options, counts = speaker.options, speaker.statistics()
    return Summary(
        asn=options.asn,
        router_id=options.router_id,
        hostname=options.hostname,
        listening=tuple(endpoint(*bound) for bound in speaker.listening),
        uptime=trio.current_time() - started,
        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        routes={str(family): len(table.best) for family, table in speaker.loc_rib.tables.items() if table.best},
        paths=counts.paths,
        announced=sum(map(len, speaker.announced.values())),
        update_groups=counts.update_groups,
        draining=speaker.draining.value,
        peers=tuple(map(_line, peers)),
    )


def _line(peer: PeerView) -> PeerLine:
    counted = peer.routes  # of no family where there is no session and nothing kept of one
    return PeerLine(
        address=peer.address,
        name=peer.name,
        asn=peer.expected_asn,
        kind=peer.kind,
        state=peer.state,
        since=peer.since,
        why=peer.why or ", ".join(f"{family} is disabled" for family in peer.disabled),
        messages_received=peer.messages_received,
        messages_sent=peer.messages_sent,
        received=sum(one.received for one in counted) if counted else None,
        used=sum(one.received - one.refused for one in counted) if counted else None,
    )


async def count_routes(speaker: Speaker, peer: Peer) -> tuple[FamilyCount, ...]:
    """What the peer announced and what became of it, by family; lets others run meanwhile."""
    if peer.adj_in is None:
        return ()
    found = []
    for family, table in list(peer.adj_in.tables.items()):
        best = speaker.loc_rib.table(family).best
        refused = won = 0
        for piece in pieces(list(peer.adj_in.routes(family))):
            refused += sum(path.ineligible is not None for _, path in piece)
            won += sum(best.get(nlri) is path for nlri, path in piece)
            await trio.lowlevel.checkpoint()
        found.append(FamilyCount(str(family), len(table), refused, won))
    return tuple(found)


async def view_peers(speaker: Speaker) -> tuple[PeerView, ...]:
    """All neighbours now."""
    return tuple([await view_peer(speaker, peer) for peer in list(speaker.peers.values())])


async def view_peer(speaker: Speaker, peer: Peer) -> PeerView:
    """A neighbour now."""
    options, session, now = peer.options, peer.session, trio.current_time()
    connection, opened, machine, counts = peer.connection, peer.peer_open, session.machine, peer.counts
    up = peer.state is State.ESTABLISHED
    dial_at = machine.expires_at(Timer.IDLE_HOLD) or machine.expires_at(Timer.CONNECT_RETRY)
    hold_at = machine.expires_at(Timer.HOLD) if connection is not None else None
    return PeerView(
        address=str(peer.address),
        name=options.name,
        kind=kind(speaker.options, options),
        state=peer.state.title,
        since=now - peer.changed_at,
        why=why_down(peer),
        port=options.port,
        passive=options.passive,
        local=None if connection is None else endpoint(*connection.local),
        remote=None if connection is None else endpoint(*connection.remote),
        configured_local_address=options.local_address,
        local_asn=own_asn(speaker.options, options),
        expected_asn=options.asn,
        received_asn=None if opened is None else opened.asn,
        received_router_id=None if opened is None else str(opened.bgp_id),
        connect_error=peer.connect_error,
        last_sent=view_notification(peer.last_sent),
        last_received=view_notification(peer.last_received),
        next_attempt=None if dial_at is None or connection is not None else max(0.0, dial_at - now),
        hold_time_configured=options.hold_time,
        hold_time_received=None if opened is None else opened.hold_time,
        hold_time=machine.hold_time if up else None,
        keepalive_time=machine.keepalive_time if up and machine.hold_time else None,
        hold_timer=None if hold_at is None else max(0.0, hold_at - now),
        capabilities_sent=tuple(map(capability_text, session.options.capabilities)),
        capabilities_received=() if opened is None else tuple(map(capability_text, opened.capabilities)),
        families=() if peer.negotiated is None else tuple(map(str, peer.negotiated.families)),
        disabled={str(family): reason for family, reason in peer.disabled.items()},
        import_policy=policy_name(speaker.options, options, options.import_policy),
        export_policy=policy_name(speaker.options, options, options.export_policy),
        messages_received=counts.messages_received,
        messages_sent=counts.messages_sent,
        updates_received=counts.updates_received,
        updates_sent=counts.updates_sent,
        times_established=counts.established,
        times_dropped=counts.dropped,
        queued=peer.outbox.octets,
        routes=await count_routes(speaker, peer),
    )


def view_kernel(fib: Fib) -> KernelView:
    """What is in the kernel, and what is not."""
    options, counts = fib.options, fib.statistics()
    return KernelView(
        protocol=options.protocol,
        metric=options.metric,
        table=options.table,
        installed=counts.installed,
        stale=counts.stale,
        written=counts.written,
        removed=counts.removed,
        missing={nlri_text(one.afi, one.nlri): one.reason for one in fib.why_missing()},
    )
