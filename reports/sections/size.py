"""Which size is enough: error against cost and against training frames, drawn as inline SVG.

Every mark is a link to a run's page with its details in words, so that mouse, keyboard and
touch all reach them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from models.families import FAMILIES
from reports.drawing import style
from reports.sections.wording import spread_text
from reports.sources.numbers import counted, decibels, significant
from reports.sources.results import Model, Results, Row, Spread
from study.config.rendering import FRAMED, Rendering
from study.selection.candidates import VERDICTS, read_budget

# Pixels; the label of the upright axis lies above it, clear of the longest of its numbers.
WIDTH, HEIGHT = 520, 376
LEFT, RIGHT, TOP, BOTTOM = 80, 26, 32, 54
# As alike as listeners could hardly tell, and as another draw of seeds may well give.
NEAR_DB = 1.0


@dataclass(frozen=True)
class Entry:
    """A model and a way of rendering it, over its seeds.

    Attributes:
        model: of which ``rows`` are.
        rendering: as in the results.
        rows: one a seed, best validation ESR first.
        boards: what its budget says, in words.
    """

    model: Model
    rendering: str
    rows: tuple[Row, ...]
    boards: str = ""

    @property
    def macs(self) -> int:
        """Multiply-accumulates an output sample."""
        return int(self.rows[0]["macs_per_sample"])

    @property
    def name(self) -> str:
        """Structure and way of rendering."""
        return f"{self.model.label}, {Rendering.parse(self.rendering).label}"

    def spread(self, column: str) -> Spread:
        """A column over the seeds."""
        return Spread.of(float(row[column]) for row in self.rows)

    @property
    def details(self) -> str:
        """Everything that a mark stands for."""
        asr = [row["asr_worst_db"] for row in self.rows if row["asr_worst_db"] is not None]
        parts = [
            f"{self.name}: test ESR {spread_text(self.spread('esr'))}",
            f"validation ESR {spread_text(self.spread('validation_esr'))}",
            f"{self.macs:,} multiply-accumulates a sample",
            *([f"worst ASR {significant(max(asr))} dB"] if asr else []),
            *([self.boards] if self.boards else []),
            counted(len(self.rows), "seed"),
        ]
        return "; ".join(parts)


@dataclass(frozen=True)
class Mark:
    """An entry in a plot, in its pixels."""

    x: float
    y: float
    low: float
    high: float
    shape: str
    colour: str
    is_hollow: bool
    is_chosen: bool
    run_id: str
    details: str


@dataclass(frozen=True)
class Plot:
    """Axes, marks and lines of one drawing, and the frame of all.

    Attributes:
        title, alt: what is drawn, and what it shows.
        x_label, y_label: of the axes.
        x_ticks, y_ticks: place and text.
        marks: best last, so that they lie above.
        lines: points of polylines, with their colour; the front has none of its own.
        front: points of the Pareto front, or nothing.
    """

    width: ClassVar[int] = WIDTH
    height: ClassVar[int] = HEIGHT
    left: ClassVar[int] = LEFT
    right: ClassVar[int] = WIDTH - RIGHT
    top: ClassVar[int] = TOP
    bottom: ClassVar[int] = HEIGHT - BOTTOM

    title: str
    alt: str
    x_label: str
    y_label: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    marks: tuple[Mark, ...]
    lines: tuple[tuple[str, str], ...]
    front: str


@dataclass(frozen=True)
class Sizes:
    """Of one effect: error against cost and, where the grid has several, training frames."""

    by_cost: Plot
    by_frames: Plot | None
    sentences: tuple[str, ...]
    families: tuple[tuple[str, str, str], ...]
    has_renderings: bool


def sizes(results: Results, effect: str, chosen: tuple[str, str] | None = None) -> Sizes | None:
    """The plots and findings of one effect; None where models differ neither in cost nor in frames.

    Args:
        results: of the study.
        effect: which has a finished run.
        chosen: run id and rendering to point out.
    """
    every = entries(results, effect)
    framed = [entry for entry in every if entry.rendering == FRAMED]
    has_several = len({entry.model.training_frames for entry in framed}) > 1
    if not has_several and len({entry.macs for entry in every}) == 1:
        return None
    front = pareto(every)
    families = dict.fromkeys(FAMILIES[entry.model.family] for entry in every)
    by_cost = _plot(
        every,
        lambda entry: entry.macs,
        "Test ESR against multiply-accumulates",
        "multiply-accumulates a sample",
        chosen,
        front=front,
        alt=_front_text(front),
    )
    by_frames = None
    if has_several:
        by_frames = _plot(
            framed,
            lambda entry: entry.model.training_frames,
            "Test ESR against training frames",
            "training frames",
            chosen,
            joined=True,
            ticks=sorted({float(entry.model.training_frames) for entry in framed}),
            alt=_frames_text(framed),
        )
    return Sizes(
        by_cost,
        by_frames,
        tuple(enough(every)),
        tuple((own.label, own.symbol, own.colour) for own in families),
        _has_renderings(every),
    )


def entries(results: Results, effect: str) -> list[Entry]:
    """Every model of an effect as every way of rendering, lowest validation ESR first."""
    verdicts = _verdicts(results)
    found = []
    for model in results.models_of(effect):
        by_rendering: dict[str, list[Row]] = defaultdict(list)
        for row in model.rows:
            for own in results.finals_of(row["run_id"]):
                by_rendering[str(own["rendering"])].append(own)
        for rendering, own_rows in by_rendering.items():
            # The seed that is best framed need not be so in another rendering.
            rows = tuple(sorted(own_rows, key=lambda row: row["validation_esr"]))
            verdict = verdicts.get((rows[0]["run_id"], rendering), "")
            found.append(Entry(model, rendering, rows, verdict))
    return sorted(found, key=lambda entry: entry.spread("validation_esr").mean)


def pareto(every: Sequence[Entry]) -> list[Entry]:
    """Those that nothing as cheap or cheaper beats in mean validation ESR, cheapest first."""
    front: list[Entry] = []
    for entry in sorted(every, key=lambda e: (e.macs, e.spread("validation_esr").mean)):
        if (
            not front
            or entry.spread("validation_esr").mean < front[-1].spread("validation_esr").mean
        ):
            front.append(entry)
    return front


def enough(every: Sequence[Entry]) -> list[str]:
    """What the cheapest model is that does about as well as the best one."""
    best = every[0]
    best_esr = best.spread("validation_esr")
    near = [
        entry
        for entry in every
        if decibels(entry.spread("validation_esr").mean / best_esr.mean) <= NEAR_DB
    ]
    cheapest = min(near, key=lambda entry: entry.macs)
    lead = (
        f"The lowest validation ESR, {spread_text(best_esr)}, has {best.name} at "
        f"{best.macs:,} multiply-accumulates a sample."
    )
    if cheapest is best:
        return [lead, f"Nothing cheaper comes within {NEAR_DB:g} dB of it."]
    own = cheapest.spread("validation_esr")
    if min(own.count, best_esr.count) == 1:
        certainty = "a difference that other seeds may widen or reverse"
    elif own.low <= best_esr.high:
        certainty = "and the ranges over their seeds overlap"
    else:
        certainty = "though the ranges over their seeds do not overlap"
    return [
        lead,
        f"Within {NEAR_DB:g} dB of it the cheapest is {cheapest.name} with {spread_text(own)} at "
        f"{cheapest.macs:,}, {significant(best.macs / cheapest.macs, 2)} times fewer, {certainty}.",
    ]


def _front_text(front: Sequence[Entry]) -> str:
    steps = "; ".join(
        f"{entry.name} {significant(entry.spread('esr').mean)} at {entry.macs:,}" for entry in front
    )
    return f"The line joins the models that nothing cheaper beats on validation: {steps}."


def _frames_text(framed: Sequence[Entry]) -> str:
    by_structure: dict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(framed, key=lambda entry: entry.model.training_frames):
        by_structure[entry.model.structure].append(entry)
    steps = "; ".join(
        f"{name}: {significant(own[0].spread('esr').mean)} with "
        f"{own[0].model.training_size}, {significant(own[-1].spread('esr').mean)} "
        f"with {own[-1].model.training_size}"
        for name, own in by_structure.items()
        if len(own) > 1
    )
    return f"Lines join the same structure. {steps}." if steps else "No structure has two sizes."


def _plot(
    every: Sequence[Entry],
    x_of: Callable[[Entry], float],
    title: str,
    x_label: str,
    chosen: tuple[str, str] | None,
    *,
    alt: str,
    front: Sequence[Entry] = (),
    joined: bool = False,
    ticks: Sequence[float] = (),
) -> Plot:
    esrs = [value for entry in every for value in _low_high(entry)]
    x_axis = _Axis.over([x_of(entry) for entry in every], LEFT, WIDTH - RIGHT)
    y_axis = _Axis.over(esrs, HEIGHT - BOTTOM, TOP)

    def at(entry: Entry) -> tuple[float, float]:
        return x_axis.place(x_of(entry)), y_axis.place(entry.spread("esr").mean)

    has_renderings = _has_renderings(every)
    marks = [
        _mark(
            entry, at(entry), y_axis, chosen, is_hollow=has_renderings and entry.rendering != FRAMED
        )
        for entry in reversed(every)
    ]
    lines = []
    if joined:
        by_structure: dict[str, list[Entry]] = defaultdict(list)
        for entry in sorted(every, key=x_of):
            by_structure[entry.model.structure].append(entry)
        lines = [
            (_points([at(entry) for entry in own]), FAMILIES[own[0].model.family].colour)
            for own in by_structure.values()
        ]
    return Plot(
        title,
        alt,
        x_label,
        "test ESR (lower is better)",
        tuple((x_axis.place(tick), _tick(tick)) for tick in ticks or x_axis.ticks()),
        tuple((y_axis.place(tick), _tick(tick)) for tick in y_axis.ticks()),
        tuple(marks),
        tuple(lines),
        _points([at(entry) for entry in front]),
    )


def _has_renderings(every: Sequence[Entry]) -> bool:
    """Whether hollow marks set anything apart: with one rendering they would say nothing."""
    return len({entry.rendering for entry in every}) > 1


def _mark(
    entry: Entry,
    at: tuple[float, float],
    y_axis: _Axis,
    chosen: tuple[str, str] | None,
    *,
    is_hollow: bool,
) -> Mark:
    low, high = (y_axis.place(value) for value in _low_high(entry))
    family = FAMILIES[entry.model.family]
    return Mark(
        *at,
        low,
        high,
        family.symbol,
        family.colour,
        is_hollow,
        any((row["run_id"], entry.rendering) == chosen for row in entry.rows),
        str(entry.rows[0]["run_id"]),
        entry.details,
    )


def _low_high(entry: Entry) -> tuple[float, float]:
    spread = entry.spread("esr")
    return spread.low, spread.high


@dataclass(frozen=True)
class _Axis:
    """A logarithmic axis from ``low`` at one pixel to ``high`` at another."""

    low: float
    high: float
    start: float
    stop: float

    @staticmethod
    def over(values: Sequence[float], start: float, stop: float) -> _Axis:
        seen = [max(value, 1e-12) for value in values]
        margin = max(0.06 * math.log(max(seen) / min(seen)), 0.12)
        return _Axis(min(seen) * math.exp(-margin), max(seen) * math.exp(margin), start, stop)

    def place(self, value: float) -> float:
        part = math.log(max(value, 1e-12) / self.low) / math.log(self.high / self.low)
        return round(self.start + part * (self.stop - self.start), 1)

    def ticks(self) -> list[float]:
        return style.log_ticks(self.low, self.high)


def _tick(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:g}"


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in places)


def _verdicts(results: Results) -> Mapping[tuple[str, str], str]:
    """In words, by run and rendering, on which boards a model keeps up; empty without a budget."""
    budget = read_budget(results.store)
    if budget is None:
        return {}
    order = {verdict: place for place, verdict in enumerate(VERDICTS)}
    best: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    ranked = sorted(budget.to_dict("records"), key=lambda route: order[route["verdict"]])
    for route in ranked:
        key = (str(route["run_id"]), str(route["rendering"]))
        best[key].setdefault(str(route["board"]), str(route["verdict"]))
    return {
        key: "real time: " + ", ".join(f"{board} {verdict}" for board, verdict in boards.items())
        for key, boards in best.items()
    }
