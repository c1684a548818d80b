"""The web pages of a running speaker, as a browser, a program and Prometheus read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from app.program import RunningSpeaker, bgp, running
from prometheus_client.parser import text_string_to_metric_families

from bgp.app.web.pages import duration

SPEAKER = """\
[speaker]
asn = 65001
router_id = "10.0.0.1"
hostname = "tor1"
listen = ["127.0.1.1:0"]
[web]
listen = "127.0.0.1:0"
[[announce]]
prefix = "10.1.0.0/26"
communities = ["65001:7"]
[[peer]]
address = "127.0.1.2"
name = "<script>node</script>"
asn = 65002
passive = true
import = "accept"
export = "accept"
[[peer]]
address = "127.0.1.3"
asn = 65003
port = 1
import = "accept"
export = "accept"
"""
NEIGHBOUR = """\
[speaker]
asn = 65002
router_id = "10.0.0.2"
[[announce]]
prefixes = ["10.1.0.0/26", "10.2.0.0/26"]
[[announce]]
prefix = "10.3.0.0/26"
as_path = "65001 65009"
[[peer]]
address = "127.0.1.1"
port = {port}
local_address = "127.0.1.2"
asn = 65001
import = "accept"
export = "accept"
"""


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: str
    kind: str

    @property
    def text(self) -> str:
        """What a person sees of a page."""
        return " ".join(_Words.of(self.body).split())


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self.found.append(" " if tag in ("td", "th") else "")

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    @classmethod
    def of(cls, page: str) -> str:
        reader = cls()
        reader.feed(page.partition("<body>")[2])
        assert "script" not in reader.tags
        return "".join(reader.found)


class Web:
    """Asks the pages of a speaker."""

    def __init__(self, speaker: RunningSpeaker) -> None:
        self.base = speaker.wait_for(r"web page (http://127\.0\.0\.1:\d+)")[1]

    def get(self, path: str) -> Answer:
        """Whatever the status."""
        try:
            with urlopen(self.base + path) as found:
                return Answer(found.status, found.read().decode(), found.headers["Content-Type"])
        except HTTPError as error:
            with error:
                return Answer(error.code, error.read().decode(), error.headers["Content-Type"])

    def json(self, path: str) -> Any:
        """What a program reads."""
        answer = self.get(path)
        assert answer.kind == "application/json"
        return json.loads(answer.body)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    with (
        running(folder / "one.toml", SPEAKER) as one,
        running(folder / "two.toml", NEIGHBOUR.format(port=one.port)) as two,
    ):
        made = Web(one)
        two.wait_for("→ Established")
        one.wait_for_prefixes("10.1.0.0/26", "10.2.0.0/26")
        one.wait_for("Connection refused")
        yield made


def test_the_first_page_says_who_is_down_and_why(web: Web) -> None:
    page = web.get("/")
    assert (page.status, page.kind) == (200, "text/html; charset=utf-8")
    assert "AS 65001 10.0.0.1 · tor1" in page.text
    assert "1 of 2 sessions established" in page.text
    assert "2 best routes, ipv4-unicast" in page.text
    assert "<script>node</script> 127.0.1.2 65002 eBGP Established" in page.text, "as text, not as markup"
    assert "cannot connect to 127.0.1.3 port 1: Connection refused" in page.text


def test_a_neighbour_by_address_and_by_name(web: Web) -> None:
    for key in ("127.0.1.2", quote("<script>node<%2Fscript>", safe="%")):
        page = web.get(f"/neighbor/{key}")
        assert page.status == 200, key
        assert "Established for" in page.text
        assert "hold time 90 s (we propose 90, it 90)" in page.text
        assert "ipv4-unicast 3 1 1" in page.text, "received, refused, best"
    missing = web.get("/neighbor/127.0.1.9")
    assert missing.status == 404
    assert "there is no peer '127.0.1.9'" in missing.text


def test_how_a_route_was_chosen(web: Web) -> None:
    page = web.get("/route?to=10.1.0.9")
    assert "10.1.0.0/26" in page.text
    assert "best: locally originated (RFC 4271 9.1.2.1)" in page.text
    assert "lost: locally originated" in page.text
    assert "127.0.1.3 the session is down" in page.text
    assert "refused: own AS 65001 in AS_PATH" in web.get("/route?to=10.3.0.0/26").text


@pytest.mark.parametrize(
    ("wanted", "status", "reason"),
    [
        ("192.0.2.1", 404, "no route to 192.0.2.1"),
        ("192.0.2.0%2F24", 404, "no route to 192.0.2.0/24"),
        ("nowhere", 400, "'nowhere' does not appear to be an IPv4 or IPv6 address"),
        ("10.1.0.1%2F26", 400, "'10.1.0.1/26' has host bits set; the prefix is 10.1.0.0/26"),
        ("", 400, "'' does not appear to be an IPv4 or IPv6 address"),
    ],
)
def test_a_route_that_there_is_not(web: Web, wanted: str, status: int, reason: str) -> None:
    page, answer = web.get(f"/route?to={wanted}"), web.get(f"/api/route?to={wanted}")
    assert (page.status, answer.status) == (status, status)
    assert reason in page.text
    assert json.loads(answer.body) == {"error": reason}


def test_programs_read_what_the_command_line_prints(web: Web) -> None:
    assert web.json("/api/summary")["routes"] == {"ipv4-unicast": 2}
    assert [peer["state"] == "Established" for peer in web.json("/api/neighbors")] == [True, False]
    (peer,) = web.json("/api/neighbors?peer=127.0.1.2")
    assert peer["routes"] == [
        {"family": "ipv4-unicast", "received": 3, "refused": 1, "best": 1},
        {"family": "ipv6-unicast", "received": 0, "refused": 0, "best": 0},
    ]
    (decision,) = web.json("/api/route?to=10.2.0.1")
    assert decision["prefix"] == "10.2.0.0/26"
    assert [one["best"] for one in decision["candidates"]] == [True]


def test_prometheus_reads_the_metrics(web: Web) -> None:
    answer = web.get("/metrics")
    assert answer.kind.startswith("text/plain; version=")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.body)
        for sample in family.samples
    }
    assert found["bgp_peer_up", "127.0.1.2"] == 1
    assert found["bgp_peer_up", "127.0.1.3"] == 0
    assert found["bgp_routes", "ipv4-unicast"] == 2
    assert found["bgp_peer_routes_refused", "ipv4-unicast", "127.0.1.2"] == 1
    assert found["bgp_peer_established_total", "127.0.1.2"] == 1
    assert found["process_resident_memory_bytes",] > 1e6


def test_an_address_that_is_taken_ends_the_run(web: Web, tmp_path: Path) -> None:
    file = tmp_path / "taken.toml"
    taken = web.base.removeprefix("http://")
    file.write_text(SPEAKER.replace('listen = "127.0.0.1:0"', f'listen = "{taken}"'))
    ended = bgp("run", str(file))
    assert ended.returncode == 1
    assert "Address already in use" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.9, "4 s"), (60, "1 min"), (3599, "59 min"), (11100, "3 h 5 min"), (187201, "2 d 4 h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
