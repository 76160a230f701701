"""One page a run, with everything about it."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment

from data import files
from data.errors import InputError
from reports.audio import one_run, players
from reports.drawing.pictures import Picture, shown
from reports.sections import run_table, wording
from reports.sections.aliasing import music, probes
from reports.sections.worst_seconds import Worst, worst
from reports.sources.cache import Cache, Facts, Kept
from reports.sources.links import FOLDER, link_of
from reports.sources.numbers import significant
from reports.sources.results import Results, Row, read_measured
from study.config.rendering import Rendering
from study.dataset import Datasets
from study.selection.choose import Choice
from study.store.folders import Store
from study.store.tables import COLUMNS

# Fewer than this are drawn sooner than other processes start.
WORTH_PROCESSES = 6


@dataclass(frozen=True)
class Cells:
    """A row of the page's table: one column of the results, a value a model."""

    name: str
    meaning: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Media:
    """What there is to see and to hear of a run."""

    curve: Picture | None
    waveforms: tuple[Picture, ...]
    players: tuple[players.Player, ...]
    error_sentence: str
    is_clipped: bool
    worst: Worst


@dataclass(frozen=True)
class Link:
    """To the page of another run."""

    source: str
    name: str


@dataclass(frozen=True)
class Page:
    """A run as its page shows it."""

    run_id: str
    name: str
    effect: str
    sentences: tuple[str, ...]
    is_chosen: bool
    columns: tuple[str, ...]
    rows: tuple[Cells, ...]
    settings: tuple[tuple[str, str], ...]
    environment: tuple[tuple[str, str], ...]
    media: Media | None
    probes: tuple[Picture, ...]
    problems: tuple[str, ...]
    previous: Link | None
    following: Link | None
    seeds: tuple[Link, ...]


