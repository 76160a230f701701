"""Conditioned, faded and nearest models at settings that none was trained at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from reports.drawing import style
from reports.drawing.pictures import Picture, shown
from reports.sections.knobs import figures
from reports.sections.knobs.figures import ControlLine
from reports.sources.cache import Cache, Facts
from reports.sources.numbers import counted, decibels, ranged, significant
from reports.sources.results import FAMILY_NAMES, Spread
from study.config.rendering import FRAMED, STREAMING
from study.store import knob_table
from study.store.folders import Store

WAYS = ("conditioned", "fixed", "faded", "nearest")
SHAPE = ["effect", "family", "layers", "units", "training"]
# A conditioned model gets as many as the faded ones together and is compared with them all
# the same, so this tells models apart only where it differs within a way.
OF_A_WAY = "training_frames"
# Named only where they tell models of one shape apart.
OTHERS = [name for name in knob_table.MODEL_COLUMNS if name not in (*SHAPE, OF_A_WAY)]


@dataclass(frozen=True)
class WayLine:
    """A line of the table, as text; ESR as mean and range over the seeds."""

    model: str
    way: str
    rendering: str
    seen: str
    unseen: str
    macs: str


@dataclass(frozen=True)
class KnobSection:
    """Everything of a grid's runs with knobs.

    Attributes:
        sentences: how the ways compare at the unseen settings.
        lines: by model, rendering and way.
        pictures: ESR over the control, one a model; where there is just one control.
    """

    sentences: tuple[str, ...]
    lines: tuple[WayLine, ...]
    pictures: tuple[Picture, ...]


def knob_section(store: Store, cache: Cache) -> KnobSection | None:
    """What became of a grid's knobs, from stored results; None where no run has any."""
    table = knob_table.collect(store)
    if table.empty:
        return None
    models = list(_models(table))
    return KnobSection(
        sentences=tuple(sentence for name, own in models for sentence in _sentences(name, own)),
        lines=tuple(line for name, own in models for line in _lines(name, own)),
        pictures=tuple(_pictures(models, cache)),
    )


