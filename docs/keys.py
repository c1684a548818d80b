"""Writes configuration.md and control.md, whose tables are the options and the questions in the code.

    python docs/keys.py

A test holds that the pages are what this would write.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Final, Union, get_args, get_origin, get_type_hints

from prometheus_client.core import Metric

from bgp.app.config import Announcement, Program
from bgp.app.node.options import NodeOptions
from bgp.app.protocol import QUESTIONS
from bgp.app.schema import ALIASES, spelling, switches
from bgp.app.view import Summary
from bgp.app.web import metrics
from bgp.app.web.options import WebOptions
from bgp.app.web.pages import REFRESH
from bgp.net.kernel import KernelOptions
from bgp.options import PeerOptions, SpeakerOptions
from rib.as_path import AsPath
from rib.decision import DecisionOptions
from rib.policy import Match, Policy, Rule, Set

HERE: Final = Path(__file__).parent
#: What stands in a file for a value of these types.
WORDS: Final = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
    "Family": "address family",
    "Policy": "name of a policy",
    "PrefixRange": "prefix range",
    "AsPath": "AS_PATH",
    "IPv4Address": "IP address",
    "IPv6Address": "IP address",
}


def _words(hint: object) -> str:
    """A type as a reader of the manual knows it."""
    arguments = [one for one in get_args(hint) if one is not NoneType]
    if get_origin(hint) is tuple:
        return f"array of {_words(arguments[0])}"
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(_words, arguments)))
    assert isinstance(hint, type)
    if issubclass(hint, Enum):
        return " or ".join(f"`{word}`" for word in (*switches(hint), *(f'"{spelling(one)}"' for one in hint)))
    if hint.__name__ in WORDS:
        return WORDS[hint.__name__]
    return "table" if is_dataclass(hint) else re.sub(r"(?<=[a-z])(?=[A-Z])", " ", hint.__name__).lower()


def _value(value: object) -> str:
    """A value as TOML has it; a dash for none."""
    match value:
        case None | () | "" | AsPath(segments=()):
            return "–"
        case bool():
            return f"`{str(value).lower()}`"
        case Enum():
            return f'`"{spelling(value)}"`'
        case tuple():
            inner = ", ".join(f'"{one}"' for one in value)
            return f"`[{inner}]`"
        case str():
            return f'`"{value}"`'
        case int() | float():
            return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
        case _:
            return "see below" if is_dataclass(value) else str(value)


def _default(field: Field[object]) -> str:
    return "**needed**" if field.default is MISSING and field.default_factory is MISSING else _value(field.default)


def _comments(kind: type) -> dict[str, str]:
    """What the source says beside each field, or in the lines before it."""
    found: dict[str, str] = {}
    before: list[str] = []
    for line in inspect.getsource(kind).splitlines():
        if comment := re.match(r"    #: (.*)", line):
            before.append(comment[1])
        elif field := re.match(r"    (\w+): [^#]*(?:#: (.*))?$", line):
            found[field[1]] = " ".join([*before, *filter(None, [field[2]])])
            before = []
        else:
            before = []
    return found


def _rows(kind: type) -> Iterator[str]:
    hints, comments = get_type_hints(kind), _comments(kind)
    for field in fields(kind):
        if field.init:
            name = ALIASES.get(field.name, field.name)
            about = comments.get(field.name, "").replace("None:", "without it:")
            yield f"| `{name}` | {_words(hints[field.name])} | {_default(field)} | {about} |"


def keys(*kinds: type) -> str:
    """The table of the keys that are the fields of these options."""
    head = "| key | value | default | what it is |\n| --- | --- | --- | --- |"
    return "\n".join([head, *(row for kind in kinds for row in _rows(kind))])


def _questions() -> Iterator[str]:
    for name, kind in QUESTIONS.items():
        hints = get_type_hints(kind)
        named = ", ".join(
            f"`{one.name}` ({_words(hints[one.name])}{', **needed**' if one.default is MISSING else ''})"
            for one in fields(kind)
        )
        about = " ".join(str(kind.__doc__).split())
        yield f"| `{name}` | {named or '–'} | {about} |"


def control() -> str:
    """The page of the control protocol."""
    head = "| `ask` | with | what it does |\n| --- | --- | --- |"
    return CONTROL.replace("{questions}", "\n".join([head, *_questions()]))


def configuration() -> str:
    """The page of the configuration file."""
    tables = {
        "speaker": keys(SpeakerOptions, Program),
        "decision": keys(DecisionOptions),
        "kernel": keys(KernelOptions),
        "node": keys(NodeOptions),
        "web": keys(WebOptions),
        "announce": keys(Announcement),
        "peer": keys(PeerOptions),
        "policy": keys(Policy),
        "rule": keys(Rule),
        "match": keys(Match),
        "set": keys(Set),
    }
    return re.sub(r"^\{(\w+)\}$", lambda found: tables[found[1]], TEMPLATE, flags=re.MULTILINE)


TEMPLATE: Final = """\
# Configuration

