"""Update groups: peers that hear the same routes in the same words, so that both are worked out once.

Every session starts as the only member of a group of its own, with the whole Loc-RIB pending. When a group has told all
and another with equal rules has too, both hold the same, and they become one. A member that reads too slowly leaves with
what it has queued, so that it holds up nobody and its queue stays bounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from typing import Final, NamedTuple, Protocol

from bgp.error import LocalError
from bgp.iana import RouteRefreshSubtype
from bgp.message import RouteRefresh
from bgp.net.outbox import Outbox
from bgp.wire.codec import encode
from bgp.wire.outgoing import Encoder
from rib.add_path_out import AddPathOut
from rib.adj_out import AdjRibOut, Batch
from rib.attributes import Attributes
from rib.export import DEFAULT_ROUTE, ExportRules, Rewrite
from rib.family import Family
from rib.loc_rib import LocRib
from rib.route import Path, Source, SourceKind

#: Octets that wait for one member before it has to leave the group. Four of the pieces that a drain makes.
QUEUE_LIMIT: Final = 4 << 20
#: Stands for ourselves where no route of the Loc-RIB does.
LOCAL: Final = Source(SourceKind.LOCAL, "local", 0, IPv4Address(0))


class GroupKey(NamedTuple):
    """What members of a group have in common."""

    rules: ExportRules
    families: tuple[Family, ...]
    as4: bool
    max_message: int
    several: frozenset[Family] = frozenset()  #: families with path identifiers (RFC 7911): such a session stays alone
    most: int | None = None  #: paths to a prefix that go out there; None for all


class Member(Protocol):
    """A session as its update group sees it."""

    source: Source
    outbox: Outbox

    def wake(self) -> None:
        """There may be something to send."""


class UpdateGroup:
    """The Adj-RIB-Out of its members and the encoder that spells it."""

    def __init__(self, key: GroupKey, loc_rib: LocRib, first: Member) -> None:
        self.key = key
        self.adj_out = _adj_out(key, loc_rib, first)
        self.encoder = Encoder(as4=key.as4, max_message=key.max_message, add_path=key.several)
        self.members: dict[Source, Member] = {first.source: first}
        self.dirty = False
        self.is_shared = False  #: whether others with equal rules may become members
        #: By family, what to say when all of it is said: End-of-RIB, or where a refresh ends (RFC 7313).
        self.closing: dict[Family, bytes] = {}
        #: Families to be told again once that is done.
        self._refresh_later: set[Family] = set()

    def note(self, family: Family, changed: Mapping[bytes, Path | None]) -> None:
        """Hear of changes in the Loc-RIB; `wake` tells the members."""
        if self.adj_out.note(family, changed):
            self.dirty = True

    def wake(self) -> None:
        """Tell the members that there is something to send, if there is."""
        if self.dirty:
            self.dirty = False
            for member in self.members.values():
                member.wake()

    def begin(self) -> None:
        """Owe the members everything, and an End-of-RIB after it (RFC 4724 2)."""
        self.originate(known=False)
        for family in self.key.families:
            self.adj_out.note_all(family)
            self.closing[family] = self.encoder.end_of_rib(family)

    def originate(self, *, known: bool) -> None:
        """Tell the default route that is ours whatever the Loc-RIB holds; `known`: it was told of before."""
        rules, encoder = self.adj_out.rules, self.encoder
        if not rules.default_originate:
            return
        for family in self.key.families:
            default, nlri = rules.originated_default(family, LOCAL), [self.adj_out.named(family, DEFAULT_ROUTE)]
            if default is not None:
                self._to_all(encoder.announce(family, *default, nlri), None)
            elif known:
                self._to_all(encoder.withdraw(family, nlri), None)

    def refresh(self, family: Family, *, marked: bool) -> None:
        """Owe the members all routes of `family` again (RFC 2918); `marked` says where they begin and end (RFC 7313)."""
        if family in self.closing and marked:
            self._refresh_later.add(family)  # RFC 7313 4.1: one after the other, and none before End-of-RIB
            return
        if marked:
            self._to_all([encode(RouteRefresh(family, RouteRefreshSubtype.BEGIN))], None)
            self.closing[family] = encode(RouteRefresh(family, RouteRefreshSubtype.END))
        self.adj_out.note_again(family)

    def take_after(self, group: UpdateGroup) -> None:
        """Owe what `group` owes."""
        self.adj_out.take_after(group.adj_out)
        self.closing = dict(group.closing)
        self._refresh_later = set(group._refresh_later)

    @property
    def idle(self) -> bool:
        """Whether the members have been told everything."""
        return not self.adj_out and not self.closing

    def pull(self) -> bool:
        """Queue the next piece for every member. Gives False if there was nothing pending."""
        for family in self.key.families:
            batch = self.adj_out.drain(family)
            if batch is not None:
                self._queue(batch)
                return True
            if (last := self.closing.pop(family, None)) is not None:
                self._to_all([last], None)
                if family in self._refresh_later:
                    self._refresh_later.discard(family)
                    self.refresh(family, marked=True)
                return True
        return False

    def _queue(self, batch: Batch) -> None:
        encoder, family = self.encoder, batch.family
        for source, prefixes in batch.withdrawn.items():
            self._to_all(encoder.withdraw(family, prefixes), source)
        members = self.members
        run: list[bytes] = []
        left_out: Source | None = None
        for (attributes, rewrite), source, prefixes in batch.announced:
            skip = source if source in members else None
            if skip is not left_out:
                if run:
                    self._to_all(run, left_out)
                run, left_out = [], skip
            try:
                run += encoder.announce(family, attributes, rewrite, prefixes)
            except LocalError:
                run += self._one_by_one(family, attributes, rewrite, prefixes)
        if run:
            self._to_all(run, left_out)
        for source, prefixes in batch.taken_back.items():
            if (member := members.get(source)) is not None:
                messages = encoder.withdraw(family, prefixes)
                member.outbox.put(b"".join(messages), len(messages))

    def _one_by_one(
        self, family: Family, attributes: Attributes, rewrite: Rewrite, prefixes: Sequence[bytes]
    ) -> list[bytes]:
        """UPDATEs for routes some of which cannot be said, such as one whose attributes do not fit a message.

        Those are withdrawn, since the members may have an older one (RFC 4271 9.2, RFC 8654 4).
        """
        said: list[bytes] = []
        unsaid: list[bytes] = []
        for prefix in prefixes:
            try:
                said += self.encoder.announce(family, attributes, rewrite, (prefix,))
            except LocalError:
                unsaid.append(prefix)
        return self.encoder.withdraw(family, unsaid) + said if unsaid else said

    def _to_all(self, messages: list[bytes], but: Source | None) -> None:
        count = len(messages)
        octets = messages[0] if count == 1 else b"".join(messages)
        for source, member in self.members.items():
            if source is not but:
                member.outbox.put(octets, count)

    def slow_members(self) -> list[Member]:
        """Those whose queue is over the limit while others keep up."""
        if len(self.members) == 1:
            return []
        return [member for member in self.members.values() if member.outbox.octets > QUEUE_LIMIT]


def _adj_out(key: GroupKey, loc_rib: LocRib, first: Member) -> AdjRibOut:
    if key.several:
        return AddPathOut(loc_rib, key.rules, key.families, several=key.several, most=key.most, member=first.source)
    return AdjRibOut(loc_rib, key.rules, key.families)


class Groups:
    """All update groups of a speaker."""

    def __init__(self, loc_rib: LocRib) -> None:
        self.loc_rib = loc_rib
        self._groups: list[UpdateGroup] = []
        self._shared: dict[GroupKey, UpdateGroup] = {}
        self._of: dict[Source, UpdateGroup] = {}
        loc_rib.listen(self._note)

    def __len__(self) -> int:
        return len(self._groups)

    def _note(self, family: Family, changed: Mapping[bytes, Path | None]) -> None:
        for group in self._groups:
            group.note(family, changed)

    def wake(self) -> None:
        """Let the members of groups with news send them; called once after a batch of changes."""
        self.loc_rib.flush()
        for group in self._groups:
            group.wake()

    def release(self) -> None:
        """Let everybody send: routes were held back (RFC 4724 4.1), and are no longer."""
        self.wake()
        for group in self._groups:
            for member in group.members.values():
                member.wake()

    def join(self, member: Member, key: GroupKey) -> UpdateGroup:
        """Give a new session a group of its own that owes it everything."""
        group = self._alone(member, key)
        group.begin()
        member.wake()
        return group

    def _alone(self, member: Member, key: GroupKey) -> UpdateGroup:
        group = UpdateGroup(key, self.loc_rib, member)
        self._groups.append(group)
        self._of[member.source] = group
        return group

    def leave(self, member: Member) -> None:
        """The session is over. Does nothing for one that never joined."""
        group = self._of.pop(member.source, None)
        if group is not None:
            del group.members[member.source]
            self._drop_if_empty(group)

    def _drop_if_empty(self, group: UpdateGroup) -> None:
        if not group.members:
            self._groups.remove(group)
            if group.is_shared:
                del self._shared[group.key]

    def of(self, member: Member) -> UpdateGroup | None:
        """The group of a session; None for one that is not established."""
        return self._of.get(member.source)

    def fill(self, member: Member) -> bool:
        """Put the next piece into the member's queue. Gives False if there is none."""
        if self.loc_rib.held:
            return False
        group = self._of[member.source]
        if not group.pull():
            self._merge(group)
            return False
        for slow in group.slow_members():
            if slow is not member:
                self._split(slow, group)
        for other in group.members.values():
            if other is not member and other.outbox:
                other.wake()
        return True

    def _merge(self, group: UpdateGroup) -> None:
        if group.key.several or group.is_shared:
            return
        shared = self._shared.get(group.key)
        if shared is None:
            self._shared[group.key], group.is_shared = group, True
        elif shared is not group and shared.idle:
            for source, member in group.members.items():
                shared.members[source] = member
                self._of[source] = shared
            group.members = {}
            self._drop_if_empty(group)

    def _split(self, member: Member, group: UpdateGroup) -> None:
        del group.members[member.source]
        alone = self._alone(member, group.key)
        alone.take_after(group)

    def change_rules(self, member: Member, key: GroupKey) -> None:
        """Export to one session by other rules from now on; what no longer goes out is withdrawn."""
        group = self._of[member.source]
        if group.key == key:
            return
        del group.members[member.source]
        alone = self._alone(member, group.key._replace(rules=key.rules))
        alone.take_after(group)
        self._drop_if_empty(group)
        alone.adj_out.change_rules(key.rules)
        alone.originate(known=True)
        member.wake()

    def refresh(self, member: Member, family: Family, *, marked: bool) -> None:
        """Tell one session all routes of `family` again (RFC 2918), `marked` as RFC 7313 has it."""
        group = self._of[member.source]
        if len(group.members) > 1:
            self._split(member, group)
            group = self._of[member.source]
        group.refresh(family, marked=marked)
        member.wake()
