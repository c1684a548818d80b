"""Curves of growth, drawn by matplotlib; loaded only where it is there (`trio-bgp[plot]`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bgp.lab.point import MEASURES, Point, pictures

COLOURS: Final = ("#3266ad", "#d9541e")


def plot(points: Sequence[Point], base: Path) -> list[Path]:
    """Draw all measures over the size into `base`.svg and `base`.png, the axes logarithmic but for memory; gives the two.

    The dotted lines of the sessions grow with N and N² from a model's first point. Raises OSError where it cannot write.
    """
    figure = Figure(figsize=(10, 7), layout="constrained")
    FigureCanvasAgg(figure)
    models = list(dict.fromkeys(point.model for point in points))
    for axes, (field, words) in zip(figure.subplots(2, 2).flat, MEASURES, strict=True):
        for model, colour in zip(models, COLOURS, strict=False):
            own = [point for point in points if point.model == model]
            _curve(axes, own, field, colour)
            if field == "seconds":
                axes.plot([point.size for point in own], [point.cpu for point in own], "--", color=colour, alpha=0.6)
        axes.set_xscale("log")
        axes.set_yscale("linear" if field == "megabytes" else "log")
        sizes = sorted({point.size for point in points})
        axes.set_xticks(sizes, labels=[str(size) for size in sizes], minor=False)
        axes.minorticks_off()
        axes.set_xlabel("nodes")
        axes.set_title(words, fontsize=11)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    files = pictures(base)
    for file in files:
        figure.savefig(file, dpi=110, metadata={"Date": None} if file.suffix == ".svg" else None)
    return files


def _curve(axes: Axes, points: Sequence[Point], field: str, colour: str) -> None:
    sizes = [point.size for point in points]
    values = [float(getattr(point, field)) for point in points]
    axes.plot(sizes, values, "o-", color=colour, label=points[0].model)
    if field == "sessions":
        power = 2 if points[0].model in ("mesh", "planes") else 1
        first, least = sizes[0], values[0]
        axes.plot(
            sizes,
            [least * (size / first) ** power for size in sizes],
            ":",
            color=colour,
            alpha=0.6,
            label="∝ N²" if power == 2 else "∝ N",
        )
