"""The scanner of the hot path says the same as the construct-declared codec, whatever the octets are."""

from __future__ import annotations

from hypothesis import Phase, event, given, settings
from scan_model import agree, by_construct, by_scanner
from strategies import contexts, raw_updates, updates

from bgp.message import Update
from bgp.wire.context import Context
from bgp.wire.fields import Malformed
from bgp.wire.update import encode_update


@given(contexts().flatmap(lambda context: raw_updates(context).map(lambda body: (context, body))))
@settings(max_examples=500, phases=[Phase.explicit, Phase.generate, Phase.shrink])
def test_any_octets_read_as_the_declaration_reads_them(both: tuple[Context, bytes]) -> None:
    context, body = both
    expected = by_construct(body, context)
    event(
        f"reset {sorted(one[:2] for one in expected)}"
        if isinstance(expected, set)
        else f"{expected[3]!s}, announces {bool(expected[0])}"
    )
    assert agree(by_scanner(body, context), expected)


@given(contexts().flatmap(lambda context: updates(context).map(lambda update: (context, update))))
@settings(max_examples=250)
def test_well_formed_attributes_read_as_the_declaration_reads_them(both: tuple[Context, Update]) -> None:
    context, update = both
    try:
        body = encode_update(update, context)
    except Malformed:
        raise AssertionError("a strategy made what cannot be encoded") from None
    assert agree(by_scanner(body, context), by_construct(body, context))
