from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from bgp.capability import FourOctetAs, RouteRefresh
from bgp.message import TYPES, Message, Notification, Open, PathAttribute, Update


def test_a_shutdown_communication_is_read() -> None:
    assert Notification(6, 2, b"\5hello").shutdown_communication == "hello"
    assert Notification(6, 4, b"\6" + "Grüß".encode()).shutdown_communication == "Grüß"


@pytest.mark.parametrize(
    "value",
    [
        Notification(6, 2),
        Notification(6, 2, b"\0"),
        Notification(6, 2, b"\6hello"),  # the length lies (CVE-2019-16159)
        Notification(6, 2, b"\4hello"),
        Notification(6, 2, b"\2\xff\xfe"),  # no UTF-8
        Notification(6, 3, b"\5hello"),  # another subcode
        Notification(5, 2, b"\5hello"),
    ],
)
def test_there_is_no_shutdown_communication_where_it_is_malformed(value: Notification) -> None:
    assert value.shutdown_communication is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Notification(6, 2, b"\5hello"), "NOTIFICATION 6/2 (Cease, Administrative shutdown): 'hello'"),
        (Notification(1, 2, b"\x10\1"), "NOTIFICATION 1/2 (Message header error, Bad message length) data 1001"),
        (Notification(4, 0), "NOTIFICATION 4/0 (Hold timer expired)"),
        (Notification(2, 2), "NOTIFICATION 2/2 (Open message error, Bad peer AS)"),
        (
            Notification(6, 2, b"\5hello").as_hard_reset(),
            "NOTIFICATION 6/9 (Cease, Hard reset) for NOTIFICATION 6/2 (Cease, Administrative shutdown): 'hello'",
        ),
        (Notification(6, 9, b"\6"), "NOTIFICATION 6/9 (Cease, Hard reset) data 06"),
        (Notification(6, 77), "NOTIFICATION 6/77 (Cease, unknown 77)"),
        (Notification(99, 0), "NOTIFICATION 99/0 (unknown 99)"),
        (
            Notification(6, 2, b"\x12\x1b[31mred"),
            "NOTIFICATION 6/2 (Cease, Administrative shutdown) data 121b5b33316d726564",
        ),
        (Notification(6, 2, b"\5\x1b[31m"), "NOTIFICATION 6/2 (Cease, Administrative shutdown): '\\x1b[31m'"),
    ],
)
def test_a_notification_reads_well_and_harms_no_terminal(value: Notification, text: str) -> None:
    assert str(value) == text


def test_a_hard_reset_says_what_for() -> None:
    """RFC 8538 3.1."""
    inner = Notification(4, 0)
    assert inner.as_hard_reset() == Notification(6, 9, b"\4\0")
    assert inner.as_hard_reset().hard_reset == inner
    assert inner.hard_reset is None
    assert Notification(6, 9, b"\4").hard_reset is None
    endless = Notification(6, 9, b"\6\x09" * 2000)
    assert endless.hard_reset is None
    assert str(endless).startswith("NOTIFICATION 6/9 (Cease, Hard reset) data 0609")


def test_the_as_number_is_the_capabilitys_where_it_is_there() -> None:
    bgp_id = IPv4Address("10.0.0.1")
    assert Open(4, 23456, 90, bgp_id, (RouteRefresh(), FourOctetAs(99999))).asn == 99999
    assert Open(4, 65001, 90, bgp_id).asn == 65001


def test_the_first_attribute_of_a_code_counts() -> None:
    update = Update(attributes=(PathAttribute(0x80, 4, 1), PathAttribute(0x80, 4, 2)))
    assert update.attribute(4) == PathAttribute(0x80, 4, 1)
    assert update.attribute(5) is None


def test_every_message_has_a_type() -> None:
    assert set(TYPES) == set(Message.__args__)
