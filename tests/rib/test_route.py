"""Sources and paths are told apart by identity."""

from __future__ import annotations

from routes import LOCAL, attributes, nlri, source

from rib.eligibility import Ineligible, Why
from rib.family import IPV4_UNICAST
from rib.prefix import Prefix
from rib.route import Change, Path, Source, SourceKind


def test_a_source_is_itself_only() -> None:
    assert LOCAL.is_local
    assert not source().is_local
    assert source(2) != source(2)


def test_a_path_is_itself_only() -> None:
    same = attributes()
    peer = source()
    assert Path(same, peer) != Path(same, peer)


def test_a_path_without_a_policy_is_as_received() -> None:
    same = attributes()
    assert Path(same, source()).received is same
    assert Path(same, source(), received=attributes("1")).received == attributes("1")


def test_a_path_says_where_from_and_why_not() -> None:
    refused = Path(attributes(), source(), ineligible=Ineligible(Why.POLICY))
    assert repr(refused).endswith("from peer2, ineligible: rejected by import policy)")
    assert "ineligible" not in repr(Path(attributes(), source()))


def test_a_change_names_its_prefix() -> None:
    assert Change(IPV4_UNICAST, nlri("10.0.0.0/8"), None, None).prefix == Prefix("10.0.0.0/8")


def test_kinds_have_words() -> None:
    assert [kind.value for kind in SourceKind] == ["local", "internal", "external", "confederation"]
    assert [kind.word for kind in SourceKind] == ["own", "iBGP", "eBGP", "confederation"]
    assert Source(SourceKind.EXTERNAL, "a", 1, LOCAL.bgp_id).address is None
