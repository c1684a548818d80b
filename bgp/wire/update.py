"""UPDATE as construct declares it (RFC 4271 4.3), with every error that RFC 7606 sees in it.

-  2 octets  Withdrawn Routes Length
-  n octets  Withdrawn Routes
-  2 octets  Total Path Attribute Length
-  m octets  Path Attributes
-  rest      Network Layer Reachability Information

This is the codec for people, tests and files. A running session uses `bgp.wire.scan`, which a property test holds equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import construct as c

from bgp.error import LocalError, PeerError, Reaction, UpdateError
from bgp.iana import AttributeCode, NotificationCode, UpdateSubcode
from bgp.message import AttributeValue, MalformedNlri, MpReach, MpUnreach, Nlri, PathAttribute, PathPrefix, Update
from bgp.wire.attributes import ATTRIBUTE, check, decode_value, encode_attribute, name_of
from bgp.wire.context import Context
from bgp.wire.fields import U16, Malformed, build, parse
from bgp.wire.nlri import FAMILIES, costs_family, decode_nlri, encode_nlri, has_routes, is_carried, is_read, unread
from bgp.wire.spelling import attribute as as_attribute
from rib.community import ExtendedCommunity
from rib.family import IPV4_UNICAST

UPDATE: Final = c.Struct(
    "withdrawn" / c.Prefixed(U16, c.GreedyBytes),
    "attributes" / c.Prefixed(U16, c.GreedyBytes),
    "nlri" / c.GreedyBytes,
)
FIRST: Final = c.Struct("first" / ATTRIBUTE, "rest" / c.GreedyBytes)
OPTIONAL_ERROR: Final = (NotificationCode.UPDATE_MESSAGE_ERROR, UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR)
MP_CODES: Final = frozenset({AttributeCode.MP_REACH_NLRI, AttributeCode.MP_UNREACH_NLRI})


def decode_update(body: bytes, context: Context) -> Update:
    """The message in `body`, with its `errors`; those of reaction SESSION_RESET among them where it could yet be read.

    Of a family that an error disables (RFC 4760 7), routes may yet be among the others.

    Raises PeerError where it cannot be split into its fields and plain prefixes (3/1, 3/10).
    """
    try:
        fields = parse(UPDATE, body)
    except Malformed as error:
        raise _reset(UpdateSubcode.MALFORMED_ATTRIBUTE_LIST, f"UPDATE: {error}") from error
    withdrawn = _plain_field("Withdrawn Routes", fields.withdrawn, context)
    nlri = _plain_field("NLRI", fields.nlri, context)
    attributes, errors = decode_attributes(fields.attributes, context)
    update = Update(withdrawn, tuple(attributes), nlri, ())
    errors += _of_the_whole(update, errors, context)
    return Update(withdrawn, update.attributes, nlri, tuple(errors))


def decode_attributes(
    octets: bytes, context: Context, readers: Mapping[int, Callable[[bytes], AttributeValue]] | None = None
) -> tuple[list[PathAttribute], list[UpdateError]]:
    """A block of path attributes and what is wrong with each.

    `readers` reads values of some codes in another way, and may raise Malformed.
    """
    attributes: list[PathAttribute] = []
    errors: list[UpdateError] = []
    seen: set[int] = set()
    octets_of_reach = b""
    for flags, code, value in _split(octets, errors):
        if readers is not None and code in readers:
            attributes.append(PathAttribute(flags, code, readers[code](value)))
        else:
            attributes.append(PathAttribute(flags, code, _judge(flags, code, value, context, code in seen, errors)))
        seen.add(code)
        if code == AttributeCode.MP_REACH_NLRI:
            octets_of_reach = as_attribute(flags, code, value)
    return attributes, errors + _unfit(attributes, errors, octets_of_reach)


def _plain_field(name: str, octets: bytes, context: Context) -> tuple[Nlri, ...]:
    try:
        return decode_nlri(IPV4_UNICAST, octets, context)
    except Malformed as error:
        raise _reset(UpdateSubcode.INVALID_NETWORK_FIELD, f"{name}: {error}") from error


def _split(octets: bytes, errors: list[UpdateError]) -> list[tuple[int, int, bytes]]:
    """(flags, code, value) of each attribute. What cannot be split is an error: the prefixes can be (RFC 7606 4)."""
    found: list[tuple[int, int, bytes]] = []
    while octets:
        try:
            one = parse(FIRST, octets)
        except Malformed as error:
            reason = f"path attributes: {error}"
            errors.append(_error(Reaction.TREAT_AS_WITHDRAW, UpdateSubcode.MALFORMED_ATTRIBUTE_LIST, reason, octets))
            break
        found.append((one.first.flags, one.first.code, one.first.value))
        octets = one.rest
    return found


def _judge(
    flags: int, code: int, value: bytes, context: Context, again: bool, errors: list[UpdateError]
) -> AttributeValue:
    """The value of one attribute; what is wrong with it goes to `errors`."""
    if again and code not in MP_CODES:
        return value  # RFC 7606 3 g: the first one counts
    if again:
        reason = f"{name_of(code)} appears twice (RFC 7606 3 g)"
        errors.append(_error(Reaction.SESSION_RESET, UpdateSubcode.MALFORMED_ATTRIBUTE_LIST, reason, attribute=code))
    wrong = check(code, flags, value, context)
    if wrong is not None:
        errors.append(_survived(wrong, value, context))
    try:
        found = decode_value(code, value, context)
    except Malformed as error:
        if code not in MP_CODES:
            return value
        if wrong is None:
            octets = as_attribute(flags, code, value)
            reason = f"{name_of(code)}: {error}"
            fatal = _error(Reaction.SESSION_RESET, UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR, reason, octets, code)
            errors.append(_survived(fatal, value, context))
        return unread(code, value)
    if wrong is None and isinstance(found, MpReach | MpUnreach):
        errors += _malformed_routes(flags, code, found, value)
    return found


def _survived(error: UpdateError, value: bytes, context: Context) -> UpdateError:
    """An error in MP_REACH_NLRI or MP_UNREACH_NLRI that costs no more than its family; all others as they are."""
    if error.attribute not in MP_CODES or error.reaction is not Reaction.SESSION_RESET:
        return error
    family = costs_family(value, context)
    return error if family is None else replace(error, reaction=Reaction.AFI_SAFI_DISABLE, family=family)


def _malformed_routes(flags: int, code: int, found: MpReach | MpUnreach, value: bytes) -> list[UpdateError]:
    """Those that end where their length says: the others can be read, so that nothing worse is called for (RFC 7606 3 j)."""
    for one in found.nlri:
        route = one.prefix if isinstance(one, PathPrefix) else one
        if isinstance(route, MalformedNlri):
            reason = f"{name_of(code)} has a malformed NLRI of {found.family}: {route.reason}"
            octets = as_attribute(flags, code, value)
            return [UpdateError(Reaction.TREAT_AS_WITHDRAW, *OPTIONAL_ERROR, octets, reason, code, found.family)]
    return []


def _unfit(attributes: list[PathAttribute], errors: list[UpdateError], octets: bytes) -> list[UpdateError]:
    """What is wrong with the routes of MP_REACH_NLRI, whose `octets` these are, beside their extended communities."""
    wrong = {error.attribute for error in errors}
    first = {one.code: one.value for one in reversed(attributes) if one.code not in wrong}
    reach, found = first.get(AttributeCode.MP_REACH_NLRI), first.get(AttributeCode.EXTENDED_COMMUNITIES)
    row = FAMILIES.get(reach.family) if isinstance(reach, MpReach) else None
    if not isinstance(reach, MpReach) or row is None or row.kind.judge is None:
        return []
    communities = [one for one in found if isinstance(one, ExtendedCommunity)] if isinstance(found, tuple) else []
    for one in reach.nlri:
        route = one.prefix if isinstance(one, PathPrefix) else one
        octets_of_route = build(row.kind.announced, route)
        split = row.kind.split(octets_of_route, 0, len(octets_of_route), False) if row.kind.split is not None else None
        problem = None if split is None else row.kind.judge(split[2], communities)
        if problem is not None:
            code, family = AttributeCode.MP_REACH_NLRI, reach.family
            return [UpdateError(Reaction.TREAT_AS_WITHDRAW, *OPTIONAL_ERROR, octets, problem, code, family)]
    return []


def _of_the_whole(update: Update, errors: list[UpdateError], context: Context) -> list[UpdateError]:
    """What only all fields together show."""
    reach = _value(update, AttributeCode.MP_REACH_NLRI)
    found = _not_negotiated(update, errors, context)
    disabled = {error.family for error in errors if error.reaction is Reaction.AFI_SAFI_DISABLE}
    plain = bool(update.nlri) and is_read(IPV4_UNICAST, context) and IPV4_UNICAST not in disabled
    if plain or (isinstance(reach, MpReach) and reach.family not in disabled and has_routes(reach, context)):
        return found + _missing(update, errors, plain)
    others = [error for error in errors if error.attribute not in MP_CODES]
    if reach is None and not update.nlri and any(error.reaction >= Reaction.TREAT_AS_WITHDRAW for error in others):
        # RFC 7606 5.2: nothing shows which routes the error was about.
        reason = f"{others[0].reason}, and no route to treat as withdrawn"
        found.append(_error(Reaction.SESSION_RESET, UpdateSubcode.MALFORMED_ATTRIBUTE_LIST, reason))
    return found


def _not_negotiated(update: Update, errors: list[UpdateError], context: Context) -> list[UpdateError]:
    """RFC 4760 7: routes of a family that the session does not carry are ignored."""
    found: list[UpdateError] = []
    if (update.nlri or update.withdrawn) and not is_read(IPV4_UNICAST, context):
        reason = f"NLRI of {IPV4_UNICAST}, which was not negotiated"
        found.append(UpdateError(Reaction.ATTRIBUTE_DISCARD, *OPTIONAL_ERROR, b"", reason, None, IPV4_UNICAST))
    wrong = {error.attribute for error in errors}
    for code in sorted(MP_CODES - wrong):
        value = _value(update, code)
        if isinstance(value, MpReach | MpUnreach) and context.peering is not None:
            family = value.family
            if not is_read(family, context) and not is_carried(family, context):
                reason = f"{name_of(code)} for {family}, which was not negotiated"
                found.append(UpdateError(Reaction.ATTRIBUTE_DISCARD, *OPTIONAL_ERROR, b"", reason, code, family))
    return found


def _missing(update: Update, errors: list[UpdateError], plain: bool) -> list[UpdateError]:
    """RFC 7606 3 d: the well-known attributes that must be there and are not."""
    there = {attribute.code for attribute in update.attributes} | {error.attribute for error in errors}
    needed = (AttributeCode.ORIGIN, AttributeCode.AS_PATH, AttributeCode.NEXT_HOP)[: 3 if plain else 2]
    return [
        _error(
            Reaction.TREAT_AS_WITHDRAW,
            UpdateSubcode.MISSING_WELL_KNOWN_ATTRIBUTE,
            f"well-known attribute {code.name} is missing",
            bytes((code,)),
            code,
        )
        for code in needed
        if code not in there
    ]


def _value(update: Update, code: int) -> AttributeValue | None:
    attribute = update.attribute(code)
    return None if attribute is None else attribute.value


def worst(errors: tuple[UpdateError, ...]) -> UpdateError | None:
    """The error that decides (RFC 7606 3 h); None for none."""
    return max(errors, key=lambda error: error.reaction, default=None)


def encode_update(update: Update, context: Context) -> bytes:
    """The body of `update`. Attribute lengths are written in one octet unless a value or its flags ask for two.

    Raises LocalError for a value that its attribute cannot have and for fields above 65,535 octets.
    """
    try:
        attributes = [encode_attribute(attribute, context) for attribute in update.attributes]
        return build(
            UPDATE,
            {
                "withdrawn": encode_nlri(IPV4_UNICAST, update.withdrawn, context),
                "attributes": b"".join(attributes),
                "nlri": encode_nlri(IPV4_UNICAST, update.nlri, context),
            },
        )
    except Malformed as error:
        raise LocalError(f"UPDATE: {error}") from error


def _reset(subcode: UpdateSubcode, reason: str) -> PeerError:
    return PeerError(NotificationCode.UPDATE_MESSAGE_ERROR, subcode, b"", reason)


def _error(
    reaction: Reaction, subcode: UpdateSubcode, reason: str, octets: bytes = b"", attribute: int | None = None
) -> UpdateError:
    return UpdateError(reaction, NotificationCode.UPDATE_MESSAGE_ERROR, subcode, octets, reason, attribute)
