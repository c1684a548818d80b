"""Roles in the OPEN (RFC 9234 4.2)."""

from __future__ import annotations

import pytest
from helpers import Scripted, capabilities, peer_open, session_options

from bgp.capability import BgpRole
from bgp.message import Notification, Open
from fsm.words import State


def said(*roles: int) -> Open:
    return peer_open(capabilities=(*capabilities(65002), *map(BgpRole, roles)))


def scripted(role: int, **options: object) -> Scripted:
    return Scripted(session_options(capabilities=(*capabilities(65001), BgpRole(role)), **options))


@pytest.mark.parametrize(("ours", "theirs"), [(0, 3), (3, 0), (1, 2), (2, 1), (4, 4)])
def test_roles_that_fit_come_up(ours: int, theirs: int) -> None:
    script = scripted(ours, strict_role=True).establish(said(theirs))
    assert script.session.negotiated is not None
    assert script.session.negotiated.peer_role == theirs


@pytest.mark.parametrize("message", [said(0), said(4), said(99), said(3, 4)])
def test_roles_that_do_not_fit_are_2_11(message: Open) -> None:
    script = scripted(0).confirm(message)
    assert script.notification == Notification(2, 11)
    assert script.session.state is State.IDLE


def test_a_peer_without_a_role_is_refused_where_one_is_insisted_on() -> None:
    assert scripted(0).confirm(said()).notification is None
    assert scripted(0, strict_role=True).confirm(said()).notification == Notification(2, 11)


def test_two_roles_are_refused_by_who_has_none_too() -> None:
    assert Scripted().confirm(said(3, 4)).notification == Notification(2, 11)
    assert Scripted().confirm(said(3, 3)).notification is None


def test_roles_are_for_external_sessions() -> None:
    internal = peer_open(65001, capabilities=(*capabilities(65001), BgpRole(0), BgpRole(4)))
    assert Scripted(session_options(peer_asn=65001)).confirm(internal).notification is None
