"""What is rarely needed for `bgpdump -m` lines, and takes the codecs: unusual attributes judged, AS4_PATH put in its place."""

from __future__ import annotations

from typing import Final

from bgp.app.dump import path_text
from bgp.wire.attributes import check
from bgp.wire.context import Context
from bgp.wire.spelling import path_from_octets

_CONTEXTS: Final = {as4: Context(as4=as4, extended=True) for as4 in (False, True)}


def is_right(code: int, flags: int, value: bytes, as4: bool) -> bool:
    """Whether nothing is wrong with an attribute of a file, read with AS numbers of four octets or of two."""
    return check(code, flags, value, _CONTEXTS[as4]) is None


def merged_path(path: bytes, wider: bytes) -> str:
    """The AS_PATH of two-octet AS numbers with what AS4_PATH knows better (RFC 6793 4.2.3)."""
    return path_text(path_from_octets(path, 2).merge_as4(path_from_octets(wider)))
