from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest

from bgp.app.config import ConfigError, Configuration, load, parse
from bgp.app.own import own_routes
from bgp.app.schema import ALIASES, CHECKS, keys_of
from bgp.net.kernel import KernelOptions
from bgp.options import AddPathMode, NextHopSelf, PeerOptions, RestartMode, SpeakerOptions
from rib.attributes import Attributes, Origin
from rib.community import Community, LargeCommunity
from rib.decision import DecisionOptions
from rib.family import IPV4_UNICAST, IPV6_UNICAST, VPNV4
from rib.labelled import VpnPrefix
from rib.policy import Action, Match, Policy, PrefixRange, Rule, Set, accept, reject
from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher

SPEAKER = '[speaker]\nasn = 65001\nrouter_id = "10.0.0.1"\n'
PEER = SPEAKER + '[[peer]]\naddress = "10.0.0.2"\nasn = 65002\n'


def read(text: str) -> Configuration:
    return parse(text.encode(), "x.toml")


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return str(caught.value).split("\n")


#: A text after the `[speaker]` table, three lines long, and all that is said of it.
AFTER_SPEAKER = [
    ("foo = 1", ["x.toml:4: speaker.foo: unknown key; known are "]),
    ("router-id = 1", ["x.toml:4: speaker.router-id: unknown key; did you mean `router_id`?"]),
    ('listen = "10.0.0.1:179"', ['x.toml:4: speaker.listen: expected an array, got the text "10.0.0.1:179"']),
    (
        'listen = [\n"10.0.0.1:179",\n"10.0.0.1:70000", 7]',
        [
            "x.toml:6: speaker.listen[1]: '10.0.0.1:70000' is not ADDRESS:PORT or [IPV6]:PORT: port 70000 is out of range",
            "x.toml:6: speaker.listen[2]: expected text, got the number 7",
        ],
    ),
    ("control = 1", ["x.toml:4: speaker.control: expected text, got the number 1"]),
    (
        "confederation_members = [65002]",
        [
            "x.toml:1: speaker: confederation_members without confederation, the AS number that others see (RFC 5065)",
        ],
    ),
    ('cluster_id = "::1"', ["x.toml:4: speaker.cluster_id: '::1' is not an IPv4 address"]),
    (
        'networks = ["10.0.0.1/8"]',
        ["x.toml:4: speaker.networks[0]: '10.0.0.1/8' has host bits set; the prefix is 10.0.0.0/8"],
    ),
    (
        "decision = { always_compare_med = 1, med = true }",
        [
            "x.toml:4: speaker.decision.always_compare_med: expected true or false, got the number 1",
            "x.toml:4: speaker.decision.med: unknown key; known are "
            "always_compare_med, compare_as_path_length, med_missing_as_worst",
        ],
    ),
    ("[peers]", ["x.toml:4: peers: unknown key; did you mean `peer`?"]),
    ("[zebra]", ["x.toml:4: zebra: unknown key; known are announce, kernel, node, peer, policy, speaker, web"]),
    ("[peer]", ["x.toml:4: peer: expected an array of tables, [[peer]], got a table"]),
    ("[[announce]]", ["x.toml:4: announce[0]: expected `prefix`, `prefixes`, or `family` and `routes`"]),
    (
        '[[announce]]\nprefix = "10.0.0.1/24"',
        ["x.toml:5: announce[0].prefix: '10.0.0.1/24' has host bits set; the prefix is 10.0.0.0/24"],
    ),
    ('[[announce]]\nprefix = "pod"', ["x.toml:5: announce[0].prefix: 'pod' is not an IP prefix"]),
    ("[[announce]]\nprefix = 10", ["x.toml:5: announce[0].prefix: expected a prefix as text, got the number 10"]),
    (
        '[[announce]]\nprefix = "10.0.0.0/8"\ncommunities = [\n  "no-export",\n  "1:2:3",\n]\nas_path = "x"',
        [
            "x.toml:8: announce[0].communities[1]: '1:2:3' is not a community: "
            "write AS:VALUE, both below 65536, or a well-known name",
            "x.toml:10: announce[0].as_path: 'x' is not an AS_PATH: cannot read 'x'",
        ],
    ),
    (
        '[[announce]]\nprefixes = ["10.0.0.0/8"]\n[[announce]]\nprefix = "10.0.0.0/8"',
        ["x.toml:6: announce[1]: 10.0.0.0/8 is announced already (line 4)"],
    ),
    (
        '[[announce]]\nroutes = ["65000:1:10.0.0.0/8"]',
        ["x.toml:4: announce[0]: `routes` are of the family that `family` names, which is missing"],
    ),
    (
        '[[announce]]\nfamily = "bgp-sl"\nroutes = ["x"]',
        ["x.toml:5: announce[0].family: 'bgp-sl' is not an address family; known are "],
    ),
    ('[[peer]]\naddress = "10.0.0.2"', ["x.toml:4: peer[0].asn: missing"]),
    ('[[peer]]\naddress = "peer.example"\nasn = 1', ["x.toml:5: peer[0].address: 'peer.example' is not an IP address"]),
    (
        '[[peer]]\naddress = "::1"\nasn = 1\n[[peer]]\naddress = "0:0::1"\nasn = 2',
        ["x.toml:8: peer[1].address: ::1 is a peer already (line 5)"],
    ),
    ('[[policy]]\nname = "accept"', ["x.toml:5: policy[0].name: there is a policy 'accept' already"]),
    (
        '[[policy]]\nname = "p"\ndefault = "next"',
        ["x.toml:6: policy[0].default: after the last rule there is no next one: accept or reject"],
    ),
    ("[[policy]]\n", ["x.toml:4: policy[0]: missing key `name`"]),
    (
        '[[policy]]\nname = "p"\n[[policy.rule]]\nmatch = { prefixes = ["10.0.0.0/8 le 33"] }\nset = { med = -1 }\n'
        '[[policy.rule]]\nactoin = "accept"',
        [
            "x.toml:7: policy[0].rule[0].match.prefixes[0]: '10.0.0.0/8 le 33': ge and le must be numbers from 8 to 32",
            "x.toml:8: policy[0].rule[0].set.med: a MED is 0 to 4294967295, not -1",
            "x.toml:10: policy[0].rule[1].actoin: unknown key; did you mean `action`?",
        ],
    ),
]


