"""A run of a grid into a file that a host loads, or the reason why no host would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data import files
from data.errors import InputError, suggestion
from embedded.exports import aidax, nam, neuralseed, proteus
from embedded.exports.format import Format
from embedded.exports.model import Model, snapshot_dry
from models.families import FAMILIES
from study.config.rendering import Rendering
from study.config.run import RunConfig
from study.rendering import trained_model
from study.rendering.streaming import stream
from study.selection import choose
from study.selection.candidates import Candidate, candidates
from study.store import tables
from study.store.environment import environment
from study.store.folders import Store
from study.store.roles import role

FORMATS: dict[str, Format] = {
    module.FORMAT.name: module.FORMAT for module in (nam, aidax, proteus, neuralseed)
}


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        path: of the file.
        run_id: of the run.
        esr: of its streaming rendering on the test split.
        how: what to do with the file.
        whose: who chose it, and of what; nothing where it was named.
        warnings: why hosts will not play it as it was trained, if forced.
    """

    path: Path
    run_id: str
    esr: float
    how: str
    whose: str
    warnings: tuple[str, ...]


def export(
    store: Store,
    format_name: str,
    run: str | None = None,
    force: bool = False,
    effect: str | None = None,
) -> Exported:
    """Write a run in a format, into ``exports/`` of its grid.

    Args:
        store: of the grid.
        format_name: a key of ``FORMATS``.
        run: its id or the beginning of it; by default the effect's choice, or where the rule's
            is none that the format's hosts load, the one that they load with the lowest
            validation ESR in streaming use.
        force: write a model of another sample rate too, which will not sound as trained.
        effect: whose choice, where no run is named; by default the grid's first.

    Raises:
        InputError: no such format or run, or a model that the hosts do not load.
    """
    form = format_named(format_name)
    rows = streaming_candidates(store)
    name, whose = (run, "") if run else _chosen(store, form, rows, effect)
    folder = trained_model.find(name, store)
    config = folder.config()
    cannot = form.objection(config.architecture)
    wrong_rate = form.rate_objection(config.sample_rate_hz)
    if cannot or (wrong_rate and not force):
        raise InputError(
            f"run {folder.run_id} for {form.name} ({form.hosts})",
            expected=form.loads,
            found=str(cannot or wrong_rate),
            remedy=_alternatives(form, store, rows)
            + ("" if cannot else " FORCE=1 (--force) writes it all the same."),
        )
    model = loaded(store, folder.run_id)
    path = store.root / "exports" / (folder.run_id + form.suffix)
    files.write_text(path, form.text(model))
    return Exported(
        path, folder.run_id, model.esr, form.how, whose, (wrong_rate,) if wrong_rate else ()
    )


def format_named(name: str) -> Format:
    """The format of that name.

    Raises:
        InputError: there is none.
    """
    if name in FORMATS:
        return FORMATS[name]
    known = "; ".join(f"{form.name} ({form.hosts})" for form in FORMATS.values())
    raise InputError(
        f"format {name!r}",
        expected=f"one of {known}",
        found="none of them",
        remedy=suggestion(name, FORMATS, "Name one of these."),
    )


def streaming_candidates(store: Store) -> list[Candidate]:
    """All finished recurrent models in streaming use, best on validation first."""
    found = candidates(tables.collect(store))
    carried = [own for own in found if Rendering.parse(own.rendering).carries_state]
    return sorted(carried, key=lambda own: own.validation_esr)


def loaded(store: Store, run_id: str) -> Model:
    """Everything that an export says of a run."""
    folder = store.run(run_id)
    model = trained_model.load(folder, "streaming")
    known = {"training": model.config.training}
    rows = [known | row for row in (folder.result() or {}).get("rows", [])]
    row = next(
        row for row in rows if row["rendering"] == model.rendering and role(row) != "checkpoint"
    )
    # Hosts begin in silence: a model without feedback has left its zero state by then.
    silence = FAMILIES[model.config.family].reach(model.architecture)
    dry = np.pad(snapshot_dry(), (silence, 0))
    wet = stream(model.architecture, model.weights, dry[None])[0, silence:]
    return Model(
        model.architecture,
        [np.asarray(array, np.float32) for array in model.weights],
        model.sample_rate_hz,
        run_id,
        model.rendering,
        effect_text(model.config),
        float(row["esr"]),
        f"Pedalframe {environment()['commit']}",
        wet,
    )


def effect_text(config: RunConfig) -> str:
    """The effect with its controls."""
    effect = config.made_by
    controls = ", ".join(f"{name} {value:g}" for name, value in effect.controls.items())
    name = effect.name if config.direction == "forward" else f"{effect.name}, wet to dry"
    return f"{name} ({controls})" if controls else name


def _chosen(
    store: Store, form: Format, rows: list[Candidate], effect: str | None
) -> tuple[str, str]:
    """The run to write where none was named, and whose choice it is."""
    choice = choose.chosen(store, effect)
    fitting = loadable(form, store, [own for own in rows if own.effect == choice.effect])
    if choice.by == "user" or choice.run_id in fitting:
        return choice.run_id, choice.whose
    if fitting:
        best = f"the best model of {choice.effect} for FORMAT={form.name}"
        return fitting[0], f"{best}, which does not load {choice.whose}, {choice.run_id}"
    raise InputError(
        f"format {form.name} ({form.hosts})",
        expected=f"a run of {choice.effect} that it loads: {form.loads}",
        found=f"none in {store.root}",
        remedy="Train one: the keys family, layers, units, residual and sample_rate_hz of a "
        "grid file say what. " + _other_formats(store, rows),
    )


def loadable(form: Format, store: Store, rows: list[Candidate]) -> list[str]:
    """Ids of the runs that the format's hosts load, best on validation first."""
    ids = dict.fromkeys(own.run_id for own in rows)
    configs = {run_id: store.run(run_id).config() for run_id in ids}
    return [
        run_id
        for run_id, config in configs.items()
        if not form.objection(config.architecture)
        and not form.rate_objection(config.sample_rate_hz)
    ]


def _alternatives(form: Format, store: Store, rows: list[Candidate]) -> str:
    fitting = loadable(form, store, rows)
    if fitting:
        return f"It loads {', '.join(fitting[:5])}" + (
            f" and {len(fitting) - 5} more." if len(fitting) > 5 else "."
        )
    return "It loads no run of this grid. " + _other_formats(store, rows)


def _other_formats(store: Store, rows: list[Candidate]) -> str:
    counts = {form.name: len(loadable(form, store, rows)) for form in FORMATS.values()}
    others = [f"{name} loads {count}" for name, count in counts.items() if count]
    return f"Of its runs, {', '.join(others)}." if others else "No format loads any of its runs."
