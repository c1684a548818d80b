"""The commands that talk to a running speaker: `bgp show …`, `bgp announce` and the rest, with a command line of their own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from bgp.app import show as shown
from bgp.app.client import VARIABLE, Answer, ask, choose_path, default_path
from bgp.app.commands import command_line

show: Final = typer.Typer(no_args_is_help=True, help="Ask a running speaker what it holds and why.")

Control = Annotated[
    str | None,
    typer.Option(
        "--control",
        metavar="PATH",
        help=f"The speaker's control socket. Default: ${VARIABLE}, else {default_path()}.",
        show_default=False,
    ),
]
JsonOutput = Annotated[bool, typer.Option("--json", help="Print JSON, an object a line.")]
FamilyOption = Annotated[str | None, typer.Option("--family", metavar="FAMILY", help="Only ipv4-unicast, …")]
PeerOption = Annotated[
    str | None, typer.Option("--peer", metavar="PEER", help="Only of the peer of this address or name.")
]
Within = Annotated[str | None, typer.Option("--within", metavar="PREFIX", help="Only prefixes that this one covers.")]
PeerArgument = Annotated[str, typer.Argument(metavar="PEER", help="Address or name of a peer.")]
Routes = Annotated[
    list[str],
    typer.Argument(
        metavar="PREFIX...", help="Prefixes, such as 10.1.0.0/26; with --family, its routes as `bgp show` prints them."
    ),
]
OfFamily = Annotated[str | None, typer.Option("--family", metavar="FAMILY", help="Routes of another family: vpnv4, …")]
Message = Annotated[str, typer.Option("--message", metavar="TEXT", help="What to tell the peers (RFC 9003).")]


def _ask(control: str | None, name: str, **arguments: object) -> Answer:
    return ask(choose_path(control), name, **arguments)


def _list_routes(answer: Answer, columns: Sequence[shown.Column], *, json_output: bool, none: str) -> None:
    if json_output:
        shown.show_rows(answer, sys.stdout)
    elif not shown.show_routes(answer, columns, sys.stdout):
        print(none)


@show.command("summary")
def show_summary(control: Control = None, json_output: JsonOutput = False) -> None:
    """The speaker, and a line for each peer.

    Example: bgp show summary
    """
    answer = _ask(control, "summary")
    for text in answer:
        if json_output:
            print(text)
        else:
            shown.show_summary(shown.parsed(text), sys.stdout)


@show.command("kernel")
def show_kernel(control: Control = None, json_output: JsonOutput = False) -> None:
    """The routes that are in the kernel, counted, and those that are not, with the reason.

    Example: bgp show kernel
    """
    for text in _ask(control, "kernel"):
        if json_output:
            print(text)
        else:
            shown.show_kernel(shown.parsed(text), sys.stdout)


@show.command("neighbors")
def show_neighbors(
    peer: Annotated[str | None, typer.Argument(metavar="[PEER]", help="Address or name. Default: all.")] = None,
    control: Control = None,
    json_output: JsonOutput = False,
) -> None:
    """All that is known of the peers: above all, why a session is down.

    Example: bgp show neighbors 10.0.0.2
    """
    for text in _ask(control, "neighbors", peer=peer):
        if json_output:
            print(text)
        else:
            shown.show_neighbor(shown.parsed(text), sys.stdout)


@show.command("routes")
def show_routes(
    family: FamilyOption = None,
    peer: PeerOption = None,
    within: Within = None,
    control: Control = None,
    json_output: JsonOutput = False,
) -> None:
    """The best route to each prefix (the Loc-RIB).

    Example: bgp show routes --family ipv4-unicast --within 10.0.0.0/8
    """
    answer = _ask(control, "routes", family=family, peer=peer, within=within)
    _list_routes(answer, shown.ROUTES, json_output=json_output, none="no routes")


@show.command("received")
def show_received(
    peer: PeerArgument,
    family: FamilyOption = None,
    within: Within = None,
    control: Control = None,
    json_output: JsonOutput = False,
) -> None:
    """What a peer announced, refused routes included (its Adj-RIB-In).

    Example: bgp show received 10.0.0.2
    """
    answer = _ask(control, "received", peer=peer, family=family, within=within)
    _list_routes(answer, shown.RECEIVED, json_output=json_output, none="it announced nothing")


@show.command("sent")
def show_sent(
    peer: PeerArgument,
    family: FamilyOption = None,
    within: Within = None,
    control: Control = None,
    json_output: JsonOutput = False,
) -> None:
    """What a peer has been told, with the attributes as they went out (its Adj-RIB-Out).

    Example: bgp show sent 10.0.0.2
    """
    answer = _ask(control, "sent", peer=peer, family=family, within=within)
    _list_routes(answer, shown.ROUTES, json_output=json_output, none="it has been told nothing")


@show.command("rejected")
def show_rejected(
    family: FamilyOption = None,
    peer: PeerOption = None,
    within: Within = None,
    lost: Annotated[
        bool, typer.Option("--lost", help="Also usable routes that lost, with the step that decided.")
    ] = False,
    control: Control = None,
    json_output: JsonOutput = False,
) -> None:
    """Received routes that may not be used, each with the reason.

    Example: bgp show rejected --lost --within 10.0.0.0/8
    """
    answer = _ask(control, "rejected", family=family, peer=peer, within=within, lost=lost)
    _list_routes(answer, shown.REJECTED, json_output=json_output, none="no received route is rejected")


@show.command("route")
def show_route(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="Exactly this prefix.")],
    control: Control = None,
    json_output: JsonOutput = False,
) -> None:
    """Every path to a prefix, which is the best, and the step of the decision process that said so.

    Example: bgp show route 10.1.0.0/26
    """
    _decisions(_ask(control, "route", prefix=prefix), json_output=json_output)


@show.command("lookup")
def show_lookup(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where a packet wants to go.")],
    control: Control = None,
    json_output: JsonOutput = False,
) -> None:
    """The route for an address: the longest prefix that covers it, shown as by `bgp show route`.

    Example: bgp show lookup 10.1.0.7
    """
    _decisions(_ask(control, "lookup", to=address), json_output=json_output)


def _decisions(answer: Answer, *, json_output: bool) -> None:
    for text in answer:
        if json_output:
            print(text)
        else:
            shown.show_decision(shown.parsed(text), sys.stdout)


def _obey(answer: Answer) -> None:
    for _ in answer:
        pass
    print(answer.end)


def _named(routes: list[str], family: str | None) -> dict[str, object]:
    return {"prefixes": routes} if family is None else {"family": family, "routes": routes}


Values = list[str] | None


def announce(
    routes: Routes,
    family: OfFamily = None,
    next_hop: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Default: our own address.")] = None,
    med: Annotated[int | None, typer.Option(help="MULTI_EXIT_DISC.")] = None,
    local_pref: Annotated[int | None, typer.Option(help="LOCAL_PREF, towards internal peers.")] = None,
    origin: Annotated[str | None, typer.Option(metavar="[igp|egp|incomplete]", help="ORIGIN.")] = None,
    as_path: Annotated[
        str | None, typer.Option(metavar="PATH", help='AS_PATH before our own, such as "65001 65002".')
    ] = None,
    community: Annotated[Values, typer.Option(metavar="AS:N", help="A community or its name; may be repeated.")] = None,
    large_community: Annotated[Values, typer.Option(metavar="A:B:C", help="May be repeated.")] = None,
    ext_community: Annotated[Values, typer.Option(metavar="target:AS:N", help="May be repeated.")] = None,
    control: Control = None,
) -> None:
    """Originate routes, or change the attributes of those that are originated.

    Example: bgp announce 10.1.0.0/26 --community 65000:1 --community no-export --med 10
    """
    answer = _ask(
        control,
        "announce",
        **_named(routes, family),
        next_hop=next_hop,
        med=med,
        local_pref=local_pref,
        origin=origin,
        as_path=as_path,
        communities=community,
        large_communities=large_community,
        ext_communities=ext_community,
    )
    _obey(answer)


def withdraw(routes: Routes, family: OfFamily = None, control: Control = None) -> None:
    """Originate routes no more.

    Example: bgp withdraw 10.1.0.0/26
    """
    _obey(_ask(control, "withdraw", **_named(routes, family)))


def reset(peer: PeerArgument, message: Message = "", control: Control = None) -> None:
    """End a session with Cease 6/4; it comes up again.

    Example: bgp reset 10.0.0.2 --message "new cable"
    """
    _obey(_ask(control, "reset", peer=peer, message=message))


def refresh(peer: PeerArgument, control: Control = None) -> None:
    """Tell a peer all routes again, as if it had asked for a route refresh (RFC 2918).

    Example: bgp refresh 10.0.0.2
    """
    _obey(_ask(control, "refresh", peer=peer))


def drain(
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="For the peers to find other ways.")] = 30.0,
    control: Control = None,
) -> None:
    """Leave in good order: tag all routes graceful-shutdown (RFC 8326), wait, then take them back; sessions stay up.

    Returns when all is told, and goes on if it is interrupted. Undone by `bgp undrain`.

    Example: bgp drain --wait 60 && bgp shutdown
    """
    _obey(_ask(control, "drain", wait=wait))


def undrain(control: Control = None) -> None:
    """Announce again what `bgp drain` took back, or call it off.

    Example: bgp undrain
    """
    _obey(_ask(control, "undrain"))


def reload(control: Control = None) -> None:
    """Read the configuration again, as SIGHUP does. A wrong one is refused and the old one stays.

    Example: bgp reload
    """
    _obey(_ask(control, "reload"))


def shutdown(message: Message = "", control: Control = None) -> None:
    """End the speaker: every session ends with Cease 6/2.

    Example: bgp shutdown --message "maintenance until 14:00"
    """
    _obey(_ask(control, "shutdown", message=message))


#: Commands of `bgp` itself.
COMMANDS: Final = (announce, withdraw, reset, refresh, drain, undrain, reload, shutdown)
app: Final = command_line()
for _command in COMMANDS:
    app.command()(_command)
app.add_typer(show, name="show")


def main() -> None:
    """Run it; raises SystemExit."""
    app()
