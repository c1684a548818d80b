"""Writes the pages that are made from the tables in the code: attributes.md, capabilities.md, communities.md.

    python docs/tables.py

A test holds that the pages are what this would write.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, get_args

from bgp import capability
from bgp.iana import AttributeCode, CapabilityCode
from bgp.wire.attributes import ATTRIBUTES, OPTIONAL, TRANSITIVE, Row
from bgp.wire.capability import CAPABILITIES
from bgp.wire.context import Context
from rib.community import WELL_KNOWN, Community
from rib.extended import ALIASES, KINDS, KINDS6

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
    others = ", ".join(f"{code.name} ({code})" for code in AttributeCode if code not in ATTRIBUTES)
    return f"""# Path attributes

Made from `ATTRIBUTES` in `bgp/wire/attributes.py` by `docs/tables.py`. "Malformed" and "wrong flags" say what such an
attribute costs (RFC 7606); several errors cost what the worst of them does. An error in an SRv6 service of PREFIX_SID costs
the route (RFC 9252 7), whatever the rest of it does. "Dropped on" names sessions on which the attribute does not count:
those with an external peer, those on which AS numbers have four octets.

{table(("code", "name", "kind", "value", "malformed", "wrong flags", "dropped on", "defined in"), rows)}

Known by name, kept as octets and treated as unknown ones: {others}.

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


PAGES: Final = {"attributes.md": attributes, "capabilities.md": capabilities, "communities.md": communities}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
