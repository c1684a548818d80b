"""Prefixes: octets, text and order."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import prefixes

from rib.prefix import Prefix, covering_nlri, nlri_from_text, nlri_text

#: RFC 4271 4.3: length in bits, then as many octets as hold them.
SPELLINGS = [
    ("0.0.0.0/0", 1, "00"),
    ("10.0.0.0/8", 1, "080a"),
    ("10.128.0.0/9", 1, "090a80"),
    ("192.0.2.0/24", 1, "18c00002"),
    ("192.0.2.1/32", 1, "20c0000201"),
    ("::/0", 2, "00"),
    ("2001:db8::/32", 2, "2020010db8"),
    ("2001:db8:8000::/33", 2, "2120010db880"),
    ("2001:db8::1/128", 2, "8020010db8000000000000000000000001"),
]


@pytest.mark.parametrize(("text", "afi", "octets"), SPELLINGS)
def test_text_and_octets(text: str, afi: int, octets: str) -> None:
    nlri = bytes.fromhex(octets)
    assert nlri_from_text(text) == (afi, nlri)
    assert nlri_text(afi, nlri) == text
    prefix = Prefix(text)
    assert prefix == Prefix.from_nlri(afi, nlri)
    assert (prefix.afi, prefix.nlri, prefix.length) == (afi, nlri, nlri[0])
    assert str(prefix) == text
    assert repr(prefix) == f"Prefix({text!r})"
    assert str(prefix.network) == text
    assert prefix.address == ip_network(text).network_address


def test_an_address_alone_is_a_host_route() -> None:
    assert Prefix("192.0.2.1") == Prefix("192.0.2.1/32")
    assert Prefix("2001:db8::1") == Prefix("2001:db8::1/128")


def test_a_netmask_is_a_length() -> None:
    assert Prefix("10.0.0.0/255.0.0.0") == Prefix("10.0.0.0/8")


@pytest.mark.parametrize(
    "text", ["", "10", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::/129", "ten/8", "1.2.3.4.5/8", "/8"]
)
def test_what_is_no_prefix_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an IP prefix"):
        Prefix(text)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.1.0.0/15", "2001:db8::1/127", "10.0.0.1/255.0.0.0"])
def test_host_bits_are_refused_with_the_prefix_that_was_meant(text: str) -> None:
    with pytest.raises(ValueError, match=rf"has host bits set; the prefix is {ip_network(text, strict=False)}"):
        Prefix(text)


def test_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="a prefix has no zone"):
        Prefix("fe80::%eth0/64")


def test_contains() -> None:
    prefix = Prefix("10.1.0.0/16")
    assert Prefix("10.1.0.0/16") in prefix
    assert Prefix("10.1.128.0/17") in prefix
    assert "10.1.2.3" in prefix
    assert IPv4Address("10.1.2.3") in prefix
    assert Prefix("10.0.0.0/8") not in prefix
    assert Prefix("10.2.0.0/16") not in prefix
    assert IPv6Address("::a01:203") not in prefix
    assert "::/0" not in prefix


def test_order_is_by_family_then_address_then_length() -> None:
    ordered = ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/9", "10.0.0.0/32", "10.128.0.0/9", "11.0.0.0/8", "::/0", "1::/16"]
    assert [str(one) for one in sorted(map(Prefix, reversed(ordered)))] == ordered
    assert Prefix("10.0.0.0/8") <= Prefix("10.0.0.0/8")
    assert Prefix("10.0.0.0/9") > Prefix("10.0.0.0/8")


def test_equal_means_equal() -> None:
    assert Prefix("0.0.0.0/0") != Prefix("::/0")
    assert Prefix("10.0.0.0/8") != "10.0.0.0/8"
    assert len({Prefix("10.0.0.0/8"), Prefix("10.0.0.0/8"), Prefix("0.0.0.0/0"), Prefix("::/0")}) == 3


@given(prefix=st.sampled_from([1, 2]).flatmap(prefixes))
def test_text_comes_back(prefix: Prefix) -> None:
    assert Prefix(str(prefix)) == prefix
    assert str(prefix) == str(ip_network(str(prefix)))


@given(st.text(alphabet="0123456789abcdef.:/% ", max_size=24))
def test_text_is_read_as_the_standard_library_reads_it(text: str) -> None:
    try:
        expected = ip_network(text)
        if "%" in text:
            raise ValueError(text)  # a prefix is the same on every link: it has no zone
    except ValueError:
        with pytest.raises(ValueError, match=r"is not an IP prefix|host bits"):
            Prefix(text)
    else:
        assert Prefix(text).network == expected


@pytest.mark.parametrize("text", ["192.0.2.129", "2001:db8::1"])
def test_all_that_cover_an_address_longest_first(text: str) -> None:
    address = ip_address(text)
    found = [nlri_text(1 if address.version == 4 else 2, nlri) for nlri in covering_nlri(address.packed)]
    assert found == [str(ip_network((address, n), strict=False)) for n in range(address.max_prefixlen, -1, -1)]
