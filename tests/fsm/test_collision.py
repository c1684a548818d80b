from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fsm.collision import Connection, Loser, Speaker, resolve
from fsm.words import State

LOW = Speaker(IPv4Address("10.0.0.1"), 65001)
HIGH = Speaker(IPv4Address("10.0.0.2"), 65002)
COLLIDING = [State.OPEN_SENT, State.OPEN_CONFIRM]

speakers = st.builds(Speaker, st.integers(1, 3).map(IPv4Address), st.integers(1, 3))


@pytest.mark.parametrize("state", [State.IDLE, State.CONNECT, State.ACTIVE])
def test_there_is_no_collision_before_open_sent(state: State) -> None:
    verdict = resolve(new=Connection(State.OPEN_SENT, False), existing=Connection(state, True), local=LOW, remote=HIGH)
    assert verdict.loser is Loser.NEITHER
    assert state.title in verdict.reason


@pytest.mark.parametrize("state", COLLIDING)
@pytest.mark.parametrize(
    ("local", "remote", "new_is_dialled", "loser"),
    [
        (LOW, HIGH, False, Loser.EXISTING),  # RFC 4271 6.8 2: ours is lower, the peer's connection is accepted
        (HIGH, LOW, False, Loser.NEW),  # 6.8 3: the newly created connection is closed
        (LOW, HIGH, True, Loser.NEW),
        (HIGH, LOW, True, Loser.EXISTING),
    ],
)
def test_the_connection_opened_by_the_higher_identifier_stays(
    state: State, local: Speaker, remote: Speaker, new_is_dialled: bool, loser: Loser
) -> None:
    new, existing = Connection(State.OPEN_SENT, new_is_dialled), Connection(state, not new_is_dialled)
    verdict = resolve(new=new, existing=existing, local=local, remote=remote)
    assert verdict.loser is loser
    assert "10.0.0.2" in verdict.reason


def test_identifiers_compare_as_unsigned_numbers() -> None:
    small, great = Speaker(IPv4Address("9.0.0.0"), 1), Speaker(IPv4Address("200.0.0.0"), 1)
    new, existing = Connection(State.OPEN_SENT, False), Connection(State.OPEN_CONFIRM, True)
    assert resolve(new=new, existing=existing, local=great, remote=small).loser is Loser.NEW
    assert resolve(new=new, existing=existing, local=small, remote=great).loser is Loser.EXISTING


def test_equal_identifiers_are_told_apart_by_the_larger_as_number() -> None:
    small, great = Speaker(IPv4Address(1), 100), Speaker(IPv4Address(1), 4200000000)
    new, existing = Connection(State.OPEN_SENT, False), Connection(State.OPEN_CONFIRM, True)
    verdict = resolve(new=new, existing=existing, local=great, remote=small)
    assert verdict.loser is Loser.NEW
    assert "AS 4200000000" in verdict.reason
    assert resolve(new=new, existing=existing, local=small, remote=great).loser is Loser.EXISTING


@pytest.mark.parametrize("dialled", [True, False])
def test_an_established_session_is_not_given_up_for_a_newcomer(dialled: bool) -> None:
    for local, remote in [(LOW, HIGH), (HIGH, LOW)]:
        verdict = resolve(
            new=Connection(State.OPEN_SENT, not dialled),
            existing=Connection(State.ESTABLISHED, dialled),
            local=local,
            remote=remote,
        )
        assert verdict.loser is Loser.NEW
        assert "established" in verdict.reason


def test_an_established_session_collides_where_configured() -> None:
    new, existing = Connection(State.OPEN_SENT, False), Connection(State.ESTABLISHED, True)
    verdict = resolve(new=new, existing=existing, local=LOW, remote=HIGH, collide_in_established=True)
    assert verdict.loser is Loser.EXISTING


@pytest.mark.parametrize("dialled", [True, False])
def test_a_second_connection_from_the_same_side_supersedes_the_first(dialled: bool) -> None:
    new, existing = Connection(State.OPEN_SENT, dialled), Connection(State.OPEN_CONFIRM, dialled)
    assert resolve(new=new, existing=existing, local=HIGH, remote=LOW).loser is Loser.EXISTING


@given(speakers, speakers, st.booleans(), st.sampled_from(COLLIDING), st.sampled_from(COLLIDING))
def test_both_ends_keep_the_same_connection_whichever_open_arrives_first(
    one: Speaker, other: Speaker, same_order: bool, mine: State, theirs: State
) -> None:
    """One dialled connection A, other dialled connection B; each end judges when its first OPEN arrives."""
    assume(one != other)  # RFC 6286: identifiers are unique within an AS

    def kept(local: Speaker, remote: Speaker, *, new_is_dialled: bool, state: State) -> Speaker:
        new, existing = Connection(State.OPEN_SENT, new_is_dialled), Connection(state, not new_is_dialled)
        loser = resolve(new=new, existing=existing, local=local, remote=remote).loser
        assert loser is not Loser.NEITHER
        dialled_stays = (loser is Loser.EXISTING) == new_is_dialled
        return local if dialled_stays else remote

    stays_here = kept(one, other, new_is_dialled=True, state=mine)
    stays_there = kept(other, one, new_is_dialled=not same_order, state=theirs)
    assert stays_here == stays_there == max(one, other)
