"""Writes the pages that are made from the tables in the code: attributes, capabilities, communities, address families.

    python docs/tables.py

A test holds that the pages are what this would write.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, get_args

from bgp import capability
from bgp.iana import DEPRECATED_ATTRIBUTES, AttributeCode, CapabilityCode
from bgp.wire.attributes import ATTRIBUTES, OPTIONAL, TRANSITIVE, Row
from bgp.wire.capability import CAPABILITIES
from bgp.wire.context import Context
from bgp.wire.nlri import FAMILIES
from bgp.wire.nlri.keys import key_of, key_text, parse_destination
from rib.community import WELL_KNOWN, Community
from rib.extended import KINDS, KINDS6
from rib.family import (
    BGP_LS,
    BGP_LS_VPN,
    IPV4_FLOWSPEC,
    IPV4_LABELLED,
    IPV4_MCAST_VPN,
    IPV4_MUP,
    IPV4_SR_POLICY,
    IPV4_UNICAST,
    L2VPN_EVPN,
    L2VPN_VPLS,
    ROUTE_TARGET,
    VPNV4,
    VPNV4_FLOWSPEC,
    Family,
)
from rib.kinds import ALIASES

HERE: Final = Path(__file__).parent
KINDS_OF_ATTRIBUTE: Final = {
    TRANSITIVE: "well-known",
    OPTIONAL | TRANSITIVE: "optional transitive",
    OPTIONAL: "optional non-transitive",
}
#: Sessions, by what is said of them where they drop an attribute.
SESSIONS: Final = {
    "external": Context(peering="external", as4=False),
    "four-octet AS": Context(peering="internal"),
}


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _rfc(text: str) -> str:
    return ", ".join(part if part.startswith("draft") else f"RFC {part}" for part in text.split(", "))


def _attribute(row: Row) -> tuple[object, ...]:
    dropped = [words for words, context in SESSIONS.items() if row.refused is not None and row.refused(context)]
    special = row.code in (AttributeCode.MP_REACH_NLRI, AttributeCode.MP_UNREACH_NLRI, AttributeCode.ATTR_SET)
    return (
        int(row.code),
        row.code.name,
        KINDS_OF_ATTRIBUTE[row.kind],
        "typed" if row.codec is not None or special else "octets",
        str(row.reaction),
        str(row.flags_reaction),
        ", ".join(dropped),
        _rfc(row.rfc),
    )


def attributes() -> str:
    """The page of path attributes."""
    rows = (_attribute(ATTRIBUTES[code]) for code in sorted(ATTRIBUTES))
    rest = [code for code in AttributeCode if code not in ATTRIBUTES]
    deprecated = ", ".join(f"{code.name} ({code})" for code in rest if code in DEPRECATED_ATTRIBUTES)
    others = ", ".join(f"{code.name} ({code})" for code in rest if code not in DEPRECATED_ATTRIBUTES)
    return f"""# Path attributes

Made from `ATTRIBUTES` in `bgp/wire/attributes.py` by `docs/tables.py`. "Malformed" and "wrong flags" say what such an
attribute costs (RFC 7606); several errors cost what the worst of them does. An error in an SRv6 service of PREFIX_SID costs
the route (RFC 9252 7), whatever the rest of it does. "Dropped on" names sessions on which the attribute does not count:
those with an external peer, those on which AS numbers have four octets. AIGP and NEXT_HOP_CHARACTERISTICS speak of the next
hop and go on within the AS only, and only with it. Nobody here acts on what SFP, BIER and NEXT_HOP_CHARACTERISTICS say, nor
checks the signatures of BGPSEC_PATH: they are read and judged by their form, and passed on where they are transitive. No
other speaker at hand makes these three, PE_DISTINGUISHER_LABELS, BFD_DISCRIMINATOR, BGPSEC_PATH or the PMSI tunnels above 7:
the octets that the tests hold them to are ours.

{table(("code", "name", "kind", "value", "malformed", "wrong flags", "dropped on", "defined in"), rows)}