@pytest.mark.parametrize(("text", "said"), AFTER_SPEAKER)
def test_what_is_wrong_is_said_with_line_and_key(text: str, said: list[str]) -> None:
    found = problems(SPEAKER + text + "\n")
    assert len(found) == len(said)
    for line, expected in zip(found, said, strict=True):
        assert line == expected or (expected.endswith("known are ") and line.startswith(expected))


#: Keys of a peer and what is said of them; the line is the seventh.
OF_A_PEER = [
    ('import = "nobody"', "import: there is no policy 'nobody'; there are accept, reject"),
    ("export = 1", "export: expected the name of a policy, got the number 1"),
    ('hold_time = "90"', 'hold_time: expected a whole number, got the text "90"'),
    ("hold_time = 2", "hold_time: hold time must be 0 or 3 to 65535 seconds, not 2"),
    ("hold_time = 90.5", "hold_time: expected a whole number, got the number 90.5"),
    ("connect_retry_time = 0", "connect_retry_time: a time is more than 0 seconds, not 0.0"),
    ("connect_retry_time = inf", "connect_retry_time: a time is more than 0 seconds, not inf"),
    ("port = 0", "port: a port is 1 to 65535, not 0"),
    ("passive = 1", "passive: expected true or false, got the number 1"),
    ('families = ["ipv4"]', "families[0]: 'ipv4' is not an address family; known are "),
    ('families = "ipv4-unicast"', 'families: expected an array, got the text "ipv4-unicast"'),
    (
        "next_hop_self = 1",
        'next_hop_self: expected true or false or "never" or "external" or "always", got the number 1',
    ),
    (
        'add_path = "some"',
        'add_path: expected true or false or "off" or "receive" or "send" or "both", got the text "some"',
    ),
    ('password = ""', "password: a TCP-MD5 password has 1 to 80 octets, not 0"),
    ("multihop = 256", "multihop: multihop is 1 to 255, not 256"),
    ("max_prefixes = 0", "max_prefixes: max_prefixes is 1 to 4294967295, not 0"),
    ("name = 1979-05-27", "name: expected text, got 1979-05-27"),
    ('next_hop_ipv6 = "10.0.0.1"', "next_hop_ipv6: '10.0.0.1' is not an IPv6 address"),
    ("local_asn = 0", "local_asn: an AS number is 1 to 4294967295, not 0"),
    ("allowas-in = 1", "allowas-in: unknown key; did you mean `allowas_in`?"),
    ("import_policy = 1", "import_policy: unknown key; did you mean `import`?"),
]


