"""OPEN (RFC 4271 4.2, optional parameters of extended length RFC 9072).

-  1 octet   Version
-  2 octets  My Autonomous System
-  2 octets  Hold Time
-  4 octets  BGP Identifier
-  1 octet   Optional Parameters Length; then the parameters: 1 octet type, 1 octet length, value
   or, if what follows is the octet 255 (RFC 9072 2):
-  2 octets  Extended Optional Parameters Length; then the parameters: 1 octet type, 2 octets length, value
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from ipaddress import IPv4Address
from typing import Any, Final

import construct as c

from bgp.capability import BgpRole, Capability, FourOctetAs
from bgp.error import LocalError, PeerError
from bgp.iana import NotificationCode, OpenSubcode, OptionalParameter, RoleNumber
from bgp.message import Open
from bgp.wire.capability import CAPABILITY, decode_capability, encode_capability
from bgp.wire.fields import IPV4, U8, U16, ListOf, Malformed, build, counted, parse

VERSION: Final = 4
#: OPENs that are remembered each way. A speaker says the same to all its peers and hears the same from one that comes
#: again; where many speakers share a process, each is heard by all. At most 16 MiB, if all were as long as they can be.
REMEMBERED: Final = 256
FIXED: Final = c.Struct("version" / U8, "my_as" / U16, "hold_time" / U16, "bgp_id" / IPV4, "rest" / c.GreedyBytes)
FIXED_LENGTH: Final = 9
PARAMETERS: Final = counted(U8, ListOf(c.Struct("type" / U8, "value" / c.Prefixed(U8, c.GreedyBytes))))
#: RFC 9072 2: the length before the mark is 255, so that who does not know the mark sees a length that cannot be.
EXTENDED: Final = c.FocusedSeq(
    "parameters",
    "ignored" / c.Rebuild(U8, 255),
    "mark" / c.Const(bytes((OptionalParameter.EXTENDED_LENGTH,))),
    "parameters" / counted(U16, ListOf(c.Struct("type" / U8, "value" / c.Prefixed(U16, c.GreedyBytes)))),
)


@lru_cache(maxsize=REMEMBERED)
def decode_open(body: bytes) -> Open:
    """The message in `body`. Raises PeerError 2/0 or 2/4 for parameters that cannot be read.

    An OPEN of another version keeps its fixed fields only: `validate_open` refuses it.
    """
    message = fixed_fields(body)
    if message.version != VERSION:
        return message
    return replace(message, capabilities=_capabilities(body[FIXED_LENGTH:]))


def fixed_fields(body: bytes) -> Open:
    """The message without its capabilities, for who wants to know who sent one that cannot be read. Raises PeerError."""
    try:
        fixed = parse(FIXED, body)
    except Malformed as error:
        raise _error(OpenSubcode.UNSPECIFIC, f"OPEN: {error}") from error
    return Open(fixed.version, fixed.my_as, fixed.hold_time, fixed.bgp_id)


def _capabilities(octets: bytes) -> tuple[Capability, ...]:
    # RFC 9072 2: the length before the mark must not be 0; with 0 there are no parameters, and the mark is left over.
    extended = len(octets) > 1 and octets[0] != 0 and octets[1] == OptionalParameter.EXTENDED_LENGTH
    found: list[Capability] = []
    try:
        parameters = parse(EXTENDED if extended else PARAMETERS, octets)
    except Malformed as error:
        raise _error(OpenSubcode.UNSPECIFIC, f"optional parameters: {error}") from error
    for parameter in parameters:
        if parameter.type != OptionalParameter.CAPABILITIES:
            raise _error(
                OpenSubcode.UNSUPPORTED_OPTIONAL_PARAMETER, f"optional parameter {parameter.type} is not supported"
            )
        try:
            inside = parse(ListOf(CAPABILITY), parameter.value)
            found += [decode_capability(one.code, one.value) for one in inside]
        except Malformed as error:
            raise _error(OpenSubcode.UNSPECIFIC, f"capabilities: {error}") from error
    return tuple(found)


@lru_cache(maxsize=REMEMBERED)
def encode_open(message: Open) -> bytes:
    """The body of `message`, its capabilities one to a parameter, in the extended form where they need it.

    Raises LocalError for what does not fit.
    """
    try:
        capabilities = [encode_capability(capability) for capability in message.capabilities]
        return build(FIXED, _fields(message, _parameters(capabilities)))
    except Malformed as error:
        raise LocalError(f"OPEN: {error}") from error


def _parameters(capabilities: list[bytes]) -> bytes:
    listed: list[dict[str, Any]] = [
        {"type": int(OptionalParameter.CAPABILITIES), "value": value} for value in capabilities
    ]
    short = sum(2 + len(value) for value in capabilities) <= 255
    return build(PARAMETERS if short else EXTENDED, listed)


def _fields(message: Open, rest: bytes) -> dict[str, object]:
    return {
        "version": message.version,
        "my_as": message.my_as,
        "hold_time": message.hold_time,
        "bgp_id": message.bgp_id,
        "rest": rest,
    }


def validate_open(message: Open, *, expected_asn: int | None, local_bgp_id: IPv4Address, internal: bool) -> None:
    """Hold an OPEN to RFC 4271 6.2, RFC 6286 2, RFC 6793 and RFC 7607. Raises PeerError.

    `expected_asn` None takes any; `internal`: the peer is to be in our AS.
    """
    if message.version != VERSION:
        raise _error(
            OpenSubcode.UNSUPPORTED_VERSION_NUMBER, f"BGP version {message.version}", VERSION.to_bytes(2, "big")
        )
    numbers = {capability.asn for capability in message.capabilities if isinstance(capability, FourOctetAs)}
    if message.my_as == 0 or 0 in numbers:
        raise _error(OpenSubcode.BAD_PEER_AS, "AS number 0 (RFC 7607)")
    if len(numbers) > 1:
        raise _error(OpenSubcode.BAD_PEER_AS, f"more than one AS number: {', '.join(map(str, sorted(numbers)))}")
    if expected_asn is not None and message.asn != expected_asn:
        raise _error(OpenSubcode.BAD_PEER_AS, f"AS {message.asn} where AS {expected_asn} is configured")
    if int(message.bgp_id) == 0:
        raise _error(OpenSubcode.BAD_BGP_IDENTIFIER, "BGP identifier 0.0.0.0 (RFC 6286)")
    if internal and message.bgp_id == local_bgp_id:
        raise _error(OpenSubcode.BAD_BGP_IDENTIFIER, f"BGP identifier {message.bgp_id} is our own (RFC 6286)")
    if message.hold_time in (1, 2):
        raise _error(OpenSubcode.UNACCEPTABLE_HOLD_TIME, f"hold time {message.hold_time} s; 0 or at least 3 is allowed")


#: RFC 9234 4.2, table 2: what the peer must be where we are something.
ROLE_PAIRS: Final = {
    RoleNumber.PROVIDER: RoleNumber.CUSTOMER,
    RoleNumber.CUSTOMER: RoleNumber.PROVIDER,
    RoleNumber.RS: RoleNumber.RS_CLIENT,
    RoleNumber.RS_CLIENT: RoleNumber.RS,
    RoleNumber.PEER: RoleNumber.PEER,
}


def validate_roles(ours: Sequence[Capability], theirs: Sequence[Capability], *, strict: bool = False) -> None:
    """Hold the roles of an external session to RFC 9234 4.2. Raises PeerError 2/11.

    `strict`: where we have one the peer must say its own.
    """
    own = next((capability.role for capability in ours if isinstance(capability, BgpRole)), None)
    said = {capability.role for capability in theirs if isinstance(capability, BgpRole)}
    if len(said) > 1:
        raise _error(OpenSubcode.ROLE_MISMATCH, f"several roles: {', '.join(map(_role_name, sorted(said)))}")
    if own is None:
        return
    if not said and strict:
        raise _error(OpenSubcode.ROLE_MISMATCH, f"no role, where we are {_role_name(own)} and insist on one")
    if said and said != {ROLE_PAIRS.get(RoleNumber(own))}:
        raise _error(OpenSubcode.ROLE_MISMATCH, f"a {_role_name(said.pop())} to our {_role_name(own)}")


def _role_name(role: int) -> str:
    try:
        return RoleNumber(role).name.lower().replace("_", "-")
    except ValueError:
        return f"role {role}"


def _error(subcode: OpenSubcode, reason: str, octets: bytes = b"") -> PeerError:
    return PeerError(NotificationCode.OPEN_MESSAGE_ERROR, subcode, octets, reason)
