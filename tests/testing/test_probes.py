"""What probes claim must come of them is what our own codec says: the table and the codec check each other."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgp.error import PeerError, Reaction
from bgp.testing.probes import (
    ANYTHING,
    ENDED,
    FAULTS,
    OF_REACTION,
    TAKEN,
    WITHDRAWN,
    Allowed,
    Between,
    Fault,
    plain,
    worst,
)
from bgp.testing.strategies import drafts, update_probes
from bgp.wire.update import decode_update
from bgp.wire.update import worst as worst_error

BETWEEN = Between(65001, 65000, IPv4Address("192.0.2.9"))
INTERNAL = Between(65000, 65000, IPv4Address("192.0.2.9"))


def verdict(octets: bytes, between: Between) -> Allowed:
    try:
        update = decode_update(octets[19:], between.context)
    except PeerError:
        return ENDED
    error = worst_error(update.errors)
    return TAKEN if error is None else OF_REACTION[error.reaction]


@given(st.sampled_from([BETWEEN, INTERNAL]).flatmap(lambda between: st.tuples(st.just(between), drafts(between))))
@settings(max_examples=100)
def test_drafts_are_right(both: tuple[Between, object]) -> None:
    between, draft = both
    assert verdict(draft.octets(), between) == TAKEN  # type: ignore[attr-defined]


@given(st.data())
@settings(max_examples=300)
def test_the_codec_agrees_with_what_a_probe_claims(data: st.DataObject) -> None:
    probe = data.draw(update_probes(BETWEEN))
    if probe.allowed:
        assert verdict(probe.octets, BETWEEN) <= probe.allowed, probe.faults


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@given(data=st.data())
@settings(max_examples=10)
def test_each_fault_does_what_it_says(fault: Fault, data: st.DataObject) -> None:
    draft = data.draw(drafts(BETWEEN))
    spoilt = fault.spoil(draft, data.draw(st.binary(max_size=20)))
    if spoilt is not None:
        assert verdict(spoilt.octets(), BETWEEN) <= fault.allowed


def test_the_worst_of_several_decides() -> None:
    def fault(allowed: Allowed) -> Fault:
        return Fault("", allowed, lambda draft, octets: draft)

    assert worst([]) == TAKEN
    assert worst(map(fault, (TAKEN, WITHDRAWN))) == WITHDRAWN
    assert worst(map(fault, (WITHDRAWN, ENDED, TAKEN))) == ENDED
    assert worst(map(fault, (TAKEN, TAKEN | WITHDRAWN))) == TAKEN | WITHDRAWN
    assert worst(map(fault, (WITHDRAWN, ANYTHING))) == ANYTHING


def test_the_plain_draft_can_be_told_by_its_community() -> None:
    update = decode_update(plain(BETWEEN, 65001 << 16 | 7).octets()[19:], BETWEEN.context)
    assert not update.errors
    assert "65001:7" in str(update)
    assert Reaction.SESSION_RESET in OF_REACTION
