from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import outcome

from bgp.error import LocalError, PeerError
from bgp.iana import MessageType
from bgp.wire.header import HEADER_LENGTH, MARKER, MAX_EXTENDED_MESSAGE, MAX_MESSAGE, check_header, with_header


def header(length: int, kind: int, marker: bytes = MARKER) -> bytes:
    return marker + length.to_bytes(2, "big") + bytes((kind,))


#: length, type, longest, NOTIFICATION subcode and data (RFC 4271 6.1).
REFUSED = [
    (0, 1, MAX_MESSAGE, 2, "0000"),
    (18, 4, MAX_MESSAGE, 2, "0012"),
    (4097, 2, MAX_MESSAGE, 2, "1001"),
    (28, 1, MAX_MESSAGE, 2, "001c"),
    (4097, 1, MAX_EXTENDED_MESSAGE, 2, "1001"),  # RFC 8654 3: an OPEN is never extended
    (22, 2, MAX_MESSAGE, 2, "0016"),
    (20, 3, MAX_MESSAGE, 2, "0014"),
    (20, 4, MAX_MESSAGE, 2, "0014"),
    (22, 5, MAX_MESSAGE, 2, "0016"),
    (19, 0, MAX_MESSAGE, 3, "00"),
    (19, 6, MAX_MESSAGE, 3, "06"),
    (19, 255, MAX_MESSAGE, 3, "ff"),
]


@pytest.mark.parametrize(("length", "kind", "longest", "subcode", "data"), REFUSED)
def test_a_bad_header_names_what_is_bad(length: int, kind: int, longest: int, subcode: int, data: str) -> None:
    with pytest.raises(PeerError) as caught:
        check_header(header(length, kind), longest)
    assert (caught.value.code, caught.value.subcode, caught.value.data.hex()) == (1, subcode, data)


@pytest.mark.parametrize("at", range(16))
def test_every_octet_of_the_marker_must_be_ones(at: int) -> None:
    marker = MARKER[:at] + b"\xfe" + MARKER[at + 1 :]
    with pytest.raises(PeerError) as caught:
        check_header(header(18, 0, marker), MAX_MESSAGE)
    assert (caught.value.code, caught.value.subcode, caught.value.data) == (1, 1, b"")


@pytest.mark.parametrize(
    ("length", "kind"), [(29, 1), (4096, 1), (23, 2), (4096, 2), (21, 3), (4096, 3), (19, 4), (23, 5), (4096, 5)]
)
def test_the_shortest_and_the_longest_of_each_type_are_let_in(length: int, kind: int) -> None:
    assert check_header(header(length, kind), MAX_MESSAGE) == (length, kind)


@pytest.mark.parametrize("kind", [2, 3, 5])
def test_extended_messages_are_let_in_where_they_were_negotiated(kind: int) -> None:
    assert check_header(header(65535, kind), MAX_EXTENDED_MESSAGE) == (65535, kind)


@given(st.binary(min_size=HEADER_LENGTH, max_size=HEADER_LENGTH))
def test_any_header_is_read_or_refused(octets: bytes) -> None:
    found = outcome(check_header, octets, MAX_MESSAGE)
    if isinstance(found, PeerError):
        assert found.code == 1
    else:
        assert header(*found) == octets


def test_a_message_that_is_too_long_is_not_cut_short() -> None:
    assert len(with_header(MessageType.UPDATE, bytes(4077))) == MAX_MESSAGE
    with pytest.raises(LocalError, match="4097 octets; 4096 are allowed"):
        with_header(MessageType.UPDATE, bytes(4078))
    assert len(with_header(MessageType.UPDATE, bytes(4078), MAX_EXTENDED_MESSAGE)) == 4097