A speaker's file is TOML. `bgp check FILE` says what it means, `bgp run FILE` runs it. Whatever is wrong with a file is
said with file, line and key, all of it at once, and the exit status is 2. The tables here are made from the code by
`docs/keys.py`.

```toml
[speaker]
asn = 65001
router_id = "10.0.0.1"
listen = ["10.0.0.1:179", "[2001:db8::1]:179"]

[[announce]]
prefix = "10.1.0.0/26"
communities = ["65001:100"]

[[policy]]
name = "customers"
[[policy.rule]]
match = { prefixes = ["10.0.0.0/8 le 24", "2001:db8::/32 le 48"], communities = ["65000:1"] }
set = { local_pref = 200 }

[[peer]]
address = "10.0.0.2"
name = "tor1"
asn = 65000
import = "customers"
export = "accept"
```

An external session without an import policy takes no routes, one without an export policy announces none (RFC 8212). On
an internal session both are `accept` unless something else is written.

SIGHUP and `bgp reload` read the file again: prefixes and peers come and go, policies change under a session that stays
up, any other option of a peer starts its session anew (Cease 6/6). A file that is wrong, or changes `[speaker]`,
`[kernel]` or `[web]`, is refused with the reason, and the old one stays in force. What `bgp announce` announced is none of the
file's business and stays.

## [speaker]

{speaker}

An address to listen on is `ADDRESS:PORT`, `[IPV6]:PORT`, or an address alone for port 179.

### speaker.decision

{decision}

## [kernel]

With this table, routes go into the kernel; without it none do.

{kernel}

## [node]

For `bgp node`, which [a page of its own](node.md) is about.

{node}

## [web]

With this table, the speaker serves [a web page and metrics](web.md); without it, none.

{web}

## [[announce]]

Routes that the speaker originates. At least one of `prefix`, `prefixes` and `routes` must be there.

{announce}

A community is `AS:VALUE` or a well-known name such as `no-export`; a large community `A:B:C`; an extended one `target:AS:N`,
`origin:AS:N`, another of the words that `bgp decode` prints, or 16 hexadecimal digits. An AS_PATH is numbers with spaces
between, `{1,2}` for a set.

## [[peer]]

{peer}

Families have the names of `docs/design.md`, such as `ipv4-unicast`; two numbers, `afi-1/safi-128`, do as well.

## [[policy]]

`accept` and `reject` are there without being written. In any other policy, the first rule that matches decides, unless
its action is `next`: then its changes are made and the rules after it are asked. Where no rule decides, `default` does.

{policy}

### [[policy.rule]]

{rule}

### match

All that is written must hold; where there are several values, one of them. An empty one matches every route.

{match}

A prefix range is a prefix, which means just this prefix, or `PREFIX ge N`, `PREFIX le N`, `PREFIX ge N le M` for those
within it that are so long.

