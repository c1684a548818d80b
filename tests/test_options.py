"""Options that cannot be are refused where they are made, not when a session comes up."""

from __future__ import annotations

import pytest

from bgp import PeerOptions, SpeakerOptions


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("asn", 0),
        ("asn", 1 << 32),
        ("local_asn", 0),
        ("port", 0),
        ("port", 65536),
        ("hold_time", 1),
        ("hold_time", 2),
        ("hold_time", 65536),
        ("restart_time", -1),
        ("restart_time", 4096),
        ("multihop", 0),
        ("multihop", 256),
        ("allowas_in", -1),
        ("add_path_limit", 0),
        ("add_path_limit", 65536),
        ("default_local_pref", -1),
        ("max_prefixes", 0),
    ],
)
def test_a_number_that_cannot_be_is_refused(field: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"must be .*{value}"):
        PeerOptions(**{"address": "10.0.0.1", "asn": 65001} | {field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(("field", "value"), [("asn", 0), ("asn", 1 << 32), ("confederation", 0)])
def test_a_number_of_a_speaker_that_cannot_be_is_refused(field: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"must be .*{value}"):
        SpeakerOptions(**{"asn": 65001, "router_id": "10.0.0.1"} | {field: value})  # type: ignore[arg-type]


def test_the_limits_themselves_are_allowed() -> None:
    low = PeerOptions("10.0.0.1", 1, port=1, hold_time=0, restart_time=0, multihop=1, add_path_limit=1)
    high = PeerOptions("10.0.0.1", (1 << 32) - 1, port=65535, hold_time=65535, restart_time=4095, multihop=255)
    assert low.label == high.label == "10.0.0.1"
    assert PeerOptions("10.0.0.1", 1, name="toby").label == "toby"
