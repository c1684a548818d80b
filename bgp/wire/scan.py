"""The hot path inwards: one UPDATE's octets to (path attributes, prefixes), without construct.

    UPDATE body:  2 octets  Withdrawn Routes Length      RFC 4271 4.3
                  n octets  Withdrawn Routes
                  2 octets  Total Path Attribute Length
                  m octets  Path Attributes
                  rest      NLRI

An attribute block is read and validated (RFC 7606) the first time it is seen and then found again by its octets. Blocks
with MP_REACH_NLRI or MP_UNREACH_NLRI carry prefixes themselves, so those two are cut out and what remains is looked up.

A property test holds this scanner equal to the construct-declared codec (`bgp.wire.update`) on every input.
Raises `PeerError`, and nothing else, whatever the octets are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from bgp.error import PeerError, Reaction, UpdateError
from bgp.wire.attributes import check
from bgp.wire.block import Block, BlockReader
from bgp.wire.codes import ALWAYS, MP_REACH, MP_UNREACH, WHOLE
from bgp.wire.context import Context
from bgp.wire.cut import Cut, missing, plain_ignored
from bgp.wire.nlri import FAMILIES, costs_family
from bgp.wire.nlri.kind import runs
from bgp.wire.nlri.prefix import PREFIX_FAMILIES
from bgp.wire.prefixes import STEP4, Doubtful, prefixes, prefixes_with_ids, split
from bgp.wire.spelling import SpelledAttributes
from rib.family import IPV4_UNICAST, Family, family_of

#: Malformed blocks that are remembered.
FAULTY_LIMIT: Final = 1024
#: The families whose routes can be wrong beside their attributes, by AFI and SAFI in octets, and what says so.
JUDGED: Final = {
    bytes((family.afi >> 8, family.afi & 255, family.safi)): row.kind.judge
    for family, row in FAMILIES.items()
    if row.kind.judge is not None
}
#: What a next hop of so many octets holds besides addresses: route distinguishers of 0 (RFC 4364 4.3.2, RFC 4659 3.2.1).
WITH_RD: Final = frozenset({12, 24, 48})
_new_tuple: Final = tuple.__new__


class Reach(NamedTuple):
    """Prefixes announced with one set of attributes."""

    family: Family
    attributes: SpelledAttributes
    nlri: list[bytes]
    path_ids: list[int] | None  #: RFC 7911, beside `nlri`; None where the family has none


class Unreach(NamedTuple):
    """Prefixes withdrawn."""

    family: Family
    nlri: list[bytes]
    path_ids: list[int] | None


class Found(NamedTuple):
    """Routes to announce, the next hop of MP_REACH_NLRI if they are from there, and what their keys are bound to."""

    routes: Unreach
    next_hop: bytes | None = None
    binding: bytes = b""


class RouteUpdate:
    """What one UPDATE says. `errors` are those that RFC 7606 lets the session survive, `octets` its body where there are any.

    `refused` are announced prefixes that are no unicast destinations, to be ignored (RFC 4271 6.3).
    """

    __slots__ = ("announced", "end_of_rib", "errors", "octets", "refused", "withdrawn")

    def __init__(
        self,
        announced: Sequence[Reach] = (),
        withdrawn: Sequence[Unreach] = (),
        errors: tuple[UpdateError, ...] = (),
        end_of_rib: Family | None = None,
        refused: Sequence[Reach] = (),
    ) -> None:
        self.octets = b""
        self.refused = refused
        self.announced = announced
        self.withdrawn = withdrawn
        self.errors = errors
        self.end_of_rib = end_of_rib


class UpdateScanner:
    """Reads the UPDATEs of one session; remembers the attribute blocks it has seen.

    `disabled` are the families that an error has cost the session: their routes are ignored (RFC 4760 7).
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.disabled: set[Family] = set()
        self.begin()
        self._whole: dict[bytes, SpelledAttributes] = {}
        self._clean: dict[bytes, SpelledAttributes] = {}
        self._faulty: dict[bytes, Block] = {}
        self._with_next_hop: dict[tuple[bytes, bytes, bytes], SpelledAttributes] = {}
        self._next_hops: dict[bytes, bytes] = {}
        self._reader = BlockReader(context, self._next_hops)

    def begin(self) -> None:
        """A session begins, the first or another one: all its families are read."""
        self.disabled.clear()
        self._settle()

    def _settle(self) -> None:
        negotiated = self.context.families
        #: The families whose routes are looked at; None for all that we know.
        self._read = None if negotiated is None else negotiated - self.disabled
        self._reads_plain = self._read is None or IPV4_UNICAST in self._read
        #: Whether an UPDATE of the usual form holds nothing but what is to be read.
        self._plain = self._reads_plain and IPV4_UNICAST not in self.context.add_path

    def forget(self, live: set[int]) -> None:
        """Drop the blocks whose identity is not in `live`."""
        self._whole = {raw: found for raw, found in self._whole.items() if id(found) in live}
        self._clean = {raw: found for raw, found in self._clean.items() if id(found) in live}
        self._with_next_hop = {key: found for key, found in self._with_next_hop.items() if id(found) in live}
        self._next_hops.clear()

    def scan(self, octets: bytes, at: int, end: int) -> RouteUpdate | Reach:
        """Read the UPDATE whose body is octets[at:end]; a `Reach` says that it announces, and that is all.

        Raises PeerError where the session must end.
        """
        if self._plain and end - at > 4 and not octets[at] and not octets[at + 1]:
            start = at + 4
            stop = start + (octets[at + 2] << 8 | octets[at + 3])
            if stop < end:
                raw = octets[start:stop]
                found = self._whole.get(raw) or self._learn(raw)
                if found is not None:
                    nlri = prefixes(octets, stop, end, STEP4)
                    if nlri.__class__ is list:
                        return _new_tuple(Reach, (IPV4_UNICAST, found, nlri, None))
        return self._scan_any(octets, at, end)

    def _scan_any(self, octets: bytes, at: int, end: int) -> RouteUpdate:
        if end - at < 4:
            raise PeerError(3, 1, b"", "UPDATE is too short")
        gone_from = at + 2
        gone_to = gone_from + (octets[at] << 8 | octets[at + 1])
        if gone_to + 2 > end:
            raise PeerError(3, 1, b"", "Withdrawn Routes Length runs past the message")
        block_from = gone_to + 2
        block_to = block_from + (octets[gone_to] << 8 | octets[gone_to + 1])
        if block_to > end:
            raise PeerError(3, 1, b"", "Total Path Attribute Length runs past the message")
        gone = self._list(IPV4_UNICAST, octets, gone_from, gone_to)
        new = self._list(IPV4_UNICAST, octets, block_to, end)
        if gone is None or new is None:
            raise PeerError(3, 10, b"", f"{'NLRI' if gone else 'Withdrawn Routes'} field is malformed")
        update = self._assemble(octets[block_from:block_to], gone, new)
        if update.errors or update.refused:
            update.octets = octets[at:end]
        return update

    def _learn(self, raw: bytes) -> SpelledAttributes | None:
        """Read a block that is new; None unless IPv4 prefixes can be used with it as it is."""
        block = self._reader.read(raw)
        if isinstance(block, SpelledAttributes) and block.is_whole:
            self._whole[raw] = block
            return block
        return None

    def _list(self, family: Family, octets: bytes, at: int, end: int) -> Unreach | None:
        step = PREFIX_FAMILIES[family]
        if family in self.context.add_path:
            both = prefixes_with_ids(octets, at, end, step)
            return None if both is None else Unreach(family, *both)
        found = prefixes(octets, at, end, step)
        return None if found is None else Unreach(family, found, None)

    def _assemble(self, raw: bytes, gone: Unreach, new: Unreach) -> RouteUpdate:
        """Put the fields of an UPDATE together, by the rules of RFC 7606 3 and 5."""
        reach: Cut | None = None
        unreach: Cut | None = None
        ignored: list[UpdateError] = []
        rest = raw
        if self._block(raw).has_mp:
            rest, reach, unreach = self._cut(raw, ignored)
        announced: list[Found] = []
        withdrawn: list[Unreach] = []
        if reach is not None:
            try:
                announced = self._reach(reach, ignored)
            except PeerError as wrong:
                self._disable(reach, wrong, ignored)
        if unreach is not None:
            try:
                withdrawn = self._unreach(unreach, ignored)
            except PeerError as wrong:
                self._disable(unreach, wrong, ignored)
        plain = self._reads_plain
        if plain:
            if new.nlri:
                announced.insert(0, Found(new))
            if gone.nlri:
                withdrawn.insert(0, gone)
        elif new.nlri or gone.nlri:
            ignored.append(plain_ignored(self._why_ignored(IPV4_UNICAST)))
        if self.disabled:
            announced = [one for one in announced if one.routes.family not in self.disabled]
            withdrawn = [one for one in withdrawn if one.family not in self.disabled]
        if not rest and not announced:
            return RouteUpdate((), withdrawn, tuple(ignored), self._end_of_rib(raw, unreach, gone, new))
        block = self._block(rest)
        errors = (*block.errors, *missing(block.codes, plain and bool(new.nlri), bool(announced)), *ignored)
        if block.attributes is None and not announced and reach is None and not new.nlri:
            # RFC 7606 5.2: nothing shows which routes the error was about.
            raise PeerError(3, 1, b"", f"{errors[0].reason}, and no route to treat as withdrawn")
        if reach is not None and reach.value[:3] in JUDGED and block.attributes is not None and announced:
            errors += self._unfit(reach, announced, block.attributes)
        if block.attributes is None or any(e.reaction is Reaction.TREAT_AS_WITHDRAW for e in errors):
            withdrawn += [one.routes for one in announced]
            return RouteUpdate((), withdrawn, errors)
        reached: list[Reach] = []
        refused: list[Reach] = []
        for (family, nlri, ids), next_hop, binding in announced:
            attributes = block.attributes if next_hop is None else self._with(rest, block.attributes, next_hop, binding)
            if nlri.__class__ is Doubtful:
                for where, (some, their_ids) in zip((reached, refused), split(nlri, ids, family.afi), strict=True):
                    where += [Reach(family, attributes, some, their_ids)] if some else []
            else:
                reached.append(Reach(family, attributes, nlri, ids))
        return RouteUpdate(reached, withdrawn, errors, refused=refused)

    def _end_of_rib(self, raw: bytes, unreach: Cut | None, gone: Unreach, new: Unreach) -> Family | None:
        """The family of which an UPDATE without any route says that there is no more (RFC 4724 2)."""
        if gone.nlri or new.nlri:
            return None
        if not raw:
            return IPV4_UNICAST if self._reads_plain else None
        return unreach.family if unreach is not None and len(unreach.value) == 3 and self._family(unreach) else None

    def _cut(self, raw: bytes, errors: list[UpdateError]) -> tuple[bytes, Cut | None, Cut | None]:
        """`raw` without MP_REACH_NLRI and MP_UNREACH_NLRI, and these two; of what can be survived, `errors`."""
        found: dict[int, Cut] = {}
        kept: list[bytes] = []
        at, size = 0, len(raw)
        while size - at >= 3:
            flags, code = raw[at], raw[at + 1]
            if flags & 0x10:
                if size - at < 4:
                    break
                start = at + 4
                end = start + (raw[at + 2] << 8 | raw[at + 3])
            else:
                start = at + 3
                end = start + raw[at + 2]
            if end > size:
                break
            if code in (MP_REACH, MP_UNREACH):
                if code in found:
                    raise PeerError(3, 1, b"", f"attribute {code} appears twice (RFC 7606 3 g)")
                found[code] = Cut(flags, code, raw[start:end])
                problem = check(code, flags, raw[start:end], self.context)
                if problem is not None:
                    wrong = PeerError(problem.code, problem.subcode, problem.data, problem.reason)
                    self._disable(found[code], wrong, errors)
            else:
                kept.append(raw[at:end])
            at = end
        return b"".join(kept) + raw[at:], found.get(MP_REACH), found.get(MP_UNREACH)

    def _disable(self, cut: Cut, wrong: PeerError, errors: list[UpdateError]) -> None:
        """An attribute is `wrong`: from now on its family is ignored, if that is all it costs; else raises `wrong`."""
        family = costs_family(cut.value, self.context, self.disabled)
        if family is None:
            raise wrong
        errors.append(cut.disables(family, wrong))
        self.disabled.add(family)
        self._settle()

    def _why_ignored(self, family: Family) -> str:
        return "is disabled since an error" if family in self.disabled else "was not negotiated"

    def _family(self, cut: Cut) -> Family | None:
        """The family of MP_REACH_NLRI or MP_UNREACH_NLRI; None for one that is not read."""
        value, read = cut.value, self._read
        family = family_of((value[0] << 8 | value[1], value[2]))
        return family if (family in read if read is not None else family in FAMILIES) else None

    def _ignore(self, cut: Cut, errors: list[UpdateError]) -> list[Any]:
        if all(error.attribute != cut.code for error in errors):  # else more has been said of it already
            errors.append(cut.ignored(self._why_ignored(cut.family)))
        return []

    def _reach(self, reach: Cut, errors: list[UpdateError]) -> list[Found]:
        """The routes of MP_REACH_NLRI (RFC 4760 3), none of a family that is not read; `errors` as in `_cut`.

        Raises PeerError for what is incorrect.
        """
        family = self._family(reach)
        if family is None:
            return self._ignore(reach, errors)
        value = reach.value
        size = value[3]
        at = 4 + size
        row = FAMILIES.get(family)
        if at >= len(value) or (row is not None and size not in row.next_hops):
            raise reach.error(f"MP_REACH_NLRI has a next hop of {size} octets in {family}")
        next_hop = value[4:at]
        if family in PREFIX_FAMILIES:
            routes = self._list(family, value, at + 1, len(value))
            if routes is None:
                raise reach.error("MP_REACH_NLRI has a malformed prefix")
            return [Found(routes, next_hop)] if routes.nlri else []
        if row is not None and size in WITH_RD:
            next_hop = b"".join(next_hop[8 + i : 24 + i] for i in range(0, size, 24))
        others = self._others(family, reach, at + 1, errors)
        return [Found(routes, next_hop, binding) for binding, routes in others]

    def _unreach(self, unreach: Cut, errors: list[UpdateError]) -> list[Unreach]:
        """The routes of MP_UNREACH_NLRI (RFC 4760 4), as of MP_REACH_NLRI."""
        family = self._family(unreach)
        if family is None:
            return self._ignore(unreach, errors)
        value = unreach.value
        if len(value) == 3:
            return []
        if family in PREFIX_FAMILIES:
            routes = self._list(family, value, 3, len(value))
            if routes is None:
                raise unreach.error("MP_UNREACH_NLRI has a malformed prefix")
            return [routes]
        return [routes for _, routes in self._others(family, unreach, 3, errors)]

    def _others(self, family: Family, cut: Cut, at: int, errors: list[UpdateError]) -> list[tuple[bytes, Unreach]]:
        """The routes from octet `at` on in a family whose NLRI are more than prefixes, with what they are bound to."""
        value, row = cut.value, FAMILIES.get(family)
        if row is None:
            return [(b"", Unreach(family, [value[at:]], None))] if at < len(value) else []
        take = row.kind.split
        assert take is not None  # only families of plain prefixes have none
        read = runs(take, value, at, len(value), cut.code == MP_UNREACH, family in self.context.add_path)
        wrong = cut.error(f"attribute {cut.code} has a malformed NLRI of {family}")
        if read is None:
            raise wrong
        found, malformed = read
        if malformed:
            errors.append(UpdateError(Reaction.TREAT_AS_WITHDRAW, 3, 9, wrong.data, wrong.reason, cut.code, family))
        return [(binding, Unreach(family, keys, ids)) for binding, keys, ids in found]

    @staticmethod
    def _unfit(reach: Cut, announced: list[Found], attributes: SpelledAttributes) -> tuple[UpdateError, ...]:
        """What is wrong with routes of MP_REACH_NLRI beside their attributes: the first such thing."""
        judge = JUDGED[reach.value[:3]]
        for one in announced:
            if one.next_hop is not None and (wrong := judge(one.binding, attributes.ext_communities)) is not None:
                octets = reach.error("").data
                return (UpdateError(Reaction.TREAT_AS_WITHDRAW, 3, 9, octets, wrong, reach.code, reach.family),)
        return ()

    def _block(self, raw: bytes) -> Block:
        """Read a block, or find it again."""
        found = self._whole.get(raw) or self._clean.get(raw)
        if found is None:
            faulty = self._faulty.get(raw)
            if faulty is not None:
                return faulty
            read = self._reader.read(raw)
            if isinstance(read, Block):
                if not read.has_mp:
                    if len(self._faulty) >= FAULTY_LIMIT:
                        self._faulty.clear()
                    self._faulty[raw] = read
                return read
            found = read
            (self._whole if found.is_whole else self._clean)[raw] = found
        return Block(found, (), WHOLE if found.is_whole else ALWAYS)

    def _with(self, raw: bytes, attributes: SpelledAttributes, next_hop: bytes, binding: bytes) -> SpelledAttributes:
        """`attributes`, read from `raw`, with the next hop of MP_REACH_NLRI and what its NLRI are bound to."""
        key = (raw, next_hop, binding)
        found = self._with_next_hop.get(key)
        if found is None:
            found = self._with_next_hop[key] = attributes.with_next_hop_octets(
                self._next_hops.setdefault(next_hop, next_hop), binding
            )
        return found
