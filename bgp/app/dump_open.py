"""OPENs that nothing is wrong with, told from their octets: of them there is no line, and of the others a complaint."""

from __future__ import annotations

from typing import Final

#: Capabilities of which any value is right that has this length (RFC 4760 8, RFC 6793 3; RFC 2918 2, RFC 7313 4 and the
#: refresh from before them), or a multiple of four octets after it (RFC 4724 3, RFC 7911 4); an AS number must not be 0.
_LENGTHS: Final = {1: 4, 65: 4, 2: 0, 70: 0, 128: 0}
_LISTS: Final = {64: 2, 69: 0}
_FOUR_OCTET_AS: Final = 65


def is_plain(octets: bytes) -> bool:
    """Whether this is the body of an OPEN with nothing wrong (RFC 4271 4.2, 6.2), told without the codecs.

    False for any that has to be looked into: with capabilities of which not every value is right, for one.
    """
    if len(octets) < 10 or len(octets) != 10 + octets[9] or octets[0] != 4 or octets[10:11] == b"\xff":
        return False
    my_as, hold_time, bgp_id = octets[1:3], octets[3:5], octets[5:9]
    if my_as == b"\0\0" or hold_time in (b"\0\1", b"\0\2") or bgp_id == bytes(4):
        return False
    parameters = _pieces(octets[10:])
    if parameters is None:
        return False
    numbers: set[bytes] = set()
    for kind, value in parameters:
        capabilities = _pieces(value)
        if kind != 2 or capabilities is None:
            return False
        if not all(_is_right(code, len(inside)) for code, inside in capabilities):
            return False
        numbers.update(inside for code, inside in capabilities if code == _FOUR_OCTET_AS)
    return len(numbers) < 2 and bytes(4) not in numbers


def _is_right(code: int, length: int) -> bool:
    return length % 4 == _LISTS[code] if code in _LISTS else _LENGTHS.get(code) == length


def _pieces(octets: bytes) -> list[tuple[int, bytes]] | None:
    """(code, value) of a list in which each has a code and a length of one octet; None where it does not end with one."""
    found = []
    at = 0
    while at < len(octets):
        end = at + 2 + octets[at + 1] if at + 1 < len(octets) else len(octets) + 1
        if end > len(octets):
            return None
        found.append((octets[at], octets[at + 2 : end]))
        at = end
    return found
