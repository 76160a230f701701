"""A search file (TOML) becomes a validated description of what is searched.

Its keys: ``title``, ``trials`` (how many), ``seed`` (of their proposals), and the tables

- ``[signal]``: as in a grid;
- ``[run]``: what all trials share, keys of a grid's ``[[runs]]`` without lists;
- ``[space]``: what varies, a list of choices or ``{low, high, log, step}``;
- ``[final]``: how the best is trained in the end, keys of ``[[runs]]``, lists too.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data.errors import InputError, shown
from study.config import grid as grids
from study.config import toml_file
from study.config.grid import Grid
from study.config.run import SETTINGS, RunConfig, SignalConfig
from study.store import received
from study.store.folders import Store

MOST_TRIALS = 10_000
MOST_CHOICES = 1000
MOST_STEPS = 1_000_000
STARTUP_TRIALS = 8  # drawn at random, before their results guide the next

COMMITTED = Path(__file__).parents[1] / "searches"

# Settings that a search may vary, with the type of their numbers; None where it takes choices.
_TYPES = {"choices": None, "integers": int, "numbers": float}
SEARCHABLE: dict[str, type | None] = {
    name: _TYPES[own.searched] for name, own in SETTINGS.items() if own.searched
}

# Settings of a run's end, which trials do without.
FINAL_ONLY = tuple(name for name, own in SETTINGS.items() if own.of_the_end)

_KEYS = ["title", "trials", "seed", "signal", "run", "space", "final"]
_RANGE = ["low", "high", "log", "step"]
_FINAL = {"epochs": 100, "patience": 20, "seed": [0, 1, 2]}


@dataclass(frozen=True)
class Choices:
    """One of these values."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Range:
    """A number from ``low`` to ``high``, both included.

    Attributes:
        low, high: whole numbers for settings that are.
        is_log: whether equal ratios are equally likely, instead of equal differences.
        step: distance between the values tried, or None.
    """

    low: float
    high: float
    is_log: bool = False
    step: float | None = None


Axis = Choices | Range


