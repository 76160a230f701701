"""The report: one HTML page, written whole, that links only to files beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

from data import files, templates
from reports.audio import wavesurfer
from reports.pages import run_page
from reports.sections.order import EVIDENCE, FIRST
from reports.sections.own_guitar import own_guitar
from reports.sections.plain import GLOSSARY
from reports.sections.section import Sources
from reports.sources.cache import Cache
from reports.sources.results import Results, read_measured
from study.dataset import Datasets
from study.store.folders import Store
from study.store.tables import COLUMNS

TEMPLATES = Path(__file__).parents[1] / "templates"
ASSETS = ("report.css", "report.js", "players.js", "page.js", "deck.js", "transport.js", "own.js")


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
        cache = Cache(folder)
        datasets = Datasets(store.pairs)
        run_page.draw(results, cache, datasets, folder, processes)
        script = wavesurfer.copy_into(folder, script_folder)
        sources = Sources(results, cache, datasets)
        first, evidence = (
            [(section, content) for section in level if (content := section.build(sources))]
            for level in (FIRST, EVIDENCE)
        )
        for name in ASSETS:
            files.write_if_changed(folder / name, (TEMPLATES / name).read_text("utf-8"))
        table = pd.DataFrame([*results.rows], columns=[*COLUMNS])
        files.write_if_changed(folder / "models.js", own_guitar(results).script)
        files.write_whole(folder / "results.csv", lambda path: table.to_csv(path, index=False))
        environment = templates.environment(TEMPLATES, is_html=True)
        choices = sources.choice.choices
        run_page.write(results, cache, datasets, environment, folder, choices, script)
        page = environment.get_template("report.html").render(
            _shared(results),
            first=first,
            evidence=evidence,
            provenance=sources.provenance,
            wavesurfer=script,
        )
        files.write_if_changed(folder / "index.html", page)
        cache.sweep()
    return folder / "index.html"


def _shared(results: Results) -> dict[str, Any]:
    """What the head of the page, and of the sections more than one, tell of the grid."""
    configs = results.configs.values()
    return {
        "title": results.title,
        "grid": results.store.root.name,
        "effects": results.effects,
        "failures": [row for row in results.rows if row["status"] == "failed"],
        "pending": [row for row in results.rows if row["status"] == "pending"],
        "runs": len({row["run_id"] for row in results.rows}),
        "finished": len(results.finals),
        "seeds": len({config.seed for config in configs}),
        "has_reversed": any(config.direction == "reversed" for config in configs),
        "trainings": {config.training for config in configs},
        "columns": COLUMNS,
        "glossary": GLOSSARY,
    }
