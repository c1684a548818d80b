from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE

import pytest
from app.program import PATIENCE, RunningSpeaker, bgp, running, start
from typer.testing import CliRunner

from bgp.app.ask import app
from bgp.app.client import Refused

LISTENER = """\
[speaker]
asn = 65001
router_id = "10.0.0.1"
listen = ["127.0.1.1:0"]
[[announce]]
prefix = "10.1.0.0/26"
communities = ["65001:7"]
[[peer]]
address = "127.0.1.2"
asn = 65002
passive = true
import = "accept"
export = "accept"
"""
DIALLER = """\
[speaker]
asn = 65002
router_id = "10.0.0.2"
[[announce]]
prefix = "10.2.0.0/26"
med = 5
[[peer]]
address = "127.0.1.1"
name = "first"
port = {port}
local_address = "127.0.1.2"
asn = 65001
families = ["ipv4-unicast"]
import = "accept"
export = "accept"
"""
ESTABLISHED = r" peer 127\.0\.1\.1 \(first\) \w+ → Established: AS 65001, ipv4-unicast, hold time 90 s$"


@contextmanager
def listening(folder: Path) -> Iterator[RunningSpeaker]:
    with running(folder / "listener.toml", LISTENER) as speaker:
        speaker.wait_for("control socket")
        yield speaker


@contextmanager
def connected(folder: Path) -> Iterator[tuple[RunningSpeaker, RunningSpeaker]]:
    """Two speakers whose session is up, the one that listens first."""
    with listening(folder) as listener, running(folder / "dialler.toml", DIALLER.format(port=listener.port)) as dialler:
        dialler.wait_for(ESTABLISHED)
        listener.wait_for("→ Established")
        yield listener, dialler


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningSpeaker, RunningSpeaker]]:
    """Two speakers for all tests that leave them as they were."""
    with connected(tmp_path_factory.mktemp("pair")) as both:
        yield both


def test_routes_go_both_ways_and_commands_change_them(pair: tuple[RunningSpeaker, RunningSpeaker]) -> None:
    listener, dialler = pair
    listener.wait_for_prefixes("10.1.0.0/26", "10.2.0.0/26")
    dialler.wait_for_prefixes("10.1.0.0/26", "10.2.0.0/26")
    (learned,) = dialler.ask("routes", peer="first")
    assert (learned["communities"], learned["as_path"]) == (["65001:7"], "65001")
    assert listener.tell("announce", prefixes=["10.3.0.0/24"], med=1) == "announced 10.3.0.0/24"
    dialler.wait_for_prefixes("10.1.0.0/26", "10.2.0.0/26", "10.3.0.0/24")
    assert listener.tell("withdraw", prefixes=["10.3.0.0/24"]) == "withdrew 10.3.0.0/24"
    dialler.wait_for_prefixes("10.1.0.0/26", "10.2.0.0/26")


SAID = [
    (["show", "summary"], "127.0.1.1 (first)   eBGP   65001   Established"),
    (["show", "neighbors"], "127.0.1.1 (first)  eBGP AS 65001  Established for"),
    (["show", "neighbors", "first", "--json"], '"expected_asn":65001'),
    (["show", "routes"], "  10.1.0.0/26  127.0.1.1       first  igp     65001    65001:7"),
    (["show", "routes", "--within", "11.0.0.0/8"], "no routes"),
    (["show", "routes", "--json"], '{"prefix":"10.1.0.0/26","family":"ipv4-unicast",'),
    (["show", "received", "first"], "  10.1.0.0/26  127.0.1.1  first  igp     65001    65001:7"),
    (["show", "sent", "first"], "  10.2.0.0/26  127.0.1.2    5  own   igp     65002"),
    (["show", "rejected"], "no received route is rejected"),
    (["show", "route", "10.1.0.0/26"], "  best  from 127.0.1.1 (first) external: the only usable path"),
    (["show", "route", "10.1.0.0/26", "--json"], '{"prefix":"10.1.0.0/26","family":"ipv4-unicast","candidates":['),
    (["show", "lookup", "10.2.0.1"], "  announced to 127.0.1.1"),
    (["refresh", "first"], "tells 127.0.1.1 all routes again, and has asked it for the same"),
]


