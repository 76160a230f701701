"""The chosen candidate of every effect: by a stated rule, or by its user.

The rule: of an effect's candidates that boards render, that come to rest in silence and that meet
the limits, those that keep up on some board go before those that only might, and of them the one
with the lowest ESR on the validation split is chosen. Test figures take no part in it, so they
stay an honest forecast of the chosen one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from data import files
from data.errors import InputError
from study.config.run import SETTINGS
from study.selection.candidates import VERDICTS, Candidate, candidates, read_budget
from study.selection.limits import Limit, Limits, broken, require_board, required
from study.store import received, tables
from study.store.folders import Store
from study.store.run_ids import known

By = Literal["rule", "user"]


@dataclass(frozen=True)
class Choice:
    """The candidate to build of an effect.

    Attributes:
        candidate: what was chosen.
        reason: in words.
        by: what chose it.
        limits: that were asked for.
    """

    candidate: Candidate
    reason: str
    by: By
    limits: Limits

    @property
    def effect(self) -> str:
        """What it models."""
        return self.candidate.effect

    @property
    def whose(self) -> str:
        """Who chose it, and of what, for whoever is handed it unasked."""
        return f"{'the rule' if self.by == 'rule' else 'the user'}'s choice for {self.effect}"

    @property
    def run_id(self) -> str:
        """Folder under ``runs/<grid>/runs``."""
        return self.candidate.run_id

    @property
    def rendering(self) -> str:
        """As in the results table."""
        return self.candidate.rendering


def choice_file(store: Store) -> Path:
    """Where the choices of a grid are kept."""
    return store.root / "chosen.json"


def choose(
    results: pd.DataFrame,
    limits: Limits | None = None,
    budget: pd.DataFrame | None = None,
    effect: str | None = None,
) -> dict[str, Choice]:
    """By the rule, the candidate to build of every effect, or of one.

    Args:
        results: the table of a grid, ``study.store.tables.collect``.
        limits: by default none.
        budget: a row a model, board and route, ``read_budget``.
        effect: of which; by default of all, in the table's order.

    Raises:
        InputError: nothing of an effect meets the limits (says what each excludes, and what
            comes nearest), or there is nothing to choose from.
    """
    limits = limits or Limits()
    found = candidates(results, budget, effect)
    if limits.board is not None:
        require_board(limits.board, budget)
    by_effect: dict[str, list[Candidate]] = {}
    for candidate in found:
        by_effect.setdefault(candidate.effect, []).append(candidate)
    return {name: _by_rule(own, limits) for name, own in by_effect.items()}


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
        rendering: by default that of the lowest validation ESR which boards do, if there is one.
        limits: to compare it with.
        budget: as for ``choose``.

    Raises:
        InputError: there is no such finished run or rendering.
    """
    limits = limits or Limits()
    everything = candidates(results, budget)
    if limits.board is not None:
        require_board(limits.board, budget)
    candidate = named(everything, run, rendering)
    reason = f"Chosen by its user; validation ESR {_number(candidate)}."
    if candidate.research:
        reason += f" For research only: {candidate.research}."
    missed = [limit for limit in required(limits) if limit.excess_db(candidate) > 0]
    if missed:
        reason += " It breaks limits: " + _found(candidate, missed) + "."
    best = _best([other for other in everything if other.effect == candidate.effect])
    if best is not candidate:
        reason += f" The lowest validation ESR of the effect is {_number(best)} ({best.name})."
    return Choice(candidate, reason, "user", limits)


def named(everything: Sequence[Candidate], run: str, rendering: str | None = None) -> Candidate:
    """The candidate that a run, by its id or the beginning of it, and a rendering stand for.

    Raises:
        InputError: there is none.
    """
    run_ids = list(dict.fromkeys(candidate.run_id for candidate in everything))
    run_id = known(run, run_ids, "the id of a finished run of this grid, or its beginning")
    own = sorted(
        (candidate for candidate in everything if candidate.run_id == run_id),
        key=lambda candidate: (bool(candidate.research), candidate.validation_esr),
    )
    wanted = [candidate for candidate in own if rendering in (None, candidate.rendering)]
    if wanted:
        return wanted[0]
    raise InputError(
        f"rendering {rendering!r} of run {run_id}",
        expected="one of " + ", ".join(candidate.rendering for candidate in own),
        found="none of them",
        remedy="Name one of these, or none for that with the lowest validation ESR.",
    )


