"""Prefixes with labels (RFC 8277 2), alone or behind a route distinguisher (RFC 4364 4.3.4, RFC 4659 3.2).

- 1 octet     Length of all that follows, in bits
- 3 octets    Label: 20 bits, 3 that mean nothing, 1 that marks the last of the stack; again until that one is set
- 8 octets    Route Distinguisher, in VPN families
- 0-16 octets Prefix

When withdrawn, a single field of three octets stands for the labels; its value does not matter and should be 0x800000,
though older speakers send 0x000000 or the labels themselves (RFC 8277 2.4). It reads as no labels in the first two cases.

A stack ends where its bottom bit says so even where RFC 8277 2.2, for a session that cannot have several labels, wants the
bit ignored: it wants it set too, as RFC 3107 did. A stack without an end is malformed (RFC 8277 2.3).
The length octet limits a stack to (255 - prefix) / 24 labels. A newer stack replaces an older one (RFC 8277 2.5): the key
is the NLRI without it.
"""

from __future__ import annotations

from typing import Any, Final

import construct as c

from bgp.wire.fields import U8, value_of
from bgp.wire.nlri.kind import Kind, Split
from bgp.wire.nlri.prefix import LONGEST, masked
from bgp.wire.prefixes import HOST_BITS
from rib.family import Afi
from rib.labelled import LabelledPrefix, VpnPrefix
from rib.route_distinguisher import RouteDistinguisher

#: RFC 8277 2.4: what stands where the labels were.
WITHDRAWN: Final = b"\x80\0\0"
#: The same, and what older speakers have there.
NO_LABELS: Final = frozenset({WITHDRAWN, b"\0\0\0"})
BOTTOM: Final = 0x01
#: The label's last four bits and the bottom bit: three bits of the third octet mean nothing.
MEANT: Final = 0xF1
RD_SIZE: Final = 8

RD: Final = value_of(c.Bytes(RD_SIZE), RouteDistinguisher, bytes)
LABEL: Final = c.Bytes(3)


def _stack(withdrawn: bool) -> c.Construct:
    def is_last(label: bytes, found: list[bytes], _: Any) -> bool:
        return bool(label[2] & BOTTOM) or (withdrawn and len(found) == 1 and _clean(label) in NO_LABELS)

    return c.RepeatUntil(is_last, LABEL)


def numbers(stack: list[bytes]) -> tuple[int, ...]:
    """The labels of a stack; none for one that only marks a withdrawal."""
    if len(stack) == 1 and _clean(stack[0]) in NO_LABELS:
        return ()
    return tuple(int.from_bytes(label, "big") >> 4 for label in stack)


def stack_of(labels: tuple[int, ...]) -> list[bytes]:
    """The octets of each label; of no labels, what marks a withdrawal."""
    if not labels:
        return [WITHDRAWN]
    last = len(labels) - 1
    return [(label << 4 | (i == last)).to_bytes(3, "big") for i, label in enumerate(labels)]


def _labelled(afi: Afi, vpn: bool, withdrawn: bool) -> c.Construct:
    body = c.Struct("stack" / _stack(withdrawn), "rd" / (RD if vpn else c.Pass), "prefix" / c.GreedyBytes)
    outer = c.Struct("length" / U8, "body" / c.FixedSized(lambda this: (this.length + 7) // 8, body))
    head = RD_SIZE if vpn else 0

    def decoded(found: Any) -> LabelledPrefix | VpnPrefix:
        stack, rd, octets = found.body.stack, found.body.rd, found.body.prefix
        prefix = masked(afi, found.length - 24 * len(stack) - 8 * head, octets)
        return VpnPrefix(rd, prefix, numbers(stack)) if vpn else LabelledPrefix(prefix, numbers(stack))

    def encoded(value: LabelledPrefix | VpnPrefix) -> dict[str, object]:
        if not withdrawn and not value.labels:
            raise ValueError(f"{value} has no label to announce")
        stack = stack_of(value.labels)
        if withdrawn and len(stack) > 1 and stack[0] in NO_LABELS:
            raise ValueError(f"{value} cannot be withdrawn by its labels: the first one means that there are none")
        body = {"stack": stack, "rd": getattr(value, "rd", None), "prefix": value.prefix.nlri[1:]}
        return {"length": value.prefix.length + 24 * len(stack) + 8 * head, "body": body}

    return value_of(outer, decoded, encoded)


def _splitter(afi: Afi, head: int) -> Split:
    least, most = 8 * head, 8 * head + LONGEST[afi]

    def split(octets: bytes, at: int, end: int, withdrawn: bool) -> tuple[int, bytes, bytes] | None:
        bits = octets[at]
        start = at + 1
        after = start + (bits + 7) // 8
        if after > end or bits < 24:
            return None
        stop = start + 3
        if not (withdrawn and _clean(octets[start:stop]) in NO_LABELS):
            while not octets[stop - 1] & BOTTOM:
                stop += 3
                if stop > after:
                    return None
        bits -= 8 * (stop - start)
        if not least <= bits <= most:
            return None
        key = bytes((bits,)) + octets[stop:after]
        if bits & 7 and key[-1] & HOST_BITS[bits & 7]:
            key = key[:-1] + bytes((key[-1] & ~HOST_BITS[bits & 7],))
        return after, key, b"" if withdrawn else _clean(octets[start:stop])

    return split


def _clean(stack: bytes) -> bytes:
    """A stack without the bits that mean nothing."""
    if len(stack) == 3:
        return stack if stack[2] & MEANT == stack[2] else stack[:2] + bytes((stack[2] & MEANT,))
    return b"".join(_clean(stack[i : i + 3]) for i in range(0, len(stack), 3))


def join(key: bytes, binding: bytes) -> bytes:
    """The NLRI of a key and the octets of its label stack."""
    stack = binding or WITHDRAWN
    return bytes((key[0] + 8 * len(stack),)) + stack + key[1:]


def _kind(afi: Afi, vpn: bool) -> Kind:
    split = _splitter(afi, RD_SIZE if vpn else 0)
    parse = VpnPrefix.parse if vpn else LabelledPrefix.parse
    return Kind(_labelled(afi, vpn, False), _labelled(afi, vpn, True), parse, split, join, is_bound=True)


LABELLED4: Final = _kind(Afi.IPV4, False)
LABELLED6: Final = _kind(Afi.IPV6, False)
VPN4: Final = _kind(Afi.IPV4, True)
VPN6: Final = _kind(Afi.IPV6, True)
