"""What the tests against other daemons need, and what is said where it is not there."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

REQUIRED = os.environ.get("BGP_REQUIRE_INTEROP") == "1"


def why_not() -> str | None:
    """Why these tests cannot run here; None if they can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces need Linux"
    if os.geteuid() != 0:
        return "network namespaces need root: sudo make interop"
    missing = [
        name
        for name in ("bird", "birdc", "vtysh", "ip", "ping", "sysctl", "/usr/lib/cni/ptp")
        if shutil.which(name) is None
    ]
    return f"{', '.join(missing)} not installed: make interop installs it" if missing else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip with the reason what cannot run, except where it must."""
    reason = why_not()
    for item in items:
        if "/interop/" in str(item.path):
            item.add_marker(pytest.mark.interop)
            if reason is not None and not REQUIRED:
                item.add_marker(pytest.mark.skip(reason=reason))