Every value has one text, which `bgp.text.show` writes and `bgp.text.parse` reads back:
`PmsiTunnel(flags=0, type=6, label=1600, identifier=octets('0a000001'))`.

Known by name, kept as octets and treated as unknown ones: {others}, which are of drafts that IANA has numbers for until
they are done, or for experiments; and those that are deprecated: {deprecated}, and without a name 30, 31, 129, 241, 242 and
243 (RFC 8093).

An unknown optional attribute is kept octet for octet; a transitive one goes on with the Partial bit, its header made anew for
the value. An unknown well-known attribute resets the session (3/2).
"""


def capabilities() -> str:
    """The page of capabilities."""
    classes = {int(one.code): one for one in get_args(capability.Capability) if one is not capability.UnknownCapability}
    rows = (
        (
            int(code),
            CapabilityCode(code).name,
            f"`{classes[int(code)].__name__}`",
            " ".join((classes[int(code)].__doc__ or "").split("\n\n")[0].split()),
            "refused, 2/0" if row.is_fixed else "kept as octets",
        )
        for code, row in sorted(CAPABILITIES.items())
    )
    others = ", ".join(f"{code.name} ({code})" for code in CapabilityCode if code not in CAPABILITIES)
    return f"""# Capabilities

Made from `CAPABILITIES` in `bgp/wire/capability.py` by `docs/tables.py`. `bgp.capability.negotiate(ours, theirs)` says
what holds between two speakers. The last column is what becomes of a capability whose octets have another form.

{table(("code", "name", "class", "what it says", "malformed"), rows)}

Known by name and kept as octets: {others}. Unknown ones are kept too, and mean nothing.
"""


def communities() -> str:
    """The page of communities."""
    known = ((f"`{name}`", Community(number).numbers) for number, name in sorted(WELL_KNOWN.items()))
    kinds = [
        (f"`{kind.code.hex()}`", f"`{kind.name}`", f"`{kind.name}{kind.layout.show(value)}`", kind.layout.make.__name__)
        for kind in (*KINDS, *KINDS6)
        if (value := kind.layout.read(bytes(kind.layout.size))) is not None
    ]
    aliases = ", ".join(f"`{short}` for `{name}`" for short, name in ALIASES.items())
    return f"""# Communities

Made from `WELL_KNOWN` in `rib/community.py` and `KINDS` in `rib/extended.py` by `docs/tables.py`.

A community is `AS:VALUE` or one of these names:

{table(("name", "numbers"), known)}

A large community is `A:B:C`. An extended community is the name of its kind and its fields, as in the examples, whose
octets are all 0 after the type; `ExtendedCommunity.parse` reads the text, `.value` is a named tuple of the class. AS numbers
of a four-octet form that would fit two are written with an L. Flags are words joined by `+`, and come last. Also read:
{aliases}. Any other kind is 16 (IPv6: 40) hexadecimal digits.

{table(("octets", "kind", "example", "class in `rib.extended`"), kinds)}
"""


#: A route of each family in words; the text form is the same for IPv4 and IPv6.
ROUTES: Final = {
    IPV4_UNICAST: "10.0.0.0/8",
    IPV4_LABELLED: "10.0.0.0/8 label 16/17",
    VPNV4: "rd 65000:1 10.0.0.0/8 label 16",
    L2VPN_EVPN: "inclusive-multicast rd 65000:1 tag 0 ip 192.0.2.1",
    ROUTE_TARGET: "origin 65000 target:65000:1",
    L2VPN_VPLS: "vpls rd 65000:1 ve 1 offset 1 size 8 base 1601",
    BGP_LS: "link protocol 3 identifier 7 local[as=65000] remote[as=65001] ipv4-interface=192.0.2.1",
    BGP_LS_VPN: "rd 65000:1 node protocol 7 identifier 1 local[as=65000]",
    IPV4_SR_POLICY: "sr-policy distinguisher 0 color 100 endpoint 192.0.2.1",
    IPV4_MUP: "mup-t1st rd 65000:1 prefix 192.0.2.5/32 teid 12345 qfi 9 endpoint 192.0.2.1",
    IPV4_MCAST_VPN: "mcast-vpn type 5 octets 0000fde800000001200a00000120e8000001",
    IPV4_FLOWSPEC: "destination 10.0.0.0/8 protocol =6 destination-port >=80&<=90,=443",
    VPNV4_FLOWSPEC: "rd 65000:1 source 10.0.0.0/8 tcp-flags =syn",
}


def _family(family: Family) -> tuple[object, ...]:
    row = FAMILIES[family]
    hops = "none" if row.next_hops[0] == 0 else ", ".join(map(str, row.next_hops))
    text = ROUTES.get(family)
    if text is not None:  # the words are those that we read and write
        assert key_text(family, *key_of(family, parse_destination(family, text))) == text
    return f"`{family}`", family.afi, family.safi, hops, "" if text is None else f"`{text}`", _rfc(row.rfc)


def families() -> str:
    """The page of address families."""
    rows = (_family(family) for family in FAMILIES)
    return f"""# Address families

