from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import outcome
from strategies import opens

from bgp.capability import BgpRole, FourOctetAs, Multiprotocol, RouteRefresh, UnknownCapability
from bgp.error import LocalError, PeerError
from bgp.message import Open
from bgp.wire.open import decode_open, encode_open, validate_open, validate_roles
from rib.family import IPV4_UNICAST

FIXED = "04 fde9 005a 0a000001"
BARE = Open(4, 65001, 90, IPv4Address("10.0.0.1"))
MP = Multiprotocol(IPV4_UNICAST)
AS4 = FourOctetAs(65001)
LONG = UnknownCapability(200, bytes(250))

#: An OPEN that needs the extended form.
EXTENDED = f"{FIXED} ff ff 0104 02 00fc c8 fa {'00' * 250} 02 0002 02 00"
#: Octets and the message, as we send it.
CANONICAL = [
    (f"{FIXED} 00", BARE),
    (f"{FIXED} 08 02 06 01 04 0001 00 01", replace(BARE, capabilities=(MP,))),
    (
        f"{FIXED} 0c 02 02 02 00 02 06 41 04 0000fde9",
        replace(BARE, capabilities=(RouteRefresh(), AS4)),
    ),
    (EXTENDED, replace(BARE, capabilities=(LONG, RouteRefresh()))),
]
CASES = [
    *CANONICAL,
    (f"{FIXED} 02 02 00", BARE),
    # RFC 5492 4: several capabilities in one parameter.
    (f"{FIXED} 0a 02 08 02 00 41 04 0000fde9", replace(BARE, capabilities=(RouteRefresh(), AS4))),
    # RFC 9072 2: the extended form may be used for less than 255 octets; the length before the mark says nothing.
    (f"{FIXED} ff ff 0000", BARE),
    (f"{FIXED} ff ff 0003 02 0000", BARE),
    (f"{FIXED} ff ff 0005 02 0002 02 00", replace(BARE, capabilities=(RouteRefresh(),))),
    (f"{FIXED} 01 ff 0005 02 0002 02 00", replace(BARE, capabilities=(RouteRefresh(),))),
]


def _octets(text: str) -> bytes:
    return bytes.fromhex(text)


each = pytest.mark.parametrize(("text", "value"), CASES)


@each
def test_octets_decode(text: str, value: Open) -> None:
    assert decode_open(_octets(text)) == value


@pytest.mark.parametrize(("text", "value"), CANONICAL)
def test_values_encode(text: str, value: Open) -> None:
    assert encode_open(value) == _octets(text)


@each
def test_every_truncation_and_every_trailing_octet_is_2_0(text: str, value: Open) -> None:
    """RFC 4271 6.2, RFC 9072 2 (CVE-2022-40302, CVE-2022-40318, CVE-2022-43681)."""
    whole = _octets(text)
    for wrong in [*(whole[:at] for at in range(len(whole))), whole + b"\0"]:
        with pytest.raises(PeerError) as caught:
            decode_open(wrong)
        assert (caught.value.code, caught.value.subcode) == (2, 0)


#: What follows the BGP identifier, and the subcode.
REFUSED = [
    ("01 02", 0),  # one octet of a parameter
    ("02 02 01", 0),  # a parameter that runs past the parameters
    ("03 02 01 02", 0),  # a capability of one octet
    ("04 02 02 02 01", 0),  # a capability that runs past its parameter
    ("03 02 01 00 ff", 0),
    ("02 03 00", 4),  # a parameter that nobody knows
    ("02 01 00", 4),  # Authentication Information, which RFC 4271 dropped
    ("07 02 05 41 03 00fde9", 0),  # four-octet AS of three octets (CVE-2022-36440)
    ("06 02 04 01 02 0001", 0),
    ("00 ff 0000", 0),  # RFC 9072 2: the length before the mark must not be 0
    ("ff ff 0004 02 0000", 0),
    ("ff ff 0004 02 0001 02", 0),
    ("ff ff 0003 02 0001", 0),
    ("ff ff 0001 02", 0),
    ("ff ff 0002 02 00", 0),
]


@pytest.mark.parametrize(("rest", "subcode"), REFUSED)
def test_parameters_that_cannot_be_read_are_refused(rest: str, subcode: int) -> None:
    octets = _octets(f"{FIXED} {rest}")
    with pytest.raises(PeerError) as caught:
        decode_open(octets)
    assert (caught.value.code, caught.value.subcode) == (2, subcode)