def write(store: Store, choices: Iterable[Choice]) -> Path:
    """Keep choices for the stages that follow, and for the report; those of other effects stay."""
    with files.lock(store.root / ".chosen-lock", wait=True):
        kept = _still_standing(store) | {own.effect: own for own in choices}
        content = {
            effect: {
                "run_id": own.run_id,
                "rendering": own.rendering,
                "reason": own.reason,
                "by": own.by,
                "limits": asdict(own.limits),
            }
            for effect, own in kept.items()
        }
        files.write_json(choice_file(store), {"effects": content})
    return choice_file(store)


def stored(store: Store) -> dict[str, Choice]:
    """The kept choices by effect; empty where nobody chose.

    Raises:
        InputError: the file is broken, or names what the grid no longer has.
    """
    path = choice_file(store)
    try:
        kept = received.choices(path)
    except FileNotFoundError:
        return {}
    except InputError as error:
        raise _not_usable(path, error.found) from error
    restored, gone = _restored(store, kept.values())
    if gone:
        raise _not_usable(path, f"run {gone[0]}, which it has not")
    return restored


def chosen(store: Store, effect: str | None = None) -> Choice:
    """The candidate to build: as kept, or by the rule where nobody chose.

    Args:
        store: of the grid.
        effect: of which; by default the grid's first.

    Raises:
        InputError: the choice cannot be used, there is no such effect, or no run has finished.
    """
    results, budget = tables.collect(store), read_budget(store)
    name = candidates(results, budget, effect)[0].effect
    kept = stored(store)
    return kept[name] if name in kept else choose(results, None, budget, name)[name]


def presented(choice: Choice, everything: Iterable[Candidate], most: int) -> list[Candidate]:
    """The candidates that are shown, heard and played beside each other, the chosen one first.

    After it come the best of every other family, then the best of what is left, each on
    validation; of runs that differ in their seed alone only one. All of them come to rest in
    silence, and a board renders them, unless the choice is one for research.

    Args:
        choice: for the effect.
        everything: the candidates, perhaps of other effects too.
        most: how many.
    """
    own = sorted(
        (
            other
            for other in everything
            if other.effect == choice.effect
            and (not other.research or choice.candidate.research)
            and not broken(other, Limits())
        ),
        key=lambda other: (other.verdict != choice.candidate.verdict, other.validation_esr),
    )
    found = [choice.candidate]
    for is_known in (_is_of_family, _is_alike):
        for other in own:
            if not any(is_known(other, known) for known in found):
                found.append(other)
    return found[:most]


def _is_of_family(one: Candidate, other: Candidate) -> bool:
    return bool(one.row["family"] == other.row["family"])


_TELLS_APART = [name for name, own in SETTINGS.items() if own.in_results and not own.adds_rows]


def _is_alike(one: Candidate, other: Candidate) -> bool:
    return all(one.row.get(name) == other.row.get(name) for name in _TELLS_APART)


def _by_rule(rows: Sequence[Candidate], limits: Limits) -> Choice:
    """The rule, among the candidates of one effect."""
    built = [candidate for candidate in rows if not candidate.research]
    met = [candidate for candidate in built or rows if not broken(candidate, limits)]
    if not met:
        raise _nothing_left(built or rows, limits)
    kept_up = met
    if limits.board is None:
        kept_up = [candidate for candidate in met if candidate.verdict == _best_verdict(met)]
    best = _best(kept_up)
    reason = _reason(best, built or rows, met, kept_up, limits)
    if best.research:
        reason += f" For research only: {best.research}."
    else:
        reason += _beyond_boards(best, rows)
    return Choice(best, reason, "rule", limits)


def _best_verdict(met: Iterable[Candidate]) -> str | None:
    return min(
        (own.verdict for own in met if own.verdict is not None),
        key=VERDICTS.index,
        default=None,
    )


def _best(rows: Iterable[Candidate]) -> Candidate:
    return min(rows, key=lambda candidate: candidate.validation_esr)


