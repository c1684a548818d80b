"""All the cases, as pytest wants them."""

from __future__ import annotations

from typing import Final

import pytest
from errors.attacks import ATTACK_CASES, OPTION_CASES
from errors.attributes import ATTRIBUTE_CASES
from errors.cases import Case
from errors.disabled import DISABLED_CASES
from errors.messages import FSM_CASES, MESSAGE_CASES
from errors.opens import OPEN_CASES
from errors.structure import STRUCTURE_CASES

SECTIONS: Final = {
    "UPDATE: attributes": ATTRIBUTE_CASES,
    "UPDATE: structure, NLRI, MP_REACH/MP_UNREACH": STRUCTURE_CASES,
    "Header and other messages": MESSAGE_CASES,
    "OPEN": OPEN_CASES,
    "FSM": FSM_CASES,
    "Published attacks": ATTACK_CASES,
    "Options that decide": OPTION_CASES,
    "AFI/SAFI disable": DISABLED_CASES,
}
ALL: Final[list[Case]] = [case for cases in SECTIONS.values() for case in cases]
CASES: Final = [pytest.param(case, id=case.name) for case in ALL]