def test_the_parameters_of_another_version_are_not_read() -> None:
    message = decode_open(_octets("03 fde9 005a 0a000001 07 0102"))
    assert message == replace(BARE, version=3)


@given(opens)
def test_every_open_encodes_and_decodes_to_itself(value: Open) -> None:
    assert decode_open(encode_open(value)) == value


@given(st.binary(max_size=60))
def test_any_octets_decode_or_are_an_open_message_error(octets: bytes) -> None:
    for body in (octets, _octets(FIXED) + octets):
        found = outcome(decode_open, body)
        if isinstance(found, PeerError):
            assert (found.code, found.subcode) in ((2, 0), (2, 4))
        elif found.version == 4:
            assert decode_open(encode_open(found)) == found


def test_what_does_not_fit_is_refused_not_cut() -> None:
    many = replace(BARE, capabilities=(LONG,) * 300)
    for message in (many, replace(BARE, my_as=65536), replace(BARE, hold_time=-1)):
        with pytest.raises(LocalError):
            encode_open(message)


VALID = replace(BARE, capabilities=(AS4,))
OWN_ID = IPv4Address("10.0.0.9")
#: A message, the AS number expected, whether the peer is to be internal, and the subcode with its data (None: accepted).
CHECKS = [
    (VALID, 65001, False, None, b""),
    (VALID, None, False, None, b""),
    (replace(VALID, version=3), 65001, False, 1, b"\0\4"),
    (replace(VALID, version=5), 65001, False, 1, b"\0\4"),
    (VALID, 65002, False, 2, b""),
    (replace(BARE, my_as=0), None, False, 2, b""),  # RFC 7607
    (replace(BARE, capabilities=(FourOctetAs(0),)), None, False, 2, b""),
    (replace(BARE, capabilities=(FourOctetAs(65002),)), 65001, False, 2, b""),
    (replace(BARE, capabilities=(AS4, FourOctetAs(65002))), 65001, False, 2, b""),
    (replace(BARE, capabilities=(AS4, AS4)), 65001, False, None, b""),
    (replace(BARE, my_as=23456, capabilities=(FourOctetAs(99999),)), 99999, False, None, b""),
    (replace(VALID, bgp_id=IPv4Address(0)), 65001, False, 3, b""),
    (replace(VALID, bgp_id=OWN_ID), 65001, True, 3, b""),  # RFC 6286
    (replace(VALID, bgp_id=OWN_ID), 65001, False, None, b""),
    (replace(VALID, bgp_id=IPv4Address("224.0.0.1")), 65001, False, None, b""),
    (replace(VALID, hold_time=0), 65001, False, None, b""),
    (replace(VALID, hold_time=1), 65001, False, 6, b""),
    (replace(VALID, hold_time=2), 65001, False, 6, b""),
    (replace(VALID, hold_time=3), 65001, False, None, b""),
]


@pytest.mark.parametrize(("message", "expected", "internal", "subcode", "data"), CHECKS)
def test_an_open_is_held_to_the_rules(
    message: Open, expected: int | None, internal: bool, subcode: int | None, data: bytes
) -> None:
    if subcode is None:
        validate_open(message, expected_asn=expected, local_bgp_id=OWN_ID, internal=internal)
        return
    with pytest.raises(PeerError) as caught:
        validate_open(message, expected_asn=expected, local_bgp_id=OWN_ID, internal=internal)
    assert (caught.value.code, caught.value.subcode, caught.value.data) == (2, subcode, data)


#: RFC 9234 4.2: our role, what the peer says, strict, and whether that goes.
ROLES = [
    (None, (), False, True),
    (None, (3,), False, True),
    (None, (3, 3), True, True),
    (None, (3, 4), False, False),
    (0, (), False, True),
    (0, (), True, False),
    *(
        (ours, (theirs,), False, (ours, theirs) in {(0, 3), (3, 0), (1, 2), (2, 1), (4, 4)})
        for ours in range(5)
        for theirs in range(6)
    ),
    (0, (3, 3), True, True),
    (0, (3, 0), False, False),
]


@pytest.mark.parametrize(("ours", "theirs", "strict", "fits"), ROLES)
def test_roles_are_held_to_each_other(ours: int | None, theirs: tuple[int, ...], strict: bool, fits: bool) -> None:
    said = [BgpRole(role) for role in theirs]
    found = outcome(validate_roles, [] if ours is None else [BgpRole(ours)], said, strict=strict)
    assert (found is None) is fits
    assert found is None or (found.code, found.subcode, found.data) == (2, 11, b"")
