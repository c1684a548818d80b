"""What a call that may refuse its octets does: its value, or the error that it raised, as one thing to look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from bgp.error import PeerError

P = ParamSpec("P")
T = TypeVar("T")


def outcome(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | PeerError:
    """The value of the call, or the PeerError that it raises; any other exception is the test's failure."""
    try:
        return call(*args, **kwargs)
    except PeerError as error:
        return error
