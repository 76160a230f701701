"""Which models may be chosen, and the limits that they have to meet."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pandas as pd

from data.errors import InputError
from study.store import received
from study.store.columns import BUDGET_COLUMNS
from study.store.folders import Store

Row = dict[str, Any]

# What the budget of a board says of a model, best first.
Verdict = Literal["yes", "tight", "no"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Limits:
    """What a model must meet to be chosen; None sets no limit.

    Attributes:
        max_asr_db: highest worst aliasing-to-signal ratio.
        max_macs: most multiply-accumulates an output sample, as rendered.
        board: one that must compute it in real time, by the budget of any route to it.
        accept_tight: whether a budget that holds only if all goes well is enough.
        effect: what it must model; by default all effects compete.
    """

    max_asr_db: float | None = None
    max_macs: int | None = None
    board: str | None = None
    accept_tight: bool = False
    effect: str | None = None

    def described(self) -> str:
        """In words, or nothing where there are none."""
        parts = [f"effect {self.effect}"] if self.effect else []
        parts += [f"{limit.name} {limit.wanted}" for limit in _asked(self)]
        return ", ".join(parts)


def read_budget(store: Store) -> pd.DataFrame | None:
    """The real-time budget of every model on every board, or None before it was computed."""
    try:
        return received.parquet(store.root / "budget.parquet", BUDGET_COLUMNS)
    except FileNotFoundError:
        return None


def candidates(
    results: pd.DataFrame, limits: Limits | None = None, budget: pd.DataFrame | None = None
) -> list[Row]:
    """Final models of an effect as each way of rendering, in the table's order.

    Checkpoint epochs are no candidates: they are kept to study training. Each row gains
    ``board_verdict``, ``board_share``, ``board_reason`` and ``board_route`` where the limits
    name a board.

    Raises:
        InputError: there is none, the effect is unknown, or so is the board.
    """
    limits = limits or Limits()
    is_done = (results["status"] == "ok") & results["validation_esr"].notna()
    done = results[is_done]
    is_final = done["is_final"].fillna(False)
    main = done[is_final].set_index("run_id")[["epoch", "rendering"]].reindex(done["run_id"])
    rendered_otherwise = (done["rendering"].to_numpy() != main["rendering"].to_numpy()) & (
        done["epoch"].to_numpy() >= main["epoch"].to_numpy()
    )
    final = done[is_final | rendered_otherwise].astype(object)
    rows = [
        {str(name): value for name, value in row.items()}
        for row in final.where(final.notna(), None).to_dict("records")
    ]
    if not rows:
        raise InputError(
            "choice of a run",
            expected="at least one finished run",
            found=f"{results['run_id'].nunique()} runs, none finished",
            remedy="Run `make grid` with the same GRID first.",
        )
    if limits.effect is not None:
        rows = _of_effect(rows, limits.effect)
    if limits.board is not None:
        _add_board(rows, limits.board, budget)
    return rows


def broken(row: Row, limits: Limits) -> list[str]:
    """The limits that a candidate does not meet, each with what it has instead."""
    return [
        f"{limit.name} {limit.found(row)}" for limit in required(limits) if limit.excess_db(row) > 0
    ]


@dataclass(frozen=True)
class Limit:
    """One limit. ``excess_db`` is how far a row is beyond it, 0 or less where it is met."""

    name: str
    wanted: str
    excess_db: Callable[[Row], float]
    found: Callable[[Row], str]


def required(limits: Limits) -> list[Limit]:
    """What a model must meet, one by one: to be stable, and the limits that are set."""
    return [_STABLE, *_asked(limits)]


def _instability_db(row: Row) -> float:
    return math.inf if row.get("instability") else 0.0


# Not measured (of a framed model, or by an earlier version) counts as stable.
_STABLE = Limit("instability", "none", _instability_db, lambda row: f"({row['instability']})")


def _asked(limits: Limits) -> list[Limit]:
    every = []
    if limits.max_asr_db is not None:
        every.append(_asr_limit(limits.max_asr_db))
    if limits.max_macs is not None:
        every.append(_macs_limit(limits.max_macs))
    if limits.board is not None:
        every.append(_board_limit(limits.board, limits.accept_tight))
    return every


def _asr_limit(most_db: float) -> Limit:
    def excess_db(row: Row) -> float:
        asr_db = row["asr_worst_db"]
        return math.inf if asr_db is None else asr_db - most_db

    def found(row: Row) -> str:
        asr_db = row["asr_worst_db"]
        return "not measured" if asr_db is None else f"{asr_db:.1f} dB"

    return Limit("worst ASR", f"at most {most_db:g} dB", excess_db, found)


def _macs_limit(most: int) -> Limit:
    return Limit(
        "multiply-accumulates",
        f"at most {most:,} a sample",
        lambda row: 10 * math.log10(max(1, row["macs_per_sample"]) / max(1, most)),
        lambda row: f"{row['macs_per_sample']:,}",
    )


def _board_limit(board: str, accept_tight: bool) -> Limit:
    allowed = VERDICTS[: 2 if accept_tight else 1]

    def excess_db(row: Row) -> float:
        if row["board_verdict"] in allowed:
            return 0.0
        share = row["board_share"]
        # The verdict decides, even where the share alone would be small enough.
        return math.inf if share is None else max(10 * math.log10(max(share, 1e-12)), 1e-9)

    def found(row: Row) -> str:
        if row["board_verdict"] is None:
            return "not computed"
        return f"{row['board_verdict']} ({row['board_reason']}; {row['board_route']})"

    return Limit(f"real time on {board}", " or ".join(allowed), excess_db, found)


def _add_board(rows: Sequence[Row], board: str, budget: pd.DataFrame | None) -> None:
    """Give each row the verdict of its best route to a board."""
    if budget is None:
        raise InputError(
            f"board {board!r}",
            expected="budget.parquet, the real-time budget of the grid's models",
            found="no such file",
            remedy="Run `make budget` with the same GRID first, or choose without BOARD.",
        )
    boards = sorted(set(budget["board"]))
    if board not in boards:
        near = difflib.get_close_matches(board, boards, 1)
        raise InputError(
            f"board {board!r}",
            expected="one of " + ", ".join(boards),
            found="none of them",
            remedy=f"Did you mean {near[0]!r}?" if near else "Name one of these.",
        )
    best: dict[tuple[str, str], Row] = {}
    for record in budget[budget["board"] == board].to_dict("records"):
        route = {str(name): value for name, value in record.items()}
        key = (str(route["run_id"]), str(route["rendering"]))
        if key not in best or _route_order(route) < _route_order(best[key]):
            best[key] = route
    for row in rows:
        route = best.get((row["run_id"], row["rendering"]), {})
        row["board_verdict"] = route.get("verdict")
        row["board_share"] = route.get("share_pessimistic")
        row["board_reason"] = route.get("reason")
        row["board_route"] = route.get("route")


def _route_order(route: Row) -> tuple[int, float]:
    return VERDICTS.index(route["verdict"]), float(route["share_pessimistic"])


def _of_effect(rows: Sequence[Row], effect: str) -> list[Row]:
    own = [row for row in rows if row["effect"] == effect]
    if own:
        return own
    effects = list(dict.fromkeys(str(row["effect"]) for row in rows))
    near = difflib.get_close_matches(effect, effects, 1)
    raise InputError(
        f"effect {effect!r}",
        expected="one of " + ", ".join(effects),
        found="none of them",
        remedy=f"Did you mean {near[0]!r}?" if near else "Name one of these, or none.",
    )
