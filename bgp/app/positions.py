"""Where each key of a TOML text stands: line numbers for messages about it.

The standard library reads TOML but forgets where things were. `locate` reads a text that it has accepted a second time,
only to note lines; it need not tell valid from invalid, so it is short. A place is a tuple of keys and, in arrays, indexes:
("peer", 1, "families", 0).
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import Final

Place = tuple[str | int, ...]

_SPACE: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK: Final = re.compile(r"[ \t]*")
_KEY: Final = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
#: Strings, the long ones first: up to two quotes may stand before the closing three.
_STRING: Final = re.compile(
    r'''"""(?:[^\\]|\\.)*?"""(?:"{1,2}(?!"))?'''
    r"""|\'\'\'.*?\'\'\'(?:\'{1,2}(?!\'))?"""
    r"""|"(?:[^"\\]|\\.)*"|'[^']*'""",
    re.DOTALL,
)
_BARE: Final = re.compile(r"[^,\]}#\n]+")


def locate(text: str) -> dict[Place, int]:
    """The line of every table, key and array element of `text`, which must be valid TOML. The text itself is line 1."""
    return _Locator(text).lines


class _Locator:
    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {(): 1}
        self._text = text
        self._at = 0
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._elements: dict[Place, int] = {}  # arrays of tables, with how many tables each has so far
        self._document()

    def _note(self, path: Place, at: int) -> None:
        self.lines.setdefault(path, bisect_right(self._starts, at))

    def _skip(self, pattern: re.Pattern[str] = _SPACE) -> str:
        """The next character that `pattern` does not match; empty at the end."""
        found = pattern.match(self._text, self._at)
        self._at = self._at if found is None else found.end()
        return self._text[self._at : self._at + 1]

    def _document(self) -> None:
        table: Place = ()
        while first := self._skip():
            if first == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Place:
        at, many = self._at, self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        keys = self._keys()
        self._at += 2 if many else 1
        path: Place = ()
        for key in keys[:-1]:
            path = self._newest((*path, key))
            self._note(path, at)
        path = (*path, keys[-1])
        self._note(path, at)
        if not many:
            return path
        self._elements[path] = self._elements.get(path, 0) + 1
        path = self._newest(path)
        self._note(path, at)
        return path

    def _newest(self, path: Place) -> Place:
        """The last table of an array of tables; any other path as it is."""
        count = self._elements.get(path)
        return path if count is None else (*path, count - 1)

    def _keys(self) -> list[str]:
        """A dotted key."""
        keys = []
        while True:
            self._skip(_BLANK)
            found = _KEY.match(self._text, self._at)
            assert found is not None  # the text is valid
            self._at = found.end()
            raw = found[0]
            keys.append(str(tomllib.loads(f"key = {raw}")["key"]) if raw[0] in "\"'" else raw)
            if self._skip(_BLANK) != ".":
                return keys
            self._at += 1

    def _pair(self, table: Place) -> None:
        at = self._at
        for key in self._keys():
            table = (*table, key)
            self._note(table, at)
        self._at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(table)

    def _value(self, path: Place) -> None:
        first = self._text[self._at]
        if first in "\"'":
            self._skip(_STRING)
        elif first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            self._skip(_BARE)

    def _array(self, path: Place) -> None:
        self._at += 1
        index = 0
        while (first := self._skip()) != "]":
            if first == ",":
                self._at += 1
                continue
            self._note((*path, index), self._at)
            self._value((*path, index))
            index += 1
        self._at += 1

    def _inline_table(self, path: Place) -> None:
        self._at += 1
        while (first := self._skip()) != "}":
            if first == ",":
                self._at += 1
            else:
                self._pair(path)
        self._at += 1
