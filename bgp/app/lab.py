"""`bgp lab MODEL`: a command for each model, its options made from the model's parameters."""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import Parameter as Argument
from inspect import Signature
from typing import Annotated, Final

import typer

from bgp.lab.command import FABRICS, MODELS, Model, Parameter, run_lab

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


_COMMON: Final = (
    Argument(
        "fabric",
        Argument.KEYWORD_ONLY,
        default=FABRICS[0],
        annotation=Annotated[str, typer.Option(help="what the speakers run on", metavar=f"[{'|'.join(FABRICS)}]")],
    ),
    Argument(
        "json_output",
        Argument.KEYWORD_ONLY,
        default=False,
        annotation=Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")],
    ),
)


def _command(model: Model) -> Callable[..., None]:
    names = [parameter.name for parameter in model.parameters]

    def command(**options: object) -> None:
        parameters = {name: options.pop(name) for name in names}
        raise typer.Exit(run_lab(model.name, parameters, out=sys.stdout, **options))  # type: ignore[arg-type]

    arguments = [*map(_option, model.parameters), *_COMMON]
    # typer reads a command's options from its signature; this one's is known only now.
    command.__signature__ = Signature(arguments)  # type: ignore[attr-defined]
    command.__annotations__ = {argument.name: argument.annotation for argument in arguments}
    command.__doc__ = f"{model.about[:1].upper()}{model.about[1:]}."
    return command


for _model in MODELS.values():
    app.command(_model.name)(_command(_model))
