"""The figures: plain values in, one drawing out. Names of effects never enter a drawing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from data.audio import Samples
from reports.drawing.style import (
    FAMILY_COLOURS,
    FAMILY_MARKERS,
    INK,
    NEUTRAL,
    WIDTH_IN,
    blank,
    legend_above,
    plain_log_ticks,
    power_image,
    size_in,
    wrapped,
)
from reports.sources.numbers import decibels, ranged, short_count, significant
from reports.sources.results import FAMILY_NAMES, Model, Results, Row, Spread

SPECTROGRAM_FLOOR_DB = -80.0
SPECTROGRAM_WIDTH_IN = 4.3  # three stand side by side on a page

_CELL_POINTS = 9
_TICK_POINTS = 10
_PREDICTION_STYLES = ("-", "--", ":")


@dataclass(frozen=True)
class Curve:
    """The losses of one run by epoch."""

    family: str
    epochs: Sequence[float]
    losses: Sequence[float]
    validation_losses: Sequence[float]


@dataclass(frozen=True)
class Trace:
    """A prediction in a waveform figure."""

    label: str
    family: str
    samples: Samples


def heat_map(cells: Mapping[tuple[str, int], Spread]) -> Figure:
    """ESR by structure (rows, best first) and training-set size (columns)."""
    structures = list(dict.fromkeys(structure for structure, _ in cells))
    sizes = sorted({size for _, size in cells})
    means = pd.DataFrame(
        [[_mean(cells.get((row, size))) for size in sizes] for row in structures],
        index=pd.Index(structures),  # names must differ, and wrapped ones do as well
        columns=pd.Index([short_count(size) for size in sizes]),
    )
    notes = [[_cell_note(cells.get((row, size))) for size in sizes] for row in structures]
    norm = _log_norm(spread.mean for spread in cells.values())
    rows = [wrapped(structure) for structure in structures]
    cell_in = 0.2 + max(size_in(note, _CELL_POINTS)[0] for row in notes for note in row)
    margins_in = 1.5 + max(size_in(row, _TICK_POINTS)[0] for row in rows)
    figure = blank(_height_in(rows, 1.3, 0.46), max(WIDTH_IN, margins_in + cell_in * len(sizes)))
    ax = figure.subplots()
    sns.heatmap(
        means,
        ax=ax,
        annot=np.array(notes),
        fmt="",
        annot_kws={"fontsize": _CELL_POINTS},
        yticklabels=rows,
        norm=norm,
        cmap="viridis_r",
        cbar=False,
        linewidths=2,
        linecolor="none",
    )
    ax.set(xlabel="training frames", ylabel="")
    ax.grid(visible=False)
    ax.tick_params(length=0)
    ax.tick_params(axis="y", rotation=0)
    bar = figure.colorbar(ScalarMappable(norm, "viridis_r"), ax=ax, aspect=30, pad=0.02)
    bar.set_label("test ESR\n(lower is better)")
    bar.outline.set_visible(False)
    plain_log_ticks(bar.ax)
    return figure


def dots(models: Sequence[Model], fir_esr: float, dry_esr: float) -> Figure:
    """ESR of each model, a dot a seed, beside what the linear filter and the input itself reach."""
    names = _labels(models)
    figure = blank(_height_in(names, 1.05, 0.32))
    ax = figure.subplots()
    for height, model in enumerate(models):
        spread, colour = model.spread("esr"), FAMILY_COLOURS[model.family]
        ax.plot([spread.low, spread.high], [height, height], color=colour, linewidth=1)
        ax.plot(
            [row["esr"] for row in model.rows],
            [height] * spread.count,
            linestyle="none",
            marker=FAMILY_MARKERS[model.family],
            markersize=7,
            color=colour,
            alpha=1 if spread.count == 1 else 0.75,
        )
    as_it_is = f"{models[0].given} as it is"
    for value, name, style in ((fir_esr, "linear FIR", "--"), (dry_esr, as_it_is, ":")):
        ax.axvline(value, color=INK, linestyle=style, linewidth=1.2, label=name)
    ax.set(xscale="log", xlabel="test ESR (lower is better)", ylim=(len(models) - 0.5, -0.5))
    ax.set_yticks(range(len(models)), names)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    plain_log_ticks(ax, "x")
    legend_above(figure, *ax.get_legend_handles_labels())
    return figure


def standing(models: Sequence[Model], fir_esr: float, dry_esr: float) -> Figure:
    """Signal-to-error ratio in dB of doing nothing, a linear filter and some models."""
    names = [f"{models[0].given} as it is", "linear FIR"]
    names += [wrapped(model.structure) for model in models]
    ratios_db = [-decibels(esr) for esr in (dry_esr, fir_esr)]
    ratios_db += [-decibels(model.spread("esr").mean) for model in models]
    colours = [NEUTRAL, NEUTRAL, *(FAMILY_COLOURS[model.family] for model in models)]
    figure = blank(_height_in(names, 1.1, 0.36))
    ax = figure.subplots()
    bars = ax.barh(range(len(names)), ratios_db, height=0.62, color=colours)
    values = [f"{ratio:.1f}".replace("-", "\N{MINUS SIGN}") for ratio in ratios_db]
    ax.bar_label(bars, values, padding=4, fontsize=_TICK_POINTS)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.axvline(0, color=INK, linewidth=1)
    low, high = min(0.0, *ratios_db), max(0.0, *ratios_db)
    room = 0.3 * (high - low)  # for the values, which stand beyond the bars' ends
    ax.set_xlim(low - room * (low < 0), high + room)
    ax.set_xlabel("signal-to-error ratio, dB\n(higher is better)")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    return figure


def learning_curves(curves: Sequence[Curve], loss: str) -> Figure:
    """Training (dashed) and validation loss (solid) by epoch, a colour a family."""
    figure = blank(3.3)
    ax = figure.subplots()
    alpha = max(0.25, min(1.0, 10 / len(curves)))
    for curve in curves:
        look: Any = {"color": FAMILY_COLOURS[curve.family], "alpha": alpha}
        marker = "." if len(curve.epochs) == 1 else None
        ax.plot(curve.epochs, curve.validation_losses, marker=marker, **look)
        ax.plot(curve.epochs, curve.losses, "--", linewidth=1, marker=marker, **look)
    ax.set(xlabel="epoch", ylabel=f"loss ({loss})", yscale="log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    plain_log_ticks(ax, "y")
    families = dict.fromkeys(curve.family for curve in curves)
    handles = [
        Line2D([], [], color=FAMILY_COLOURS[family], label=FAMILY_NAMES[family])
        for family in families
    ]
    handles += [
        Line2D([], [], color=INK, label="validation"),
        Line2D([], [], color=INK, linestyle="--", linewidth=1, label="training"),
    ]
    legend_above(figure, handles, [str(handle.get_label()) for handle in handles])
    return figure


def waveform(
    start_s: float,
    sample_rate_hz: int,
    source: Samples,
    target: Samples,
    traces: Sequence[Trace],
    *,
    given: str = "dry",
) -> Figure:
    """What models are given, target and predictions above, the predictions' errors below."""
    time_ms = 1000 * np.arange(len(target)) / sample_rate_hz
    figure = blank(3.9)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.4, 1])
    upper.plot(time_ms, source, color=NEUTRAL, linewidth=1, label=given)
    upper.plot(time_ms, target, color=INK, linewidth=2.6, alpha=0.55, label="target")
    for trace, style in zip(traces, _PREDICTION_STYLES, strict=False):
        look = {"color": FAMILY_COLOURS[trace.family], "linestyle": style}
        upper.plot(time_ms, trace.samples, label=trace.label, **look)
        lower.plot(time_ms, trace.samples - target, linewidth=1.2, **look)
    lower.axhline(0, color=INK, linewidth=0.8, alpha=0.5)
    upper.set_ylabel("full scale = 1")
    lower.set(xlabel=f"ms after {start_s:.2f} s of the test split", ylabel="error")
    lower.margins(x=0)
    legend_above(figure, *upper.get_legend_handles_labels())
    figure.align_ylabels()
    return figure


