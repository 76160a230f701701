"""The drawings of this section: plain values in, one figure out; names of effects stay out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from reports.drawing.style import (
    FAMILY_COLOURS,
    FAMILY_MARKERS,
    INK,
    NEUTRAL,
    blank,
    legend_above,
    plain_log_ticks,
    power_image,
    wrapped,
)
from reports.sections.aliasing.marking import FLOOR_DB, Marked
from reports.sections.aliasing.paired import Change, signed_db
from reports.sources.results import FAMILY_NAMES, Spread
from study.measures.aliasing import Float64s
from study.measures.metrics import HIGH_BAND_HZ

HARMONIC, ALIAS = FAMILY_COLOURS["lstm"], FAMILY_COLOURS["dense"]  # blue and vermilion
# Blue, orange, green and vermilion of the same palette, for recipes of training.
RECIPE_COLOURS = [FAMILY_COLOURS[name] for name in ("lstm", "gru", "rnn", "dense")]
RECIPE_MARKERS = ("o", "s", "^", "D")
RECIPE_STYLES = ("-", "--", ":", "-.")
MOST_RECIPES = len(RECIPE_COLOURS)

SWEEP_FLOOR_DB = -90.0
ROUNDING_DB = -150.0  # of float32; what lies below says nothing
_NOTE_TICKS_HZ = {27.5: "A0\n27.5", 110.0: "A2\n110", 440.0: "A4\n440", 1760.0: "A6\n1,760"}


@dataclass(frozen=True)
class Panel:
    """The response to one probe; ``asr_db`` is None where it holds no harmonic."""

    f0_hz: float
    asr_db: float | None
    marked: Marked


@dataclass(frozen=True)
class NoteCurve:
    """ASR by note: of an effect (no family) or a model in one way of rendering.

    ``restless`` notes are those whose answer does not repeat with the sine.
    """

    family: str | None
    is_streaming: bool
    f0_hz: Sequence[float]
    asr_db: Sequence[float]
    restless: Sequence[bool]


@dataclass(frozen=True)
class EpochCurve:
    """One measure by epoch: values of the seeds."""

    epochs: Sequence[int]
    spreads: Sequence[Spread]


def probe_spectra(panels: Sequence[Panel], sample_rate_hz: float) -> Figure:
    """A panel a probe: harmonics as blue dots on lines, aliases as vermilion triangles.

    Args:
        panels: of one rate.
        sample_rate_hz: at which they are played.
    """
    figure = blank(0.55 + 1.25 * len(panels))
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for ax, panel in zip(axes, panels, strict=True):
        found = panel.marked
        _stems(ax, found.aliases_hz, found.aliases_db, ALIAS, "^", 3.2)
        _stems(ax, found.harmonics_hz, found.harmonics_db, HARMONIC, "o", 3.4)
        if found.strongest.level_db > FLOOR_DB:
            place = found.strongest.hz / 1000, found.strongest.level_db
            ax.plot(*place, "o", fillstyle="none", markersize=10, color=INK, markeredgewidth=1.2)
        asr = "no harmonic" if panel.asr_db is None else f"ASR {signed_db(panel.asr_db)} dB"
        ax.set_title(f"{panel.f0_hz:,.0f} Hz: {asr}", loc="left", fontsize=10, pad=4)
        # Room above for the ring about an alias as strong as the fundamental.
        highest_db = max(0.0, found.strongest.level_db)
        ax.set(ylim=(FLOOR_DB, highest_db + 15), xlim=(0, sample_rate_hz / 2000))
        ax.set_yticks([-80, -40, 0])
    axes[-1].set_xlabel("frequency, kHz")
    figure.supylabel("level against the fundamental, dB", fontsize=11)
    handles = [
        Line2D([], [], color=HARMONIC, marker="o", markersize=4, linewidth=1, label="harmonics"),
        Line2D([], [], color=ALIAS, marker="^", markersize=4, linewidth=1, label="aliases"),
        Line2D([], [], color=INK, marker="o", fillstyle="none", markersize=9, linestyle="none",
               label="strongest alias"),
    ]  # fmt: skip
    legend_above(figure, handles, [str(handle.get_label()) for handle in handles])
    return figure


def sweep(
    power_db: npt.NDArray[np.float64], from_hz: float, to_hz: float, sample_rate_hz: int
) -> Figure:
    """Spectrogram of the answer to a logarithmic sweep; time is told by the sweep's frequency.

    Args:
        power_db: shape ``(bins, columns)``, 0 dB is the loudest point of the reference.
        from_hz: of the sweep, at the left edge.
        to_hz: at the right edge.
        sample_rate_hz: of the answer.
    """
    figure = blank(3.1)
    ax = figure.subplots()
    power_image(
        figure, ax, power_db, floor_db=SWEEP_FLOOR_DB, levels=32,
        right=1, top=sample_rate_hz / 2000,
    )  # fmt: skip
    shown_hz = [hz for hz in (20, 100, 500, 2_000, 10_000) if from_hz <= hz <= to_hz]
    places = [np.log(hz / from_hz) / np.log(to_hz / from_hz) for hz in shown_hz]
    ax.set_xticks(places, [f"{hz:,}" for hz in shown_hz])
    ax.set(xlabel="frequency of the sweep, Hz", ylabel="in the answer, kHz")
    return figure


def asr_by_note(curves: Sequence[NoteCurve]) -> Figure:
    """ASR over the notes of a piano: the effect black, a colour a family, streaming dashed."""
    figure = blank(3.6)
    ax = figure.subplots()
    handles: dict[str, Line2D] = {}
    for curve in curves:
        look: dict[str, Any]
        if curve.family is None:
            look = {"color": INK, "linewidth": 2.4, "alpha": 0.75}
            name = "effect itself"
        else:
            look = {"color": FAMILY_COLOURS[curve.family]}
            look |= {"marker": FAMILY_MARKERS[curve.family], "markersize": 4.5}
            look |= {"linestyle": "--", "fillstyle": "none"} if curve.is_streaming else {}
            name = FAMILY_NAMES[curve.family]
        (line,) = ax.plot(curve.f0_hz, curve.asr_db, **look)
        if not curve.is_streaming:
            handles[name] = line
        else:
            handles.setdefault(name, line)
    if any(curve.is_streaming for curve in curves):
        handles["streaming"] = Line2D([], [], color=NEUTRAL, linestyle="--", marker="o",
                                      markersize=4.5, fillstyle="none")  # fmt: skip
    moving = [
        (hz, db)
        for curve in curves
        for hz, db, is_moving in zip(curve.f0_hz, curve.asr_db, curve.restless, strict=True)
        if is_moving
    ]
    if moving:
        (handles["does not repeat"],) = ax.plot(
            *zip(*moving, strict=True), "x", color=INK, markersize=8, markeredgewidth=1.6
        )
    lowest_db = min(min(curve.asr_db) for curve in curves)
    ax.set_ylim(bottom=max(lowest_db, ROUNDING_DB) - 5)
    ax.set(xscale="log", xlabel="note and frequency, Hz", ylabel="ASR, dB (lower is better)")
    ax.xaxis.set_major_locator(FixedLocator([*_NOTE_TICKS_HZ]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda hz, _: _NOTE_TICKS_HZ.get(hz, "")))
    legend_above(figure, [*handles.values()], [*handles])
    return figure


def power_spectra(
    frequency_hz: Float64s,
    target_db: Float64s,
    prediction_db: Float64s,
    error_db: Float64s,
    family: str,
) -> Figure:
    """Power spectra of a piece of music: target, prediction, and their difference.

    Args:
        frequency_hz: shape ``(bands,)``.
        target_db: level by band, 0 dB is the target's highest; as are the next two.
        prediction_db: the model's.
        error_db: of their difference.
        family: of the model, for its colour.
    """
    figure = blank(3.4)
    ax = figure.subplots()
    ax.plot(frequency_hz, target_db, color=INK, linewidth=2.6, alpha=0.55, label="target")
    ax.plot(frequency_hz, prediction_db, color=FAMILY_COLOURS[family], label="prediction")
    ax.plot(frequency_hz, error_db, "--", color=NEUTRAL, label="their difference")
    handles, labels = ax.get_legend_handles_labels()
    if frequency_hz[-1] > HIGH_BAND_HZ:
        ax.axvline(HIGH_BAND_HZ, color=INK, linestyle=":", linewidth=1)
    lowest_db = min(float(x.min()) for x in (target_db, prediction_db, error_db))
    ax.set(xscale="log", ylim=(max(lowest_db, -110) - 5, 8), ylabel="level, dB")
    ax.set_xlabel("frequency, Hz")
    ax.set_xlim(frequency_hz[0], frequency_hz[-1])
    ticks = [hz for hz in (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)
             if frequency_hz[0] <= hz <= frequency_hz[-1]]  # fmt: skip
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda hz, _: _short_hz(hz)))
    legend_above(figure, handles, labels)
    return figure


def by_epoch(measures: Mapping[str, Mapping[str, EpochCurve]]) -> Figure:
    """A panel a measure, a line a recipe: means, with the range over the seeds shaded.

    Args:
        measures: curves by recipe, by what the panel shows (its label; a logarithmic axis
            for those that begin with "ESR").
    """
    figure = blank(0.7 + 1.55 * len(measures))
    axes = figure.subplots(len(measures), 1, sharex=True, squeeze=False)[:, 0]
    handles: dict[str, Line2D] = {}
    recipes = list(dict.fromkeys(name for curves in measures.values() for name in curves))
    for ax, (label, curves) in zip(axes, measures.items(), strict=True):
        for recipe, curve in curves.items():
            number = recipes.index(recipe) % MOST_RECIPES
            colour = RECIPE_COLOURS[number]
            (handles[recipe],) = ax.plot(
                curve.epochs,
                [spread.mean for spread in curve.spreads],
                color=colour,
                linestyle=RECIPE_STYLES[number],
                marker=RECIPE_MARKERS[number],
                markersize=5,
            )
            lows = [spread.low for spread in curve.spreads]
            highs = [spread.high for spread in curve.spreads]
            ax.fill_between(curve.epochs, lows, highs, color=colour, alpha=0.2, linewidth=0)
        ax.set_ylabel(wrapped(label, 14))
        ax.yaxis.set_major_locator(MaxNLocator(4))
        if label.startswith("ESR"):
            ax.set_yscale("log")
            plain_log_ticks(ax)
    epochs = sorted({e for curves in measures.values() for c in curves.values() for e in c.epochs})
    axes[-1].set(xscale="log", xlabel="epoch")
    axes[-1].xaxis.set_major_locator(FixedLocator(_apart(epochs)))
    axes[-1].xaxis.set_minor_locator(NullLocator())
    axes[-1].xaxis.set_major_formatter(FuncFormatter(lambda epoch, _: f"{epoch:.0f}"))
    figure.align_ylabels()
    legend_above(figure, [handles[name] for name in recipes], recipes)
    return figure


def changes(panels: Mapping[str, Mapping[str, Change | None]]) -> Figure:
    """A panel a measure, a row a remedy: a dot a seed, a bar for the mean's 95 % interval.

    Args:
        panels: changes by remedy, by what the panel shows (its label).
    """
    remedies = list(dict.fromkeys(name for rows in panels.values() for name in rows))
    names = [wrapped(name) for name in remedies]
    row_in = 0.3 + 0.17 * max(name.count("\n") for name in names)
    figure = blank(0.3 + len(panels) * (0.75 + row_in * len(names)))
    axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for ax, (label, rows) in zip(axes, panels.items(), strict=True):
        for height, remedy in enumerate(remedies):
            found = rows.get(remedy)
            if found is not None:
                _change(ax, height, found)
        ax.axvline(0, color=INK, linewidth=1)
        ax.set_xlim(*_room(found for found in rows.values() if found))
        ax.set(xlabel=label, ylim=(len(remedies) - 0.5, -0.5))
        ax.set_yticks(range(len(names)), names)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="y", visible=False)
        ax.xaxis.set_major_locator(MaxNLocator(6))
    return figure


def _room(found: Iterable[Change]) -> tuple[float, float]:
    """Limits that show every dot and zero; intervals of two seeds may run out of the picture."""
    values = [0.0, *(difference for change in found for difference in change.differences)]
    low, high = min(values), max(values)
    margin = 0.6 * (high - low) or 1.0
    return low - margin, high + margin


def _change(ax: Axes, height: int, found: Change) -> None:
    if found.low is not None and found.high is not None:
        ax.plot([found.low, found.high], [height, height], color=HARMONIC, linewidth=1.5)
        ax.plot(found.mean, height, "|", color=HARMONIC, markersize=13, markeredgewidth=2)
    heights = [height] * len(found.differences)
    ax.plot(found.differences, heights, "o", color=HARMONIC, markersize=5.5, alpha=0.9)


def _stems(
    ax: Axes, frequency_hz: Float64s, level_db: Float64s, colour: str, marker: str, size: float
) -> None:
    """Lines from the floor up, drawn as one path, which keeps the file small."""
    if len(frequency_hz) == 0:
        return
    kilohertz = frequency_hz / 1000
    gaps = np.full(len(kilohertz), np.nan)
    feet = np.full(len(kilohertz), FLOOR_DB)
    xs = np.column_stack([kilohertz, kilohertz, gaps]).ravel()
    ys = np.column_stack([feet, level_db, gaps]).ravel()
    ax.plot(xs, ys, color=colour, linewidth=0.9, alpha=0.8)
    ax.plot(kilohertz, level_db, marker, color=colour, markersize=size)


def _short_hz(hz: float) -> str:
    return f"{hz / 1000:g}k" if hz >= 1000 else f"{hz:g}"


def _apart(epochs: Sequence[int]) -> list[int]:
    """Those epochs, first and last among them, whose labels do not meet on a logarithmic axis."""
    room = 0.09 * np.log(epochs[-1] / epochs[0]) if len(epochs) > 1 else 0.0
    kept = [epochs[-1]]
    for epoch in reversed(epochs[:-1]):
        clear_of_first = epoch == epochs[0] or np.log(epoch / epochs[0]) >= room
        if np.log(kept[-1] / epoch) >= room and clear_of_first:
            kept.append(epoch)
    return kept[::-1]
