"""BMP messages in their JSON form, as `bgp decode --json` prints them."""

from __future__ import annotations

from typing import Final

from bgp.app.jsonform import Json, message_json
from bgp.wire.context import DEFAULT
from bgp.wire.formats.bmp import (
    FILTERED,
    POST_POLICY,
    STATISTICS,
    DownReason,
    InformationType,
    Initiation,
    PeerDown,
    PeerHeader,
    PeerType,
    PeerUp,
    RouteMirroring,
    Statistic,
    StatisticsReport,
    Termination,
    TerminationType,
    Tlv,
    UnknownBmp,
)
from bgp.wire.formats.opens import open_of

_PEER_TYPES: Final[dict[int, str]] = {PeerType.RD: "rd", PeerType.LOCAL: "local"}


def peer_json(peer: PeerHeader) -> dict[str, Json]:
    """Time, peer, and which of a router's tables a message is about (RFC 7854 4.2, RFC 8671 4, RFC 9069 4.2)."""
    found: dict[str, Json] = {
        "time": peer.seconds + peer.microseconds / 1_000_000,
        "peer": str(peer.address),
        "peer_asn": peer.asn,
        "peer_id": str(peer.bgp_id),
        "table": table_name(peer),
    }
    if any(peer.distinguisher):
        found["distinguisher"] = peer.distinguisher.hex()
    if peer.type not in (PeerType.GLOBAL, PeerType.LOC_RIB):
        found["peer_type"] = _PEER_TYPES.get(peer.type, peer.type)
    if peer.type == PeerType.LOC_RIB and peer.flags & FILTERED:
        found["filtered"] = True
    return found


def table_name(peer: PeerHeader) -> str:
    """ "adj-rib-in", "adj-rib-in-post-policy", "adj-rib-out", "adj-rib-out-post-policy" or "loc-rib"."""
    if peer.type == PeerType.LOC_RIB:
        return "loc-rib"
    return f"adj-rib-{'out' if peer.is_adj_rib_out else 'in'}{'-post-policy' if peer.flags & POST_POLICY else ''}"


def peer_up_json(up: PeerUp) -> dict[str, Json]:
    """Both ends of a session that came up, and their OPENs."""
    found: dict[str, Json] = {
        "type": "PEER-UP",
        "local": str(up.local_address),
        "ports": [up.local_port, up.remote_port],
    }
    for name, octets in (("sent", up.sent_open), ("received", up.received_open)):
        message = open_of(octets)
        found[name] = {"hex": octets.hex()} if message is None else message_json(message, DEFAULT)
    return found | _information(up.information)


def other_json(
    message: StatisticsReport | PeerDown | Initiation | Termination | RouteMirroring | UnknownBmp,
) -> dict[str, Json]:
    """A message that holds no routes."""
    match message:
        case StatisticsReport(statistics=statistics):
            return {"type": "STATISTICS", "statistics": [_statistic(one) for one in statistics]}
        case PeerDown(reason=reason, octets=octets):
            found: dict[str, Json] = {"type": "PEER-DOWN", "reason": _named(DownReason, reason)}
            return found | ({"data": octets.hex()} if octets else {})
        case Initiation(information=information):
            return {"type": "INITIATION", **_information(information)}
        case Termination(information=information):
            return {"type": "TERMINATION", **_termination(information)}
        case UnknownBmp(type=kind, octets=octets):
            return {"type": f"BMP-{kind}", "data": octets.hex()}
        case RouteMirroring(items=items):
            lost: list[Json] = [[one.type, one.value.hex()] for one in items]
            return {"type": "ROUTE-MIRRORING", "items": lost}


def _statistic(one: Statistic) -> Json:
    found: dict[str, Json] = {"name": STATISTICS.get(one.type, f"statistic-{one.type}"), "value": one.number}
    return found if one.family is None else found | {"family": str(one.family)}


def _information(tlvs: tuple[Tlv, ...]) -> dict[str, Json]:
    listed: list[Json] = [[_named(InformationType, one.type), one.text] for one in tlvs]
    return {"information": listed} if listed else {}


def _termination(tlvs: tuple[Tlv, ...]) -> dict[str, Json]:
    listed: list[Json] = [
        ["reason", int.from_bytes(one.value, "big")] if one.type == TerminationType.REASON else ["string", one.text]
        for one in tlvs
    ]
    return {"information": listed}


def _named(numbers: type[DownReason] | type[InformationType], number: int) -> str:
    try:
        return numbers(number).name.lower().replace("_", "-")
    except ValueError:
        return str(number)
