"""What several sections show of each effect: its best models' numbers, pictures and sounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from data.errors import InputError
from reports.audio import best_run, players
from reports.drawing.pictures import Picture, shown
from reports.sections import scores, wording
from reports.sections.data import Inputs, inputs
from reports.sections.failures import Failures, failures
from reports.sections.size import Sizes, sizes
from reports.sources.cache import Cache, Facts, slug
from reports.sources.results import Model, Results, best_of_families
from study.dataset import Datasets
from study.selection.choose import Choice


@dataclass(frozen=True)
class Sound:
    """The pictures and players of an effect's best run."""

    run_id: str
    model: str
    waveforms: tuple[Picture, ...]
    spectrograms: tuple[Picture, ...]
    players: tuple[players.Player, ...]
    facts: Facts

    @property
    def has_error(self) -> bool:
        """Whether the error is loud enough for a player."""
        return any(own["name"] == "error" for own in self.facts["players"]["sounds"])


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
    seconds = players.excerpt_seconds(len(results.effects))
    return tuple(
        _parts(results, effect, number, cache, datasets, seconds, choices.get(effect))
        for number, effect in enumerate(results.effects, 1)
    )


def _parts(
    results: Results,
    effect: str,
    number: int,
    cache: Cache,
    datasets: Datasets,
    seconds: float,
    choice: Choice | None,
) -> EffectParts:
    models = results.models_of(effect)
    drawn = scores.of_effect(results, effect, cache)
    sound, problem = _sound_or_problem(results, effect, cache, datasets, seconds)
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
    results: Results, effect: str, cache: Cache, datasets: Datasets, seconds: float
) -> tuple[Sound | None, str]:
    """Numbers stay worth reading where a rendering or a recording has gone missing."""
    try:
        kept = best_run.of_effect(results, effect, cache, datasets, seconds)
    except InputError as error:
        return None, str(error)
    best = results.models_of(effect)[0]
    names = players.names(results.configs[best.best_run["run_id"]])
    facts, folder = kept.facts, kept.folder
    return (
        Sound(
            run_id=best.best_run["run_id"],
            model=best.structure,
            waveforms=tuple(
                shown(folder, own["picture"], name.capitalize(), wording.waveform(name, own))
                for name, own in facts["waveforms"].items()
            ),
            spectrograms=tuple(_spectrograms(folder, facts["spectrograms"], names["target"])),
            players=tuple(
                players.shown(folder, own, names[own["name"]], f"{effect}, {best.structure}")
                for own in facts["players"]["sounds"]
            ),
            facts=facts,
        ),
        "",
    )


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
