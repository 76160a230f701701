"""The table of all rows, as a page shows it: what varies in columns, what does not in a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.sources.numbers import significant
from reports.sources.results import Row
from study.config.run import RunConfig
from study.measures.metrics import METRICS
from study.store.roles import role
from study.store.tables import COLUMNS

# What people look at first, most important first, since a phone shows three columns beside
# the model; together they fit a page of 1280 pixels. The other columns appear on demand.
FIRST = (
    "esr",
    "validation_esr",
    "effect",
    "status",
    "training_frames",
    "rendering",
    "epoch",
    "seed",
    "r2",
    "asr_worst_db",
    "macs_per_sample",
)
# What a grid may hold constant; results stay in the table even if equal.
SETTINGS = tuple(
    name for name in COLUMNS if name in RunConfig.model_fields or name in ("status", "rendering")
)
# Of what comes near to 1 where a model is good, and of the baselines' own, a digit more.
_FINE = frozenset(
    f"{of}{metric.name}"
    for metric in METRICS
    for of in ("", "dry_", "fir_")
    if metric.better == "higher"
)


@dataclass(frozen=True)
class Column:
    """A column on the page.

    Attributes:
        name: as in results.csv.
        meaning: tooltip.
        is_numeric: aligned right and sorted by value.
        is_first: shown without asking.
    """

    name: str
    meaning: str
    is_numeric: bool
    is_first: bool


@dataclass(frozen=True)
class Cell:
    """Text for people and the value to sort by; both empty where nothing is known."""

    text: str
    sort_key: str


@dataclass(frozen=True)
class RunRow:
    """A row on the page.

    Attributes:
        kind: final, checkpoint, failed or pending.
        run_id: of its run.
        model: what it is called.
        link: to the page of its run, or nothing.
        cells: one a column.
    """

    kind: str
    run_id: str
    model: str
    link: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Listing:
    """The whole table.

    Attributes:
        columns: those whose values differ between rows.
        lines: final rows first, then failed and pending runs, then checkpoint rows.
        constants: name, meaning and value of the settings that never differ.
    """

    columns: tuple[Column, ...]
    lines: tuple[RunRow, ...]
    constants: tuple[tuple[str, str, str], ...]

    def count(self, kind: str) -> int:
        """Lines of a kind."""
        return sum(line.kind == kind for line in self.lines)


def listing(rows: Sequence[Row], models: Mapping[str, str], links: Mapping[str, str]) -> Listing:
    """Lay the rows of a results table out for a page.

    Args:
        rows: of the results.
        models: by run id, what a run is called; its id where nothing is given.
        links: by run id, its page.
    """
    constant = [name for name in SETTINGS if _only_value(rows, name) is not None]
    shown = [name for name in FIRST if name not in constant]
    shown += [name for name in COLUMNS if name not in (*constant, *shown, "is_final", "role")]
    if not any(row["error"] for row in rows):
        shown.remove("error")
    columns = [
        Column(name, COLUMNS[name][1], COLUMNS[name][0] in ("Int64", "Float64"), name in FIRST)
        for name in shown
    ]
    effects = list(dict.fromkeys(row["effect"] for row in rows))
    ordered = sorted(rows, key=lambda row: _order(row, effects))
    return Listing(
        tuple(columns),
        tuple(
            RunRow(
                _kind(row),
                row["run_id"],
                models.get(row["run_id"], row["run_id"]),
                links.get(row["run_id"], ""),
                _cells(row, shown),
            )
            for row in ordered
        ),
        tuple(
            (name, COLUMNS[name][1], cell(name, _only_value(rows, name)).text) for name in constant
        ),
    )


def _only_value(rows: Sequence[Row], name: str) -> object:
    values = {row[name] for row in rows}
    return values.pop() if len(values) == 1 else None


def _kind(row: Row) -> str:
    if row["status"] != "ok":
        return str(row["status"])
    return "final" if role(row) == "main" else "checkpoint"


def _order(row: Row, effects: Sequence[str]) -> tuple[int, int, float, str, int]:
    """Kind, effect in the grid's order, then best validation ESR or run and epoch."""
    place = ("final", "failed", "pending", "checkpoint").index(_kind(row))
    best = row["validation_esr"] if _kind(row) == "final" else 0.0
    return place, effects.index(row["effect"]), best, row["run_id"], row["epoch"] or 0


def _cells(row: Row, names: Sequence[str]) -> tuple[Cell, ...]:
    return tuple(cell(name, row[name]) for name in names)


def cell(name: str, value: object) -> Cell:
    """A value as people read it, and as it is sorted."""
    if value is None:
        return Cell("", "")
    if name == "learning_rate":
        return Cell(f"{value:g}", repr(value))
    if isinstance(value, float):
        return Cell(significant(value, 4 if name in _FINE else 3), repr(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return Cell(f"{value:,}", str(value))
    return Cell(str(value), str(value))
