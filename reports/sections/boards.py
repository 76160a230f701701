"""Which models keep up on which board, and what they cost on this machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from reports.drawing import style
from reports.drawing.pictures import Picture, shown
from reports.sections.tflite import ConvertedRow, converted_lines
from reports.sources.cache import Cache, Facts
from reports.sources.numbers import counted, significant
from reports.sources.results import FAMILY_NAMES, Results
from study.config.rendering import Rendering
from study.config.run import RunConfig
from study.selection.boards import title
from study.selection.candidates import research_reason
from study.store import received
from study.store.columns import BUDGET_ADDED, BUDGET_COLUMNS, TIMING_COLUMNS, Columns

ROUTE_NAMES = {
    "c": "generated C",
    "tflite_float32": "TFLite Micro, float32",
    "tflite_int8": "TFLite Micro, int8",
    "tflite_int16x8": "TFLite Micro, int16 by int8",
}
METHOD_NAMES = {
    "circuit": "the circuit itself",
    "keras_framed": "Keras, framed",
    "keras_streaming": "Keras, streaming",
    "tflite": "TFLite (LiteRT)",
    "c": "generated C",
}
# What the budget says of cycles that a board told.
MEASURED = "board"


@dataclass(frozen=True)
class Cell:
    """A board's verdict on a model: ``title`` says why."""

    verdict: str
    share: str
    title: str


@dataclass(frozen=True)
class BudgetLine:
    """A model, as it is rendered, by a route to the board."""

    model: str
    rendering: str
    route: str
    instructions: str
    basis: str
    cycles: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class TimingLine:
    """Seconds a second of audio by block size, as text."""

    method: str
    seconds: tuple[str, ...]


@dataclass(frozen=True)
class EffectTiming:
    """The compute-time table and figure of an effect's best model."""

    effect: str
    model: str
    blocks: tuple[int, ...]
    lines: tuple[TimingLine, ...]
    picture: Picture


@dataclass(frozen=True)
class BoardsSection:
    """The section; any of ``lines``, ``converted`` and ``timings`` may be empty, not all."""

    boards: tuple[str, ...]
    sentences: tuple[str, ...]
    lines: tuple[BudgetLine, ...]
    converted: tuple[ConvertedRow, ...]
    timings: tuple[EffectTiming, ...]


def boards_section(results: Results, cache: Cache) -> BoardsSection | None:
    """Budget, TFLite models and computing times of a grid, or None where there is none."""
    budget = _budget(results)
    timing = _timing(results)
    boards = [] if budget is None else list(dict.fromkeys(budget["board"]))
    lines = [] if budget is None else _lines(budget, boards)
    timings = [] if timing is None else _timings(results, timing, cache)
    tflite = converted_lines(results)
    if not lines and not tflite and not timings:
        return None
    sentences = [] if budget is None else _sentences(budget, boards)
    names = tuple(title(board) for board in boards)
    return BoardsSection(names, tuple(sentences), tuple(lines), tflite, tuple(timings))


def _read(
    results: Results, name: str, columns: Columns, added: Collection[str] = ()
) -> pd.DataFrame | None:
    """A table of the grid, without runs that are gone."""
    try:
        found = received.parquet(results.store.root / name, columns, added)
    except FileNotFoundError:
        return None
    return found[found["run_id"].isin(list(results.model_of))]


def _timing(results: Results) -> pd.DataFrame | None:
    """Computing times with each run's structure, which is told of its own effect only."""
    found = _read(results, "timing.parquet", TIMING_COLUMNS)
    if found is None:
        return None
    return found.assign(model=[results.model_of[run_id].structure for run_id in found["run_id"]])


def _budget(results: Results) -> pd.DataFrame | None:
    """The budget with a name for whatever costs the same, be it of one effect or of several."""
    found = _read(results, "budget.parquet", BUDGET_COLUMNS, BUDGET_ADDED)
    if found is None:
        return None
    costs = [
        _Cost.of(results.configs[run_id], rendering)
        for run_id, rendering in zip(found["run_id"], found["rendering"], strict=True)
    ]
    names = _names(costs)
    is_research = [
        bool(research_reason(cost.family, "none", rendering))
        for cost, rendering in zip(costs, found["rendering"], strict=True)
    ]
    return found.assign(model=[names[cost] for cost in costs], is_research=is_research)


