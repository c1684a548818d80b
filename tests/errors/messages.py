"""Cases: headers, ROUTE-REFRESH, NOTIFICATION, and messages out of turn (RFC 4271 6.1, 6.4, RFC 6608, RFC 7313)."""

from __future__ import annotations

from typing import Final

from errors.cases import Case, Closed, Expected, Nothing, Reset
from errors.octets import AS_PATH, NEXT_HOP, ORIGIN, P4, fields, message, opening, u16

KEEPALIVE: Final = message(4)
OPEN: Final = opening()
UPDATE: Final = fields(b"", ORIGIN + AS_PATH + NEXT_HOP, P4)
ROUTE_REFRESH: Final = message(5, bytes.fromhex("00010001"))
CEASE: Final = message(3, b"\6\2")


def bad_length(length: int) -> Reset:
    """Bad Message Length: the data is the length field (RFC 4271 6.1)."""
    return Reset(1, 2, u16(length))


def fsm(name: str, state: str, subcode: int, octets: bytes, required: str = "") -> Case:
    """A message out of turn: the data is its type (RFC 6608 4)."""
    data = octets[18:19]
    required = required or f"NOTIF 5/{subcode} data={data.hex()}"
    rfc = "6608" if octets is not CEASE else "4271 8.2.2 ev25"
    return Case(name, required, rfc, Reset(5, subcode, data), octets, at=state)


def header(name: str, required: str, rfc: str, expected: Expected, octets: bytes, note: str = "") -> Case:
    return Case(name, required, rfc, expected, octets, note=note)


# fmt: off
MESSAGE_CASES: Final = (
    header("hdr-bad-marker", "NOTIF 1/1", "4271 6.1", Reset(1, 1), message(4, marker=b"\xff" * 15 + b"\xfe")),
    header("hdr-len18", "NOTIF 1/2 data=0012", "4271 6.1", bad_length(18), message(4, length=18)),
    header("hdr-len0", "NOTIF 1/2 data=0000", "4271 6.1", bad_length(0), message(4, length=0)),
    header("hdr-len4097", "NOTIF 1/2 data=1001", "4271 6.1/8654", bad_length(4097), message(2, bytes(4), length=4097)),
    header("hdr-type0", "NOTIF 1/3 data=00", "4271 6.1", Reset(1, 3, b"\0"), message(0)),
    header("hdr-type6", "NOTIF 1/3 data=06", "4271 6.1", Reset(1, 3, b"\6"), message(6)),
    header("hdr-type255", "NOTIF 1/3 data=ff", "4271 6.1", Reset(1, 3, b"\xff"), message(255)),
    header("keepalive-len20", "NOTIF 1/2 data=0014", "4271 6.1", bad_length(20), message(4, b"\0")),
    header("update-len22", "NOTIF 1/2 data=0016", "4271 6.1", bad_length(22), message(2, bytes(3))),
    header("notif-len20", "NOTIF 1/2 data=0014 or close", "4271 6.1", bad_length(20), message(3, b"\6"),
           note="Answered: a message that short is a header error, whatever its type."),
    header("rr-len22", "NOTIF 1/2 or 7/1", "2918/7313", bad_length(22), message(5, bytes(3)),
           note="RFC 7313 5 speaks of messages whose subtype could be read; this one is too short to have a SAFI."),
    header("rr-len24", "NOTIF 7/1 (ERR) / ignore", "7313 5", Nothing(), message(5, bytes.fromhex("0001000100")),
           note="A request (subtype 0) with an octet too many; RFC 7313 5 makes an error of subtypes 1 and 2 only."),
    header("rr-unknown-af", "ignore", "2918", Nothing(), message(5, bytes.fromhex("00630001"))),
    header("rr-subtype9", "ignore", "7313 5", Nothing(), message(5, bytes.fromhex("00010901"))),
    header("open-in-established", "NOTIF 5/3", "6608", Reset(5, 3, b"\1"), OPEN),
    header("notif-unknown-code", "close", "4271 6.4", Closed(), message(3, bytes((99, 77)) + b"what?")),
    header("notif-shutdown-comm-overlong", "close", "9003 / CVE-2019-16159", Closed(), message(3, b"\6\2\xffbye")),
)

FSM_CASES: Final = (
    fsm("fsm-keepalive-in-opensent", "OpenSent", 1, KEEPALIVE),
    fsm("fsm-update-in-opensent", "OpenSent", 1, UPDATE),
    fsm("fsm-rr-in-opensent", "OpenSent", 1, ROUTE_REFRESH),
    fsm("fsm-notif-in-opensent", "OpenSent", 1, CEASE, "close or NOTIF 5/1"),
    fsm("fsm-open-in-openconfirm", "OpenConfirm", 2, OPEN),
    fsm("fsm-update-in-openconfirm", "OpenConfirm", 2, UPDATE),
    fsm("fsm-rr-in-openconfirm", "OpenConfirm", 2, ROUTE_REFRESH),
)
# fmt: on
