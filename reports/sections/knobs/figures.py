"""ESR over a control's range, by way of finding the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from reports.drawing.style import INK, NEUTRAL, blank, legend_above
from reports.sources.numbers import significant

_LOOKS = {
    "conditioned": ("#0173b2", "o", "-"),
    "fixed": (INK, "s", ""),
    "faded": ("#de8f05", "^", "-"),
    "nearest": (NEUTRAL, "v", ":"),
}


@dataclass(frozen=True)
class ControlLine:
    """One way over the settings that it is judged at.

    Attributes:
        way: conditioned, fixed, faded or nearest.
        values: of the control, rising.
        means, lows, highs: of ESR over the seeds.
    """

    way: str
    values: tuple[float, ...]
    means: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]


def over_control(control: str, lines: Sequence[ControlLine], seen: Sequence[float]) -> Figure:
    """A line a way; bars span the seeds, and upright lines mark what was trained on."""
    figure = blank(3.3)
    ax = figure.subplots()
    for value in seen:
        ax.axvline(value, color=NEUTRAL, linewidth=0.8, linestyle="--")
    for line in lines:
        colour, marker, style = _LOOKS[line.way]
        below = [mean - low for mean, low in zip(line.means, line.lows, strict=True)]
        above = [high - mean for mean, high in zip(line.means, line.highs, strict=True)]
        ax.errorbar(
            line.values,
            line.means,
            yerr=[below, above],
            color=colour,
            marker=marker,
            linestyle=style,
            capsize=3,
            label=line.way,
        )
    ax.set(xlabel=control, ylabel="test ESR (lower is better)", yscale="log")
    ticks = _ticks([*(low for line in lines for low in line.lows)], lines)
    ax.set_yticks(ticks, [significant(tick, 2) for tick in ticks])
    ax.yaxis.set_minor_formatter(NullFormatter())
    legend_above(figure, *ax.get_legend_handles_labels())
    return figure


def _ticks(lows: Sequence[float], lines: Sequence[ControlLine]) -> list[float]:
    """Three values from the lowest to the highest, each as many times the one before."""
    low, high = min(lows), max(high for line in lines for high in line.highs)
    return [low, (low * high) ** 0.5, high]
