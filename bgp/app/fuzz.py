"""`bgp fuzz`: the fuzzer's options, its bar, and what it found, in words and as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Final, TextIO

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from bgp.app.ask import JsonOutput
from bgp.error import MissingPackage
from bgp.net.speaker import parse_endpoint
from bgp.testing.report import Finding, FuzzOptions, FuzzReport, Progress

#: Octets in one line of a message's hex.
WIDTH: Final = 32


def fuzz(
    target: Annotated[
        str, typer.Argument(metavar="HOST[:PORT]", help="The speaker: an address, IPv6 as [ADDRESS]:PORT.")
    ],
    asn: Annotated[int, typer.Option(help="Our AS number, for which the speaker has a neighbour configured.")] = 65001,
    peer_asn: Annotated[int | None, typer.Option(help="The speaker's AS number. Default: as its OPEN says.")] = None,
    local_address: Annotated[str | None, typer.Option(help="The address to connect from.")] = None,
    next_hop: Annotated[str | None, typer.Option(help="Of the routes we announce. Default: our own address.")] = None,
    watch: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Connect from there too and watch what the speaker announces."),
    ] = None,
    watch_asn: Annotated[int | None, typer.Option(help="The watcher's AS number. Default: the speaker's own.")] = None,
    examples: Annotated[int, typer.Option(min=0, help="UPDATEs to try.")] = 200,
    opens: Annotated[int, typer.Option(min=0, help="OPENs to try, each on a connection of its own.")] = 18,
    seed: Annotated[int, typer.Option(help="Another seed, other messages.")] = 0,
    findings: Annotated[int, typer.Option(min=1, help="Stop after so many different findings.")] = 5,
    resets: Annotated[
        int, typer.Option(min=0, help="UPDATEs to try that may end the session: speakers let one wait after each.")
    ] = 10,
    patience: Annotated[float, typer.Option(help="Seconds that the speaker has to take a new session.")] = 120.0,
    yes: Annotated[bool, typer.Option("--yes", help="Also a target that is neither loopback nor private.")] = False,
    json_output: JsonOutput = False,
) -> None:
    """Fuzz a BGP speaker: send right and malformed messages, and hold what it does against the RFCs.

    The speaker has to stay alive and to answer as RFC 7606 and RFC 4271 ask; a message that it answers otherwise is shrunk
    and printed. Exit status 1 if anything was found. With --watch, routes that are withdrawn and taken are told apart.

    Example: bgp fuzz 127.0.0.1:1790 --asn 65001 --local-address 127.0.0.2 --watch 127.0.0.3
    """
    address, port = parse_endpoint(target)
    options = FuzzOptions(
        address=address,
        port=port,
        asn=asn,
        peer_asn=peer_asn,
        local_address=local_address,
        next_hop=next_hop,
        watch_address=watch,
        watch_asn=watch_asn,
        examples=examples,
        opens=opens,
        seed=seed,
        findings=findings,
        resets=resets,
        patience=patience,
        any_target=yes,
    )
    raise typer.Exit(run_fuzz(options, json_output=json_output, out=sys.stdout, err=sys.stderr))


def run_fuzz(options: FuzzOptions, *, json_output: bool, out: TextIO, err: TextIO) -> int:
    """Fuzz and report; gives the exit status. Raises LocalError for what cannot be or may not be fuzzed."""
    if find_spec("hypothesis") is None:
        raise MissingPackage("bgp fuzz", "hypothesis", "testing")
    # hypothesis takes longer to load than all of ours: only who fuzzes waits for it.
    run: Callable[[FuzzOptions, Progress], FuzzReport] = import_module("bgp.testing.fuzz").run
    try:
        with _bar(options, out, err) as progress:
            report = run(options, progress)
    except OSError as error:
        print(f"bgp: {options.address} port {options.port}: {error.strerror or error}", file=err)
        return 1
    if json_output:
        print(json.dumps(as_json(report)), file=out)
    else:
        print("\n".join(as_text(report)), file=out)
    return 0 if report.is_clean else 1


@contextmanager
def _bar(options: FuzzOptions, out: TextIO, err: TextIO) -> Iterator[Progress]:
    if not err.isatty():
        yield lambda report: None
        return
    with Bar(console=Console(file=err), transient=True) as bar:
        task = bar.add_task(f"fuzzing {options.address}", total=options.examples + options.opens)
        yield lambda report: bar.update(task, completed=report.examples + report.opens)


def as_text(report: FuzzReport) -> Iterator[str]:
    """The report in words."""
    options = report.options
    watched = f"watched from {options.watch_address}" if options.watch_address else "not watched"
    yield (
        f"{options.address} port {options.port}, AS {report.peer_asn}: {report.examples} UPDATEs, {report.opens} OPENs, "
        f"seed {options.seed}, {watched}"
    )
    for number, finding in enumerate(report.findings, 1):
        answer = f", {finding.answer}" if finding.answer is not None else ""
        yield ""
        yield f"{number}. {', '.join(finding.probe.faults) or 'nothing wrong'}"
        yield f"   expected: {finding.expected}"
        yield f"   found:    {finding.outcome.value}{answer}"
        yield from (f"   {line}" for line in _hex(finding.probe.octets))
    if report.lost:
        yield ""
        yield f"The speaker is lost: {report.lost}. The last that it was sent:"
        yield from (f"   {line}" for line in _hex(report.last))
    yield ""
    yield (
        "Nothing found."
        if report.is_clean
        else f"Found: {len(report.findings)}{', and the speaker is lost' if report.lost else ''}."
    )


def _hex(octets: bytes) -> Iterator[str]:
    for at in range(0, len(octets), WIDTH):
        yield octets[at : at + WIDTH].hex()


def as_json(report: FuzzReport) -> dict[str, object]:
    """The report as one JSON object."""
    options = asdict(report.options)
    return {
        "options": options,
        "peer_asn": report.peer_asn,
        "updates": report.examples,
        "opens": report.opens,
        "findings": [_finding(finding) for finding in report.findings],
        "lost": report.lost or None,
        "last": report.last.hex() if report.lost else None,
    }


def _finding(finding: Finding) -> dict[str, object]:
    answer = finding.answer
    return {
        "faults": list(finding.probe.faults),
        "hex": finding.probe.octets.hex(),
        "expected": sorted(outcome.name.lower() for outcome in finding.probe.allowed),
        "found": finding.outcome.name.lower(),
        "notification": None if answer is None else [answer.code, answer.subcode, answer.data.hex()],
    }
