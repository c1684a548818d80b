from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import capabilities

from bgp.capability import (
    AddPath,
    BfdStrictMode,
    BgpRole,
    Bgpsec,
    Capability,
    DynamicCapability,
    EnhancedRouteRefresh,
    ExtendedMessage,
    ExtendedNextHop,
    FourOctetAs,
    Fqdn,
    GracefulRestart,
    LinkLocalNextHop,
    LongLivedGracefulRestart,
    MultipleLabels,
    Multiprotocol,
    Multisession,
    OutboundRouteFiltering,
    PathsLimit,
    PrestandardRouteRefresh,
    RouteRefresh,
    SoftwareVersion,
    UnknownCapability,
)
from bgp.wire.capability import CAPABILITIES, decode_capability, encode_capability
from bgp.wire.fields import Malformed
from rib.family import IPV4_LABELLED, IPV4_UNICAST, IPV6_UNICAST, L2VPN_EVPN, VPNV4

#: Octets, code and length included, and what they say.
CASES: list[tuple[str, Capability]] = [
    ("01 04 0001 00 01", Multiprotocol(IPV4_UNICAST)),
    ("01 04 0019 00 46", Multiprotocol(L2VPN_EVPN)),
    ("02 00", RouteRefresh()),
    ("05 06 0001 0001 0002", ExtendedNextHop(((IPV4_UNICAST, 2),))),
    ("05 0c 0001 0001 0002 0001 0080 0002", ExtendedNextHop(((IPV4_UNICAST, 2), (VPNV4, 2)))),
    ("06 00", ExtendedMessage()),
    ("40 02 8078", GracefulRestart(restarting=True, notification=False, time=120)),
    ("40 02 4fff", GracefulRestart(restarting=False, notification=True, time=4095)),
    (
        "40 0a 0078 0001 01 80 0002 01 00",
        GracefulRestart(False, False, 120, ((IPV4_UNICAST, True), (IPV6_UNICAST, False))),
    ),
    ("41 04 0000fde9", FourOctetAs(65001)),
    ("41 04 ffffffff", FourOctetAs(4294967295)),
    ("45 04 0001 01 03", AddPath(((IPV4_UNICAST, 3),))),
    ("45 08 0001 01 01 0002 01 02", AddPath(((IPV4_UNICAST, 1), (IPV6_UNICAST, 2)))),
    ("46 00", EnhancedRouteRefresh()),
    ("49 0a 05 6e6f646531 03 6c6162", Fqdn("node1", "lab")),
    ("49 02 00 00", Fqdn("", "")),
    (
        "03 07 0001 00 01 01 40 03",
        OutboundRouteFiltering(((IPV4_UNICAST, ((64, 3),)),)),
    ),
    (
        "03 0e 0001 00 01 02 40 01 80 02 0002 00 01 00",
        OutboundRouteFiltering(((IPV4_UNICAST, ((64, 1), (128, 2))), (IPV6_UNICAST, ()))),
    ),
    ("08 04 0001 04 03", MultipleLabels(((IPV4_LABELLED, 3),))),
    ("09 01 03", BgpRole(3)),
    ("09 01 ff", BgpRole(255)),
    ("43 02 01 45", DynamicCapability((1, 69))),
    ("44 03 80 01 45", Multisession(0x80, (1, 69))),
    (
        "47 07 0001 01 80 000e10",
        LongLivedGracefulRestart(((IPV4_UNICAST, True, 3600),)),
    ),
    ("47 00", LongLivedGracefulRestart()),
    ("4b 04 03 312e30", SoftwareVersion("1.0")),
    ("4b 01 00", SoftwareVersion("")),
    ("4c 05 0001 01 000a", PathsLimit(((IPV4_UNICAST, 10),))),
    ("4d 00", LinkLocalNextHop()),
    ("07 03 08 0001", Bgpsec(0, True, 1)),
    ("07 03 10 0002", Bgpsec(1, False, 2)),
    ("4a 00", BfdStrictMode()),
    ("80 00", PrestandardRouteRefresh()),
    ("c8 03 010203", UnknownCapability(200, b"\1\2\3")),
    ("c8 00", UnknownCapability(200, b"")),
]
each = pytest.mark.parametrize(("octets", "value"), [(bytes.fromhex(text), value) for text, value in CASES])


@each
def test_octets_decode(octets: bytes, value: Capability) -> None:
    assert decode_capability(octets[0], octets[2:]) == value


@each
def test_values_encode(octets: bytes, value: Capability) -> None:
    assert encode_capability(value) == octets


@each
def test_what_is_cut_off_or_left_over_is_not_made_up(octets: bytes, value: Capability) -> None:
    code, inside = octets[0], octets[2:]
    for wrong in [*(inside[:at] for at in range(len(inside))), inside + b"\0"]:
        try:
            found = decode_capability(code, wrong)
        except Malformed:
            continue
        assert found != value
        assert encode_capability(found)[2:] == wrong


@pytest.mark.parametrize("code", sorted({code for code, row in CAPABILITIES.items() if row.is_fixed} - {9, 67}))
def test_a_capability_of_the_wrong_length_is_an_error(code: int) -> None:
    """RFC 5492 says little, the RFCs of the capabilities differ: those whose value has a form must have that form."""
    with pytest.raises(Malformed, match=f"capability {code}"):
        decode_capability(code, b"\0")


def test_unassigned_bits_are_kept() -> None:
    assert decode_capability(7, b"\x09\0\1") == UnknownCapability(7, b"\x09\0\1")


@pytest.mark.parametrize("code", [2, 6, 70, 74, 128])
def test_octets_after_a_capability_without_any_are_kept(code: int) -> None:
    assert decode_capability(code, b"\0") == UnknownCapability(code, b"\0")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (9, ""),  # role
        (9, "0303"),
        (71, "000101800000"),  # long-lived graceful restart (CVE-2023-31489)
        (64, "000100"),
        (3, "0001000101"),  # ORF that is cut short
        (73, "05 6e6f6465"),  # FQDN whose inner length lies
        (76, "000101 00"),
    ],
)
def test_lengths_that_lie_are_an_error(code: int, text: str) -> None:
    with pytest.raises(Malformed):
        decode_capability(code, bytes.fromhex(text))


@pytest.mark.parametrize("text", ["", "05 31", "00 31"])
def test_a_software_version_that_cannot_be_read_is_kept(text: str) -> None:
    """It is of no use but to be shown (CVE-2024-31949, CVE-2025-43971 of others)."""
    octets = bytes.fromhex(text)
    assert decode_capability(75, octets) == UnknownCapability(75, octets)


@given(capabilities)
def test_every_capability_encodes_and_decodes_to_itself(value: Capability) -> None:
    octets = encode_capability(value)
    assert octets[1] == len(octets) - 2
    assert decode_capability(octets[0], octets[2:]) == value


@given(st.integers(0, 255), st.binary(max_size=30))
def test_any_octets_decode_or_are_malformed(code: int, octets: bytes) -> None:
    try:
        value = decode_capability(code, octets)
    except Malformed:
        return
    assert value.code == code
    assert decode_capability(code, encode_capability(value)[2:]) == value


def test_a_capability_that_does_not_fit_is_refused() -> None:
    for value in (UnknownCapability(200, bytes(256)), Fqdn("x" * 200, "y" * 60), FourOctetAs(1 << 32)):
        with pytest.raises(Malformed):
            encode_capability(value)


def test_every_row_has_a_case() -> None:
    assert set(CAPABILITIES) <= {int(value.code) for _, value in CASES}
