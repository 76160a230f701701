"""Candidates: a model, a way of rendering it, and what that costs on every board.

One of them is chosen of each effect (``study.selection.choose``), and whatever is shown, heard,
exported or built is one. A way of rendering that no board does makes a model one for research: it
is listed and measured like the others, and never chosen where another one is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import pandas as pd

from data.errors import InputError, suggestion
from models.families import FAMILIES
from study.config.rendering import Rendering
from study.store import received
from study.store.columns import BUDGET_ADDED, BUDGET_COLUMNS
from study.store.folders import Store
from study.store.roles import role

Row = dict[str, Any]

# What the budget of a board says of a model, best first.
Verdict = Literal["yes", "tight", "no"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class BoardCost:
    """What a candidate costs on a board by the best route to it.

    Attributes:
        board: name.
        route: as in the budget.
        verdict: whether it keeps up.
        share_low, share_high: of the processor, if all goes well and if not; None where unknown.
        latency_ms: from converter to converter; None where unknown.
        reason: for the verdict, in words.
    """

    board: str
    route: str
    verdict: Verdict
    share_low: float | None
    share_high: float | None
    latency_ms: float | None
    reason: str


@dataclass(frozen=True)
class Candidate:
    """A model as it is rendered.

    Attributes:
        effect: what it models, as in the results table.
        run_id: folder under ``runs/<grid>/runs``.
        rendering: as in the results table.
        row: of the results table.
        costs: by board; empty before the budget was computed.
        research: why no board renders it so, or nothing.
    """

    effect: str
    run_id: str
    rendering: str
    row: Mapping[str, Any] = field(repr=False)
    costs: Mapping[str, BoardCost] = field(repr=False)
    research: str

    @property
    def validation_esr(self) -> float:
        """By which it is chosen."""
        return float(self.row["validation_esr"])

    @property
    def name(self) -> str:
        """In a few words: run and rendering."""
        return f"{self.run_id}, {self.rendering}"

    @property
    def verdict(self) -> Verdict | None:
        """Of the board that it suits best; None before the budget was computed."""
        if not self.costs:
            return None
        return min((cost.verdict for cost in self.costs.values()), key=VERDICTS.index)


def read_budget(store: Store) -> pd.DataFrame | None:
    """The real-time budget of every model on every board, or None before it was computed."""
    try:
        return received.parquet(store.root / "budget.parquet", BUDGET_COLUMNS, BUDGET_ADDED)
    except FileNotFoundError:
        return None


def candidates(
    results: pd.DataFrame, budget: pd.DataFrame | None = None, effect: str | None = None
) -> list[Candidate]:
    """Final models, of one effect or of all, each way of rendering apart, in the table's order.

    Checkpoint epochs are no candidates: they are kept to study training.

    Args:
        results: the table of a grid, ``study.store.tables.collect``.
        budget: a row a model, board and route, ``read_budget``.
        effect: by default all.

    Raises:
        InputError: there is none, or the effect is unknown.
    """
    is_done = (results["status"] == "ok") & results["validation_esr"].notna()
    done = results[is_done]
    known = done.astype(object)
    every = known.where(known.notna(), None).to_dict("records")
    rows = [{str(name): value for name, value in row.items()} for row in every]
    finals = [row for row in rows if role(row) != "checkpoint"]
    if not finals:
        raise InputError(
            "choice of a run",
            expected="at least one finished run",
            found=f"{results['run_id'].nunique()} runs, none finished",
            remedy="Run `make grid` with the same GRID first.",
        )
    costs = {} if budget is None else _costs(budget)
    found = [_candidate(row, costs) for row in finals]
    return found if effect is None else _of_effect(found, effect)


def research_reason(family: str, knobs: str, rendering: str) -> str:
    """Why no board renders a model so, however fast it is; nothing if boards do."""
    if knobs != "none":
        return "firmware turns no knobs"
    if not FAMILIES[family].has_firmware:
        return f"no firmware is written for {family}"
    way = Rendering.parse(rendering)
    if way.factor > 1:
        return "the firmware does not oversample"
    if FAMILIES[family].streams and not way.carries_state:
        return "boards stream recurrent models"
    return ""


def _candidate(row: Row, costs: Mapping[tuple[str, str], Mapping[str, BoardCost]]) -> Candidate:
    run_id, rendering = str(row["run_id"]), str(row["rendering"])
    return Candidate(
        effect=str(row["effect"]),
        run_id=run_id,
        rendering=rendering,
        row=row,
        costs=costs.get((run_id, rendering), {}),
        research=research_reason(str(row["family"]), str(row["knobs"] or "none"), rendering),
    )


def _costs(budget: pd.DataFrame) -> dict[tuple[str, str], dict[str, BoardCost]]:
    """By run and rendering, then by board: the best route."""
    best: dict[tuple[str, str], dict[str, BoardCost]] = {}
    known = budget[budget["verdict"].isin(VERDICTS)]
    for row in sorted(known.to_dict("records"), key=_route_order):
        own = best.setdefault((str(row["run_id"]), str(row["rendering"])), {})
        own.setdefault(
            str(row["board"]),
            BoardCost(
                board=str(row["board"]),
                route=str(row["route"]),
                verdict=row["verdict"],
                share_low=row.get("share_optimistic"),
                share_high=row["share_pessimistic"],
                latency_ms=row.get("latency_ms"),
                reason=str(row["reason"]),
            ),
        )
    return best


def _route_order(row: Mapping[Any, Any]) -> tuple[int, float]:
    return VERDICTS.index(row["verdict"]), float(row["share_pessimistic"])


def _of_effect(found: list[Candidate], effect: str) -> list[Candidate]:
    own = [candidate for candidate in found if candidate.effect == effect]
    if own:
        return own
    effects = list(dict.fromkeys(candidate.effect for candidate in found))
    raise InputError(
        f"effect {effect!r}",
        expected="one of " + ", ".join(effects),
        found="none of them",
        remedy=suggestion(effect, effects, "Name one of these, or none."),
    )
