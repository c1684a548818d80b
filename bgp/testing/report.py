"""What a run of the fuzzer starts from and what it finds, as values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address
from typing import TypeAlias

from bgp.error import LocalError
from bgp.message import Notification
from bgp.testing.probes import Outcome, Probe


@dataclass(frozen=True, slots=True)
class FuzzOptions:
    """One run. `address` is the speaker's; `asn` is ours, `peer_asn` theirs, None for whatever their OPEN says."""

    address: str
    port: int = 179
    asn: int = 65001
    peer_asn: int | None = None
    local_address: str | None = None
    next_hop: str | None = None  #: of the routes that we announce; default: our own address
    watch_address: str | None = None  #: from where a second session watches what the speaker announces
    watch_asn: int | None = None  #: default: the speaker's own
    examples: int = 200
    opens: int = 18
    seed: int = 0
    findings: int = 5  #: stop after so many different ones
    resets: int = 10  #: UPDATEs that have to end the session, after each of which the speaker lets us wait
    quiet: float = 0.2  #: seconds without an answer after which a session counts as alive, where nobody watches
    patience: float = 120.0  #: seconds that the speaker has to answer, and to take a new session
    any_target: bool = False  #: also addresses that are neither loopback nor private

    def check(self) -> None:
        """Raises LocalError for what is not ours to fuzz, unless `any_target` says so."""
        try:
            address = ip_address(self.address.partition("%")[0])
        except ValueError:
            raise LocalError(f"{self.address!r} is not an IP address") from None
        try:
            IPv4Address(self.next_hop or 0)
        except ValueError:
            raise LocalError(f"{self.next_hop!r} is not an IPv4 address") from None
        if not (self.any_target or address.is_loopback or address.is_private or address.is_link_local):
            raise LocalError(
                f"{self.address} is neither a loopback nor a private address: --yes fuzzes it all the same"
            )


@dataclass(frozen=True, slots=True)
class Finding:
    """A probe with an outcome that the RFCs do not allow."""

    probe: Probe
    outcome: Outcome
    answer: Notification | None

    def explains(self, other: Finding) -> bool:
        """Whether `other` is nothing new: the same came of these faults and more."""
        return self.outcome is other.outcome and set(self.probe.faults) <= set(other.probe.faults)

    @property
    def expected(self) -> str:
        """The outcomes that are right, in words."""
        return " or ".join(sorted(outcome.value for outcome in self.probe.allowed))


@dataclass(slots=True)
class FuzzReport:
    """What was done and found. `lost`: the speaker did not come back, and `last` is what it was sent."""

    options: FuzzOptions
    peer_asn: int | None = None
    examples: int = 0
    resets: int = 0
    opens: int = 0
    findings: list[Finding] = field(default_factory=list)
    lost: str = ""
    last: bytes = b""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings and not self.lost


#: Called after each probe.
Progress: TypeAlias = Callable[[FuzzReport], None]
