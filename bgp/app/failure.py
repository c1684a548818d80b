"""A command that cannot do what it was asked to do, said in words and by an exit status."""

from __future__ import annotations


class Failure(Exception):
    """Ends a command. `status`: its exit status; `shown`: what is said on standard error."""

    status: int = 2

    @property
    def shown(self) -> str:
        """The words for it."""
        return f"bgp: {self}"
