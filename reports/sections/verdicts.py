"""The answer for each effect: what to build, how close it comes, where it runs, what to fear."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.sections import plain
from reports.sections.choice import ChoiceSection, EffectChoice
from reports.sources.cache import slug
from reports.sources.numbers import decibels, significant
from reports.sources.results import Results
from study.config.run import RunConfig
from study.selection.boards import BOARDS, title
from study.selection.candidates import BoardCost, Candidate

# Decibels of aliases beyond the effect's own that pass as like it, and as a little more.
LIKE_DB, LITTLE_DB = 3.0, 12.0
FAINT_DB = -50.0  # aliases so far below a note are hardly heard under its harmonics

Light = Literal["good", "fair", "bad"]


@dataclass(frozen=True)
class BoardLine:
    """A board's verdict, for all boards that have the same."""

    boards: str
    verdict: str
    light: Light
    details: str
    remedy: str


@dataclass(frozen=True)
class Command:
    """What to do next: its name and the words for a shell."""

    name: str
    words: str


@dataclass(frozen=True)
class Card:
    """The verdict on an effect.

    Attributes:
        effect, anchor: its name, and what links lead to.
        what: was modelled, in words.
        model, link: to build, and the page of its run.
        error_db: of the error against the target's level, positive below it.
        esr: the same as a ratio of energies.
        filter_db: the same of the best linear filter.
        given: the signal that the model hears.
        boards: their verdicts; empty before the budget was computed.
        aliases: what there is to say of them, or nothing where they were not measured.
        aliases_light: how bad they are.
        research: why no board renders it, or nothing.
        commands: what to do next.
        problem: why there is no model to build.
    """

    effect: str
    anchor: str
    what: str
    model: str = ""
    link: str = ""
    error_db: str = ""
    esr: str = ""
    filter_db: str = ""
    boards: tuple[BoardLine, ...] = ()
    aliases: str = ""
    aliases_light: Light = "good"
    research: str = ""
    commands: tuple[Command, ...] = ()
    problem: str = ""


def cards(results: Results, choices: ChoiceSection) -> tuple[Card, ...]:
    """A card an effect, in the grid's order."""
    return tuple(_card(results, own, number) for number, own in enumerate(choices.effects, 1))


def told(own: Sequence[Card]) -> list[str]:
    """The same for a terminal: the verdict on each effect, then what to do next."""
    lines = []
    for card in own:
        if card.problem:
            lines.append(f"{card.effect}: {card.problem}")
            continue
        boards = ", ".join(f"{line.boards} {line.verdict}" for line in card.boards)
        lines.append(
            f"{card.effect}: build {card.model}; error {card.error_db} dB below the pedal "
            f"(the best linear filter {card.filter_db} dB)"
            + (f"; {boards}" if boards else "")
            + (f". For research only: {card.research}" if card.research else "")
        )
    if commands := next((card.commands for card in own if card.commands), ()):
        lines += ["Next:", *(f"  {command.words}" for command in commands)]
    return lines


def _card(results: Results, own: EffectChoice, number: int) -> Card:
    anchor = f"answer-{slug(own.effect)}-{number}"
    run_id = own.choice.run_id if own.choice else results.models_of(own.effect)[0].rows[0]["run_id"]
    config = results.configs[run_id]
    what = plain.effect(config.made_by)
    if config.direction == "reversed":
        what += ", from wet to dry"
    if own.choice is None:
        return Card(own.effect, anchor, what, problem=own.problem)
    candidate = own.choice.candidate
    row = candidate.row
    told_aliases, light = aliases(row)
    return Card(
        effect=own.effect,
        anchor=anchor,
        what=what,
        model=plain.candidate(config, candidate.rendering),
        link=own.link,
        error_db=_below(row["esr"]),
        esr=significant(row["esr"]),
        filter_db=_below(row["fir_esr"]),
        boards=tuple(_boards(candidate, config)),
        aliases=told_aliases,
        aliases_light=light,
        research=candidate.research,
        commands=tuple(_commands(results, candidate, config)),
    )


def _below(esr: float) -> str:
    return f"{-decibels(max(esr, 1e-20)):.1f}"