def draw(results: Results, cache: Cache, datasets: Datasets, root: Path, processes: int) -> None:
    """Draw what is missing of all runs, in several processes if that is worth it.

    What cannot be drawn is told by the page of its run.
    """
    missing = [row for row in results.finals if _is_missing(results, row, cache)]
    if len(missing) < WORTH_PROCESSES or processes < 2:
        for row in missing:
            _drawn(results, row, cache, datasets, row["run_id"])
        return
    # Neighbours share an effect, and so their dataset: each process takes a span of them.
    bounds = [n * len(missing) // processes for n in range(processes + 1)]
    parts = [[row["run_id"] for row in missing[a:b]] for a, b in pairwise(bounds)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, end_with_parent) as pool:
        for done in [pool.submit(draw_some, results.store.root, root, part) for part in parts]:
            done.result()


def end_with_parent() -> None:
    """Let this process leave as soon as the one that started it is gone, even if it was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def draw_some(store_root: Path, report: Path, run_ids: Sequence[str]) -> None:
    """Draw some runs, in a process of its own."""
    results = read_measured(Store(store_root))
    cache, datasets = Cache(report), Datasets(results.store.pairs)
    wanted = set(run_ids)
    for row in results.finals:
        if row["run_id"] in wanted:
            _drawn(results, row, cache, datasets, row["run_id"])


def write(
    results: Results,
    cache: Cache,
    datasets: Datasets,
    environment: Environment,
    report: Path,
    choices: Mapping[str, Choice],
    wavesurfer: str | None,
) -> None:
    """Write the page of every finished run that changed, and remove those of others."""
    template = environment.get_template("run.html")
    made = set()
    for effect in results.effects:
        ordered = sorted(
            (row for row in results.finals if row["effect"] == effect),
            key=lambda row: row["validation_esr"],
        )
        for place, row in enumerate(ordered):
            page = _page(results, ordered, place, cache, datasets, choices.get(effect))
            file = report / link_of(row["run_id"])
            html = template.render(run=page, title=results.title, wavesurfer=wavesurfer)
            files.write_if_changed(file, html)
            made.add(file.name)
    for file in (report / FOLDER).glob("*.html"):
        if file.name not in made:
            file.unlink()


def _page(
    results: Results,
    ordered: Sequence[Row],
    place: int,
    cache: Cache,
    datasets: Datasets,
    choice: Choice | None,
) -> Page:
    row = ordered[place]
    model = results.model_of[row["run_id"]]
    name = f"{model.label}, seed {row['seed']}"
    shown_rows = [*results.finals_of(row["run_id"]), *results.checkpoints_of(row["run_id"])]
    media, pictures, problems = _drawn(results, row, cache, datasets, name)
    is_chosen = choice is not None and choice.run_id == row["run_id"]
    sentences = [wording.place(row, place, len(ordered)), *wording.renderings(shown_rows)]
    if is_chosen and choice is not None:
        sentences.append(f"This is the chosen model, rendered {choice.rendering}. {choice.reason}")

    def link(other: Row) -> Link:
        owner = results.model_of[other["run_id"]]
        return Link(link_of(other["run_id"]), f"{owner.label}, seed {other['seed']}")

    return Page(
        run_id=row["run_id"],
        name=name,
        effect=str(row["effect"]),
        sentences=tuple(sentences),
        is_chosen=is_chosen,
        columns=tuple(_column_name(own) for own in shown_rows),
        rows=tuple(_cells(shown_rows)),
        settings=tuple(_settings(results, row)),
        environment=tuple(_environment(results, row)),
        media=media,
        probes=tuple(pictures),
        problems=tuple(problems),
        previous=link(ordered[place - 1]) if place else None,
        following=link(ordered[place + 1]) if place + 1 < len(ordered) else None,
        seeds=tuple(link(other) for other in model.rows if other is not row),
    )


def _drawn(
    results: Results, row: Row, cache: Cache, datasets: Datasets, name: str
) -> tuple[Media | None, list[Picture], list[str]]:
    """Everything drawn of a run, and why some of it may be missing."""
    media: Media | None = None
    pictures: list[Picture] = []
    problems = []
    run, store = results.folder_of(row), results.store
    rendering = str(row["rendering"])
    try:
        media = _media(results, row, cache, datasets, name)
        pictures.append(music.of_run(store, run, cache, datasets, name, rendering))
    except InputError as error:
        problems.append(str(error))
    try:
        answers = probes.of_run(store, run, cache, name, rendering)
        pictures += [*answers.spectra, *([answers.sweep] if answers.sweep else [])]
    except InputError as error:
        problems.append(str(error))
    return media, pictures, problems


def _media(results: Results, row: Row, cache: Cache, datasets: Datasets, name: str) -> Media:
    kept = one_run.of_run(results, row, cache, datasets)
    shared = one_run.signals(results, row, cache, datasets)
    facts = kept.facts
    excerpt = facts["excerpt"]
    names = players.names(results.configs[row["run_id"]])
    common = [
        players.shown(shared.folder, own, names[own["name"]], str(row["effect"]))
        for own in shared.facts["sounds"]
    ]
    own_sounds = [
        players.shown(kept.folder, own, _sound_name(own["name"]), name) for own in excerpt["sounds"]
    ]
    return Media(
        curve=_curve(kept, results, row),
        waveforms=tuple(
            shown(kept.folder, own["picture"], which.capitalize(), wording.waveform(which, own))
            for which, own in facts["waveforms"].items()
        ),
        players=(*common, *own_sounds),
        error_sentence=wording.whole_error(excerpt["error_db"]),
        is_clipped=excerpt["is_clipped"],
        worst=worst(kept, name),
    )


def _curve(kept: Kept, results: Results, row: Row) -> Picture | None:
    facts: Facts | None = kept.facts["curve"]
    if facts is None:
        return None
    own = results.history[results.history["run_id"] == row["run_id"]]
    return shown(kept.folder, facts, f"Loss by epoch ({row['loss']})", wording.learning_of(own))


def _is_missing(results: Results, row: Row, cache: Cache) -> bool:
    with suppress(InputError):
        return not one_run.is_there(results, row, cache)
    return False


def _sound_name(name: str) -> str:
    if name == "error":
        return "Error: prediction minus target"
    return f"Prediction, {name}: {Rendering.parse(name).meaning}"


def _column_name(row: Row) -> str:
    return f"{row['rendering']}, epoch {row['epoch']}"


def _cells(rows: Sequence[Row]) -> list[Cells]:
    """The measured columns that any of the rows fills."""
    others = (*run_table.SETTINGS, "run_id", "error", "epoch", "is_final", "role")
    measured = [name for name in COLUMNS if name not in others]
    return [
        Cells(name, COLUMNS[name][1], tuple(run_table.cell(name, row[name]).text for row in rows))
        for name in measured
        if any(row[name] is not None for row in rows)
    ]


def _settings(results: Results, row: Row) -> list[tuple[str, str]]:
    config = results.configs[row["run_id"]].model_dump(mode="json")
    signal = {f"signal.{name}": value for name, value in config.pop("signal").items()}
    return [(name, _text(value)) for name, value in {**config, **signal}.items()]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(
            f"{name} {_text(own)}" for name, own in value.items() if own not in ("", {})
        )
    if isinstance(value, float):
        return significant(value)
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value)


def _environment(results: Results, row: Row) -> list[tuple[str, str]]:
    result = results.folder_of(row).result() or {}
    return [(name, str(value)) for name, value in (result.get("environment") or {}).items()]
