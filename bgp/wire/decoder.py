"""The UPDATEs of one session to typed values, fast: for files, monitors and whoever wants values and not routes.

An UPDATE with which nothing is wrong is read here; every other one is left to the declarations (`bgp.wire.update`), so
that an error has one author. A property test holds the two equal on any octets. What was read
is remembered for a while: neighbours say the same attributes of many prefixes.
"""

from __future__ import annotations

from typing import Final

from bgp.message import (
    AttributeValue,
    MalformedNlri,
    MpReach,
    MpUnreach,
    Nlri,
    PathAttribute,
    PathPrefix,
    Update,
)
from bgp.wire.attributes import check, decode_value
from bgp.wire.codes import ALWAYS, MP_REACH, MP_UNREACH, WHOLE
from bgp.wire.context import Context
from bgp.wire.fields import Malformed
from bgp.wire.nlri import FAMILIES, has_routes, is_carried, is_read
from bgp.wire.nlri.prefix import PREFIX_FAMILIES
from bgp.wire.prefixes import STEP4, prefixes, prefixes_with_ids
from bgp.wire.readers import READERS, next_hops
from bgp.wire.update import decode_update
from rib.family import IPV4_UNICAST, Family
from rib.prefix import Prefix

#: Blocks, attributes and prefixes that are remembered, of each so many; then they are forgotten, all at once.
REMEMBERED: Final = 1 << 14
_FAMILIES: Final = {bytes((0, *family)): family for family in PREFIX_FAMILIES}


class Irregular(Exception):
    """Something is not as it is in nearly all messages: let the declarations have a look."""