def aliases(row: Mapping[str, float | None]) -> tuple[str, Light]:
    """What a row's aliasing means beside the effect's own, and its colour.

    Args:
        row: of the results; ``asr_worst_db``, ``asr_guitar_db`` and ``effect_asr_worst_db``, in dB,
            may be missing.
    """
    own_db, effect_db = row.get("asr_worst_db"), row.get("effect_asr_worst_db")
    if own_db is None:
        return "", "good"
    worst = f"{_signed(own_db)} dB at the worst probe"
    guitar_db = row.get("asr_guitar_db")
    if guitar_db is not None:
        worst += f", {_signed(guitar_db)} dB at a guitar\N{RIGHT SINGLE QUOTATION MARK}s notes"
    if effect_db is None:
        return f"{worst}.", "fair" if own_db < -20 else "bad"
    beside = f"{worst}; the pedal itself {_signed(effect_db)} dB"
    more_db = own_db - effect_db
    if more_db <= LIKE_DB:
        return f"{beside}: no more than its own.", "good"
    if more_db <= LITTLE_DB:
        return f"{beside}: a little more, on high notes.", "fair"
    if guitar_db is not None and guitar_db <= FAINT_DB:
        return (
            f"{beside}: clearly more, but beyond a guitar\N{RIGHT SINGLE QUOTATION MARK}s notes.",
            "fair",
        )
    return f"{beside}: clearly more, so listen to high bends.", "bad"


def _signed(value_db: float) -> str:
    return f"{value_db:.0f}".replace("-", "\N{MINUS SIGN}")


def _boards(candidate: Candidate, config: RunConfig) -> list[BoardLine]:
    """Boards that have the same verdict for the same reason stand on one line."""
    together: dict[BoardLine, list[str]] = {}
    for cost in candidate.costs.values():
        line = _board(cost, config)
        together.setdefault(line, []).append(title(cost.board))
    return [
        BoardLine(", ".join(names), line.verdict, line.light, line.details, line.remedy)
        for line, names in together.items()
    ]


_LIGHTS: Mapping[str, Light] = {"yes": "good", "tight": "fair", "no": "bad"}


def _board(cost: BoardCost, config: RunConfig) -> BoardLine:
    light = _LIGHTS[cost.verdict]
    board = BOARDS.get(cost.board)
    if cost.verdict == "no" and cost.reason.startswith("rate:") and board is not None:
        return BoardLine(
            "", "no", light, f"it runs at {_khz(board.sample_rate_hz)}, this model at "
            f"{_khz(config.sample_rate_hz)}",
            f"train again with sample_rate_hz = {board.sample_rate_hz} in the grid file",
        )  # fmt: skip
    if cost.verdict == "no":
        return BoardLine(
            "", "no", light, cost.reason.partition(": ")[2] or cost.reason,
            f"choose a smaller one: make choose BOARD={cost.board}",
        )  # fmt: skip
    details = ""
    if cost.share_low is not None and cost.share_high is not None:
        shares = (100 * cost.share_low, 100 * cost.share_high)
        details = f"{shares[0]:.0f} to {shares[1]:.0f} % of the processor"
    if cost.latency_ms is not None:
        details += f", {cost.latency_ms:.1f} ms from input to output"
    return BoardLine("", cost.verdict, light, details, "")


def _khz(rate_hz: int) -> str:
    return f"{rate_hz / 1000:g} kHz"


def _commands(results: Results, candidate: Candidate, config: RunConfig) -> list[Command]:
    grid = f"GRID={shlex.quote(results.store.source())}"
    which = f"EFFECT={shlex.quote(candidate.effect)}" if len(results.effects) > 1 else ""
    families = {
        row["family"] for row in results.finals if row["effect"] == candidate.effect
    }  # of which hosts of .nam load one
    board = next((c.board for c in candidate.costs.values() if c.verdict != "no"), None)
    found = []
    if board is not None and not candidate.research:
        found.append(
            Command("Build the firmware", _words("make deploy", f"BOARD={board}", which, grid))
        )
    if "lstm" in families and not candidate.research:
        found.append(Command("Write a .nam", _words("make export", "FORMAT=nam", which, grid)))
    found.append(Command("Test your ears", _words("make listen", which, grid)))
    found.append(Command("Play live", _words("make open", grid)))
    return found


def _words(*words: str) -> str:
    return " ".join(word for word in words if word)
