"""The figures of a search: parallel coordinates, the course of the trials, importances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from reports.drawing.style import FAINT, INK, NEUTRAL, WIDTH_IN, blank, legend_above, wrapped
from reports.sources.numbers import significant

_AXIS_IN = 1.15  # from one coordinate to the next
_COLOURS = mpl.colormaps["viridis_r"]


@dataclass(frozen=True)
class Coordinate:
    """A setting, or the loss, as one axis.

    Attributes:
        name: under the axis.
        places: of the trials, from 0 at the bottom to 1.
        ticks: place and label.
    """

    name: str
    places: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Tried:
    """Trials in order; ``losses`` are the lowest validation losses."""

    numbers: tuple[int, ...]
    losses: tuple[float, ...]
    is_whole: tuple[bool, ...]

    @property
    def best(self) -> int:
        """Place of the best whole trial."""
        whole = [place for place, own in enumerate(self.is_whole) if own]
        return min(whole, key=lambda place: self.losses[place])


@dataclass(frozen=True)
class Share:
    """Importance of a setting, with the range that resampled trials give."""

    name: str
    share: float
    low: float
    high: float


def parallel_coordinates(coordinates: Sequence[Coordinate], tried: Tried) -> Figure:
    """A line a trial through its settings to its loss; pruned trials grey, the best bold."""
    figure = blank(3.6, max(WIDTH_IN, _AXIS_IN * len(coordinates) + 1.2))
    ax = figure.subplots()
    whole = [loss for loss, own in zip(tried.losses, tried.is_whole, strict=True) if own]
    low, high = min(whole), max(*whole, 1.01 * min(whole))
    norm = LogNorm(low, high)
    places = np.arange(len(coordinates))
    for line in sorted(
        range(len(tried.numbers)), key=lambda k: (k == tried.best, tried.is_whole[k])
    ):
        heights = [coordinate.places[line] for coordinate in coordinates]
        look: dict[str, Any] = {"color": NEUTRAL, "linewidth": 0.8}
        if tried.is_whole[line]:
            look = {
                "color": _COLOURS(norm(tried.losses[line])),
                "linewidth": 3.0 if line == tried.best else 1.4,
            }
        ax.plot(places, heights, alpha=0.9, **look)
    for place, coordinate in enumerate(coordinates):
        ax.axvline(place, color=INK, linewidth=1)
        for height, label in coordinate.ticks:
            ax.plot([place - 0.03, place + 0.03], [height, height], color=INK, linewidth=1)
            ax.annotate(
                label, (place, height), (5, 0), textcoords="offset points", va="center", fontsize=8
            )
    ax.set_xticks(places, [wrapped(own.name.replace("_", " "), 12) for own in coordinates])
    ax.set(yticks=[], ylim=(-0.06, 1.06), xlim=(-0.15, len(coordinates) - 0.4))
    ax.grid(visible=False)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(length=0)
    bar = figure.colorbar(ScalarMappable(norm, _COLOURS), ax=ax, aspect=30, pad=0.01)
    bar.set_label("validation loss\n(grey: pruned)")
    bar.outline.set_visible(False)
    bar.ax.tick_params(which="both", color=FAINT)
    bar.ax.minorticks_off()
    bar.set_ticks([low, high], labels=[significant(end, 2) for end in (low, high)])
    return figure


def course(tried: Tried) -> Figure:
    """Lowest validation loss of every trial in order, and the best so far."""
    figure = blank(3.0)
    ax = figure.subplots()
    numbers, losses = np.array(tried.numbers), np.array(tried.losses)
    whole = np.array(tried.is_whole)
    ax.plot(numbers[whole], losses[whole], "o", color=INK, markersize=5, label="whole")
    ax.plot(numbers[~whole], losses[~whole], "x", color=NEUTRAL, markersize=6, label="pruned")
    so_far = np.minimum.accumulate(np.where(whole, losses, np.inf))
    known = np.isfinite(so_far)
    ax.step(numbers[known], so_far[known], where="post", color=NEUTRAL, label="best so far")
    ax.set(xlabel="trial", ylabel="lowest validation loss", yscale="log")
    low, high = float(losses.min()), float(losses.max())
    ticks = np.geomspace(low, max(high, 1.01 * low), 4)
    ax.set_yticks(ticks, [significant(float(tick), 2) for tick in ticks])
    ax.minorticks_off()
    legend_above(figure, *ax.get_legend_handles_labels())
    return figure


def importances(shares: Sequence[Share]) -> Figure:
    """Share of each setting (bar), and the range over resampled trials (line)."""
    names = [wrapped(own.name.replace("_", " ")) for own in shares]
    figure = blank(1.0 + 0.4 * len(shares))
    ax = figure.subplots()
    places = range(len(shares))
    ax.barh(places, [own.share for own in shares], height=0.6, color=NEUTRAL)
    for place, own in zip(places, shares, strict=True):
        ax.plot([own.low, own.high], [place, place], color=INK, linewidth=2)
    ax.set_yticks(list(places), names)
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), xlabel="share of the variance of the log loss")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    return figure
