from __future__ import annotations
from dataclasses import dataclass
from enum import IntEnum
from rib.family import Family
class LocalError(ValueError): pass
class Reaction(IntEnum):
    ATTRIBUTE_DISCARD=1; TREAT_AS_WITHDRAW=2; AFI_SAFI_DISABLE=3; SESSION_RESET=4
class PeerError(Exception):
    def __init__(self, code, subcode, data=b"", reason=""):
        super().__init__(reason); self.code=code; self.subcode=subcode; self.data=data; self.reason=reason
@dataclass(frozen=True, slots=True)
class UpdateError:
    reaction: Reaction; code: int; subcode: int; data: bytes; reason: str; attribute: int|None=None; family: Family|None=None