@dataclass(frozen=True)
class Search:
    """What is searched, and how the best is trained in the end.

    Attributes:
        name: folder under ``runs/``; the file's stem.
        title: heading of the report.
        source: how the file was named.
        trials: how many in all.
        seed: of their proposals.
        base: the run that all trials are variants of.
        space: what varies, by setting.
        final: settings of the final training; a list stands for several runs.
        recording: dry and wet file that took the place of the effect.
    """

    name: str
    title: str
    source: str
    trials: int
    seed: int
    base: RunConfig
    space: Mapping[str, Axis]
    final: Mapping[str, Any]
    recording: tuple[str, str] | None = None

    @property
    def digest(self) -> str:
        """The same for searches that share their trials: all but their number and the end."""
        content = [self.seed, self.base.run_id, _plain_space(self.space)]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]

    def trial_config(self, params: Mapping[str, Any]) -> RunConfig:
        """The run of a trial.

        Raises:
            InputError: the settings do not fit together.
        """
        return grids.validated(RunConfig, {**dict(self.base), **params}, "this trial")

    def final_grid(self, params: Mapping[str, Any]) -> Grid:
        """The final training with the best trial's settings."""
        runs = _final_runs(self.base, params, self.final, f"search {self.source}, [final]")
        return Grid(self.name, self.title, runs, self.source, self.recording, "search")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; ``from_dict`` reads them back."""
        return {
            **asdict(self),
            "base": self.base.model_dump(mode="json"),
            "space": _plain_space(self.space),
            "final": dict(self.final),
        }


def from_dict(stored: Mapping[str, Any]) -> Search:
    """What ``to_dict`` told."""
    space = {
        name: Choices(tuple(axis["values"])) if "values" in axis else Range(**axis)
        for name, axis in stored["space"].items()
    }
    recording = stored["recording"]
    return Search(
        **{
            **stored,
            "base": RunConfig.model_validate(stored["base"]),
            "space": space,
            "recording": tuple(recording) if recording else None,
        }
    )


def folder(store: Store) -> Path:
    """Where a search keeps its files."""
    return store.root / "search"


def search_file(store: Store) -> Path:
    """What is searched."""
    return folder(store) / "search.json"


def searched_file(store: Store) -> Path:
    """What was searched when the tables beside it were written."""
    return folder(store) / "searched.json"


def stored(store: Store) -> Search:
    """The search last begun in a store.

    Raises:
        InputError: there is none.
    """
    return _read(store, search_file(store))


def searched(store: Store) -> Search:
    """The search that the stored tables are of; another may have begun since.

    Raises:
        InputError: none has come to its end.
    """
    return _read(store, searched_file(store))


def _read(store: Store, path: Path) -> Search:
    try:
        return from_dict(received.document(path))
    except (FileNotFoundError, InputError, ValueError, TypeError, KeyError, AttributeError):
        raise InputError(
            f"study {store.root}",
            expected="a search of this version",
            found="none",
            remedy="Run `make search` first.",
        ) from None


def committed_names() -> list[str]:
    """Searches that come with the project."""
    return sorted(path.stem for path in COMMITTED.glob("*.toml"))


def load(name_or_path: str, recording: tuple[str, str] | None = None) -> Search:
    """Read and validate a search.

    Args:
        name_or_path: a committed search's name or the path of a TOML file.
        recording: dry and wet file that take the place of the effect.

    Raises:
        InputError: naming the key, what it allows and what was found.
    """
    path = grids.find(name_or_path, COMMITTED, "search")
    grids.refuse_reserved(path)
    where = f"search {path}"
    table = toml_file.read(path, where)
    grids.refuse_unknown(where, table, _KEYS)
    for key in ("run", "space"):
        _require(
            isinstance(table.get(key), Mapping) and bool(table[key]),
            where,
            f"a table [{key}]",
            "none",
            "The committed searches show how one looks.",
        )
    signal = grids.validated(SignalConfig, table.get("signal", {}), f"{where}, [signal]")
    space = {key: _axis(f"{where}, [space]", key, axis) for key, axis in table["space"].items()}
    base = _base(table["run"], space, signal, where, path.parent, recording)
    final = {**_FINAL, **_table(table, "final", where)}
    search = Search(
        name=path.stem,
        title=str(table.get("title", path.stem)),
        source=name_or_path,
        trials=_count(table, "trials", 20, range(1, MOST_TRIALS + 1), where),
        seed=_count(table, "seed", 0, range(2**31), where),
        base=base,
        space=space,
        final=final,
        recording=recording,
    )
    _require_valid(search, where)
    return search


def _base(
    block: Mapping[str, Any],
    space: Mapping[str, Axis],
    signal: SignalConfig,
    where: str,
    folder: Path,
    recording: tuple[str, str] | None,
) -> RunConfig:
    for key in block:
        _require(
            key not in space,
            f"{where}, key {key!r}",
            "it in [run] or in [space]",
            "it in both",
            "Remove one of the two.",
        )
    for key in FINAL_ONLY:
        _require(
            key not in block,
            f"{where}, [run], key {key!r}",
            "it in [final]",
            "it in [run]",
            "Trials are for choosing settings; the best is trained to its end.",
        )
    # Any value of each axis will do: a trial replaces them.
    values = {**block, **{key: _example(axis) for key, axis in space.items()}}
    runs = list(grids.expanded(values, signal, f"{where}, [run]", folder, recording))
    _require(
        len(runs) == 1,
        f"{where}, [run]",
        "one value a key",
        f"lists, which stand for {len(runs)} runs",
        "What varies belongs into [space]; one search is for one effect.",
    )
    return runs[0]


def _require_valid(search: Search, where: str) -> None:
    """Try both ends of every axis and the final settings, so that no trial meets them first."""
    for key, axis in search.space.items():
        ends = axis.values if isinstance(axis, Choices) else (axis.low, axis.high)
        for end in ends:
            _require_value(search, key, end, f"{where}, [space]")
    examples = {key: _example(axis) for key, axis in search.space.items()}
    runs = _final_runs(search.base, examples, search.final, f"{where}, [final]")
    _require(
        all(run.patience for run in runs),
        f"{where}, [final], key 'patience'",
        "1 or more epochs",
        "0",
        "The final training ends when validation no longer improves.",
    )


def _require_value(search: Search, key: str, value: Any, where: str) -> None:
    """Refuse a value that no run may have; what clashes with others is for a trial to tell."""
    try:
        grids.validated(RunConfig, {**dict(search.base), key: value}, where)
    except InputError as error:
        if error.subject != where:
            raise


def _final_runs(
    base: RunConfig, params: Mapping[str, Any], final: Mapping[str, Any], where: str
) -> tuple[RunConfig, ...]:
    for key in ("effect", *params):
        _require(
            key not in final,
            f"{where}, key {key!r}",
            "a setting that the search leaves alone",
            "one that it decides",
            "Remove it.",
        )
    runs = grids.variants({**dict(base), **params}, final, where)
    return tuple({run.run_id: run for run in runs}.values())


def _axis(where: str, key: str, value: Any) -> Axis:
    grids.refuse_unknown(where, {key: None}, list(SEARCHABLE))
    where = f"{where}, key {key!r}"
    kind = SEARCHABLE[key]
    if isinstance(value, list):
        _require(
            1 < len(value) <= MOST_CHOICES and len(set(map(repr, value))) == len(value),
            where,
            f"two or more different values, {MOST_CHOICES} at most",
            shown(value),
            "What does not vary belongs into [run].",
        )
        return Choices(tuple(value))
    expected = "a list of values" + (", or {low = ..., high = ...}" if kind else "")
    _require(
        kind is not None and isinstance(value, Mapping),
        where,
        expected,
        shown(value),
        "What does not vary belongs into [run].",
    )
    grids.refuse_unknown(where, value, _RANGE)
    numbers = {
        name: _number(f"{where}, {name}", value[name], kind)
        for name in ("low", "high", "step")
        if name in value
    }
    is_log = value.get("log", False)
    _require(isinstance(is_log, bool), f"{where}, log", "true or false", repr(is_log), "Mend it.")
    _require(
        {"low", "high"} <= set(numbers) and numbers["low"] < numbers["high"],
        where,
        "low and high, low below high",
        shown(dict(value)),
        "Give both.",
    )
    _require(
        not is_log or (numbers["low"] > 0 and "step" not in numbers),
        where,
        "with log = true, low above 0 and no step",
        shown(dict(value)),
        "Ratios need a positive beginning, and have no steps.",
    )
    step, width = numbers.get("step", 1), numbers["high"] - numbers["low"]
    _require(
        step > 0 and ("step" not in numbers or width / MOST_STEPS <= step <= width),
        where,
        f"a step above 0, 1 to {MOST_STEPS:,} of them between low and high",
        shown(value.get("step")),
        "Mend it.",
    )
    return Range(numbers["low"], numbers["high"], is_log, numbers.get("step"))


def _number(where: str, value: Any, kind: type | None) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_fit = is_number and math.isfinite(value) and (kind is float or isinstance(value, int))
    expected = "a number" if kind is float else "a whole number"
    _require(is_fit, where, expected, shown(value), "Mend it.")
    return float(value) if kind is float else int(value)


def _count(table: Mapping[str, Any], key: str, default: int, allowed: range, where: str) -> int:
    value = table.get(key, default)
    is_fit = isinstance(value, int) and not isinstance(value, bool) and value in allowed
    expected = f"a whole number from {allowed[0]} to {allowed[-1]:,}"
    _require(is_fit, f"{where}, key {key!r}", expected, shown(value), "Mend it.")
    return int(value)


def _table(table: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = table.get(key, {})
    _require(isinstance(value, Mapping), where, f"a table [{key}]", shown(value), "Mend it.")
    return dict(value)


def _example(axis: Axis) -> Any:
    return axis.values[0] if isinstance(axis, Choices) else axis.low


def _plain_space(space: Mapping[str, Axis]) -> dict[str, Any]:
    plain = {name: asdict(axis) for name, axis in space.items()}
    return dict(json.loads(json.dumps(plain)))


def _require(is_met: bool, subject: str, expected: str, found: str, remedy: str) -> None:
    if not is_met:
        raise InputError(subject, expected=expected, found=found, remedy=remedy)
