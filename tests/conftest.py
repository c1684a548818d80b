"""What holds for all tests: how hypothesis looks for examples, and that nothing is left out where nothing may be."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

REQUIRED = os.environ.get("BGP_REQUIRE_INTEROP") == "1"

# A test may be slow where the machine is. In CI the examples are the same for every run, so that a change is judged by
# what it changed; elsewhere they are new each time.
settings.register_profile("bgp", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("ci", settings.get_profile("bgp"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "bgp")

# A shell that starts us in the background has us ignore Ctrl-C, and what we start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where the other daemons must be there, a test against them that is skipped has failed."""
    report = yield
    if REQUIRED and report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("interop"):
        report.outcome = "failed"
        report.longrepr = f"skipped, although BGP_REQUIRE_INTEROP is set: {report.longrepr}"
    return report