@dataclass(frozen=True)
class _Cost:
    """What decides a model's cost, as it is rendered; ``frame_size`` is None where it does not."""

    family: str
    layers: int
    units: int
    frame_size: int | None
    features: int
    residual: bool
    sample_rate_hz: int

    @staticmethod
    def of(config: RunConfig, rendering: str) -> _Cost:
        a = config.architecture
        # Of a state that is carried on, a sample takes one step, whatever frames trained it.
        has_frame = a.features or not Rendering.parse(rendering).carries_state
        return _Cost(
            a.family,
            a.layers,
            a.units,
            a.frame_size if has_frame else None,
            a.features,
            a.residual,
            config.sample_rate_hz,
        )

    @property
    def shape(self) -> str:
        family = FAMILY_NAMES.get(self.family, self.family)
        shape = f"{family} {self.layers}\N{MULTIPLICATION SIGN}{self.units}"
        return f"{shape}, frame {self.frame_size} to {self.features}" if self.features else shape


def _names(costs: Iterable[_Cost]) -> dict[_Cost, str]:
    """Shapes, and of two that are alike also what tells them apart."""
    alike: dict[str, list[_Cost]] = defaultdict(list)
    for cost in dict.fromkeys(costs):
        alike[cost.shape].append(cost)
    return {cost: _name(cost, own) for own in alike.values() for cost in own}


def _name(cost: _Cost, alike: Sequence[_Cost]) -> str:
    parts = [cost.shape]
    frames = {other.frame_size for other in alike} - {None}
    if cost.frame_size is not None and not cost.features and len(frames) > 1:
        parts.append(f"frame {cost.frame_size}")
    if len({other.residual for other in alike}) > 1:
        parts.append(f"residual {cost.residual}")
    if len({other.sample_rate_hz for other in alike}) > 1:
        parts.append(f"{cost.sample_rate_hz:,} Hz")
    return ", ".join(parts)


def _lines(budget: pd.DataFrame, boards: Sequence[str]) -> list[BudgetLine]:
    """One line a cost, rendering and route.

    Routes that keep up nowhere stand only where they are the model's best.
    """
    lines = []
    for (model, rendering), own in budget.groupby(["model", "rendering"], sort=False):
        routes = [group for _, group in own.groupby("route", sort=False)]
        told = [group for group in routes if (group["verdict"] != "no").any()]
        told = told or [min(routes, key=lambda group: group["instructions_per_sample"].min())]
        lines += [_line(str(model), str(rendering), group, boards) for group in told]
    return lines


def _line(model: str, rendering: str, own: pd.DataFrame, boards: Sequence[str]) -> BudgetLine:
    # Without the board's resampling, which is told by its own cell's title.
    by_board = own.assign(estimated=own["cycles_basis"].ne(MEASURED).fillna(value=True))
    first = by_board.sort_values(["estimated", "instructions_per_sample"]).to_dict("records")[0]
    return BudgetLine(
        model=model,
        rendering=Rendering.parse(rendering).label,
        route=ROUTE_NAMES.get(first["route"], first["route"]),
        instructions=significant(float(first["instructions_per_sample"])),
        basis=_basis(str(first["basis"]), float(first["instructions_error"])),
        cycles=_cycles(first),
        cells=tuple(_cell(own[own["board"] == board]) for board in boards),
    )


def _basis(basis: str, error: float) -> str:
    if error == 0:
        return "counted"
    if basis == "guess":
        return f"estimated; up to {100 * error:.0f} % wrong is a guess"
    return f"estimated, up to {100 * error:.0f} % wrong"


def _cycles(row: Mapping[Hashable, Any]) -> str:
    """Cycles without waiting, or between which numbers they lie where that is all that is known."""
    if not pd.isna(row["cycles_per_sample"]):
        told = significant(float(row["cycles_per_sample"]))
        return f"{told}, measured on a board" if str(row["cycles_basis"]) == MEASURED else told
    low, high = (significant(float(row[f"cycles_{end}"])) for end in ("optimistic", "pessimistic"))
    return f"{low} to {high}"


def _cell(own: pd.DataFrame) -> Cell:
    if own.empty:
        return Cell("", "", "")
    row = own.to_dict("records")[0]
    low, high = 100 * row["share_optimistic"], 100 * row["share_pessimistic"]
    is_rate = row["resampling"] == "impossible"
    share = "other sample rate" if is_rate else f"{low:.0f}\N{EN DASH}{high:.0f} %"
    filters = " Through half-band filters." if row["resampling"] in ("halved", "doubled") else ""
    latency = "" if is_rate else f" {row['latency_ms']:.1f} ms from converter to converter."
    measured = " Measured on a board." if str(row["cycles_basis"]) == MEASURED else ""
    return Cell(row["verdict"], share, f"{row['reason']}.{measured}{filters}{latency}")


