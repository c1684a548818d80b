"""Whether a file will be writable: asked before a long run, whose result would be lost otherwise."""

from __future__ import annotations

import os
from pathlib import Path

from bgp.error import LocalError


def check_writable(path: Path) -> None:
    """Raise LocalError for a file that will not be writable, before long work is done for it."""
    if path.is_dir():
        raise LocalError(f"cannot write {path}: it is a directory")
    if not path.parent.is_dir():
        raise LocalError(f"cannot write {path}: there is no directory {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise LocalError(f"cannot write {path}: permission denied")
