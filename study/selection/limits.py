"""The limits that a candidate has to meet to be chosen."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from data.errors import InputError, suggestion
from study.selection.candidates import VERDICTS, Candidate


@dataclass(frozen=True)
class Limits:
    """What a candidate must meet to be chosen; None sets no limit.

    Attributes:
        max_asr_db: highest worst aliasing-to-signal ratio.
        max_macs: most multiply-accumulates an output sample, as rendered.
        board: one that must compute it in real time, by the budget of any route to it.
        accept_tight: whether a budget that holds only if all goes well is enough.
    """

    max_asr_db: float | None = None
    max_macs: int | None = None
    board: str | None = None
    accept_tight: bool = False

    def described(self) -> str:
        """In words, or nothing where there are none."""
        return ", ".join(f"{limit.name} {limit.wanted}" for limit in _asked(self))


def broken(candidate: Candidate, limits: Limits) -> list[str]:
    """The limits that a candidate does not meet, each with what it has instead."""
    return [
        f"{limit.name} {limit.found(candidate)}"
        for limit in required(limits)
        if limit.excess_db(candidate) > 0
    ]


@dataclass(frozen=True)
class Limit:
    """One limit. ``excess_db`` is how far a candidate is beyond it, 0 or less where it is met."""

    name: str
    wanted: str
    excess_db: Callable[[Candidate], float]
    found: Callable[[Candidate], str]


def required(limits: Limits) -> list[Limit]:
    """What a candidate must meet, one by one: to be stable, and the limits that are set."""
    return [_STABLE, *_asked(limits)]


def require_board(board: str, budget: pd.DataFrame | None) -> None:
    """Refuse a board that the budget says nothing of.

    Raises:
        InputError: there is no budget, or no such board in it.
    """
    if budget is None:
        raise InputError(
            f"board {board!r}",
            expected="budget.parquet, the real-time budget of the grid's models",
            found="no such file",
            remedy="Run `make budget` with the same GRID first, or choose without BOARD.",
        )
    boards = sorted(set(budget["board"]))
    if board not in boards:
        raise InputError(
            f"board {board!r}",
            expected="one of " + ", ".join(boards),
            found="none of them",
            remedy=suggestion(board, boards, "Name one of these."),
        )


def _instability_db(candidate: Candidate) -> float:
    return math.inf if candidate.row.get("instability") else 0.0


# Not measured (of a framed model, or by an earlier version) counts as stable.
_STABLE = Limit(
    "instability", "none", _instability_db, lambda candidate: f"({candidate.row['instability']})"
)


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
    def excess_db(candidate: Candidate) -> float:
        asr_db = candidate.row["asr_worst_db"]
        return math.inf if asr_db is None else float(asr_db - most_db)

    def found(candidate: Candidate) -> str:
        asr_db = candidate.row["asr_worst_db"]
        return "not measured" if asr_db is None else f"{asr_db:.1f} dB"

    return Limit("worst ASR", f"at most {most_db:g} dB", excess_db, found)


def _macs_limit(most: int) -> Limit:
    return Limit(
        "multiply-accumulates",
        f"at most {most:,} a sample",
        lambda own: 10 * math.log10(max(1, own.row["macs_per_sample"]) / max(1, most)),
        lambda own: f"{own.row['macs_per_sample']:,}",
    )


def _by(route: str) -> str:
    return "by generated C" if route == "c" else f"by {route.replace('tflite_', 'TFLite Micro, ')}"


def _board_limit(board: str, accept_tight: bool) -> Limit:
    allowed = VERDICTS[: 2 if accept_tight else 1]

    def excess_db(candidate: Candidate) -> float:
        cost = candidate.costs.get(board)
        if cost is None or cost.share_high is None:
            return math.inf
        if cost.verdict in allowed:
            return 0.0
        # The verdict decides, even where the share alone would be small enough.
        return max(10 * math.log10(max(cost.share_high, 1e-12)), 1e-9)

    def found(candidate: Candidate) -> str:
        cost = candidate.costs.get(board)
        return (
            "not computed" if cost is None else f"{cost.verdict} ({cost.reason}; {_by(cost.route)})"
        )

    return Limit(f"real time on {board}", " or ".join(allowed), excess_db, found)