def _sentences(budget: pd.DataFrame, boards: Sequence[str]) -> list[str]:
    """Board by board, how many models keep up as boards render them."""
    done = budget[~budget["is_research"]]
    if done.empty:
        return ["No model of this grid was rendered as boards do it: recurrent ones streaming."]
    models = done["model"].nunique()
    sentences = []
    for board in boards:
        own = done[done["board"] == board]
        name = title(board)
        kept_up = own[own["verdict"] == "yes"]
        if kept_up.empty:
            why = (
                "the sample rate is not one that it runs at"
                if (own["resampling"] == "impossible").all()
                else "none is small enough"
            )
            sentences.append(f"{name}: no model of this grid surely keeps up; {why}.")
            continue
        fit = kept_up["model"].nunique()
        largest = kept_up.sort_values("share_pessimistic").to_dict("records")[-1]
        sentences.append(
            f"{name}: {fit} of {counted(models, 'model')} surely "
            f"{'keeps' if fit == 1 else 'keep'} up. The costliest of them, "
            f"{largest['model']} ({Rendering.parse(largest['rendering']).label}, "
            f"{ROUTE_NAMES.get(largest['route'])}), takes "
            f"{100 * largest['share_optimistic']:.0f} to "
            f"{100 * largest['share_pessimistic']:.0f} % of the processor."
        )
    return sentences


def _timings(results: Results, timing: pd.DataFrame, cache: Cache) -> list[EffectTiming]:
    timings = []
    for effect, own in timing.groupby("effect", sort=False):
        blocks = tuple(sorted(int(block) for block in own["block_samples"].unique()))
        curves = {
            str(method): {
                int(row["block_samples"]): float(row["seconds_per_second"])
                for row in group.to_dict("records")
            }
            for method, group in own.groupby("method", sort=False)
        }
        timings.append(
            EffectTiming(
                effect=str(effect),
                model=str(own["model"].iloc[0]),
                blocks=blocks,
                lines=tuple(
                    TimingLine(
                        METHOD_NAMES.get(method, method),
                        tuple(significant(curve[b], 2) if b in curve else "" for b in blocks),
                    )
                    for method, curve in curves.items()
                ),
                picture=_picture(str(effect), curves, cache),
            )
        )
    return timings


def _picture(effect: str, curves: dict[str, dict[int, float]], cache: Cache) -> Picture:
    def fill(folder: Path) -> Facts:
        with style.styled():
            return asdict(style.save(drawn(curves), folder, "timing"))

    kept = cache.kept(
        f"timing {effect}", {m: sorted(curve.items()) for m, curve in curves.items()}, fill
    )
    told = "; ".join(
        f"{METHOD_NAMES.get(method, method)} {significant(min(curve.values()), 2)}"
        for method, curve in curves.items()
    )
    return shown(
        kept.folder,
        kept.facts,
        "Computing time against block size",
        f"Seconds of computing a second of audio, at the best block size of each: {told}. "
        "At 1 a method only just keeps up on this machine.",
    )


def drawn(curves: dict[str, dict[int, float]]) -> Figure:
    """One line a method, both axes logarithmic, and a line at real time."""
    figure = style.blank(3.2)
    ax = figure.subplots()
    colours = [style.NEUTRAL, *list(style.FAMILY_COLOURS.values())]
    handles = []
    for place, curve in enumerate(curves.values()):
        blocks = sorted(curve)
        handles += ax.plot(
            blocks,
            [curve[block] for block in blocks],
            color=colours[place % len(colours)],
            marker="o^sDvP"[place % 6],
            markersize=4,
        )
    ax.axhline(1, color=style.INK, linewidth=0.8, linestyle="--")
    ax.set(xscale="log", yscale="log", xlabel="block, samples", ylabel="s per s of audio")
    ticks = sorted({block for curve in curves.values() for block in curve})[::3]
    ax.set_xticks(ticks)
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.xaxis.set_minor_formatter(NullFormatter())
    style.plain_log_ticks(ax)
    ax.tick_params(length=0, which="both")
    names = [METHOD_NAMES.get(method, method) for method in curves]
    style.legend_above(figure, handles, names)
    return figure
