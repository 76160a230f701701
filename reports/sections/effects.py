"""What several sections show of each effect: its best models' numbers, pictures and sounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data.errors import InputError
from reports.audio import best_run, players
from reports.drawing.pictures import Picture, shown
from reports.sections import scores, wording
from reports.sections.data import Inputs, inputs
from reports.sections.failures import Failures, failures
from reports.sections.size import Sizes, sizes
from reports.sources.cache import Cache, Facts, pair_inputs, slug
from reports.sources.results import Model, Results, best_of_families
from study.config.rendering import Rendering
from study.dataset import Datasets
from study.selection import choose
from study.selection.candidates import Candidate, candidates, read_budget
from study.selection.choose import Choice
from study.store import tables

COMPARED = 3  # candidates in a figure of waveforms


@dataclass(frozen=True)
class Sound:
    """The pictures of an effect's chosen candidate, beside others."""

    run_id: str
    model: str
    waveforms: tuple[Picture, ...]
    spectrograms: tuple[Picture, ...]


@dataclass(frozen=True)
class EffectParts:
    """What the page shows of one effect; ``problem`` says why there is no sound."""

    name: str
    anchor: str
    headline: wording.Headline
    models: tuple[Model, ...]
    structures: Picture
    is_heat_map: bool
    standing: Picture
    curves: tuple[Picture, ...]
    sound: Sound | None
    problem: str
    inputs: Inputs
    sizes: Sizes | None
    failures: Failures


def effect_parts(
    results: Results, cache: Cache, datasets: Datasets, choices: Mapping[str, Choice]
) -> tuple[EffectParts, ...]:
    """All effects of a grid, in its order.

    Args:
        results: of the grid.
        cache: of the report, to which figures and sounds are drawn.
        datasets: of the study's pairs.
        choices: by effect, what stands out in the figures of sizes.
    """
    everything = candidates(tables.typed(list(results.rows)), read_budget(results.store))
    return tuple(
        _parts(results, effect, number, cache, datasets, everything, choices.get(effect))
        for number, effect in enumerate(results.effects, 1)
    )


def _parts(
    results: Results,
    effect: str,
    number: int,
    cache: Cache,
    datasets: Datasets,
    everything: Sequence[Candidate],
    choice: Choice | None,
) -> EffectParts:
    models = results.models_of(effect)
    drawn = scores.of_effect(results, effect, cache)
    sound, problem = _sound_or_problem(results, effect, cache, datasets, everything, choice)
    return EffectParts(
        name=effect,
        anchor=f"{slug(effect)}-{number}",
        headline=wording.headline(results, effect),
        models=tuple(best_of_families(models)),
        structures=shown(
            drawn.folder,
            drawn.facts["structures"],
            "Test ESR by structure",
            " ".join([wording.structures(models), *scores.not_drawn(models)]),
        ),
        is_heat_map=scores.has_heat_map(models),
        standing=shown(
            drawn.folder,
            drawn.facts["standing"],
            "Signal-to-error ratio",
            wording.standing(models),
        ),
        curves=tuple(
            shown(
                drawn.folder, facts, f"Loss by epoch ({loss})",
                wording.learning(results, effect, loss),
            )
            for loss, facts in drawn.facts["curves"].items()
        ),
        sound=sound,
        problem=problem,
        inputs=inputs(results, effect, cache, datasets),
        sizes=sizes(results, effect, (choice.run_id, choice.rendering) if choice else None),
        failures=failures(results, effect, cache, datasets),
    )  # fmt: skip


def _sound_or_problem(
    results: Results,
    effect: str,
    cache: Cache,
    datasets: Datasets,
    everything: Sequence[Candidate],
    choice: Choice | None,
) -> tuple[Sound | None, str]:
    """Numbers stay worth reading where a rendering or a recording has gone missing."""
    if choice is None:
        return None, "no model of it is chosen."
    config = results.configs[choice.run_id]
    alike = [
        own
        for own in everything
        if own.run_id in results.model_of
        and pair_inputs(results.configs[own.run_id]) == pair_inputs(config)
    ]
    shown_candidates = [
        (_label(results, own), own) for own in choose.presented(choice, alike, COMPARED)
    ]
    try:
        kept = best_run.of_effect(results, effect, shown_candidates, cache, datasets)
    except InputError as error:
        return None, str(error)
    names = players.names(config)
    facts, folder = kept.facts, kept.folder
    return (
        Sound(
            run_id=choice.run_id,
            model=shown_candidates[0][0],
            waveforms=tuple(
                shown(folder, own["picture"], name.capitalize(), wording.waveform(name, own))
                for name, own in facts["waveforms"].items()
            ),
            spectrograms=tuple(_spectrograms(folder, facts["spectrograms"], names["target"])),
        ),
        "",
    )


def _label(results: Results, own: Candidate) -> str:
    return f"{results.model_of[own.run_id].structure}, {Rendering.parse(own.rendering).meaning}"


def _spectrograms(folder: str, facts: Facts, target: str) -> list[Picture]:
    excerpt = f"{facts['seconds']:.1f} s from {facts['start_s']:.2f} s of the test split"
    return [
        shown(folder, facts["target"], "Target", f"{target}, {excerpt}."),
        *(
            shown(folder, own["picture"], f"Epoch {own['epoch']}", wording.epoch_picture(own))
            for own in facts["epochs"]
        ),
        shown(folder, facts["error"], "Error", wording.error_picture(facts)),
    ]
