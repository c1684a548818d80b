"""From the octets that routes have in the tables to values and text, and back.

A route in the tables has a key, and a binding with its path attributes: see `bgp.wire.nlri.kind`.
"""

from __future__ import annotations

from bgp.error import LocalError
from bgp.message import Destination
from bgp.wire.fields import Malformed, build, parse
from bgp.wire.nlri.multiprotocol import check_afi
from bgp.wire.nlri.table import FAMILIES
from rib.family import Family
from rib.prefix import Prefix, nlri_text


def parse_destination(family: Family, text: str) -> Destination:
    """The value of a text in a family. Raises ValueError; LocalError for a family that nobody here knows."""
    row = FAMILIES.get(family)
    if row is None:
        raise LocalError(f"nobody here can read NLRI of {family}")
    return row.kind.parse(text)


def key_of(family: Family, value: Destination, *, withdrawn: bool = False) -> tuple[bytes, bytes]:
    """The key and the binding of a route; only the key matters of one that is to be withdrawn.

    Raises LocalError for a value that the family does not have.
    """
    row = FAMILIES.get(family)
    if row is None:
        raise LocalError(f"nobody here can write NLRI of {family}")
    if isinstance(value, Prefix) and row.kind.split is None and value.afi == family.afi:
        return value.nlri, b""
    if row.kind.split is not None:
        try:
            check_afi(family, value)
            octets = build(row.kind.withdrawn if withdrawn else row.kind.announced, value)
        except (Malformed, AttributeError) as error:
            raise LocalError(f"{value} is no NLRI of {family}: {error}") from error
        found = row.kind.split(octets, 0, len(octets), withdrawn)
        if found is not None and found[0] == len(octets) and found[1]:
            return found[1], found[2]
    raise LocalError(f"{value} is no NLRI of {family}")


def destination(family: Family, key: bytes, binding: bytes = b"") -> Destination | None:
    """The value of a key; without its binding, as it is withdrawn. None in a family that we do not know."""
    row = FAMILIES.get(family)
    if row is None:
        return None
    if row.kind.join is None:
        return Prefix.from_nlri(family.afi, key)
    element = row.kind.announced if binding else row.kind.withdrawn
    found: Destination = parse(element, row.kind.join(key, binding))
    return found


def key_text(family: Family, key: bytes, binding: bytes = b"") -> str:
    """What a route of the tables leads to, in words; hexadecimal in a family that we do not know."""
    row = FAMILIES.get(family)
    if row is not None and row.kind.join is None:
        return nlri_text(family.afi, key)
    found = destination(family, key, binding)
    return key.hex() if found is None else str(found)