@pytest.mark.parametrize(("text", "said"), OF_A_PEER)
def test_what_is_wrong_with_a_peer(text: str, said: str) -> None:
    (found,) = problems(PEER + text + "\n")
    expected = f"x.toml:7: peer[0].{said}"
    assert found == expected or (said.endswith("known are ") and found.startswith(expected))


#: Texts that are wrong as a whole.
WHOLE = [
    (b"", "x.toml:1: expected a table [speaker] with `asn` and `router_id`"),
    (b"speaker = 1", "x.toml:1: speaker: expected a table, got the number 1"),
    (b"[speaker\n", "x.toml:1: not TOML: expected ']' at the end of a table declaration"),
    (b"[speaker]\nasn = 1\nasn = 2\n", "x.toml:3: not TOML: cannot overwrite a value"),
    (b"# one\n\n[a]\nx = \xff\n", "x.toml:4: octet 0xff is not UTF-8"),
    (b"[speaker]\r\nasn = 1\r\n", "x.toml:1: speaker.router_id: missing"),
]


@pytest.mark.parametrize(("octets", "said"), WHOLE)
def test_texts_that_are_wrong_as_a_whole(octets: bytes, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(octets, "x.toml")
    assert said in str(caught.value).split("\n")


def test_everything_that_is_wrong_is_said_in_the_order_of_the_lines() -> None:
    text = '[speaker]\nasn = 0\nrouter_id = "0.0.0.0"\n[[peer]]\nasn = 1\n[x]\n[[announce]]\nprefix = "a"\n'
    assert [line.split(": ")[0] for line in problems(text)] == [f"x.toml:{number}" for number in (2, 3, 4, 6, 8)]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml: cannot be read: No such file or directory$"):
        load(str(tmp_path / "missing.toml"))
    with pytest.raises(ConfigError, match=r": cannot be read: Is a directory$"):
        load(str(tmp_path))


def test_the_least_that_a_file_can_be() -> None:
    found = read(SPEAKER)
    assert found == Configuration(
        speaker=SpeakerOptions(asn=65001, router_id="10.0.0.1"),
        control=None,
        peers=(),
        policies={"accept": accept, "reject": reject},
        announced={},
    )


FULL = """
[speaker]
asn = 4200000000
router_id = "10.0.0.1"
listen = ["10.0.0.1:179", "[::1]:1790", "10.0.0.2"]
control = "/run/x.sock"
cluster_id = "1.1.1.1"
networks = ["10.0.0.0/8"]
hostname = "node"
decision = { always_compare_med = true }

[[policy]]
name = "customers"
default = "accept"
[[policy.rule]]
match = { prefixes = ["10.0.0.0/8 le 24", "2001:db8::/32"], communities = ["65001:1", "blackhole"], origin = "egp" }
action = "next"
set = { local_pref = 200, add_communities = ["65001:2"], prepend = [65001, 65001] }
[[policy.rule]]
action = "reject"

[[announce]]
prefixes = ["10.1.0.0/26", "2001:db8:1::/48"]
prefix = "10.2.0.0/24"
communities = ["65001:7", "no-export"]
large_communities = ["1:2:3"]
med = 10
origin = "incomplete"

[[peer]]
address = "10.0.0.2"
asn = 65001
name = "tor1"
port = 1790
local_address = "10.0.0.1"
families = ["ipv4-unicast"]
import = "customers"
export = "reject"
next_hop_self = "external"
connect_retry_time = 3
add_path = "receive"
graceful_restart = "on"
password = "secret"
ttl_security = true
multihop = 2

[[peer]]
address = "10.0.0.3"
asn = 65002
next_hop_self = true
add_path = false
"""


def test_every_kind_of_key() -> None:
    found = read(FULL)
    customers = Policy(
        "customers",
        (
            Rule(
                Match(
                    prefixes=(PrefixRange.parse("10.0.0.0/8 le 24"), PrefixRange.parse("2001:db8::/32")),
                    communities=(Community.parse("65001:1"), Community.parse("blackhole")),
                    origin=Origin.EGP,
                ),
                Action.NEXT,
                Set(local_pref=200, add_communities=(Community.parse("65001:2"),), prepend=(65001, 65001)),
            ),
            Rule(action=Action.REJECT),
        ),
        default=Action.ACCEPT,
    )
    assert found.speaker == SpeakerOptions(
        asn=4200000000,
        router_id="10.0.0.1",
        listen=("10.0.0.1:179", "[::1]:1790", "10.0.0.2"),
        cluster_id="1.1.1.1",
        networks=("10.0.0.0/8",),
        hostname="node",
        decision=DecisionOptions(always_compare_med=True),
    )
    assert found.control == "/run/x.sock"
    assert found.policies["customers"] == customers
    assert found.peers == (
        PeerOptions(
            "10.0.0.2",
            65001,
            name="tor1",
            port=1790,
            local_address="10.0.0.1",
            families=(IPV4_UNICAST,),
            import_policy=customers,
            export_policy=reject,
            next_hop_self=NextHopSelf.EXTERNAL,
            connect_retry_time=3.0,
            add_path=AddPathMode.RECEIVE,
            graceful_restart=RestartMode.ON,
            password="secret",
            ttl_security=True,
            multihop=2,
        ),
        PeerOptions("10.0.0.3", 65002, next_hop_self=NextHopSelf.ALWAYS, add_path=AddPathMode.OFF),
    )
    assert found.peers[1].families == (IPV4_UNICAST, IPV6_UNICAST)
    attributes = Attributes(
        origin=Origin.INCOMPLETE,
        med=10,
        communities=(Community.parse("65001:7"), Community.parse("no-export")),
        large_communities=(LargeCommunity(1, 2, 3),),
    )
    prefixes = ("10.2.0.0/24", "10.1.0.0/26", "2001:db8:1::/48")
    assert found.announced == dict.fromkeys(own_routes(map(Prefix, prefixes), None, ()), attributes)


def test_routes_of_another_family() -> None:
    text = '[[announce]]\nfamily = "vpnv4"\nroutes = ["{}"]\next_communities = ["rt:65000:1"]\n'
    value = VpnPrefix(RouteDistinguisher.parse("65000:1"), Prefix("10.0.0.0/8"), (100,))
    found = read(SPEAKER + text.format(value))
    assert [(route.family, route.destination) for route in found.announced] == [(VPNV4, value)]
    (said,) = problems(SPEAKER + text.format("somewhere"))
    assert said.startswith("x.toml:4: announce[0]: ")
    assert "somewhere" in said


def test_the_kernel_is_programmed_if_the_file_says_so() -> None:
    assert read(SPEAKER).kernel is None
    assert read(SPEAKER + "[kernel]\n").kernel == KernelOptions()
    found = read(SPEAKER + '[kernel]\nmetric = 7\nmax_paths = 4\nsource_ipv4 = "10.0.0.1"\nkeep = true\n')
    assert found.kernel == KernelOptions(metric=7, max_paths=4, source_ipv4="10.0.0.1", keep=True)
    assert problems(SPEAKER + "[kernel]\nmetric = 0\nprotocol = 4\n") == [
        "x.toml:5: kernel.metric: a metric is 1 to 4294967295, not 0",
        "x.toml:6: kernel.protocol: a protocol number of our own is 5 to 255, not 4",
    ]


@pytest.mark.parametrize("options", [PeerOptions, SpeakerOptions, KernelOptions, Match, Set, Rule, Policy])
def test_every_option_is_a_key(options: type) -> None:
    names = {ALIASES.get(field.name, field.name) for field in fields(options) if field.init}
    assert set(keys_of(options)) == names


#: Numbers and texts that are right whatever they are.
FREE = {"name", "hostname", "add_local_pref", "max_path_length", "min_path_length", "sources"}


@pytest.mark.parametrize("options", [PeerOptions, SpeakerOptions, KernelOptions, Match, Set])
def test_every_number_and_text_of_the_options_is_checked(options: type) -> None:
    hints = get_type_hints(options)
    loose = {
        int,
        float,
        str,
        int | None,
        float | None,
        str | None,
        tuple[str, ...],
        tuple[int, ...],
        tuple[str, ...] | None,
    }
    assert {name for name, hint in hints.items() if hint in loose} - CHECKS.keys() <= FREE


def test_the_file_that_the_benchmark_uses() -> None:
    text = (Path(__file__).parents[2] / "bench" / "speaker.toml").read_text()
    filled = {
        "{asn}": "65000",
        "{router_id}": "10.99.0.1",
        "{address}": "10.99.0.1",
        "{port}": "179",
        "{dir}": "/tmp",
        "{peer_address}": "10.99.0.2",
        "{peer_as}": "65002",
        "%%peers\n": "",
        "%%end\n": "",
    }
    for name, value in filled.items():
        text = text.replace(name, value)
    assert read(text).peers[0].import_policy == accept
