"""What a report is made of: a grid's stored rows, and its models over all their seeds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from models.families import FAMILIES
from reports.sources.numbers import short_count
from study.config.about import told
from study.config.run import SETTINGS, RunConfig, effect_names
from study.store import tables
from study.store.folders import RunFolder, Store
from study.store.roles import role

Row = dict[str, Any]

FAMILY_NAMES = {name: family.label for name, family in FAMILIES.items()}

# Settings that every label names; the effect's name tells the direction.
_ALWAYS_NAMED = {
    "effect", "direction", "family", "layers", "units", "features", "training_frames"
}  # fmt: skip
# These tell runs of one model apart: its seeds, what is kept on the way, and what is made
# of the finished model for rows of their own.
_NEVER_NAMED = {name for name, own in SETTINGS.items() if own.adds_rows}
_SHORT = {"frame_size": "frame"}
_TRAINED_ON = {"framed": "on frames", "sequence": "on sequences"}


@dataclass(frozen=True)
class Spread:
    """A value over the seeds of one configuration."""

    mean: float
    low: float
    high: float
    count: int

    @staticmethod
    def of(values: Iterable[float]) -> Spread:
        """Mean and range of at least one value."""
        seen = list(values)
        return Spread(sum(seen) / len(seen), min(seen), max(seen), len(seen))


@dataclass(frozen=True)
class Model:
    """One configuration with the final rows of all its finished seeds.

    Attributes:
        structure: family and layers x units, "LSTM 1×16"; what it was trained on where the
            grid has both; the sample rate where the effect has several; and further settings
            only where the grid has another model of the effect that these do not tell from it.
        rows: final rows, one a seed, best validation ESR first; never empty.
        failed_seeds: how many more seeds were run and came to nothing.
    """

    structure: str
    rows: tuple[Row, ...]
    failed_seeds: int = 0

    @property
    def effect(self) -> str:
        """What it models."""
        return str(self.rows[0]["effect"])

    @property
    def family(self) -> str:
        """One of ``FAMILY_NAMES``."""
        return str(self.rows[0]["family"])

    @property
    def sample_rate_hz(self) -> int:
        """Of what it hears and answers."""
        return int(self.rows[0]["sample_rate_hz"])

    @property
    def training_frames(self) -> int:
        """Frames, or samples of sequences, that each seed was trained on."""
        return int(self.rows[0]["training_frames"])

    @property
    def is_on_sequences(self) -> bool:
        """Whether it was trained on segments of audio with the state carried."""
        return bool(self.rows[0]["training"] == "sequence")

    @property
    def training_size(self) -> str:
        """As short as "40k" frames, or "126 s" of audio."""
        if self.is_on_sequences:
            return f"{self.training_frames / self.sample_rate_hz:.0f} s"
        return short_count(self.training_frames)

    @property
    def training_set(self) -> str:
        """What "40k" or "126 s" of it are."""
        unit = "of training audio" if self.is_on_sequences else "training frames"
        return f"{self.training_size} {unit}"

    @property
    def label(self) -> str:
        """Structure and training-set size."""
        return f"{self.structure}, {self.training_set}"

    @property
    def given(self) -> str:
        """Which signal it hears, ``dry`` or from wet to dry ``wet``; the other is its target."""
        return given_by(str(self.rows[0].get("direction")))

    @property
    def best_run(self) -> Row:
        """The seed with the lowest validation ESR."""
        return self.rows[0]

    def spread(self, column: str) -> Spread:
        """A numeric column over the seeds."""
        return Spread.of(float(row[column]) for row in self.rows)


@dataclass(frozen=True)
class Results:
    """Everything stored of a grid.

    Attributes:
        store: where.
        title: heading of the report.
        configs: by run id, in the grid's order, without those that are broken or of
            another version.
        rows: of the results table; ``effect`` tells two settings of one effect apart.
        history: run_id, epoch, loss, validation_loss.
    """

    store: Store
    title: str
    configs: Mapping[str, RunConfig]
    rows: tuple[Row, ...]
    history: pd.DataFrame

    @property
    def finals(self) -> list[Row]:
        """The last row of every finished run."""
        return [row for row in self.rows if row["status"] == "ok" and row["is_final"]]

    @property
    def effects(self) -> list[str]:
        """Effects with a finished run, in the grid's order."""
        return list(dict.fromkeys(str(row["effect"]) for row in self.finals))

    @cached_property
    def models(self) -> list[Model]:
        """Configurations, lowest mean validation ESR first."""
        by_configuration: dict[str, dict[int, Row]] = defaultdict(dict)
        for row in self.finals:
            config = self.configs[row["run_id"]]
            by_configuration[_what_is_trained(config)].setdefault(config.seed, row)
        alike: dict[str, list[RunConfig]] = defaultdict(list)
        rates_hz: dict[str, set[int]] = defaultdict(set)
        effects = effect_names(self.configs)
        for run_id, config in self.configs.items():
            alike[_named_alike(config)].append(config)
            rates_hz[effects[run_id]].add(config.sample_rate_hz)
        failed = self._failed_seeds()
        has_both = len({config.training for config in self.configs.values()}) > 1
        models = []
        for trained, by_seed in by_configuration.items():
            rows = _best_first(by_seed)
            run_id = rows[0]["run_id"]
            config = self.configs[run_id]
            varied = _varied(alike[_named_alike(config)])
            if len(rates_hz[effects[run_id]]) > 1:
                varied.add("sample_rate_hz")
            lost = len(failed[trained] - set(by_seed))
            models.append(Model(_structure(config, has_both, varied), rows, lost))
        return sorted(models, key=lambda model: model.spread("validation_esr").mean)

    def _failed_seeds(self) -> Mapping[str, set[int]]:
        """The seeds of failed runs by what was trained."""
        seeds: dict[str, set[int]] = defaultdict(set)
        for row in self.rows:
            config = self.configs.get(row["run_id"])
            if row["status"] == "failed" and config is not None:
                seeds[_what_is_trained(config)].add(config.seed)
        return seeds

    @cached_property
    def model_of(self) -> dict[str, Model]:
        """The model of every finished run by its id, be it counted there or a seed's second."""
        trained = {_what_is_trained(self.configs[m.rows[0]["run_id"]]): m for m in self.models}
        ids = [row["run_id"] for row in self.finals]
        return {run_id: trained[_what_is_trained(self.configs[run_id])] for run_id in ids}

    def models_of(self, effect: str) -> list[Model]:
        """The models of one effect, lowest mean validation ESR first."""
        return [model for model in self.models if model.effect == effect]

    def checkpoints_of(self, run_id: str) -> list[Row]:
        """Rows of a run's checkpoints in order, without one of the epoch that it ended with.

        That epoch may be earlier than theirs: patience goes back to the best.
        """
        own = [row for row in self.rows if row["run_id"] == run_id and row["status"] == "ok"]
        ended = next(row["epoch"] for row in own if role(row) == "main")
        kept = [row for row in own if role(row) == "checkpoint" and row["epoch"] != ended]
        return sorted(kept, key=lambda row: row["epoch"])

    def finals_of(self, run_id: str) -> list[Row]:
        """Rows of a run's final model, one a way of rendering, the main one first."""
        own = [row for row in self.rows if row["run_id"] == run_id and row["status"] == "ok"]
        return [row for part in ("main", "other") for row in own if role(row) == part]

    def folder_of(self, row: Row) -> RunFolder:
        """The run folder of a row."""
        return self.store.run(row["run_id"])


