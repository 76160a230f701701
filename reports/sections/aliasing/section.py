"""What the study page shows of aliases and high frequencies.

Numbers and pictures stay worth reading where some of them are missing, so what is missing
becomes a sentence and never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from data.errors import InputError
from reports.drawing import style
from reports.drawing.pictures import Picture, shown
from reports.sections.aliasing import figures, findings, music, probes
from reports.sections.aliasing.figures import NoteCurve
from reports.sections.aliasing.music import PartsLine
from reports.sections.aliasing.probes import Answers
from reports.sources.cache import Cache, Facts
from reports.sources.results import Model, Results, best_of_families
from study.config.rendering import Rendering
from study.dataset import Datasets

_T = TypeVar("_T")


@dataclass(frozen=True)
class EffectAliasing:
    """An effect and its best runs.

    Attributes:
        name: of the effect.
        best: label of the best run, whose pictures these are.
        sentences: what the numbers say.
        lines: the effect and the best run of each family, in each way of rendering.
        pictures: what the effect and the best run answered to loud sines and to the sweep,
            ASR over the notes of a piano, power spectra of music; as far as stored.
        quiet: answers to the quieter sines.
        parts: error by part of the music.
        problems: what is missing, and why.
    """

    name: str
    best: str
    sentences: tuple[str, ...]
    lines: tuple[probes.ProbeRow, ...]
    pictures: tuple[Picture, ...]
    quiet: tuple[Picture, ...]
    parts: tuple[PartsLine, ...]
    problems: tuple[str, ...]


def aliasing_section(
    results: Results, cache: Cache, datasets: Datasets
) -> tuple[EffectAliasing, ...]:
    """Every effect of a grid, from stored results alone.

    Args:
        results: of the grid.
        cache: of the report, to which figures are drawn.
        datasets: of the study's pairs, for the spectra of music.
    """
    return tuple(_effect(results, effect, cache, datasets) for effect in results.effects)


class _Problems:
    """Collects, once each, the messages of what could not be had."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def or_none(self, make: Callable[[], _T]) -> _T | None:
        """What ``make`` returns, or None and a message."""
        try:
            return make()
        except InputError as error:
            if str(error) not in self.messages:
                self.messages.append(str(error))
            return None


def _effect(results: Results, effect: str, cache: Cache, datasets: Datasets) -> EffectAliasing:
    store, problems = results.store, _Problems()
    models = findings.at_one_rate(results.models_of(effect))
    best = models[0]
    run, rendering = results.folder_of(best.best_run), str(best.best_run["rendering"])
    config = results.configs[run.run_id]
    itself, label = f"{effect} itself", f"{effect}, {best.structure}"
    own = problems.or_none(lambda: probes.of_effect(store, config, cache, itself))
    drawn = problems.or_none(lambda: probes.of_run(store, run, cache, label, rendering))
    power = problems.or_none(lambda: music.of_run(store, run, cache, datasets, label, rendering))
    both = [system for system in (own, drawn) if system]
    asked = _asked(results, models, problems)
    if own:
        asked = [("the effect itself", None, own.answers), *asked]
    return EffectAliasing(
        name=effect,
        best=best.structure,
        sentences=(
            *findings.of_effect(results, models),
            *(text for name, _, answers in asked for text in findings.restless(name, answers)),
        ),
        lines=tuple(probes.line(name, answers) for name, _, answers in asked),
        pictures=tuple(
            picture
            for picture in (
                *(d.spectra[0] for d in both),
                *(d.sweep for d in both),
                _notes(effect, asked, cache),
                power,
            )
            if picture
        ),
        quiet=tuple(picture for d in both for picture in d.spectra[1:]),
        parts=tuple(music.parts(models)),
        problems=tuple(problems.messages),
    )


def _asked(
    results: Results, models: Sequence[Model], problems: _Problems
) -> list[tuple[str, str | None, Answers]]:
    """Label, family and answers of the best run of each family, in each way of rendering."""
    found: list[tuple[str, str | None, Answers]] = []
    for model in best_of_families(models):
        run = results.folder_of(model.best_run)
        config = results.configs[run.run_id]
        for rendering in _renderings(results, model):
            given = problems.or_none(partial(probes.answers_of_run, run, config, rendering))
            if given:
                name = f"{model.structure}, {Rendering.parse(rendering).label}"
                found.append((name, model.family, given))
    return found


def _renderings(results: Results, model: Model) -> list[str]:
    """How the best run of a model was rendered at its own rate, its main way first."""
    run_id, main = model.best_run["run_id"], str(model.best_run["rendering"])
    others = [str(row["rendering"]) for row in results.rows if row["run_id"] == run_id]
    return [name for name in dict.fromkeys([main, *others]) if Rendering.parse(name).factor == 1]


def _notes(
    effect: str, asked: Sequence[tuple[str, str | None, Answers]], cache: Cache
) -> Picture | None:
    curves: dict[str, NoteCurve] = {}
    for name, family, answers in asked:
        curve = probes.note_curve(answers, family)
        if curve:
            curves[name] = curve
    if not curves:
        return None

    def fill(folder: Path) -> Facts:
        with style.styled():
            figure = figures.asr_by_note([*curves.values()])
            return asdict(style.save(figure, folder, "notes"))

    inputs = [[asdict(curve) for curve in curves.values()]]
    kept = cache.kept(f"notes {effect}", inputs, fill)
    return shown(
        kept.folder, kept.facts, f"{effect}: ASR over the notes of a piano",
        findings.notes(curves),
    )  # fmt: skip
