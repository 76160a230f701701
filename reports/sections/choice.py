"""The chosen run and why, beside what the rule says of each effect."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from data.errors import InputError
from reports.sources.links import link_of
from reports.sources.numbers import significant
from reports.sources.results import Results, Row
from study.selection import choose, limits
from study.selection.choose import Choice
from study.selection.limits import Limits
from study.store import tables

SHOWN = 5  # candidates of each effect


@dataclass(frozen=True)
class ChoiceRow:
    """A candidate: its numbers as text, and the limits that it breaks."""

    model: str
    link: str
    rendering: str
    validation_esr: str
    esr: str
    asr: str
    macs: str
    broken: str
    is_chosen: bool


@dataclass(frozen=True)
class EffectLines:
    """The candidates of an effect, lowest validation ESR first."""

    effect: str
    lines: tuple[ChoiceRow, ...]
    left_out: int


@dataclass(frozen=True)
class ChoiceSection:
    """What the page tells of the choice.

    Attributes:
        choice: the stored one, else that of the rule; None where it cannot be used.
        model: what the chosen run is called.
        is_stored: whether somebody chose.
        problem: why there is none.
        effects: the candidates.
        limits: in words, or nothing.
        command: that chooses.
    """

    choice: Choice | None
    model: str
    link: str
    is_stored: bool
    problem: str
    effects: tuple[EffectLines, ...]
    limits: str
    command: str


def choice_section(results: Results) -> ChoiceSection:
    """The choice that stands, and what else there was to choose from."""
    collected = tables.typed(list(results.rows))  # without runs that are left out
    budget = limits.read_budget(results.store)
    choice, problem, is_stored = None, "", False
    try:
        stored = choose.stored(results.store)
        is_stored = stored is not None
        standing = stored or choose.choose(collected)
        if standing.run_id in results.model_of:
            choice = standing
        else:
            problem = f"The chosen run, {standing.run_id}, is left out, as told under its id."
    except InputError as error:
        problem = str(error)
    asked = choice.limits if choice else Limits()
    try:
        rows = limits.candidates(collected, Limits(board=asked.board), budget)
    except InputError as error:  # a budget that has gone
        problem, asked = problem or str(error), Limits()
        rows = limits.candidates(collected)
    names = {run_id: model.label for run_id, model in results.model_of.items()}
    effects = {row["run_id"]: str(row["effect"]) for row in results.finals}
    return ChoiceSection(
        choice=choice,
        model=f"{effects[choice.run_id]}: {names[choice.run_id]}" if choice else "",
        link=link_of(choice.run_id) if choice else "",
        is_stored=is_stored,
        problem=problem,
        effects=tuple(
            _effect(effect, rows, effects, names, asked, choice) for effect in results.effects
        ),
        limits=asked.described(),
        command=f"make choose GRID={shlex.quote(results.store.source())}",
    )


def _effect(
    effect: str,
    rows: list[Row],
    effects: dict[str, str],
    names: dict[str, str],
    asked: Limits,
    choice: Choice | None,
) -> EffectLines:
    own = [row for row in rows if effects[row["run_id"]] == effect]
    # What meets the limits first; the chosen one whatever it is.
    own.sort(
        key=lambda row: (
            not _is_chosen(row, choice),
            bool(limits.broken(row, asked)),
            row["validation_esr"],
        )
    )
    lines = [
        ChoiceRow(
            model=f"{names[row['run_id']]}, seed {row['seed']}",
            link=link_of(row["run_id"]),
            rendering=row["rendering"],
            validation_esr=significant(row["validation_esr"]),
            esr=significant(row["esr"]),
            asr="" if row["asr_worst_db"] is None else significant(row["asr_worst_db"]),
            macs=f"{row['macs_per_sample']:,}",
            broken="; ".join(limits.broken(row, asked)),
            is_chosen=_is_chosen(row, choice),
        )
        for row in own[:SHOWN]
    ]
    return EffectLines(effect, tuple(lines), len(own) - len(lines))


def _is_chosen(row: Row, choice: Choice | None) -> bool:
    return choice is not None and (row["run_id"], row["rendering"]) == (
        choice.run_id,
        choice.rendering,
    )