def _models(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for (effect, family, layers, units, training), alike in table.groupby(SHAPE, sort=False):
        shape = f"{layers}\N{MULTIPLICATION SIGN}{units}"
        on = "" if training == "framed" else f" on {training}s"
        name = f"{effect}, {FAMILY_NAMES.get(str(family), str(family))} {shape}{on}"
        varied = _varied(alike)
        if not varied:
            yield name, alike
            continue
        for values, own in alike.groupby(varied, sort=False, dropna=False):
            told = [f"{c.replace('_', ' ')} {v}" for c, v in zip(varied, values, strict=True)]
            yield ", ".join([name, *told]), own


def _varied(alike: pd.DataFrame) -> list[str]:
    """Columns that tell models of one shape apart."""
    varied = [column for column in OTHERS if len(alike[column].unique()) > 1]
    if alike.groupby("way")[OF_A_WAY].nunique().max() > 1:
        varied.append(OF_A_WAY)
    return varied


def _by_seed(table: pd.DataFrame, way: str, *, is_seen: bool) -> pd.Series[float]:
    """ESR of each seed, mean over the settings; settings weigh alike, whatever their level."""
    own = table[(table["way"] == way) & (table["is_seen"] == is_seen)]
    return own.groupby("seed")["esr"].mean()


def _as_trained(table: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """The rendering that models were trained for, and its rows."""
    rendering = FRAMED if (table["rendering"] == FRAMED).any() else STREAMING
    return rendering, table[table["rendering"] == rendering]


def _lines(name: str, table: pd.DataFrame) -> Iterator[WayLine]:
    for rendering, own in table.groupby("rendering", sort=False):
        for way in WAYS:
            judged = own[own["way"] == way]
            if len(judged):
                yield WayLine(
                    name,
                    way,
                    str(rendering),
                    _told(_by_seed(own, way, is_seen=True)),
                    _told(_by_seed(own, way, is_seen=False)),
                    f"{int(judged['macs_per_sample'].max()):,}",
                )


def _told(values: pd.Series[float]) -> str:
    if values.empty:
        return ""
    spread = Spread.of(values)
    if spread.count == 1:
        return significant(spread.mean)
    return f"{significant(spread.mean)} ({ranged(spread.low, spread.high, digits=2)})"


def _sentences(name: str, table: pd.DataFrame) -> Iterator[str]:
    rendering, judged = _as_trained(table)
    found = {way: _by_seed(judged, way, is_seen=False) for way in WAYS}
    told = [f"{way} {_told(values)}" for way, values in found.items() if len(values)]
    if not told:
        return
    seeds = max(len(values) for values in found.values())
    yield (
        f"{name}: mean ESR at unseen settings, {rendering}, {counted(seeds, 'seed')}: "
        f"{'; '.join(told)}."
    )
    for one, other in (("conditioned", "faded"), ("faded", "nearest")):
        pairs = pd.concat([found[one], found[other]], axis=1, join="inner", keys=[one, other])
        if len(pairs) > 1:
            yield _compared(one, other, pairs)


def _compared(one: str, other: str, pairs: pd.DataFrame) -> str:
    """How two ways differ, seed by seed; a claim only where all seeds agree."""
    changes = [decibels(a / b) for a, b in zip(pairs[one], pairs[other], strict=True)]
    count = counted(len(changes), "seed")
    if max(changes) < 0 or min(changes) > 0:
        least, most = (f"{size(map(abs, changes)):.1f}" for size in (min, max))
        more = "more" if changes[0] > 0 else "less"
        by = most if least == most else f"{least} to {most}"
        return f"In all {count} {one} errs {more} than {other}, by {by} dB."
    span = f"{min(changes):+.1f} to {max(changes):+.1f} dB".replace("-", "\N{MINUS SIGN}")
    return f"The seeds do not agree between {one} and {other}: {one} changes the error by {span}."


def _pictures(models: Sequence[tuple[str, pd.DataFrame]], cache: Cache) -> Iterator[Picture]:
    for name, table in models:
        controls = [
            column
            for column in table.columns
            if column.startswith("control_") and table[column].notna().any()
        ]
        if len(controls) != 1:
            continue
        [column] = controls
        rendering, judged = _as_trained(table)
        lines = [line for way in WAYS if (line := _line(judged, way, column))]
        seen = sorted({float(v) for v in judged[judged["is_seen"]][column]})
        yield _kept(name, column.removeprefix("control_"), lines, seen, rendering, cache)


def _line(table: pd.DataFrame, way: str, column: str) -> ControlLine | None:
    own = table[table["way"] == way].groupby(column)["esr"]
    if not len(own):
        return None
    described = own.agg(["mean", "min", "max"])
    return ControlLine(
        way,
        *(
            tuple(float(v) for v in values)
            for values in (
                described.index,
                described["mean"],
                described["min"],
                described["max"],
            )
        ),
    )


def _kept(
    name: str,
    control: str,
    lines: Sequence[ControlLine],
    seen: Sequence[float],
    rendering: str,
    cache: Cache,
) -> Picture:
    def fill(folder: Path) -> Facts:
        with style.styled():
            return asdict(style.save(figures.over_control(control, lines, seen), folder, "knob"))

    drawing = Path(figures.__file__).read_text("utf-8")  # another drawing is another figure
    inputs = [drawing, control, [asdict(line) for line in lines], list(seen)]
    kept = cache.kept(f"knob {name}", inputs, fill)
    return shown(
        kept.folder,
        kept.facts,
        f"{name} over {control}",
        f"Test ESR by {control}, {rendering}; bars span the seeds. Models were trained at "
        f"{', '.join(f'{value:g}' for value in seen)} (dashed) and nowhere else.",
    )