def given_by(direction: str) -> str:
    """Which of dry and wet the models of a direction hear."""
    return "wet" if direction == "reversed" else "dry"


def read(store: Store) -> Results:
    """Gather what a grid has produced so far.

    Raises:
        InputError: no grid was laid out here, or none of its runs has finished.
    """
    manifest = store.manifest()
    configs = store.configs()
    collected = tables.collect(store)
    tables.require_finished(collected, store)
    rows = _plain(collected)
    return Results(store, str(manifest["title"]), configs, tuple(rows), tables.history(store))


# What pages draw and sort by, of every finished row.
_ALWAYS_MEASURED = (
    *("epoch", "rendering", "training_frames", "validation_esr", "parameters", "macs_per_sample"),
    *("mae", "r2", "esr", "dry_esr", "fir_esr"),
)


def read_measured(store: Store) -> Results:
    """The same, finished runs without all measurements pending and told of.

    Raises:
        InputError: as ``read``, or no finished run has all.
    """
    results = read(store)
    lacking = {
        row["run_id"]: name
        for row in results.rows
        for name in _ALWAYS_MEASURED
        if row["status"] == "ok" and row[name] is None
    }
    rows = tuple(
        row
        if row["run_id"] not in lacking
        else row | {"status": "pending", "error": f"its result holds no {lacking[row['run_id']]}"}
        for row in results.rows
    )
    tables.require_finished(tables.typed(list(rows)), store)
    return replace(results, rows=rows)


def _plain(frame: pd.DataFrame) -> list[Row]:
    """Rows as dictionaries with None for what is missing."""
    objects = frame.astype(object)
    return [
        {str(name): value for name, value in row.items()}
        for row in objects.where(objects.notna(), None).to_dict("records")
    ]


def _best_first(by_seed: Mapping[int, Row]) -> tuple[Row, ...]:
    return tuple(sorted(by_seed.values(), key=lambda row: row["validation_esr"]))


def _what_is_trained(config: RunConfig) -> str:
    """The same for all runs of a model."""
    return json.dumps(config.model_dump(mode="json", exclude=_NEVER_NAMED), sort_keys=True)


def _named_alike(config: RunConfig) -> str:
    """The same for all runs of an effect that training and shape do not tell apart."""
    front = [config.frame_size, config.features] if config.features else []
    shape = [config.training, config.family, config.layers, config.units, *front]
    return json.dumps([config.effect, config.direction, *shape], sort_keys=True)


def _varied(configs: Iterable[RunConfig]) -> set[str]:
    """Settings that are not the same in all of these and that labels would not name anyway."""
    values: dict[str, set[str]] = defaultdict(set)
    for config in configs:
        for name, value in config.model_dump(mode="json").items():
            values[name].add(json.dumps(value, sort_keys=True))
    skipped = _ALWAYS_NAMED | _NEVER_NAMED
    return {name for name, seen in values.items() if len(seen) > 1 and name not in skipped}


def _structure(config: RunConfig, has_both: bool, varied: Container[str]) -> str:
    family = FAMILY_NAMES.get(config.family, config.family)
    others = [_named(config, name) for name in RunConfig.model_fields if name in varied]
    shape = f"{family} {config.layers}\N{MULTIPLICATION SIGN}{config.units}"
    if config.features:
        shape += f", frame {config.frame_size} to {config.features}"
    trained_on = [_TRAINED_ON[config.training]] if has_both else []
    return ", ".join([shape, *trained_on, *others])


def _named(config: RunConfig, setting: str) -> str:
    if setting == "sample_rate_hz":
        return f"{config.sample_rate_hz:,} Hz"
    value = told(getattr(config, setting))
    name = _SHORT.get(setting, setting.replace("_", " "))
    return f"{name} as usual" if value is None else f"{name} {value}"


def best_of_families(models: Sequence[Model]) -> list[Model]:
    """The best model of every family, best first."""
    best: dict[str, Model] = {}
    for model in models:
        best.setdefault(model.family, model)
    return list(best.values())
