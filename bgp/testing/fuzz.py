"""Property-based fuzzing of a running BGP speaker, ours or another.

Hypothesis makes UPDATEs, right ones and spoilt ones, and sends them over a session that is kept up. The speaker has to stay
alive (it takes connections, and sessions come up again), and what becomes of each UPDATE has to be what RFC 7606 asks for
where that is known. With a second session to watch, "withdrawn" and "taken" are told apart; without one, only whether the
session ended. A failing message is shrunk to the shortest that fails in the same way.

Hypothesis is synchronous: it runs in a thread of its own and hands each message to trio.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

import trio
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis.errors import FlakyFailure

from bgp.net.sockets import SocketOptions
from bgp.net.transport import TcpTransport
from bgp.testing.conversation import Conversation, Lost
from bgp.testing.opens import open_probes
from bgp.testing.probes import Between, Outcome, Probe
from bgp.testing.report import Finding, FuzzOptions, FuzzReport, Progress
from bgp.testing.strategies import update_probes

#: BGP identifiers of the two sessions.
TESTER_ID: Final = IPv4Address("192.0.2.101")
WATCHER_ID: Final = IPv4Address("192.0.2.102")


class Wrong(AssertionError):
    """A probe had another outcome than the RFCs allow."""


@dataclass(slots=True)
class Fuzzer:
    """One run against one speaker."""

    options: FuzzOptions
    conversation: Conversation
    progress: Progress
    report: FuzzReport
    last: Finding | None = None
    lost: Lost | None = None

    async def opens(self) -> None:
        """Try the OPENs, each on a connection of its own."""
        for probe in open_probes(self.options.asn, TESTER_ID)[: self.options.opens]:
            outcome, answer = await self.conversation.say_open(probe)
            self.report.opens += 1
            self.progress(self.report)
            if outcome not in probe.allowed:
                self.report.findings.append(Finding(probe, outcome, answer))

    def updates(self) -> None:
        """Let hypothesis look for UPDATEs that go wrong, until there are enough findings or no more to try."""
        between = self.conversation.between
        while self.report.examples < self.options.examples and len(self.report.findings) < self.options.findings:
            self.last = None
            # Flaky: what has gone wrong once does not again, or the speaker was lost while the message was shrunk.
            with suppress(Wrong, FlakyFailure):
                self._search(between)
            if self.last is not None:
                kept = [finding for finding in self.report.findings if not self.last.explains(finding)]
                self.report.findings = [*kept, self.last]
            if self.lost is not None:
                raise self.lost
            if self.last is None:
                return

    def _search(self, between: Between) -> None:
        left = self.options.examples - self.report.examples

        @seed(self.options.seed + self.report.examples)
        @settings(
            max_examples=left,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
            report_multiple_bugs=False,
            print_blob=False,
        )
        @given(update_probes(between))
        def search(probe: Probe) -> None:
            if Outcome.ENDED in probe.allowed or not probe.allowed:
                assume(self.report.resets < self.options.resets)
            trio.from_thread.run(self._try, probe)

        search()

    async def _try(self, probe: Probe) -> None:
        if self.lost is not None:
            return
        try:
            outcome, answer = await self.conversation.say_update(probe)
        except Lost as error:
            self.lost = error
            return
        self.report.examples += 1
        self.report.resets += outcome is Outcome.ENDED
        self.progress(self.report)
        if probe.allowed and not self._is_right(outcome, probe):
            finding = Finding(probe, outcome, answer)
            if any(known.explains(finding) for known in self.report.findings):
                return
            self.last = finding
            raise Wrong(", ".join(probe.faults))

    def _is_right(self, outcome: Outcome, probe: Probe) -> bool:
        if self.conversation.is_watched or Outcome.ENDED in (outcome, *probe.allowed):
            return outcome in probe.allowed
        return True


async def fuzz(options: FuzzOptions, progress: Progress) -> FuzzReport:
    """Fuzz a speaker. Raises OSError where none answers, LocalError for a target that may not be fuzzed."""
    options.check()
    report = FuzzReport(options)
    transport = TcpTransport()
    local = options.local_address
    first = await transport.dial(options.address, options.port, local_address=local, options=SocketOptions())
    await first.aclose()
    async with trio.open_nursery() as nursery:
        conversation = Conversation(options, transport, nursery, TESTER_ID, WATCHER_ID)
        fuzzer = Fuzzer(options, conversation, progress, report)
        try:
            await conversation.begin()
            report.peer_asn = conversation.between.peer_asn
            await trio.to_thread.run_sync(fuzzer.updates)
            await conversation.end()
            await fuzzer.opens()
        except Lost as error:
            report.lost = str(error)
            report.last = conversation.last
        nursery.cancel_scope.cancel()
    return report


def run(options: FuzzOptions, progress: Progress) -> FuzzReport:
    """`fuzz`, from a program that has no event loop."""
    return trio.run(fuzz, options, progress)
