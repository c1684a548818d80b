from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import notifications

from bgp.message import Notification
from bgp.wire.fields import Malformed
from bgp.wire.notification import decode_notification, encode_notification

CASES = [
    ("0601", Notification(6, 1)),
    ("0602 05 68656c6c6f", Notification(6, 2, b"\5hello")),
    ("0609 0602", Notification(6, 9, b"\6\2")),
    ("0102 1001", Notification(1, 2, b"\x10\1")),
    ("ffff 00", Notification(255, 255, b"\0")),
]
each = pytest.mark.parametrize(("octets", "value"), [(bytes.fromhex(text), value) for text, value in CASES])


@each
def test_octets_decode(octets: bytes, value: Notification) -> None:
    assert decode_notification(octets) == value


@each
def test_values_encode(octets: bytes, value: Notification) -> None:
    assert encode_notification(value) == octets


@each
def test_what_is_cut_off_is_read_as_less_or_not_at_all(octets: bytes, value: Notification) -> None:
    for at in range(2):
        with pytest.raises(Malformed):
            decode_notification(octets[:at])
    for at in range(2, len(octets)):
        assert decode_notification(octets[:at]) == Notification(value.code, value.subcode, value.data[: at - 2])


@given(notifications)
def test_every_notification_encodes_and_decodes_to_itself(value: Notification) -> None:
    assert decode_notification(encode_notification(value)) == value


@given(st.binary(min_size=2, max_size=300))
def test_any_octets_decode_and_can_be_shown(octets: bytes) -> None:
    value = decode_notification(octets)
    assert encode_notification(value) == octets
    assert str(value).startswith(f"NOTIFICATION {octets[0]}/{octets[1]} (")


@pytest.mark.parametrize("value", [Notification(256, 0), Notification(0, -1)])
def test_a_code_that_does_not_fit_is_refused(value: Notification) -> None:
    with pytest.raises(Malformed):
        encode_notification(value)
