"""Connection collision (RFC 4271 6.8): of two connections between the same two speakers, which one stays.

Both ends decide alone and must agree: the connection that was opened by the speaker with the higher BGP identifier
stays; between equal identifiers, the one opened by the speaker with the larger AS number (RFC 6286 2.3).

Ask when a valid OPEN arrives on one connection (`new`) while the same peer has another (`existing`), before the OPEN is
given to a machine. The loser's machine gets Event.OPEN_COLLISION_DUMP, which sends Cease 6/7.

An existing connection counts from OpenSent on, one state earlier than the RFC demands ("MAY also examine"): the peer's
identifier is known from the OPEN at hand, and deciding early leaves no moment in which each end has a different
connection Established.
"""

from __future__ import annotations

from enum import Enum
from ipaddress import IPv4Address
from typing import NamedTuple

from fsm.words import State


class Speaker(NamedTuple):
    """Who takes part: BGP identifiers compare as unsigned numbers, then AS numbers."""

    bgp_identifier: IPv4Address
    asn: int


class Connection(NamedTuple):
    """One of the two connections: where it stands and who opened it."""

    state: State
    dialled: bool  #: we opened it; else the peer did


class Loser(Enum):
    """Which connection to close."""

    NEITHER = "neither"
    NEW = "new"
    EXISTING = "existing"


class Verdict(NamedTuple):
    """Which connection to close, and why."""

    loser: Loser
    reason: str


def resolve(
    *, new: Connection, existing: Connection, local: Speaker, remote: Speaker, collide_in_established: bool = False
) -> Verdict:
    """What to do when an OPEN from `remote` arrives on `new` while `existing` is there.

    `collide_in_established` is the CollisionDetectEstablishedState attribute: without it an Established session is
    never given up for a newcomer.
    """
    if existing.state < State.OPEN_SENT:
        return Verdict(Loser.NEITHER, f"no collision with a connection in {existing.state.title}")
    if existing.state is State.ESTABLISHED and not collide_in_established:
        return Verdict(Loser.NEW, "a session is established already")
    if new.dialled == existing.dialled:
        # No collision in the RFC's sense (the addresses do not cross): who opens a second one has lost the first.
        return Verdict(Loser.EXISTING, "superseded by a newer connection from the same side")
    dialled_wins, reason = _preferred(local, remote)
    return Verdict(Loser.EXISTING if new.dialled == dialled_wins else Loser.NEW, reason)


def _preferred(local: Speaker, remote: Speaker) -> tuple[bool, str]:
    if local.bgp_identifier != remote.bgp_identifier:
        ours = local.bgp_identifier > remote.bgp_identifier
        return ours, f"the connection opened by {max(local, remote).bgp_identifier} stays: the higher BGP identifier"
    # Equal in both is no legal pair: the OPEN was refused with 2/3 before anyone asked (RFC 6286 2.2).
    ours = local.asn > remote.asn
    return (
        ours,
        f"the connection opened by AS {max(local, remote).asn} stays: equal BGP identifiers, the larger AS number",
    )
