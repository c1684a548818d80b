"""What the NLRI of a family are made of, for the codec and for the hot path.

In a session an NLRI is octets in two parts. Its *key* is what tells it from other routes; its *binding* is what it says
besides, which a newer route with the same key replaces: the labels of RFC 8277 2.5, ESI, gateway and labels of RFC 7432 7.
The key goes through the tables, the binding beside the path attributes. For most families the key is all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import construct as c

from bgp.message import Destination, MalformedNlri
from bgp.wire.fields import Malformed, build, parse, value_of
from rib.community import ExtendedCommunity
from rib.worded import Worded

#: Of octets, where an NLRI begins, where its field ends, and whether it is withdrawn: where the NLRI ends, key, binding.
#: None where that cannot be told. The key is empty for what makes no route: a type that has to be discarded (RFC 7606 5.4)
#: and, with the binding MALFORMED, what is malformed within its length.
Split: TypeAlias = Callable[[bytes, int, int, bool], tuple[int, bytes, bytes] | None]
#: The octets of an NLRI by its key and binding; an empty binding stands for a withdrawal where the family has bindings.
Join: TypeAlias = Callable[[bytes, bytes], bytes]
#: What is wrong with a route whose binding this is beside these extended communities, so that it counts as withdrawn.
Judge: TypeAlias = Callable[[bytes, Sequence[ExtendedCommunity]], str | None]


#: Stands in place of a binding for an NLRI that ends where its length says and is malformed.
MALFORMED: Final = b"malformed"


class Kind(NamedTuple):
    """One kind of NLRI. `split` and `join` None: a plain prefix, which the scanner reads by itself."""

    announced: c.Construct
    withdrawn: c.Construct  #: in MP_UNREACH_NLRI
    parse: Callable[[str], Destination]  #: reads the text of a value
    split: Split | None = None
    join: Join | None = None
    is_bound: bool = False  #: whether it cannot be announced without a binding
    judge: Judge | None = None


def key_alone(key: bytes, binding: bytes) -> bytes:
    """Joins what is nothing but a key."""
    return key


def delimited(frame: c.Construct, element: c.Construct) -> c.Construct:
    """`element`, an NLRI whose end `frame` knows: what is malformed within is kept, and the NLRI after it are read."""

    def decoded(found: Any) -> Destination:
        try:
            value: Destination = parse(element, found.data)
        except Malformed as error:
            return MalformedNlri(found.data, str(error))
        return value

    def encoded(value: Destination) -> dict[str, bytes]:
        return {"data": value.octets if isinstance(value, MalformedNlri) else build(element, value)}

    return value_of(c.RawCopy(frame), decoded, encoded)


def fields_of(made: type, declaration: c.Struct) -> c.Construct:
    """`declaration`, whose named fields are those of a dataclass."""
    names = [field.name for field in declaration.subcons if field.name is not None]
    return value_of(
        declaration,
        lambda found: made(**{name: found[name] for name in names}),
        lambda value: {name: getattr(value, name) for name in names},
    )


def one_of(*kinds: type[Worded]) -> Callable[[str], Any]:
    """Reads the text of any of several kinds of value, told apart by the word that opens it. Raises ValueError."""

    def read(text: str) -> Worded:
        head = text.split(maxsplit=1)[0] if text.strip() else ""
        for kind in kinds:
            if head == kind.HEAD:
                return kind.parse(text)
        raise ValueError(f"{text!r} begins with none of {', '.join(kind.HEAD for kind in kinds)}")

    return read


#: NLRI with one binding, in order: it, their keys, and their path identifiers if they have any.
Run: TypeAlias = tuple[bytes, list[bytes], list[int] | None]


def runs(
    split: Split, octets: bytes, at: int, end: int, withdrawn: bool, with_ids: bool
) -> tuple[list[Run], bool] | None:
    """The NLRI of octets[at:end], in order, as runs of equal bindings; and whether some were malformed within.

    None if they do not fill it exactly. No octets make no runs.
    """
    found: list[Run] = []
    malformed = False
    last: bytes | None = None
    keys: list[bytes] = []
    ids: list[int] | None = None
    path_id = 0
    while at < end:
        if with_ids:
            if end - at < 5:
                return None
            path_id = int.from_bytes(octets[at : at + 4], "big")
            at += 4
        one = split(octets, at, end, withdrawn)
        if one is None:
            return None
        at, key, binding = one
        if not key:
            malformed = malformed or binding == MALFORMED
            continue
        if binding != last:
            last, keys, ids = binding, [], [] if with_ids else None
            found.append((binding, keys, ids))
        keys.append(key)
        if ids is not None:
            ids.append(path_id)
    return found, malformed