def _still_standing(store: Store) -> dict[str, Choice]:
    """The kept choices whose runs the grid still has; what is broken is of no use any more."""
    try:
        return _restored(store, received.choices(choice_file(store)).values())[0]
    except (FileNotFoundError, InputError):
        return {}


def _restored(
    store: Store, kept: Iterable[Mapping[str, Any]]
) -> tuple[dict[str, Choice], list[str]]:
    """Choices by effect, and the names of what the grid no longer has."""
    try:
        everything = candidates(tables.collect(store), read_budget(store))
    except InputError:  # nothing is finished any more
        everything = []
    by_name = {candidate.name: candidate for candidate in everything}
    restored, gone = dict[str, Choice](), list[str]()
    for own in kept:
        name = f"{own['run_id']}, {own['rendering']}"
        if candidate := by_name.get(name):
            choice = Choice(candidate, own["reason"], own["by"], Limits(**own["limits"]))
            restored[choice.effect] = choice
        else:
            gone.append(name)
    return restored, gone


def _nothing_left(rows: Sequence[Candidate], limits: Limits) -> InputError:
    nearest = min(rows, key=lambda row: _distance(row, limits))
    excluded = [
        f"{limit.name} {limit.wanted} excludes {count}"
        for limit in required(limits)
        if (count := sum(limit.excess_db(row) > 0 for row in rows))
    ]
    return InputError(
        f"choice of a model of {nearest.effect}",
        expected="one that meets all limits",
        found=f"none of {len(rows)}: {'; '.join(excluded)}. Nearest is {nearest.name} with "
        + "; ".join(broken(nearest, limits)),
        remedy="Loosen a limit, or name the run yourself with RUN=.",
    )


def _distance(row: Candidate, limits: Limits) -> tuple[int, float, float]:
    """How many limits are broken, and by how many decibels in all."""
    excesses = [excess for limit in required(limits) if (excess := limit.excess_db(row)) > 0]
    return len(excesses), sum(excesses), row.validation_esr


def _reason(
    best: Candidate,
    rows: Sequence[Candidate],
    met: Sequence[Candidate],
    kept_up: Sequence[Candidate],
    limits: Limits,
) -> str:
    """Why the rule chose this one."""
    among = f"{len(met)} of {len(rows)} models meet the limits ({limits.described()})"
    if not limits.described():
        among = f"{len(met)} models (final runs, each way of rendering apart)"
        if unstable := len(rows) - len(met):
            among += f"; {unstable} more do not come to rest in silence"
    elif len(met) == len(rows):
        among = f"{len(rows)} models, all within the limits ({limits.described()})"
    if best.verdict is not None and limits.board is None:
        how = {"yes": "keep up on a board", "tight": "might keep up on a board"}
        told = how.get(best.verdict, "keep up on no board, as none here does")
        among = f"{len(kept_up)} that {told}, of {among}"
    reason = f"Lowest validation ESR, {_number(best)}, among {among}."
    others = [row for row in kept_up if row is not best]
    if others:
        second = _best(others)
        reason += f" Next: {second.name} with {_number(second)}."
    unlimited = _best(rows)
    if unlimited is not best:
        misses = "; ".join(broken(unlimited, limits)) or "no board that it keeps up on"
        reason += (
            f" Without limits it would be {unlimited.name} with {_number(unlimited)}; "
            f"it has {misses}."
        )
    return reason


def _beyond_boards(best: Candidate, rows: Sequence[Candidate]) -> str:
    """What research has that no board renders, if it is better."""
    research = [row for row in rows if row.research]
    if not research or (lowest := _best(research)).validation_esr >= best.validation_esr:
        return ""
    return f" For research only, {lowest.name} has {_number(lowest)}: {lowest.research}."


def _found(row: Candidate, limits: Iterable[Limit]) -> str:
    return "; ".join(f"{limit.name} {limit.found(row)}, not {limit.wanted}" for limit in limits)


def _number(candidate: Candidate) -> str:
    return f"{candidate.validation_esr:.3g}"


def _not_usable(path: Path, found: str) -> InputError:
    return InputError(
        f"choice {path}",
        expected="of each effect a run of this grid and a way of rendering it",
        found=found,
        remedy="Run `make choose` with the same GRID again.",
    )
