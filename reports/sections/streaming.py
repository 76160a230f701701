"""What carrying the state on changes in models that were trained on frames, and its cure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from reports.sections.wording import spread_text
from reports.sources.numbers import counted, ranged, significant
from reports.sources.results import Model, Results, Row, Spread
from study.config.rendering import FRAMED, STREAMING, STREAMING_TUNED, Rendering

COMPARED = (FRAMED, STREAMING, STREAMING_TUNED)
# A streaming ESR of more than this many times the framed one is called by its name.
BREAKS_AT = 10.0


@dataclass(frozen=True)
class StreamingRow:
    """A model in one way of rendering, test split, as text.

    Attributes:
        model: effect and label; empty below its first line.
        rendering: its label.
        seeds: how many were trained.
        esr, mae, asr_db: mean and range over them; ASR is the worst probe's.
    """

    model: str
    rendering: str
    seeds: int
    esr: str
    mae: str
    asr_db: str


@dataclass(frozen=True)
class StreamingSection:
    """The section; ``lines`` is never empty."""

    sentences: tuple[str, ...]
    lines: tuple[StreamingRow, ...]


def streaming_section(results: Results) -> StreamingSection | None:
    """Framed and streaming results side by side, or None where no framed model streams."""
    found = [(model, by_rendering(results, model)) for model in results.models]
    streamed = [(model, rows) for model, rows in found if rows.get(FRAMED) and rows.get(STREAMING)]
    if not streamed:
        return None
    lines = [line for model, rows in streamed for line in _lines(model, rows)]
    return StreamingSection(tuple(_sentences(streamed)), tuple(lines))


def by_rendering(results: Results, model: Model) -> dict[str, list[Row]]:
    """The final rows of a model's seeds by rendering, in one order of seeds."""
    rows: dict[str, list[Row]] = {name: [] for name in COMPARED}
    for run in sorted(model.rows, key=lambda row: row["seed"]):
        for row in results.finals_of(run["run_id"]):
            if row["rendering"] in rows:
                rows[row["rendering"]].append(row)
    return rows


def _lines(model: Model, by_name: dict[str, list[Row]]) -> Iterable[StreamingRow]:
    title = f"{model.effect}: {model.label}"
    for name, rows in by_name.items():
        if rows:
            yield StreamingRow(
                title, Rendering.parse(name).label, len(rows),
                _told(rows, "esr"), _told(rows, "mae"), _told(rows, "asr_worst_db"),
            )  # fmt: skip
            title = ""


def _told(rows: Sequence[Row], column: str) -> str:
    values = [float(row[column]) for row in rows if row[column] is not None]
    if not values:
        return ""
    digits = 3 if column != "asr_worst_db" else 2
    return spread_text(Spread.of(values), digits)


def _sentences(streamed: Sequence[tuple[Model, dict[str, list[Row]]]]) -> Iterable[str]:
    growth = {
        run["run_id"]: run["esr"] / framed["esr"]
        for _, rows in streamed
        for run, framed in zip(rows[STREAMING], rows[FRAMED], strict=True)
    }
    yield (
        f"Of {counted(len(growth), 'run')} trained on frames, {_better(growth.values())} better "
        "when the state goes on from sample to sample. The test ESR is "
        f"{significant(median(growth.values()), 2)} times the framed one in the median"
        + (
            f", from {ranged(min(growth.values()), max(growth.values()), 2)} times."
            if len(growth) > 1
            else "."
        )
    )
    broken = [
        (model, row, framed)
        for model, rows in streamed
        for row, framed in zip(rows[STREAMING], rows[FRAMED], strict=True)
        if growth[row["run_id"]] > BREAKS_AT
    ]
    if broken:
        model, worst, framed = max(broken, key=lambda found: found[1]["esr"])
        yield (
            f"{counted(len(broken), 'run')} can no longer be used so: more than "
            f"{BREAKS_AT:g} times the framed ESR. The worst is {model.effect}, {model.label}, "
            f"seed {worst['seed']}: {significant(worst['esr'])}, where its framed ESR is "
            f"{significant(framed['esr'])}."
        )
    yield from (_told_of_cure(model, rows) for model, rows in streamed if rows[STREAMING_TUNED])


def _better(growth: Iterable[float]) -> str:
    count = sum(factor < 1 for factor in growth)
    return f"{count or 'none'} {'is' if count <= 1 else 'are'}"


def _told_of_cure(model: Model, rows: dict[str, list[Row]]) -> str:
    framed = {row["run_id"]: row["esr"] for row in rows[FRAMED]}
    streaming = {row["run_id"]: row["esr"] for row in rows[STREAMING]}
    tuned = {row["run_id"]: row["esr"] for row in rows[STREAMING_TUNED]}
    better = sum(esr < streaming[run_id] for run_id, esr in tuned.items())
    best = sum(esr < framed[run_id] for run_id, esr in tuned.items())
    return (
        f"{model.effect}, {model.label}: fine-tuning of the streaming model lowers its test ESR "
        f"from {_told(rows[STREAMING], 'esr')} to {_told(rows[STREAMING_TUNED], 'esr')}, in "
        f"{better} of {counted(len(tuned), 'seed')}; in {best} it is then below the framed "
        f"model's {_told(rows[FRAMED], 'esr')}."
    )
