"""Hypothesis strategies for messages that probe a speaker. Needs hypothesis: `pip install 'trio-bgp[testing]'`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hypothesis import strategies as st

from bgp.iana import AttributeCode as Code
from bgp.testing.probes import ANYTHING, FAULTS, Attribute, Between, Draft, Probe, plain, worst

#: The most faults of one probe: more hide each other.
MOST_FAULTS: Final = 3

_u32 = st.binary(min_size=4, max_size=4)
#: Optional attributes with right values, for an external session with four-octet AS numbers.
_OPTIONAL: Final = {
    Code.MULTI_EXIT_DISC: (0x80, _u32),
    Code.ATOMIC_AGGREGATE: (0x40, st.just(b"")),
    Code.AGGREGATOR: (0xC0, st.just(bytes((0, 0, 253, 232, 192, 0, 2, 1)))),
    Code.COMMUNITIES: (
        0xC0,
        st.lists(st.integers(64, 250), min_size=1, max_size=5).map(lambda found: _communities(found)),
    ),
    Code.EXTENDED_COMMUNITIES: (0xC0, st.just(bytes((0, 2, 253, 232, 0, 0, 0, 7)))),
    Code.LARGE_COMMUNITIES: (0xC0, st.binary(min_size=12, max_size=12)),
}


def _communities(numbers: list[int]) -> bytes:
    return b"".join(bytes((253, 232, 0, number)) for number in numbers)


@st.composite
def drafts(draw: st.DrawFn, between: Between) -> Draft:
    """Right UPDATEs, of the attributes that every speaker knows, in any order."""
    begun = plain(between, 0).without(Code.COMMUNITIES)
    assert begun is not None  # `plain` has them
    chosen = draw(st.lists(st.sampled_from(sorted(_OPTIONAL)), unique=True, max_size=4))
    more = [Attribute(_OPTIONAL[code][0], code, draw(_OPTIONAL[code][1])) for code in chosen]
    longer = draw(st.lists(st.integers(64512, 65000).filter(lambda asn: asn != between.peer_asn), max_size=4))
    draft = begun.with_more(*more)
    if longer and between.asn != between.peer_asn:
        asns = b"".join(asn.to_bytes(4, "big") for asn in (between.asn, *longer))
        draft = draft.change(Code.AS_PATH, value=bytes((2, len(longer) + 1)) + asns) or draft
    return replace(draft, attributes=tuple(draw(st.permutations(draft.attributes))))


@st.composite
def update_probes(draw: st.DrawFn, between: Between) -> Probe:
    """UPDATEs with at most a few faults, and what must come of them; now and then with octets scratched at random."""
    draft = draw(drafts(between))
    chosen = draw(st.lists(st.sampled_from(FAULTS), max_size=MOST_FAULTS, unique_by=lambda fault: fault.name))
    done = []
    for fault in sorted(chosen, key=lambda fault: fault.order):
        spoilt = fault.spoil(draft, draw(st.binary(max_size=20)))
        if spoilt is not None:
            draft = spoilt
            done.append(fault)
    octets, names = draft.octets(), tuple(fault.name for fault in done)
    if draw(st.integers(0, 9)) == 9:
        return Probe(_scratched(draw, octets), ANYTHING, (*names, "octets changed at random"))
    return Probe(octets, worst(done), names)


def _scratched(draw: st.DrawFn, octets: bytes) -> bytes:
    """Some octets of the body changed; the header stays right."""
    body = bytearray(octets)
    for at in draw(st.lists(st.integers(19, len(octets) - 1), min_size=1, max_size=4)):
        body[at] = draw(st.integers(0, 255))
    return bytes(body)
