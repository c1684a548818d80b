"""Our side of a graceful restart, whoever is at the other end of the cable."""

from __future__ import annotations

from typing import Final

OURS, THEIRS = "192.0.2.1", "192.0.2.2"
#: What we announce.
KEPT, DROPPED = "203.0.113.0/24", "203.0.113.128/25"

SPEAKER: Final = f"""
[speaker]
asn = 65001
router_id = "{OURS}"
listen = ["{OURS}:179"]
control = "{{control}}"
[kernel]
[[announce]]
prefixes = ["{KEPT}", "{DROPPED}"]
[[peer]]
address = "{THEIRS}"
asn = 65002
families = ["ipv4-unicast"]
import = "accept"
export = "accept"
connect_retry_time = 1
graceful_restart = "on"
restart_time = 60
"""