def spectrogram(power_db: npt.NDArray[np.float64], seconds: float, sample_rate_hz: int) -> Figure:
    """A spectrogram on the scale that all of an effect share; 0 dB is the target's maximum."""
    figure = blank(2.5, SPECTROGRAM_WIDTH_IN)
    ax = figure.subplots()
    # 64 steps of 1.25 dB look continuous and compress to a third of the size.
    power_image(
        figure, ax, power_db, floor_db=SPECTROGRAM_FLOOR_DB, levels=64,
        right=seconds, top=sample_rate_hz / 2000,
    )  # fmt: skip
    ax.set(xlabel="time, s", ylabel="frequency, kHz")
    return figure


def curve_of(results: Results, row: Row) -> Curve | None:
    """The losses of one run, or None where none were kept."""
    part = results.history[results.history["run_id"] == row["run_id"]]
    if part.empty:
        return None
    return curve(row, part)


def curve(row: Row, history: pd.DataFrame) -> Curve:
    """The losses of a row's run, from its part of the history."""
    columns = (history[name].tolist() for name in ("epoch", "loss", "validation_loss"))
    return Curve(row["family"], *columns)


def _labels(models: Sequence[Model]) -> list[str]:
    """Structures, with the training-set size where the models differ in it."""
    differ = len({model.training_frames for model in models}) > 1
    return [wrapped(f"{m.structure}, {m.training_size}" if differ else m.structure) for m in models]


def _height_in(names: Sequence[str], around_in: float, row_in: float) -> float:
    """Of a figure with a row a name; rows are equally high, so the name of most lines counts."""
    tallest_in = max(size_in(name, _TICK_POINTS)[1] for name in names)
    return around_in + len(names) * max(row_in, tallest_in + 0.1)


def _mean(spread: Spread | None) -> float:
    return spread.mean if spread else float("nan")


def _cell_note(spread: Spread | None) -> str:
    """Mean, and under it the range over the seeds if there are several."""
    if spread is None:
        return ""
    if spread.count == 1:
        return significant(spread.mean)
    return f"{significant(spread.mean)}\n{ranged(spread.low, spread.high, digits=2)}"


def _log_norm(values: Iterable[float]) -> LogNorm:
    """A logarithmic scale that spans at least a factor of two, so that noise stays pale."""
    seen = np.maximum([*values], 1e-12)
    low, high = float(seen.min()), float(seen.max())
    middle = np.sqrt(low * high)
    return LogNorm(min(low, middle / np.sqrt(2)), max(high, middle * np.sqrt(2)))
