"""Octets to messages and back: two doors, `decode` and `encode`; a `Decoder` for many messages of one session.

What is asked for is loaded then (PEP 562): the reader of a file's frames does not wait for the codecs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bgp.wire.codec import Decoder, decode, encode
    from bgp.wire.context import Context

#: Where each public name is at home.
_HOMES: Final = {
    "Decoder": "bgp.wire.codec",
    "decode": "bgp.wire.codec",
    "encode": "bgp.wire.codec",
    "Context": "bgp.wire.context",
}

__all__ = ["Context", "Decoder", "decode", "encode"]


if not TYPE_CHECKING:  # or any name would be right to a type checker

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