Made from `FAMILIES` in `bgp/wire/nlri/table.py` by `docs/tables.py`. `bgp.wire.nlri.keys.parse_destination` reads the text
of a route, `Speaker.announce_in` originates one. Next hops are in octets; those of VPN families have route distinguishers
of 0 before their addresses, which are not shown. Every family may have path identifiers (RFC 7911).

{table(("name", "AFI", "SAFI", "next hop", "a route", "defined in"), rows)}

**What tells two routes apart.** In the tables a route is octets, its key. Labels are not part of it, nor are segment,
gateway and labels of an EVPN route, block size and label base of a VPLS, the tunnel of a MUP route: a route with the same
key and others of these replaces the older one (RFC 8277 2.5, RFC 7432 7, RFC 9136 3.1). A withdrawal may have anything
there.

**Next hops** go out unchanged in all families but unicast and multicast, towards external peers too: we do not forward by
those routes, and a label that another speaker gave out means nothing at our address. Routes of our own get our address.

**What is malformed.** An NLRI field whose NLRI do not fill it exactly resets the session (3/9, RFC 7606 3 j). An NLRI that
ends where its own length says and is wrong within (EVPN, flow specifications, VPLS, link state, MUP) makes its UPDATE
treat-as-withdraw, and is shown as `malformed …` when decoded. An EVPN, MUP or multicast VPN route of an unknown type is
kept when decoded and discarded by a session (RFC 7606 5.4); an unknown link-state type is passed on (RFC 9552 5.2). An EVPN
prefix that leads nowhere is treated as withdrawn (RFC 9136 3.1, 3.2): with the gateway address 0, one whose Ethernet segment,
label and router's MAC address are 0 too, or whose router's MAC address is that of a group. A label is 0 where all 24 bits are.

**What changes on the way through**, because it means nothing: bits beyond a prefix; reserved bits of labels and of
operators of flow specifications; the and bit of a first operator; a flow specification's length below 240 in two octets;
the route distinguisher of a next hop; `0x000000` where a withdrawal has `0x800000` for a label; an empty source address of
a MUP route.

**A family that nobody here knows** passes through a session that both sides agreed to carry it on: its whole NLRI field is
one route, known by its octets, so that it is withdrawn by the same octets only.

**Labels.** A stack ends with its bottom bit on every session; RFC 8277 2.2 wants the bit ignored where only one label can
be, but it also wants it set, as RFC 3107 did, so that reading on until it is set serves all; a stack without one is
malformed. More than one label goes only to a peer that said that it reads so many (RFC 8277 2.1); we say that we read any
number, of which the length octet of an NLRI lets no more than ten in. A label of an EVPN route or VPLS has 24 bits here:
all of a VNI, or an MPLS label in the upper 20.

Not done: the validation of flow specifications against unicast routes (RFC 8955 6), the filtering of VPN routes by route
target membership (RFC 4684 3), labels of our own for the routes of others, EVPN prefixes with label 0 and no overlay index
treated as withdrawn (RFC 9136 3.1).
"""


PAGES: Final = {
    "attributes.md": attributes,
    "capabilities.md": capabilities,
    "communities.md": communities,
    "families.md": families,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
