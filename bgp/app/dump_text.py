"""How `bgpdump -m` spells what it prints: the words of its lines, from octets."""

from __future__ import annotations

from socket import AF_INET6, inet_ntoa, inet_ntop
from typing import Final

ORIGINS: Final = ("IGP", "EGP", "INCOMPLETE")
#: What bgpdump calls the well-known communities; it has numbers for all others.
NAMES: Final = {0xFFFFFF01: "no-export", 0xFFFFFF02: "no-advertise", 0xFFFFFF03: "local-AS"}
#: What bgpdump prints for a next hop that is not there.
NO_NEXT_HOP: Final = "255.255.255.255"
#: What bgpdump prints for an AS_PATH that it cannot read.
BAD_PATH: Final = "! Error !"
AS_TRANS: Final = 23456
#: The address of an aggregator that bgpdump takes for none.
NOBODY: Final = b"\xff\xff\xff\xff"
_ZEROS: Final = bytes(14)
#: By type of a segment (RFC 4271 4.3, RFC 5065 3); the members of a confederation's set have commas between them too.
BRACKETS: Final = {1: ("{", ",", "}"), 2: ("", " ", ""), 3: ("(", " ", ")"), 4: ("[", ",", "]")}


def ipv6_text(octets: bytes) -> str:
    """As inet_ntop has it, mapped addresses in dotted form; unlike there, a single group of zeros is left out too.

    And the last 16 bits alone are written as an IPv4 address, but for ::1.
    """
    if octets.startswith(_ZEROS) and octets[14:] > b"\0\1":
        return f"::0.0.{octets[14]}.{octets[15]}"
    text = inet_ntop(AF_INET6, octets)
    if "::" in text or (":0" not in text and not text.startswith("0:")):
        return text
    groups = text.split(":")
    if "0" not in groups:
        return text
    first = groups.index("0")
    return f"{':'.join(groups[:first])}::{':'.join(groups[first + 1 :])}"


def address_text(octets: bytes) -> str:
    """An address of 4 or 16 octets."""
    return inet_ntoa(octets) if len(octets) == 4 else ipv6_text(octets)


def prefix_text(afi: int, nlri: bytes) -> str:
    """A prefix in bgpdump's spelling."""
    if afi == 1:
        return f"{inet_ntoa((nlri + _ZEROS)[1:5])}/{nlri[0]}"
    return f"{ipv6_text(nlri[1:].ljust(16, bytes(1)))}/{nlri[0]}"


def segment_text(kind: int, asns: tuple[int, ...]) -> str:
    """A segment of an AS_PATH."""
    opening, separator, closing = BRACKETS[kind]
    return f"{opening}{separator.join(map(str, asns))}{closing}"


def legacy(line: str) -> str:
    """The line for a record of type BGP: bgpdump puts the communities behind the MED, with nothing in between."""
    fields = line.split("|")
    if len(fields) > 11:
        fields[10] += fields.pop(11)
    return "|".join(fields)
