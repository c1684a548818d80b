"""Roles between speakers (RFC 9234): a customer of two providers, and the route that it must not carry between them."""

from __future__ import annotations

from speakers import Laboratory, best, laboratory, settle
from trio.testing import MockClock

from bgp.net import Peer, Speaker
from rib.eligibility import Why
from rib.family import IPV4_UNICAST
from rib.roles import Role

PREFIX = "10.1.0.0/16"


async def chain(lab: Laboratory, middle_knows_roles: bool) -> tuple[Speaker, Speaker, Peer]:
    """AS 65002, a customer of AS 65001 and of AS 65003; the latter, and what it has of its customer."""
    left, middle, right = [await lab.speaker(65000 + n, f"10.0.0.{n}") for n in (1, 2, 3)]
    role = {"role": Role.CUSTOMER} if middle_knows_roles else {"role": None}
    await lab.connect(middle, left, near_options=role, role=Role.PROVIDER)
    _, peer = await lab.connect(middle, right, near_options=role, role=Role.PROVIDER)
    left.announce(PREFIX)
    await settle()
    return middle, right, peer


async def test_a_customer_does_not_carry_a_route_between_its_providers(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        middle, right, _ = await chain(lab, middle_knows_roles=True)
        path = best(middle, PREFIX)
        assert path is not None
        assert path.attributes.only_to_customer == 65001
        assert best(right, PREFIX) is None
        middle.announce("10.2.0.0/16")
        await settle()
        own = best(right, "10.2.0.0/16")
        assert own is not None, "what is its own goes up"
        assert own.attributes.only_to_customer is None


async def test_a_leak_by_who_knows_no_roles_is_found_by_the_next_who_does(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        middle, right, peer = await chain(lab, middle_knows_roles=False)
        assert best(middle, PREFIX) is not None
        assert best(right, PREFIX) is None
        assert peer.adj_in is not None
        ((_, path),) = peer.adj_in.routes(IPV4_UNICAST)
        assert path.ineligible is not None
        assert path.ineligible.why is Why.ROUTE_LEAK
        assert path.ineligible.detail == "from a customer, but only to customers says AS 65001"


async def test_the_provider_of_a_provider_gives_everything_down(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        top, middle, bottom = [await lab.speaker(65000 + n, f"10.0.0.{n}") for n in (1, 2, 3)]
        await lab.connect(middle, top, near_options={"role": Role.CUSTOMER}, role=Role.PROVIDER)
        await lab.connect(bottom, middle, near_options={"role": Role.CUSTOMER}, role=Role.PROVIDER)
        top.announce(PREFIX)
        await settle()
        path = best(bottom, PREFIX)
        assert path is not None
        assert path.attributes.only_to_customer == 65001, "once it is set it stays"
