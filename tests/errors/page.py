"""Makes docs/errors.md from the tables of cases: `python tests/errors/page.py > docs/errors.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from errors.attacks import COVERED
from errors.cases import Closed, Expected, Gone, Kept, Lost, Nothing, Reset, Up
from errors.table import SECTIONS

from bgp.wire.attributes import name_of

INTRODUCTION: Final = """\
# Malformed input: what we do

Each case is octets. `tests/errors` sends them to a speaker, in memory and over TCP to `bgp run`, while a second session
watches what is announced: first the tester announces good routes, then come the octets of the case, then routes that mark
the end. So a withdrawal is seen as one, an attribute that is discarded is seen to be missing, and what is passed on is
compared octet for octet. This page is made from the table of those tests (`python tests/errors/page.py`).

"Required" is what the RFCs ask for; where they leave a choice the last column says which one we made.

**AFI/SAFI disable** (RFC 7606 2, RFC 4760 7). A session whose MP_REACH_NLRI or MP_UNREACH_NLRI cannot be read ends, with
the attribute as data: that is heard by both sides, and begins anew by itself. With `malformed_family = "disable"` such an
error costs its family instead, where its AFI and SAFI could be read and the session carries another one: all routes of that
family from that peer go (really withdrawn from everybody else), what comes of it later is ignored, that of the other
families in the same UPDATE is used, and `bgp show neighbors` says so with the reason, until the session begins anew. What
is wrong with the fields of RFC 4271, or an attribute that is there twice (RFC 7606 3 g), ends the session all the same.

A family that was not agreed on is ignored wherever it comes from, NLRI and Withdrawn Routes fields on a session without
IPv4 unicast among them.

The whole UPDATE, its prefixes and what came of it go to the log, at most ten a minute and peer (RFC 7606 6).

Prefixes that are no unicast destinations (multicast, class E) are ignored and shown by `bgp show rejected`; the others of
the same UPDATE are used (RFC 4271 6.3). A route whose attributes no message to a peer can carry is withdrawn from that peer
(RFC 8654 4). The data of a NOTIFICATION is cut off where it would not fit a message of 4,096 octets.

Options of a peer: `enforce_first_as` (on; off for route servers), `reject_as_sets` (off; RFC 9774), `malformed_family`
("reset").
"""


def words(expected: Expected) -> str:
    """What we do, in a few words."""
    match expected:
        case Kept(changed):
            # LOCAL_PREF is always there on the way to an internal peer: a discarded one is seen to be our own.
            dropped = [name_of(code) for code, value in changed.items() if value is None or code == 5]
            return f"taken without {', '.join(dropped)}" if dropped else "taken and passed on"
        case Gone():
            return "withdrawn; the session stays"
        case Lost(afi, gone):
            rest = ", plain routes withdrawn" if gone else ""
            return f"IPv{4 if afi == 1 else 6} unicast disabled{rest}; the session stays"
        case Nothing():
            return "nothing changes"
        case Reset(code, subcode, data):
            shown = f", data `{data.hex()}`" if len(data) < 16 else f", data `{data[:12].hex()}…`"
            return f"NOTIFICATION {code}/{subcode}{shown if data else ''}"
        case Closed():
            return "closed without an answer"
        case Up():
            return "the session comes up"


def page() -> Iterator[str]:
    """The lines of the page."""
    yield INTRODUCTION
    for title, cases in SECTIONS.items():
        yield f"## {title}\n"
        yield "| case | required | we | RFC or incident | |"
        yield "| --- | --- | --- | --- | --- |"
        for case in cases:
            yield f"| {case.name} | {case.required} | {words(case.expected)} | {case.rfc} | {case.note} |"
        yield ""
    yield "## Attacks, and what stands for each\n"
    yield "| attack | cases and tests |"
    yield "| --- | --- |"
    for attack, covers in COVERED.items():
        yield f"| {attack} | {', '.join(cover.removeprefix('::') for cover in covers)} |"


if __name__ == "__main__":
    print("\n".join(page()))