@pytest.mark.parametrize(
    ("command", "said"), SAID, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_what_commands_say(command: list[str], said: str, pair: tuple[RunningSpeaker, RunningSpeaker]) -> None:
    _, dialler = pair
    dialler.wait_for_prefixes("10.1.0.0/26", "10.2.0.0/26")
    done = CliRunner().invoke(app, [*command, "--control", str(dialler.control)])
    assert done.exit_code == 0, done.stderr
    assert said in done.stdout


def test_signals_end_it_with_cease(tmp_path: Path) -> None:
    with connected(tmp_path) as (listener, dialler):
        before = len(listener.lines)
        dialler.signal(signal.SIGTERM)
        assert dialler.end() == 0
        assert dialler.lines[-1].endswith(" ended")
        assert not dialler.control.exists()
        listener.wait_for(r"Established → Idle: received NOTIFICATION 6/2 \(Cease, Administrative shutdown\)$", before)
        listener.signal(signal.SIGINT)
        assert listener.end() == 0


def test_shutdown_says_why(tmp_path: Path) -> None:
    with connected(tmp_path) as (listener, dialler):
        assert dialler.tell("shutdown", message="new kernel") == "the speaker ends"
        assert dialler.end() == 0
        listener.wait_for(r"received NOTIFICATION 6/2 \(Cease, Administrative shutdown\): 'new kernel'$")


def test_the_log_has_the_time_the_peer_the_states_and_the_reason(pair: tuple[RunningSpeaker, RunningSpeaker]) -> None:
    _, dialler = pair
    changes = [line for line in dialler.lines if " peer " in line]
    assert re.match(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z peer 127\.0\.1\.1 \(first\) Idle → Connect: started$", changes[0]
    )
    assert all(re.search(r" \w+ → \w+: .", line) for line in changes)


def test_drain_and_undrain(pair: tuple[RunningSpeaker, RunningSpeaker]) -> None:
    listener, dialler = pair
    with start("drain", "--wait", "3600", "--control", str(listener.control), stderr=PIPE) as draining:
        try:
            listener.wait_for("drain: routes go out as graceful-shutdown")
            assert [row["draining"] for row in listener.ask("summary")] == ["leaving"]
            dialler.wait_until(lambda: dialler.ask("routes", peer="first")[0].get("local_pref") == 0)
            (leaving,) = dialler.ask("routes", peer="first")
            assert leaving["communities"] == ["65001:7", "graceful-shutdown"]
            listener.tell("undrain")
            _, said = draining.communicate(timeout=PATIENCE)
        finally:
            draining.kill()
    assert (draining.returncode, said) == (1, b"bgp: the drain was called off\n")
    dialler.wait_until(lambda: dialler.ask("routes", peer="first")[0]["communities"] == ["65001:7"])
    assert listener.tell("drain", wait=0).startswith("drained")
    dialler.wait_for_prefixes("10.2.0.0/26")
    listener.wait_for_prefixes("10.1.0.0/26", "10.2.0.0/26")
    listener.tell("undrain")
    dialler.wait_for_prefixes("10.1.0.0/26", "10.2.0.0/26")


def test_hangup_applies_what_changed(pair: tuple[RunningSpeaker, RunningSpeaker]) -> None:
    listener, dialler = pair
    listener.tell("announce", prefixes=["10.9.0.0/24"])
    file = listener.control.with_suffix(".toml")
    changed = LISTENER.replace("10.1.0.0/26", "10.1.1.0/26").replace('import = "accept"', 'import = "reject"')
    file.write_text(changed + '[[peer]]\naddress = "127.0.1.3"\nasn = 65003\npassive = true\n')
    since = listener.signal(signal.SIGHUP)
    said = listener.wait_for("SIGHUP: .*: (.*)", since)[1]
    assert said == "1 route announced, 1 route withdrawn, 1 peer added, 1 peer with other policies"
    # What was announced by hand stays; the session was not touched.
    dialler.wait_for_prefixes("10.1.1.0/26", "10.2.0.0/26", "10.9.0.0/24")
    listener.wait_for_prefixes("10.1.1.0/26", "10.9.0.0/24")
    assert [row["refused"] for row in listener.ask("rejected")] == ["rejected by import policy"]
    listener.tell("withdraw", prefixes=["10.9.0.0/24"])
    file.write_text(LISTENER)
    assert listener.tell("reload").endswith(
        ": 1 route announced, 1 route withdrawn, 1 peer removed, 1 peer with other policies"
    )
    listener.wait_for_prefixes("10.1.0.0/26", "10.2.0.0/26")
    assert not [line for line in listener.lines[since:] if "127.0.1.2" in line]


def test_options_of_a_session_start_it_anew(pair: tuple[RunningSpeaker, RunningSpeaker]) -> None:
    listener, dialler = pair
    file = listener.control.with_suffix(".toml")
    for hold_time, text in ((30, LISTENER.replace("passive", "hold_time = 30\npassive")), (90, LISTENER)):
        file.write_text(text)
        since = len(dialler.lines)
        assert listener.tell("reload") == f"{file}: 1 peer restarted"
        dialler.wait_for(r"received NOTIFICATION 6/6 \(Cease, Other configuration change\)", since)
        dialler.wait_for(f"→ Established: AS 65001, ipv4-unicast, hold time {hold_time} s$", since)
        dialler.wait_for_prefixes("10.1.0.0/26", "10.2.0.0/26")


def test_a_configuration_that_cannot_be_leaves_the_old_one(pair: tuple[RunningSpeaker, RunningSpeaker]) -> None:
    listener, dialler = pair
    file = listener.control.with_suffix(".toml")
    file.write_text(LISTENER.replace("passive = true", "pasive = true"))
    since = listener.signal(signal.SIGHUP)
    listener.wait_for("SIGHUP: the old configuration stays:$", since)
    listener.wait_for(rf"^{file}:11: peer\[0\]\.pasive: unknown key; did you mean `passive`\?$", since)
    file.write_text(LISTENER.replace("asn = 65001", "asn = 65009"))
    with pytest.raises(Refused, match=f"^{file}: speaker.asn: cannot change without a restart$"):
        listener.tell("reload")
    file.write_text(LISTENER)
    assert listener.tell("reload") == f"{file}: nothing changed"
    dialler.wait_for_prefixes("10.1.0.0/26", "10.2.0.0/26")


def test_why_a_session_is_down(tmp_path: Path) -> None:
    with listening(tmp_path) as listener:
        text = DIALLER.format(port=listener.port).replace("asn = 65001", "asn = 65099")
        with running(tmp_path / "dialler.toml", text) as dialler:
            dialler.wait_for("OpenSent → Idle: AS 65001 where AS 65099 is configured$")
            listener.wait_for(r"→ Idle: received NOTIFICATION 2/2 \(Open message error, Bad peer AS\)")
            shown = bgp("show", "neighbors", "first", control=dialler.control).stdout
    assert "eBGP AS 65099" in shown
    assert re.search(r"last sent +2/2 \(Open message error, Bad peer AS\)", shown)


def test_what_another_has_is_not_taken(tmp_path: Path, pair: tuple[RunningSpeaker, RunningSpeaker]) -> None:
    listener, _ = pair
    address = LISTENER.replace("127.0.1.1:0", f"127.0.1.1:{listener.port}")
    with running(tmp_path / "second.toml", address) as second:
        assert second.end() == 1
    taken = rf" error: cannot listen on 127\.0\.1\.1 port {listener.port}: Address already in use$"
    assert re.search(taken, second.lines[-1])
    with running(tmp_path / "third.toml", LISTENER, control=listener.control) as third:
        assert third.end() == 1
    assert third.lines[-1].endswith(f" error: another speaker listens on {listener.control}")


def test_a_wrong_configuration(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(LISTENER.replace("asn = 65002", 'asn = "x"') + "hold_tim = 3\n")
    for command in ("run", "check"):
        done = bgp(command, str(file))
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr == (
            f'{file}:10: peer[0].asn: expected a whole number, got the text "x"\n'
            f"{file}:14: peer[0].hold_tim: unknown key; did you mean `hold_time`?\n"
        )