### set

{set}
"""


CONTROL: Final = """\
# The control socket

A running speaker answers on a Unix socket that only its owner may use: `--control PATH`, else `control` in the
configuration, else `$BGP_CONTROL`, else `/run/bgp/control.sock` (`$XDG_RUNTIME_DIR/bgp/control.sock` for anyone but
root). `bgp show …`, `bgp announce` and the rest ask there; so can any program. The table is made from the code by
`docs/keys.py`.

A question is a line of JSON with the key `ask` and what belongs to it, each value as in a configuration file. The answer
is any number of lines `{"row": …}`, then `{"end": …}`, or `{"error": TEXT, "status": N}`: why not, and the exit status
that a command would have (1: it failed, 2: it was asked wrongly). Any number of questions may follow each other on a
connection.

```python
import json
import socket


def ask(path, **question):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(json.dumps(question).encode() + b"\\n")
        for line in connection.makefile():
            found = json.loads(line)
            if "row" not in found:
                assert "error" not in found, found["error"]
                return
            yield found["row"]


def print_routes(path, within):
    for route in ask(path, ask="routes", within=within):
        print(route["prefix"], "from", route["from"])
```

A listing is of one moment and comes in the order of the prefixes. It is sent in pieces and waits for a slow reader, while
the speaker goes on. Routes are objects with `prefix`, `family`, `from`, `kind` (local, internal, external) and the path
attributes that are there.

{questions}
"""

WEB: Final = """\
# The web page and metrics

With a table `[web]` in its configuration, `bgp run` or `bgp node` serves a page that says what `bgp show` says: which
sessions are down and why, how the best path to a prefix was chosen, who hears of it and who does not.

```toml
[speaker]
asn = 65001
router_id = "10.0.0.1"

[web]
listen = "127.0.0.1:9180"
```

It needs `pip install 'trio-bgp[web]'`. It only reads, and whoever reaches the address may read all of it: there is no
password. The page loads nothing from elsewhere and runs no script; it asks again every {refresh} s.

![The first page of a speaker with three neighbours](images/web.png)

| path | what it is |
| --- | --- |
| `/` | the speaker, its neighbours, the routes that the kernel lacks |
| `/neighbor/PEER` | one neighbour, by address or name |
| `/route?to=PREFIX` | every path to a prefix, refused ones too, and what decided; `to=ADDRESS`: to the prefix that it is in |
| `/api/summary`, `/api/neighbors`, `/api/route?to=PREFIX` | the same as JSON, as `bgp show … --json` prints it |
| `/metrics` | for Prometheus |

What is not there is 404, what cannot be is 400; in JSON with `{{"error": TEXT}}`.

## Metrics

Those of a neighbour have the label `peer`, its address; `bgp_peer_info` has its name, AS number and state beside it. Those
of the process (`process_…`) are there too.

| metric | what it is |
| --- | --- |
{metrics}
"""


def _name(metric: Metric) -> str:
    """As Prometheus shows it."""
    return metric.name + {"counter": "_total", "info": "_info"}.get(metric.type, "")


def web() -> str:
    """The page of the web pages."""
    measured = [*metrics.of_speaker(NOBODY)]
    rows = [row.kind(row.name, row.about) for row in (*metrics.PEERS, *metrics.FAMILIES, *metrics.KERNEL)]
    lines = "\n".join(f"| `{_name(one)}` | {one.documentation} |" for one in [*measured, *rows])
    return WEB.format(refresh=REFRESH, metrics=lines)


#: A speaker whose metrics have names.
NOBODY: Final = Summary(1, "10.0.0.1", "", (), 0, 0, {}, 0, 0, 0, "no", ())
PAGES: Final = {"configuration.md": configuration, "control.md": control, "web.md": web}


if __name__ == "__main__":
    for name, made in PAGES.items():
        (HERE / name).write_text(made())
