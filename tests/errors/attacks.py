"""Cases: octets of published attacks and incidents (CVEs), where the lists of RFC violations have none like them.

`COVERED` says for each attack which case or test stands for it; those that concern parts that this program does not have
say so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from errors.attributes import ATTRIBUTE_CASES, with_
from errors.cases import Case, Closed, Expected, Gone, Kept, Nothing, Reset, Up
from errors.octets import (
    AS_PATH,
    GOOD_MARK,
    HOP4,
    NEXT_HOP,
    ORIGIN,
    P4,
    Q4,
    capability,
    fields,
    message,
    reach,
)
from errors.opens import caps, rest
from errors.structure import BAD, CUT

from bgp.wire.spelling import attribute

LABELLED: Final = bytes.fromhex("0001 04")
VPN: Final = bytes.fromhex("0001 80")
EVPN: Final = bytes.fromhex("0019 46")
FLOWSPEC: Final = bytes.fromhex("0001 85")
CEASE_TEXT: Final = message(3, b"\6\4\x05hello" + bytes(100))
FAMILIES: Final = 'families = ["ipv4-unicast", "ipv6-unicast", "ipv4-labelled", "vpnv4", "l2vpn-evpn", "ipv4-flowspec"]'
MORE: Final = b"".join(capability(1, family[:2] + b"\0" + family[2:]) for family in (LABELLED, VPN, EVPN, FLOWSPEC))


def typed(
    name: str, rfc: str, family: bytes, nlri: bytes, *, hop: bytes = HOP4, ends: bool = True, note: str = ""
) -> Case:
    """A malformed NLRI of a family that has more than prefixes: 3/9 with the attribute where it `ends` the session."""
    one = reach(nlri, hop=hop, family=family)
    octets = fields(b"", one + ORIGIN + AS_PATH, b"")
    note = note or (
        "" if ends else "Its length says where the next NLRI begins, so that only this UPDATE is lost (RFC 7606 5.4)."
    )
    expected = Reset(3, 9, one) if ends else Nothing()
    return Case(name, "NLRI error", rfc, expected, octets, options=(FAMILIES,), capabilities=MORE, note=note)


def opened(name: str, rfc: str, expected: Expected, octets: bytes, required: str = "NOTIF 2/0") -> Case:
    return Case(name, required, rfc, expected, b"", open=octets, at="OpenSent")


def sent(name: str, required: str, rfc: str, expected: Expected, octets: bytes, note: str = "") -> Case:
    return Case(name, required, rfc, expected, octets, note=note)


def _optional(name: str, option: str, expected: Expected, rfc: str) -> Case:
    """A case of the attributes with an option that decides it."""
    (case,) = (case for case in ATTRIBUTE_CASES if case.name == name)
    return replace(
        case,
        name=f"{name}, {option}",
        required="as the option says",
        rfc=rfc,
        expected=expected,
        options=(option,),
        note="",
    )


BLOCK: Final = ORIGIN + AS_PATH + NEXT_HOP
#: An EVPN route of type 5 (RFC 9136): route distinguisher, ESI, Ethernet tag, length, prefix, gateway, label.
TYPE5: Final = bytes(8) + bytes(10) + bytes(4) + b"\x18" + bytes(4) + bytes(4) + bytes(3)

# fmt: off
ATTACK_CASES: Final = (
    opened("t1-param-ends-at-its-type", "CVE-2022-43681", Reset(2, 0), rest(b"\xff\xff\0\1\2")),
    opened("t1-param-ends-at-its-length", "CVE-2022-43681", Reset(2, 0), rest(b"\xff\xff\0\2\2\0")),
    opened("t2-as4-longer-than-its-parameter", "CVE-2022-36440", Reset(2, 0), caps(b"\x41\x08\0\0\xfd\xe9")),
    opened("t2-as4-cut-off", "CVE-2022-36440", Reset(2, 0), caps(b"\x41\x04\0\0")),
    opened("t3-mp-odd", "CVE-2012-0255", Reset(2, 0), caps(b"\1\5\0\1\0\1\0")),
    opened("t3-empty-capability-255-times", "5492", Up(), caps(b"\xc8\0" * 100), "OK"),
    sent("t3-dynamic-capability", "RESET 1/3", "CVE-2018-5381", Reset(1, 3, b"\6"), message(6, b"\0\1\1\0")),
    sent("t6-text-on-reset", "close", "CVE-2025-59688", Closed(), CEASE_TEXT),
    sent("t6-text-of-no-utf8", "close", "9003", Closed(), message(3, b"\6\2\x04\xff\xfe\xfd\xfc")),
    sent("t7-notification-among-updates", "close", "CVE-2022-37035", Closed(),
         fields(b"", BLOCK, Q4) + CEASE_TEXT + fields(b"", BAD, Q4) + message(4) + CEASE_TEXT),
    sent("t11-looks-like-eor", "withdraw", "CVE-2023-47235", Gone(),
         fields(b"", bytes.fromhex("c0ff00 010100 eb00"), P4)),
    sent("t12-mp-reach-among-others", "RESET 3/9", "CVE-2023-46752", Reset(3, 9, CUT),
         fields(b"", BAD + CUT + AS_PATH + attribute(0xC0, 7, b""), b"")),
    typed("t13-flowspec-of-no-octets", "CVE-2023-38406", FLOWSPEC, b"\0", hop=b"", ends=False),
    typed("t13-flowspec-cut-off", "CVE-2026-37457", FLOWSPEC, b"\x09\1\x18\xc0", hop=b""),
    typed("t13-flowspec-operator-past-the-end", "CVE-2023-41909", FLOWSPEC, b"\2\3\1", hop=b"", ends=False),
    typed("t13-flowspec-of-an-unknown-component", "8955 4.2", FLOWSPEC, b"\3\x77\x81\6", hop=b"", ends=False),
    typed("t14-labels-past-the-prefix", "CVE-2023-38407", LABELLED, b"\x10\0\0\x11"),
    typed("t14-no-bottom-of-stack", "8277 2.1", LABELLED, b"\x30\0\0\x10\0\0\x10"),
    typed("t14-vpn-too-short-for-its-rd", "4364", VPN, b"\x40\0\0\x11" + bytes(5), hop=bytes(8) + HOP4),
    typed("t30-evpn-type-5-length", "CVE-2026-37460", EVPN, b"\x05\x21" + TYPE5[:33], ends=False),
    typed("t30-evpn-cut-off", "7432", EVPN, b"\x05\x22" + TYPE5[:20]),
    typed("evpn-prefix-that-leads-nowhere", "9136 3.1", EVPN, b"\x05\x22" + TYPE5, ends=False,
          note="Neither a label nor an overlay index: treated as withdrawn."),
    sent("t15-encapsulation-tlv-overrun", "withdraw, or opaque", "CVE-2024-44070", Gone(),
         with_(attribute(0xC0, 23, bytes.fromhex("0008 ffff 00")))),
    sent("t17-aigp-tlv-length", "discard", "CVE-2023-41359", Kept({26: None}),
         with_(attribute(0x80, 26, bytes.fromhex("01 0002 00")))),
    sent("t18-nhc-underflow", "discard, or opaque", "CVE-2026-37459", Kept({39: None}),
         with_(attribute(0xC0, 39, bytes.fromhex("0001 01 04 c0")))),
    sent("t20-entropy-label", "opaque or discard", "CVE-2023-4481", Kept({28: (0xE0, b"\xff\xff")}),
         with_(attribute(0xC0, 28, b"\xff\xff")), "Opaque: the attribute is deprecated, and not read here."),
    sent("t25-good-ones-after-a-bad-one", "withdraw", "CVE-2023-38283", Gone(),
         fields(b"", ORIGIN + attribute(0x40, 2, b"\2\x40\0\0") + NEXT_HOP + GOOD_MARK + attribute(0xC0, 99, b"\2\1"), P4)),
    sent("t26-error-on-a-route-that-is-not-there", "nothing", "CVE-2026-42285", Nothing(),
         fields(b"", BAD + AS_PATH + NEXT_HOP, Q4)),
    sent("t26-withdraw-with-attributes", "nothing", "CVE-2023-46565", Nothing(), fields(Q4, BLOCK, b"")),
    sent("t34-fits-in-but-not-out", "withdraw", "RFC 8654 4", Gone(),
         fields(b"", BLOCK + attribute(0xC0, 99, bytes(4096 - 23 - len(BLOCK) - 4 - len(P4))), P4),
         "No message can carry the route on, with LOCAL_PREF or a longer AS_PATH: those that had an older one are told."),
)
# fmt: on

#: What options of a peer make of cases that have two reactions.
OPTION_CASES: Final = (
    _optional("aspath-asset", "reject_as_sets = true", Gone(), "9774"),
    _optional("aspath-firstas", "enforce_first_as = false", Kept(), "4271 6.3"),
    _optional("aspath-empty-ebgp", "enforce_first_as = false", Kept(), "4271 6.3"),
    _optional("aspath-ownas", "allowas_in = 1", Kept(), "allowas-in"),
)

#: Attack → what stands for it: names of cases, tests ("::"), or why there is nothing to attack.
COVERED: Final[dict[str, tuple[str, ...]]] = {
    "T1": (
        "t1-param-ends-at-its-type",
        "t1-param-ends-at-its-length",
        "open-9072-trunc0",
        "open-9072-trunc1",
        "open-9072-trunc2",
        "open-9072-paramtrunc",
        "open-param-1byte",
    ),
    "T2": ("t2-as4-longer-than-its-parameter", "t2-as4-cut-off", "open-as4cap-len3"),
    "T3": (
        "open-llgr-len3",
        "open-softver-zero",
        "open-gr-len3",
        "open-mpcap-len3",
        "t3-mp-odd",
        "open-fqdn-overrun",
        "t3-empty-capability-255-times",
        "t3-dynamic-capability",
    ),
    "T4": ("hdr-type0", "hdr-type6", "hdr-type255"),
    "T5": ("open-in-established",),
    "T6": ("notif-shutdown-comm-overlong", "t6-text-on-reset", "t6-text-of-no-utf8"),
    "T7": ("t7-notification-among-updates",),
    "T8": ("nlri-no-attrs",),
    "T9": ("only-unknown-attr+nlri",),
    "T10": ("mpunreach+nlri-no-mandatory",),
    "T11": ("attr-zero3+nlri", "t11-looks-like-eor"),
    "T12": ("t12-mp-reach-among-others", "mp6-nhlen9", "mp6-short4"),
    "T13": (
        "t13-flowspec-of-no-octets",
        "t13-flowspec-cut-off",
        "t13-flowspec-operator-past-the-end",
        "t13-flowspec-of-an-unknown-component",
    ),
    "T14": ("t14-labels-past-the-prefix", "t14-no-bottom-of-stack", "t14-vpn-too-short-for-its-rd"),
    "T15": ("encap23-garbage", "encap23-len0", "t15-encapsulation-tlv-overrun"),
    "T16": ("prefixsid-zeros", "prefixsid-tlv-overrun"),
    "T17": ("t17-aigp-tlv-length",),
    "T18": ("t18-nhc-underflow",),
    "T19": ("attr255",),
    "T20": ("t20-entropy-label",),
    "T21": ("unknown-opt-trans-extlen-short", "otc-extlen-flag", "origin-extlen"),
    "T22": ("unknown-big-3000",),
    "T23": ("aspath-255x2", "::test_a_very_long_path_is_taken_and_passed_on_where_it_fits"),
    "T24": ("as4path-confed-old", "as4path-before-aspath-old", "as4path-valid-old"),
    "T25": ("t25-good-ones-after-a-bad-one", "attr-len-overrun"),
    "T26": ("t26-error-on-a-route-that-is-not-there", "t26-withdraw-with-attributes", "withdraw-unknown-prefix"),
    "T27": ("unknown-wellknown",),
    "T28": ("nexthop-len3", "nexthop-len5", "origin-flag-nontrans", "aspath-empty-ebgp"),
    "T29": ("origin-lowbits",),
    "T30": ("t30-evpn-type-5-length", "t30-evpn-cut-off"),
    "T31": ("no RPKI validation here",),
    "T32": ("no RPKI-to-Router here",),
    "T33": ("MRT: tests/wire/formats and fuzz/mrt.py",),
    "T34": ("t34-fits-in-but-not-out", "::test_a_path_that_outgrows_its_attribute_is_withdrawn"),
    "T35": ("::test_a_removed_peer_is_refused", "::test_a_stranger_is_refused"),
    "T36": ("::test_a_peer_that_does_not_read_is_let_go",),
    "T37": ("open-hold1", "open-hold2"),
    "T38": ("::test_all_that_was_sent_before_a_silence_is_read",),
}
