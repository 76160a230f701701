"""The box plot of the scores."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from reports.drawing.style import FAINT, INK, NEUTRAL, blank
from reports.listening.analysis import ConditionScores

VERBAL = ("Bad", "Poor", "Fair", "Good", "Excellent")


def boxes(conditions: Sequence[ConditionScores]) -> Figure:
    """Median, quartiles, whiskers to 1.5 box lengths, and every score as a dot, by condition."""
    figure = blank(1.2 + 0.42 * len(conditions))
    ax = figure.subplots()
    places = range(len(conditions))
    line = {"color": INK, "linewidth": 1.2}
    ax.boxplot(
        [own.scores for own in conditions],
        positions=list(places),
        orientation="horizontal",
        widths=0.55,
        showfliers=False,
        boxprops=line,
        whiskerprops=line,
        capprops=line,
        medianprops={"color": INK, "linewidth": 2.5},
    )
    for place, own in zip(places, conditions, strict=True):
        # Spread evenly within the box, so that equal scores do not hide one another.
        count = len(own.scores)
        heights = [place + 0.4 * ((n + 0.5) / count - 0.5) for n in range(count)]
        ax.plot(own.scores, heights, "o", color=NEUTRAL, markersize=3.5, alpha=0.7, zorder=1)
    ax.set(xlim=(-2, 102), xlabel="score", ylim=(len(conditions) - 0.4, -0.6))
    ax.set_yticks(list(places), [own.label for own in conditions])
    ax.set_xticks(range(0, 101, 20))
    ax.grid(visible=False, axis="y")
    ax.tick_params(length=0)
    for number, word in enumerate(VERBAL):
        x = 20 * number + 10
        ax.text(x, 1.01, word, ha="center", fontsize=9, transform=ax.get_xaxis_transform())
    for edge in range(0, 101, 20):
        ax.axvline(edge, color=FAINT, linewidth=0.8, zorder=0)
    return figure
