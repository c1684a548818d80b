"""Modules that are loaded when something of them is first asked for: what few files need, no other is to wait for.

if TYPE_CHECKING:
    from bgp.app import printer
else:
    printer = later("bgp.app.printer")
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


class Later(ModuleType):
    """Stands for a module: what is asked of it is that module's."""

    def __getattr__(self, name: str) -> object:
        found = getattr(import_module(self.__name__), name)
        setattr(self, name, found)
        return found


def later(name: str) -> Later:
    """The module of that name, which is not loaded yet."""
    return Later(name)
