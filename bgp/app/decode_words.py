"""`bgp decode` whose words are plain: it starts at once.

What reads command lines takes longer to load than most files take to print. Where there is nothing but files and options that
everybody uses, they are told here; for all else, `--help` and mistakes among it, this is not the place.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

from bgp.app.decode import run_decode
from bgp.app.endings import ended
from bgp.app.form import Form

_FORMS: Final = {form.value: form for form in Form}
#: What is kept while a file is read is never garbage: look for some less often.
GC_THRESHOLDS: Final = (100_000, 20, 100)
#: Seconds that a thread which has unpacked a piece waits for the interpreter's lock to unpack the next.
SWITCH: Final = 0.0005


class Words(NamedTuple):
    """What the command line says."""

    files: tuple[str, ...]
    form: Form
    strict: bool


def plain_words(words: Sequence[str]) -> Words | None:
    """What the words after `bgp decode` say; None where it takes more to tell."""
    files: list[str] = []
    form, json_output, strict = Form.TEXT, False, False
    rest = iter(words)
    for word in rest:
        if word == "--format" or word.startswith("--format="):
            name = next(rest, "") if word == "--format" else word.removeprefix("--format=")
            if name not in _FORMS:
                return None
            form = _FORMS[name]
        elif word == "--json":
            json_output = True
        elif word == "--strict":
            strict = True
        elif word.startswith("-") and word != "-":
            return None
        else:
            files.append(word)
    return Words(tuple(files), Form.JSON if json_output else form, strict)


def run_plain(words: Sequence[str]) -> None:
    """Do what the words after `bgp decode` say and raise SystemExit; return where they are not plain."""
    said = plain_words(words)
    if said is None:
        return
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(SWITCH)
    with ended():
        status = run_decode(said.files, form=said.form, strict=said.strict, out=sys.stdout, err=sys.stderr)
    raise SystemExit(status)
