"""Files for `bgp decode`: opened, decompressed, and looked at to tell what they are."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import re
import stat
import sys
from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from bgp.wire.formats.mrt_frames import KNOWN_TYPES
from bgp.wire.sizes import MARKER

#: Octets at the beginning of a file that are looked at.
SNIFFED: Final = 64
#: Octets of a compressed file that take longer to unpack than a thread takes to start.
LARGE: Final = 1 << 18
_TEXT: Final = re.compile(rb"\A[\s\x20-\x7e\x80-\xff]*\Z")
_PCAP: Final = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
_PCAPNG: Final = b"\x0a\x0d\x0d\x0a"
#: BMP (RFC 7854 4.1): version 3, a length that can be, a type up to 6.
_BMP: Final = re.compile(rb"\A\x03\x00[\x00-\x0f]..[\x00-\x06]", re.DOTALL)


#: A file that can be peeked at.
File: TypeAlias = io.BufferedReader | gzip.GzipFile | bz2.BZ2File


class Kind(Enum):
    """What a file holds."""

    EMPTY = auto()
    TEXT = auto()  #: hexadecimal or JSON, one message a line
    MRT = auto()
    BMP = auto()
    PCAP = auto()
    PCAPNG = auto()
    MESSAGES = auto()  #: BGP messages one after the other
    UNKNOWN = auto()


def kind_of(head: bytes) -> Kind:
    """What a file that begins with `head` holds."""
    if not head:
        return Kind.EMPTY
    if head.startswith(_PCAP):
        return Kind.PCAP
    if head.startswith(_PCAPNG):
        return Kind.PCAPNG
    if _is_text(head):
        return Kind.TEXT
    if head.startswith(MARKER):
        return Kind.MESSAGES
    if _BMP.match(head):
        return Kind.BMP
    if len(head) < 6 or int.from_bytes(head[4:6], "big") in KNOWN_TYPES:
        return Kind.MRT
    return Kind.UNKNOWN


def _is_text(head: bytes) -> bool:
    """Whether a file that begins so is text in UTF-8; its last character may be cut off."""
    try:
        getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return _TEXT.match(head) is not None


@contextmanager
def opened(name: str) -> Iterator[tuple[File, BinaryIO]]:
    """The octets of a file, decompressed, and the file itself, whose place tells how far reading has come.

    "-" is standard input, which stays open. Raises OSError.
    """
    with open(sys.stdin.fileno(), "rb", closefd=False) if name == "-" else Path(name).open("rb") as raw:
        magic = raw.peek(3)[:3]
        if magic[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=raw) as unzipped:
                yield unzipped, raw
        elif magic == b"BZh":
            with bz2.BZ2File(raw) as unzipped2:
                yield unzipped2, raw
        else:
            yield raw, raw


def size_of(raw: BinaryIO) -> int | None:
    """Octets of a file on disk; None for pipes and terminals."""
    found = os.fstat(raw.fileno())
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def is_worth_a_thread(file: File, raw: BinaryIO) -> bool:
    """Whether `file`, which is `raw` unpacked, had better be read by a thread of its own."""
    size = 0 if file is raw else size_of(raw)
    return size is not None and size >= LARGE and (os.cpu_count() or 1) > 1


def head_of(file: File) -> bytes:
    """The beginning of a file, which stays to be read. Raises OSError, EOFError and zlib.error for a damaged one."""
    return file.peek(SNIFFED)[:SNIFFED]
