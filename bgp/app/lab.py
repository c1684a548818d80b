"""`bgp lab MODEL`: a command for each model, its options made from the model's parameters."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from inspect import Parameter as Argument
from inspect import Signature
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, NoReturn

import typer

from bgp.error import LocalError
from bgp.lab.command import FABRICS, LabOptions, run_lab
from bgp.lab.fault import GRAMMAR
from bgp.lab.models import MODELS, Model, Parameter
from bgp.lab.scale import run_scale

app: Final = typer.Typer(
    no_args_is_help=True,
    help="Run a whole topology of speakers and hold what it does against what was predicted.",
)


def _option(parameter: Parameter) -> Argument:
    choices = "|".join(parameter.choices)
    kind = type(parameter.default)
    info = typer.Option(
        f"--{parameter.name.replace('_', '-')}",
        help=parameter.about,
        metavar=f"[{choices}]" if choices else None,
        show_default=bool(parameter.default),
    )
    return Argument(parameter.name, Argument.KEYWORD_ONLY, default=parameter.default, annotation=Annotated[kind, info])


class Option(NamedTuple):
    """An option that all models have. `kind` is what typer reads it as."""

    name: str
    kind: object
    default: object
    about: str
    metavar: str | None = None
    flag: str = ""

    def argument(self) -> Argument:
        """The option as a parameter of a command."""
        flag = self.flag or f"--{self.name.replace('_', '-')}"
        shown = self.default not in (None, False, "", [])
        info = typer.Option(flag, help=self.about, metavar=self.metavar, show_default=shown)
        return Argument(self.name, Argument.KEYWORD_ONLY, default=self.default, annotation=Annotated[self.kind, info])


_COMMON: Final = (
    Option("fabric", str, FABRICS[0], "what the speakers run on", f"[{'|'.join(FABRICS)}]"),
    Option("pods", int, 1, "pods of a node"),
    Option("trace", tuple[str, str], None, "the way of a packet from a pod of one node to one of another", "NODE NODE"),
    Option("ping", str, "", "all: who reaches whom", "all"),
    Option("fail", list[str], [], f"let something break, and see what follows: {GRAMMAR}", "FAULT"),
    Option("hold_time", int, None, "hold time of all sessions, in seconds", "SECONDS"),
    Option("virtual", bool, False, "run in virtual time: the same for every run with one seed", flag="--virtual"),
    Option("seed", int, 0, "what virtual time draws its delays and its order from"),
    Option(
        "daemon", list[str], [], "on netns: bird or frr in our speaker's place; NODE may be a role or all", "NODE=NAME"
    ),
    Option("svg", Path, None, "draw topology, sessions and routes", "FILE"),
    Option("export", Path, None, "write BIRD's and FRR's configuration of each node", "DIR"),
    Option("scale", str, "", "run at growing size, and plot what it costs", "N,N,…"),
    Option("against", str, "", "with --scale: another model to compare with", "MODEL"),
    Option("plot", Path, Path("lab-scale"), "with --scale: where the curves go, without .svg and .png", "FILE"),
    Option("json_output", bool, False, "print the result as one JSON object", flag="--json"),
)


def _run(model: str, parameters: dict[str, int | str], options: dict[str, Any]) -> int:
    json_output = options.pop("json_output")
    scale, against, plot = (options.pop(name) for name in ("scale", "against", "plot"))
    if against and not scale:
        raise LocalError("--against is for --scale")
    if scale:
        plot = _growth_alone(options, plot)
        return run_scale(
            model, parameters, wanted=scale, against=against, plot=plot, json_output=json_output, out=sys.stdout
        )
    if (ping := options.pop("ping")) not in ("", "all"):
        raise LocalError(f"--ping is {ping!r}; it must be all")
    trace = options.pop("trace")
    fabric = options.pop("fabric")
    if fabric == "netns" and os.geteuid() != 0:
        _become_root_of_our_own()
    chosen = LabOptions(
        daemons=tuple(_daemon(one) for text in options.pop("daemon") for one in text.split(",")),
        ping=bool(ping),
        trace=() if trace is None else (trace,),
        fail=tuple(options.pop("fail")),
        **options,
    )
    return run_lab(model, parameters, fabric=fabric, json_output=json_output, out=sys.stdout, options=chosen)


def _growth_alone(options: dict[str, Any], plot: Path) -> Path:
    """Where the curves go: with --scale that is what --svg means too. Raises LocalError for what --scale does not do."""
    if options["fabric"] != "memory":
        raise LocalError("--scale measures the memory fabric alone")
    usual = {option.name: option.default for option in _COMMON}
    for name, value in options.items():
        if name not in ("svg", "seed") and value != usual[name]:
            raise LocalError(f"--scale does not go together with --{name.replace('_', '-')}")
    svg: Path | None = options["svg"]
    return plot if svg is None else svg.with_suffix("") if svg.suffix == ".svg" else svg


def _daemon(text: str) -> tuple[str, str]:
    name, equals, daemon = text.partition("=")
    if not equals:
        raise LocalError(f"--daemon {text}: write NODE=NAME, such as spine=frr or all=bird")
    return name, daemon


def _become_root_of_our_own() -> NoReturn:
    """Begin again as root of a new user namespace, which has no more rights over the machine than we have.

    Raises LocalError where that is not allowed.
    """
    try:
        os.execvp("unshare", ["unshare", "-Urnm", "--", sys.executable, "-m", "bgp", *sys.argv[1:]])
    except OSError as error:
        raise LocalError(f"real kernels need root, or unshare of util-linux: {error.strerror}") from error


def _command(model: Model) -> Callable[..., None]:
    names = [parameter.name for parameter in model.parameters]

    def command(**options: Any) -> None:
        parameters = {name: options.pop(name) for name in names}
        raise typer.Exit(_run(model.name, parameters, options))

    arguments = [*map(_option, model.parameters), *(option.argument() for option in _COMMON)]
    # typer reads a command's options from its signature; this one's is known only now.
    command.__signature__ = Signature(arguments)  # type: ignore[attr-defined]
    command.__annotations__ = {argument.name: argument.annotation for argument in arguments}
    command.__doc__ = f"{model.about[:1].upper()}{model.about[1:]}."
    return command


for _model in MODELS.values():
    app.command(_model.name)(_command(_model))
