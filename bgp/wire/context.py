from __future__ import annotations
from dataclasses import dataclass
@dataclass(frozen=True, slots=True)
class Context:
    as4: bool=True; add_path: frozenset=frozenset(); extended: bool=False; peering: str|None=None; peer_asn:int|None=None; enforce_first_as: bool=False; families: frozenset|None=None
