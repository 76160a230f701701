"""The chosen run of a grid: by a stated rule, or by its user.

The rule: of the models that meet the limits, the one with the lowest ESR on the validation
split. Test figures take no part in it, so they stay an honest forecast of the chosen one.
A choice names a run and a way of rendering, since a recurrent model that starts every frame
from zero state and the same one with its state carried on are two functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from data import files
from data.errors import InputError
from study.selection.limits import Limit, Limits, Row, broken, candidates, required
from study.store import received, tables
from study.store.folders import Store
from study.store.run_ids import known

By = Literal["rule", "user"]


@dataclass(frozen=True)
class Choice:
    """A run and a way of rendering it.

    Attributes:
        run_id: folder under ``runs/<grid>/runs``.
        rendering: as in the results table.
        reason: in words.
        by: what chose it.
        limits: that were asked for.
    """

    run_id: str
    rendering: str
    reason: str
    by: By
    limits: Limits


def choice_file(store: Store) -> Path:
    """Where the choice of a grid is kept."""
    return store.root / "chosen.json"


def choose(
    results: pd.DataFrame, limits: Limits | None = None, budget: pd.DataFrame | None = None
) -> Choice:
    """The model with the lowest validation ESR of those that meet the limits.

    Args:
        results: the table of a grid, ``study.store.tables.collect``.
        limits: by default none.
        budget: a row a model, board and route, ``read_budget``; needed for a board alone.

    Raises:
        InputError: nothing meets the limits (says what each excludes, and what comes
            nearest), or there is nothing to choose from.
    """
    limits = limits or Limits()
    rows = candidates(results, limits, budget)
    met = [row for row in rows if not broken(row, limits)]
    if not met:
        raise _nothing_left(rows, limits)
    best = min(met, key=lambda row: row["validation_esr"])
    return Choice(
        best["run_id"], best["rendering"], _reason(best, rows, met, limits), "rule", limits
    )


def by_user(
    results: pd.DataFrame,
    run: str,
    rendering: str | None = None,
    limits: Limits | None = None,
    budget: pd.DataFrame | None = None,
) -> Choice:
    """What a user wants, whatever the rule says; broken limits are told in the reason.

    Args:
        results: the table of a grid.
        run: id of a finished run, or as much of its beginning as no other shares.
        rendering: by default the run's with the lowest validation ESR.
        limits: to compare it with.
        budget: as for ``choose``.

    Raises:
        InputError: there is no such finished run or rendering.
    """
    limits = limits or Limits()
    everything = candidates(results, Limits(board=limits.board), budget)
    run_ids = list(dict.fromkeys(row["run_id"] for row in everything))
    expected = "the id of a finished run of this grid, or its beginning"
    run_id = known(run, run_ids, expected)
    own = sorted(
        (row for row in everything if row["run_id"] == run_id),
        key=lambda row: row["validation_esr"],
    )
    wanted = [row for row in own if rendering in (None, row["rendering"])]
    if not wanted:
        raise InputError(
            f"rendering {rendering!r} of run {run_id}",
            expected="one of " + ", ".join(row["rendering"] for row in own),
            found="none of them",
            remedy="Name one of these, or none for that with the lowest validation ESR.",
        )
    row = wanted[0]
    reason = f"Chosen by its user; validation ESR {_number(row['validation_esr'])}."
    missed = [limit for limit in required(limits) if limit.excess_db(row) > 0]
    if missed:
        reason += " It breaks limits: " + _found(row, missed) + "."
    best = min(everything, key=lambda other: _effect_first(other, row))
    if best is not row:
        reason += (
            f" The lowest validation ESR of the effect is {_number(best['validation_esr'])} "
            f"({model_name(best)})."
        )
    return Choice(run_id, row["rendering"], reason, "user", limits)


def write(store: Store, choice: Choice) -> Path:
    """Keep a choice for the stages that follow, and for the report."""
    files.write_json(choice_file(store), asdict(choice))
    return choice_file(store)


def stored(store: Store) -> Choice | None:
    """The kept choice, or None where nobody chose.

    Raises:
        InputError: the file is broken, or names what the grid no longer has.
    """
    path = choice_file(store)
    try:
        kept = received.choice(path)
        choice = Choice(**{**kept, "limits": Limits(**kept["limits"])})
    except FileNotFoundError:
        return None
    except InputError as error:
        raise _not_usable(path, error.found) from error
    run = store.run(choice.run_id)
    rows = (run.result() or {}).get("rows", [])
    is_known = run.run_id in store.manifest()["runs"] and any(
        row.get("rendering", None) == choice.rendering for row in rows
    )
    if not is_known:
        raise _not_usable(path, f"run {choice.run_id}, {choice.rendering}, which it has not")
    return choice


def chosen(store: Store) -> Choice:
    """The kept choice of a grid, or what the rule without limits says where nobody chose.

    Raises:
        InputError: the choice cannot be used, or no run has finished.
    """
    return stored(store) or choose(tables.collect(store))


def model_name(row: Row) -> str:
    """A candidate in a few words: run and rendering."""
    return f"{row['run_id']}, {row['rendering']}"


def _nothing_left(rows: Sequence[Row], limits: Limits) -> InputError:
    nearest = min(rows, key=lambda row: _distance(row, limits))
    excluded = [
        f"{limit.name} {limit.wanted} excludes {count}"
        for limit in required(limits)
        if (count := sum(limit.excess_db(row) > 0 for row in rows))
    ]
    return InputError(
        "choice of a run",
        expected="a model that meets all limits",
        found=f"none of {len(rows)}: {'; '.join(excluded)}. Nearest is {model_name(nearest)} with "
        + "; ".join(broken(nearest, limits)),
        remedy="Loosen a limit, or name the run yourself with RUN=.",
    )


def _distance(row: Row, limits: Limits) -> tuple[int, float, float]:
    """How many limits are broken, and by how many decibels in all."""
    excesses = [excess for limit in required(limits) if (excess := limit.excess_db(row)) > 0]
    return len(excesses), sum(excesses), row["validation_esr"]


def _reason(best: Row, rows: Sequence[Row], met: Sequence[Row], limits: Limits) -> str:
    """Why the rule chose this one."""
    esr = _number(best["validation_esr"])
    among = f"{len(met)} of {len(rows)} models meet the limits ({limits.described()})"
    if not limits.described():
        among = f"{len(met)} models (final runs, each way of rendering apart)"
        if unstable := len(rows) - len(met):
            among += f"; {unstable} more do not come to rest in silence"
    elif len(met) == len(rows):
        among = f"{len(rows)} models, all within the limits ({limits.described()})"
    reason = f"Lowest validation ESR, {esr}, among {among}."
    if limits.effect is None and len({row["effect"] for row in rows}) > 1:
        reason += (
            f" They model different effects, of which {best['effect']} came out lowest; name an "
            "effect to choose among its models only."
        )
    others = [row for row in met if row is not best and row["effect"] == best["effect"]]
    if others:
        second = min(others, key=lambda row: row["validation_esr"])
        reason += f" Next: {model_name(second)} with {_number(second['validation_esr'])}."
    unlimited = min(rows, key=lambda row: _effect_first(row, best))
    if unlimited is not best:
        esr, misses = _number(unlimited["validation_esr"]), "; ".join(broken(unlimited, limits))
        reason += (
            f" Without limits it would be {model_name(unlimited)} with {esr}; it has {misses}."
        )
    return reason


def _effect_first(row: Row, like: Row) -> tuple[bool, float]:
    """Sorts the models of one row's effect first, by validation ESR."""
    return row["effect"] != like["effect"], row["validation_esr"]


def _found(row: Row, limits: Iterable[Limit]) -> str:
    return "; ".join(f"{limit.name} {limit.found(row)}, not {limit.wanted}" for limit in limits)


def _number(esr: float) -> str:
    return f"{esr:.3g}"


def _not_usable(path: Path, found: str) -> InputError:
    return InputError(
        f"choice {path}",
        expected="a run of this grid and a way of rendering it",
        found=found,
        remedy="Run `make choose` with the same GRID again.",
    )
