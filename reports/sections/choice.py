"""The chosen candidate of each effect and why, beside the others there were."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data.errors import InputError
from reports.sources.links import link_of
from reports.sources.numbers import significant
from reports.sources.results import Results
from study.selection import choose, limits
from study.selection.candidates import Candidate, candidates, read_budget
from study.selection.choose import Choice
from study.selection.limits import Limits
from study.store import tables

SHOWN = 5  # candidates of each effect


@dataclass(frozen=True)
class ChoiceRow:
    """A candidate: its numbers as text, the limits that it breaks, why it is only research."""

    model: str
    link: str
    rendering: str
    validation_esr: str
    esr: str
    asr: str
    macs: str
    broken: str
    research: str
    is_chosen: bool


@dataclass(frozen=True)
class EffectChoice:
    """What the page tells of the choice for an effect.

    Attributes:
        effect: its name.
        choice: the stored one, else that of the rule; None where there is none.
        model: what the chosen run is called.
        link: to its page.
        is_stored: whether somebody chose.
        problem: why there is none.
        lines: the candidates, the chosen one first, then by validation ESR.
        left_out: how many more there are.
        limits: that were asked for, in words, or nothing.
    """

    effect: str
    choice: Choice | None
    model: str
    link: str
    is_stored: bool
    problem: str
    lines: tuple[ChoiceRow, ...]
    left_out: int
    limits: str


@dataclass(frozen=True)
class ChoiceSection:
    """The choices of all effects, and the command that chooses."""

    effects: tuple[EffectChoice, ...]
    command: str

    @property
    def choices(self) -> Mapping[str, Choice]:
        """What was chosen, by effect."""
        return {own.effect: own.choice for own in self.effects if own.choice}


def choice_section(results: Results) -> ChoiceSection:
    """The choices that stand, and what else there was to choose from."""
    collected = tables.typed(list(results.rows))  # without runs that are left out
    budget = read_budget(results.store)
    problem = ""
    stored: dict[str, Choice] = {}
    try:
        stored = choose.stored(results.store)
    except InputError as error:
        problem = str(error)
    effects = []
    for effect in results.effects:
        rows = candidates(collected, budget, effect)
        choice, own_problem = stored.get(effect), problem
        if choice is None and not problem:
            try:
                choice = choose.choose(collected, None, budget, effect)[effect]
            except InputError as error:
                own_problem = str(error)
        if choice is not None and choice.run_id not in results.model_of:
            own_problem = f"The chosen run, {choice.run_id}, is left out, as told under its id."
            choice = None
        effects.append(_effect(results, effect, rows, choice, effect in stored, own_problem))
    command = f"make choose GRID={shlex.quote(results.store.source())}"
    return ChoiceSection(tuple(effects), command)


def _effect(
    results: Results,
    effect: str,
    rows: Sequence[Candidate],
    choice: Choice | None,
    is_stored: bool,
    problem: str,
) -> EffectChoice:
    asked = choice.limits if choice else Limits()
    # What meets the limits first; the chosen one whatever it is.
    ordered = sorted(
        rows,
        key=lambda own: (
            not _is_chosen(own, choice),
            bool(own.research),
            bool(limits.broken(own, asked)),
            own.validation_esr,
        ),
    )
    names = {run_id: model.label for run_id, model in results.model_of.items()}
    lines = [
        ChoiceRow(
            model=f"{names[own.run_id]}, seed {own.row['seed']}",
            link=link_of(own.run_id),
            rendering=own.rendering,
            validation_esr=significant(own.validation_esr),
            esr=significant(own.row["esr"]),
            asr="" if own.row["asr_worst_db"] is None else significant(own.row["asr_worst_db"]),
            macs=f"{own.row['macs_per_sample']:,}",
            broken="; ".join(limits.broken(own, asked)),
            research=own.research,
            is_chosen=_is_chosen(own, choice),
        )
        for own in ordered[:SHOWN]
    ]
    return EffectChoice(
        effect=effect,
        choice=choice,
        model=names[choice.run_id] if choice else "",
        link=link_of(choice.run_id) if choice else "",
        is_stored=is_stored,
        problem=problem,
        lines=tuple(lines),
        left_out=len(rows) - len(lines),
        limits=asked.described(),
    )


def _is_chosen(row: Candidate, choice: Choice | None) -> bool:
    return choice is not None and (row.run_id, row.rendering) == (choice.run_id, choice.rendering)
