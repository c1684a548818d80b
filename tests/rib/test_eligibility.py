"""Reasons read as sentences."""

from __future__ import annotations

import pytest

from rib.eligibility import Ineligible, Why


@pytest.mark.parametrize("why", Why)
def test_each_reason_has_words(why: Why) -> None:
    assert str(Ineligible(why)) == why.value
    detailed = "own AS 65000 in AS_PATH" if why is Why.AS_LOOP else f"{why.value}: 65000"
    assert str(Ineligible(why, "65000")) == detailed


def test_no_two_reasons_read_alike() -> None:
    assert len({why.value for why in Why}) == len(Why)
