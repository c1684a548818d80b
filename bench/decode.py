"""How long decoding a real UPDATE to typed values takes, beside other decoders in Python, all in one run.

    .venv/bin/python bench/decode.py [--venv DIRECTORY] [--rounds N] [MRT FILE…]

The messages are the UPDATEs of the BGP4MP records with four-octet AS numbers in the files (default: two of those in
../shared/data/mrt). The others are installed from PyPI into a virtual environment of the bench's own. Every decoder gets
the same messages in a process of its own, reads every attribute of every one, and the best of N rounds counts.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
DATA: Final = HERE.parent.parent / "shared" / "data" / "mrt"
DEFAULT: Final = (
    "bgpdump__updates.20160811.1600.gz",
    "libbgpstream__routeviews.route-views.jinx.updates.1427846400.bz2",
)
#: Whose package is installed; those that do not install are said to be absent.
OTHERS: Final = {"exabgp": "exabgp", "os_ken": "os-ken", "mrtparse": "mrtparse", "scapy": "scapy"}
BGP4MP: Final = 16
MESSAGE_AS4: Final = 4
UPDATE: Final = 2


def updates(octets: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(record, message) of each UPDATE whose AS numbers have four octets."""
    at = 0
    while at + 12 <= len(octets):
        kind, subtype = int.from_bytes(octets[at + 4 : at + 6], "big"), int.from_bytes(octets[at + 6 : at + 8], "big")
        end = at + 12 + int.from_bytes(octets[at + 8 : at + 12], "big")
        if kind == BGP4MP and subtype == MESSAGE_AS4:
            addresses = 8 if octets[at + 23] == 1 else 32
            message = octets[at + 24 + addresses : end]
            if message[18] == UPDATE:
                yield octets[at:end], message
        at = end


def read(path: Path) -> bytes:
    opened = {".gz": gzip.open, ".bz2": bz2.open}.get(path.suffix, open)
    with opened(path, "rb") as file:
        return bytes(file.read())


def python_of(directory: Path) -> Path:
    """The interpreter of a virtual environment with the other decoders in it."""
    python = directory / "bin" / "python"
    if not python.exists():
        venv.create(directory, with_pip=True)
    for package in OTHERS.values():
        command = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", package]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return python


def measure(python: str, name: str, messages: Path, mrt: Path, rounds: int) -> tuple[float, int] | None:
    """Seconds for all messages, and how many were read; None where the decoder is not there."""
    command = [python, str(HERE / "decode_with.py"), name, str(messages), str(mrt), str(rounds)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=HERE.parent)
    if done.returncode:
        print(f"{name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    seconds, count = done.stdout.split()
    return float(seconds), int(count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, default=[DATA / name for name in DEFAULT])
    parser.add_argument("--venv", type=Path, default=Path(tempfile.gettempdir()) / "trio-bgp-bench-decode")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found = [pair for file in options.files for pair in updates(read(file))]
    print(f"{len(found)} UPDATEs, {sum(len(message) for _, message in found) / len(found):.0f} octets on average")
    with tempfile.TemporaryDirectory() as directory:
        messages, mrt = Path(directory) / "messages", Path(directory) / "mrt"
        messages.write_bytes(b"".join(b"\1" + len(m).to_bytes(2, "big") + m for _, m in found))
        mrt.write_bytes(b"".join(record for record, _ in found))
        others = str(python_of(options.venv))
        first = measure(sys.executable, "ours", messages, mrt, options.rounds)
        assert first is not None, "our own decoder did not run"
        print(f"{'decoder':12} {'µs a message':>14} {'ratio':>8} {'read':>9}")
        for name in ("ours", "declared", *OTHERS):
            mine = name in ("ours", "declared")
            result = (
                first
                if name == "ours"
                else measure(sys.executable if mine else others, name, messages, mrt, options.rounds)
            )
            if result is None:
                print(f"{name:12} {'absent':>14}")
                continue
            seconds, count = result
            print(f"{name:12} {1e6 * seconds / len(found):14.1f} {seconds / first[0]:8.2f} {count:9}")


if __name__ == "__main__":
    main()