class UpdateDecoder:
    """Reads the UPDATEs of a session, or of a file with one context, one after the other."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._blocks: dict[bytes, tuple[tuple[PathAttribute, ...], int]] = {}
        self._attributes: dict[bytes, PathAttribute] = {}
        self._prefixes: dict[bytes, Prefix] = {}

    def decode(self, body: bytes) -> Update:
        """The UPDATE in `body`, as `bgp.wire.update.decode_update` reads it. Raises what that raises."""
        try:
            return self._regular(body)
        except Irregular:
            return decode_update(body, self.context)

    def _regular(self, body: bytes) -> Update:
        size = len(body)
        if size < 4:
            raise Irregular
        gone_to = 2 + (body[0] << 8 | body[1])
        if gone_to + 2 > size:
            raise Irregular
        start = gone_to + 2
        end = start + (body[gone_to] << 8 | body[gone_to + 1])
        if end > size:
            raise Irregular
        if (gone_to > 2 or end < size) and not is_read(IPV4_UNICAST, self.context):
            raise Irregular
        withdrawn = self._routes(IPV4_UNICAST, body, 2, gone_to, STEP4) if gone_to > 2 else ()
        nlri = self._routes(IPV4_UNICAST, body, end, size, STEP4) if end < size else ()
        if start == end:
            if nlri:
                raise Irregular
            return Update(withdrawn)
        raw = body[start:end]
        attributes, codes = self._blocks.get(raw) or self._read(raw)
        if nlri:
            if codes & WHOLE != WHOLE:
                raise Irregular
        elif codes & ALWAYS != ALWAYS and codes >> MP_REACH & 1 and self._announces(attributes):
            raise Irregular
        return Update(withdrawn, attributes, nlri)

    def _announces(self, attributes: tuple[PathAttribute, ...]) -> bool:
        reach = next(one.value for one in attributes if one.code == MP_REACH)
        return isinstance(reach, MpReach) and has_routes(reach, self.context)

    def _read(self, raw: bytes) -> tuple[tuple[PathAttribute, ...], int]:
        """The attributes of a block that is new, and their codes: bit n for code n."""
        found: list[PathAttribute] = []
        codes = 0
        at, size = 0, len(raw)
        known = self._attributes
        while at < size:
            if size - at < 3:
                raise Irregular
            if raw[at] & 0x10:
                start = at + 4
                end = start + (raw[at + 2] << 8 | raw[at + 3] if start <= size else size)
            else:
                start = at + 3
                end = start + raw[at + 2]
            code = raw[at + 1]
            if end > size or codes >> code & 1:
                raise Irregular
            codes |= 1 << code
            if code in (MP_REACH, MP_UNREACH):
                found.append(self._mp(raw[at], code, raw[start:end]))
            else:
                octets = raw[at:end]
                one = known.get(octets)
                if one is None:
                    one = self._attribute(raw[at], code, raw[start:end])
                    if len(known) >= REMEMBERED:
                        known.clear()
                    known[octets] = one
                found.append(one)
            at = end
        read = (tuple(found), codes)
        if not codes >> MP_REACH & 0b11:
            if len(self._blocks) >= REMEMBERED:
                self._blocks.clear()
            self._blocks[raw] = read
        return read

    def _attribute(self, flags: int, code: int, octets: bytes) -> PathAttribute:
        if check(code, flags, octets, self.context) is not None:
            raise Irregular
        reader = READERS.get(code)
        if reader is not None:
            return PathAttribute(flags, code, reader(octets, self.context))
        return PathAttribute(flags, code, self._declared(code, octets))

    def _declared(self, code: int, octets: bytes) -> AttributeValue:
        try:
            return decode_value(code, octets, self.context)
        except Malformed:
            raise Irregular from None

    def _mp(self, flags: int, code: int, value: bytes) -> PathAttribute:
        if check(code, flags, value, self.context) is not None:
            raise Irregular
        family = _FAMILIES.get(value[:3])
        context = self.context
        if family is None or not is_read(family, context):
            return PathAttribute(flags, code, self._other(code, value))
        step = PREFIX_FAMILIES[family]
        if code == MP_UNREACH:
            return PathAttribute(flags, code, MpUnreach(family, self._routes(family, value, 3, len(value), step)))
        at = 5 + value[3]
        if at > len(value) or value[3] not in FAMILIES[family].next_hops or not value[3]:
            raise Irregular
        routes = self._routes(family, value, at, len(value), step)
        return PathAttribute(flags, code, MpReach(family, next_hops(value[4 : at - 1]), routes))

    def _other(self, code: int, value: bytes) -> MpReach | MpUnreach:
        """The routes of a family whose NLRI are more than prefixes, or of one that the session does not carry."""
        found = self._declared(code, value)
        if not isinstance(found, MpReach | MpUnreach):
            raise Irregular
        context = self.context
        if context.peering is not None and not is_read(found.family, context) and not is_carried(found.family, context):
            raise Irregular
        row = FAMILIES.get(found.family)
        if row is not None and row.kind.judge is not None and isinstance(found, MpReach):
            raise Irregular  # whether its routes can be used depends on other attributes
        for one in found.nlri:
            if isinstance(one.prefix if isinstance(one, PathPrefix) else one, MalformedNlri):
                raise Irregular
        return found

    def _routes(self, family: Family, octets: bytes, at: int, end: int, step: tuple[int, ...]) -> tuple[Nlri, ...]:
        """The prefixes of octets[at:end]."""
        if family in self.context.add_path:
            both = prefixes_with_ids(octets, at, end, step)
            if both is None:
                raise Irregular
            return tuple(map(PathPrefix, self._made(family.afi, both[0]), both[1]))
        found = prefixes(octets, at, end, step)
        if found is None:
            raise Irregular
        return tuple(self._made(family.afi, found))

    def _made(self, afi: int, nlri: list[bytes]) -> list[Prefix]:
        if afi != 1:
            return [Prefix.from_nlri(afi, one) for one in nlri]
        known = self._prefixes
        if len(known) >= REMEMBERED:
            known.clear()
        made = []
        for one in nlri:
            prefix = known.get(one)
            if prefix is None:
                prefix = known[one] = Prefix.from_nlri(1, one)
            made.append(prefix)
        return made
