"""The report: one HTML page, written whole, that links only to files beside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from data import files
from data.errors import InputError
from reports.audio import best_run, players, wavesurfer
from reports.drawing.pictures import Picture, shown
from reports.pages import run_page
from reports.sections import scores, wording
from reports.sections.aliasing.section import aliasing_section
from reports.sections.boards import boards_section
from reports.sections.choice import choice_section
from reports.sections.data import Inputs, inputs
from reports.sections.failures import Failures, failures
from reports.sections.knobs.section import knob_section
from reports.sections.listening.section import listening_section
from reports.sections.provenance import provenance
from reports.sections.published import published_section
from reports.sections.run_table import listing
from reports.sections.search.section import search_section
from reports.sections.size import Sizes, sizes
from reports.sections.streaming import streaming_section
from reports.sources.cache import Facts, Shelf, slug
from reports.sources.links import link_of
from reports.sources.results import Model, Results, best_of_families, read_measured
from study.dataset import Materials
from study.selection.choose import Choice
from study.store.folders import Store
from study.store.tables import COLUMNS

TEMPLATES = Path(__file__).parents[1] / "templates"
ASSETS = ("report.css", "report.js", "players.js")


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
class EffectSection:
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


def build(
    store: Store, script_folder: Path = wavesurfer.FOLDER, processes: int | None = None
) -> Path:
    """Write the report of a grid and return its page.

    Figures and sounds come first and the page last, so that it never links to a file
    that is not there.

    Args:
        store: of the grid.
        script_folder: where set-up put wavesurfer.js; players do without it if it is not there.
        processes: that draw; by default one a core.

    Raises:
        InputError: the grid has no finished run.
    """
    results = read_measured(store)
    processes = processes or len(os.sched_getaffinity(0))
    folder = store.report_folder
    folder.mkdir(parents=True, exist_ok=True)
    with files.lock(folder / ".lock", wait=True):
        shelf = Shelf(folder)
        materials = Materials(store.pairs)
        run_page.draw(results, shelf, materials, folder, processes)
        script = wavesurfer.copy_into(folder, script_folder)
        content = _content(results, shelf, materials)
        for name in ASSETS:
            files.write_if_changed(folder / name, (TEMPLATES / name).read_text("utf-8"))
        table = pd.DataFrame([*results.rows], columns=[*COLUMNS])
        files.write_whole(folder / "results.csv", lambda path: table.to_csv(path, index=False))
        environment = _environment()
        run_page.write(
            results, shelf, materials, environment, folder, content["choice"].choice, script
        )
        page = environment.get_template("report.html").render(content, wavesurfer=script)
        files.write_if_changed(folder / "index.html", page)
        shelf.sweep()
    return folder / "index.html"


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _content(results: Results, shelf: Shelf, materials: Materials) -> dict[str, Any]:
    seconds = players.excerpt_seconds(len(results.effects))
    choice = choice_section(results)
    return {
        "title": results.title,
        "grid": results.store.root.name,
        "effects": [
            _effect(results, effect, number, shelf, materials, seconds, choice.choice)
            for number, effect in enumerate(results.effects, 1)
        ],
        "listing": listing(
            results.rows,
            {run_id: model.structure for run_id, model in results.model_of.items()},
            {row["run_id"]: link_of(row["run_id"]) for row in results.finals},
        ),
        "failures": [row for row in results.rows if row["status"] == "failed"],
        "pending": [row for row in results.rows if row["status"] == "pending"],
        "runs": len({row["run_id"] for row in results.rows}),
        "finished": len(results.finals),
        "seeds": len({config.seed for config in results.configs.values()}),
        "has_reversed": any(c.direction == "reversed" for c in results.configs.values()),
        "trainings": {config.training for config in results.configs.values()},
        "provenance": provenance(results),
        "aliasing": aliasing_section(results, shelf, materials),
        "streaming": streaming_section(results),
        "boards": boards_section(results, shelf),
        "knobs": knob_section(results.store, shelf),
        "search": search_section(results.store, shelf),
        "published": published_section(results),
        "listening": listening_section(results.store, shelf),
        "columns": COLUMNS,
        "choice": choice,
    }


def _effect(
    results: Results,
    effect: str,
    number: int,
    shelf: Shelf,
    materials: Materials,
    seconds: float,
    choice: Choice | None,
) -> EffectSection:
    models = results.models_of(effect)
    drawn = scores.of_effect(results, effect, shelf)
    sound, problem = _sound_or_problem(results, effect, shelf, materials, seconds)
    return EffectSection(
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
        inputs=inputs(results, effect, shelf, materials),
        sizes=sizes(results, effect, (choice.run_id, choice.rendering) if choice else None),
        failures=failures(results, effect, shelf, materials),
    )  # fmt: skip


def _sound_or_problem(
    results: Results, effect: str, shelf: Shelf, materials: Materials, seconds: float
) -> tuple[Sound | None, str]:
    """Numbers stay worth reading where a rendering or a recording has gone missing."""
    try:
        kept = best_run.of_effect(results, effect, shelf, materials, seconds)
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
