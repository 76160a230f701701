"""A grid file (TOML) becomes a validated list of runs.

Every key of a ``[[runs]]`` block may hold one value or a list; the block stands for
every combination of its lists, and a grid for all its blocks.
"""

from __future__ import annotations

import itertools
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_origin

from pydantic import Field, ValidationError

from data import effects
from data.errors import InputError, shown, suggestion
from study.config import toml_file
from study.config.run import RunConfig, SignalConfig, Strict, effect_names

COMMITTED = Path(__file__).parents[1] / "grids"

MOST_RUNS = 10_000  # of a grid: a year of the shortest ones

_Config = TypeVar("_Config", bound=Strict)


class Published(Strict):
    """A figure that somebody else has published, to stand beside ours.

    Attributes:
        effect: as this grid names it.
        structure: of their model, in words.
        esr: as published; left out where they give none.
        source: where it is from, and what makes it another measurement than ours.
    """

    effect: Annotated[str, Field(min_length=1)]
    structure: Annotated[str, Field(min_length=1)]
    esr: Annotated[float, Field(ge=0)] | None = None
    source: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True)
class Grid:
    """A set of runs with a name.

    Attributes:
        name: folder under ``runs/``; the file's stem.
        title: heading of the report.
        runs: in the order of the file, without repetition.
        source: how the file was named.
        recording: dry and wet file that took the place of the grid's effects.
        target: of ``make``, that fills the folder.
        published: others' figures for its effects.
    """

    name: str
    title: str
    runs: tuple[RunConfig, ...]
    source: str
    recording: tuple[str, str] | None = None
    target: Literal["grid", "search"] = "grid"
    published: tuple[Published, ...] = ()


def committed_names() -> list[str]:
    """Grids that come with the project."""
    return sorted(path.stem for path in COMMITTED.glob("*.toml"))


def folder_name(name_or_path: str) -> str:
    """The folder under ``runs/`` of a grid: its name, or its file's stem."""
    return Path(name_or_path).stem


def title(name: str) -> str:
    """The title of a committed grid."""
    return str(tomllib.loads((COMMITTED / f"{name}.toml").read_text("utf-8"))["title"])


def load(name_or_path: str, recording: tuple[str, str] | None = None) -> Grid:
    """Read and validate a grid.

    Args:
        name_or_path: a committed grid's name or the path of a TOML file.
        recording: dry and wet file that take the place of the grid's effects.

    Raises:
        InputError: naming the key, what it allows and what was found.
    """
    path = find(name_or_path, COMMITTED, "grid")
    refuse_reserved(path)
    table = toml_file.read(path, f"grid {path}")
    refuse_unknown(f"grid {path}", table, ["title", "signal", "runs", "published"])
    signal = validated(SignalConfig, table.get("signal", {}), f"grid {path}, [signal]")
    blocks = table.get("runs")
    if not isinstance(blocks, list) or not blocks:
        raise InputError(
            f"grid {path}",
            expected="at least one [[runs]] block",
            found="none",
            remedy="The committed grids show how one looks.",
        )
    runs: dict[str, RunConfig] = {}
    for number, block in enumerate(blocks, 1):
        where = f"grid {path}, [[runs]] block {number}"
        for run in expanded(block, signal, where, path.parent, recording):
            runs.setdefault(run.run_id, run)
        _require_few(len(runs), f"grid {path}, its blocks together")
    title = str(table.get("title", path.stem))
    # Of the grid's own effects, so of none where a recording takes their place.
    entries = [] if recording else table.get("published", [])
    published = _published(entries, f"grid {path}", runs)
    return Grid(
        path.stem, title, tuple(runs.values()), name_or_path, recording, published=published
    )


def _published(entries: Any, where: str, runs: Mapping[str, RunConfig]) -> tuple[Published, ...]:
    """Others' figures; each is of an effect that the grid models."""
    if not isinstance(entries, list):
        raise InputError(
            f"{where}, [[published]]",
            expected="entries with effect, structure, esr and source",
            found=shown(entries),
            remedy="Write [[published]] on a line of its own and the keys below it.",
        )
    modelled = list(dict.fromkeys(effect_names(runs).values()))
    found = []
    for number, entry in enumerate(entries, 1):
        own = validated(Published, entry, f"{where}, [[published]] entry {number}")
        if own.effect not in modelled:
            raise InputError(
                f"{where}, [[published]] entry {number}, key 'effect'",
                expected="one of " + ", ".join(modelled),
                found=shown(own.effect),
                remedy="Name an effect as the grid's runs name it.",
            )
        found.append(own)
    return tuple(found)


def find(name_or_path: str, committed_folder: Path, kind: str) -> Path:
    """The TOML file that a name or a path stands for.

    Args:
        name_or_path: of a file in ``committed_folder``, or a path.
        committed_folder: what comes with the project.
        kind: what messages call it.

    Raises:
        InputError: there is neither.
    """
    committed = committed_folder / f"{name_or_path}.toml"
    if committed.is_file():
        return committed
    path = Path(name_or_path)
    if path.is_file():
        return path
    names = sorted(path.stem for path in committed_folder.glob("*.toml"))
    raise InputError(
        f"{kind} {name_or_path!r}",
        expected=f"one of {', '.join(names)}, or the path of a TOML file",
        found="neither",
        remedy=suggestion(name_or_path, names, "Check the spelling or the path."),
    )


def refuse_reserved(path: Path) -> None:
    """Refuse a file whose folder under ``runs/`` is in use for something else."""
    if path.stem == "pairs":
        raise InputError(
            f"file {path}",
            expected="a name other than 'pairs'",
            found="the name of the folder that all grids keep their dry/wet pairs in",
            remedy="Rename the file.",
        )


def expanded(
    block: Mapping[str, Any],
    signal: SignalConfig,
    where: str,
    folder: Path,
    recording: tuple[str, str] | None,
) -> Iterable[RunConfig]:
    """Every combination of a block's lists, the last key varying fastest."""
    if not isinstance(block, Mapping):
        raise InputError(
            where,
            expected="a table of keys and values",
            found=shown(block),
            remedy="Write [[runs]] on a line of its own and the keys below it.",
        )
    axes = _axes(block, where)
    axes["effect"] = _effects(axes.get("effect", []), where, folder, recording)
    yield from _combined({"signal": signal}, axes, where)


def variants(fixed: Mapping[str, Any], block: Mapping[str, Any], where: str) -> Iterable[RunConfig]:
    """Every combination of a block's lists, over settings that are fixed but for the block's."""
    return _combined(fixed, _axes(block, where), where)


def _axes(block: Mapping[str, Any], where: str) -> dict[str, list[Any]]:
    """The values of every key of a block."""
    refuse_unknown(where, block, [key for key in RunConfig.model_fields if key != "signal"])
    axes = {key: _values(key, value) for key, value in block.items()}
    for key, axis in axes.items():
        if not axis:
            raise InputError(
                f"{where}, key {key!r}",
                expected="a value or a list of values",
                found="an empty list, so no run at all",
                remedy="Name a value, or remove the key for its default.",
            )
    return axes


def _combined(
    fixed: Mapping[str, Any], axes: Mapping[str, list[Any]], where: str
) -> Iterable[RunConfig]:
    ordered = [key for key in RunConfig.model_fields if key in axes]
    _require_few(math.prod(len(axis) for axis in axes.values()), where)
    for combination in itertools.product(*(axes[key] for key in ordered)):
        values = dict(zip(ordered, combination, strict=True))
        yield validated(RunConfig, {**fixed, **values}, where)


def _require_few(runs: int, where: str) -> None:
    """Refuse more runs than anyone can wait for, before they are listed."""
    if runs > MOST_RUNS:
        raise InputError(
            where,
            expected=f"at most {MOST_RUNS:,} runs",
            found=f"lists that stand for {runs:,}",
            remedy="Shorten the lists: every combination of their values is a run.",
        )


def _values(key: str, value: Any) -> list[Any]:
    """The values of an axis; some keys are themselves lists, not axes."""
    field = RunConfig.model_fields.get(key)
    if field and get_origin(field.annotation) is tuple:
        return [tuple(value) if isinstance(value, list) else value]
    return value if isinstance(value, list) else [value]


def _effects(
    specs: list[Any], where: str, folder: Path, recording: tuple[str, str] | None
) -> list[dict[str, Any]]:
    if recording:
        dry, wet = recording
        name = Path(wet).stem if Path(wet).stem != "wet" else Path(wet).resolve().parent.name
        return [effects.resolve({"name": name, "dry": dry, "wet": wet}, Path()).to_dict()]
    if not specs or specs == ["recording"]:
        raise InputError(
            where,
            expected="an effect, or a recording given with DRY=a.wav WET=b.wav",
            found="a grid for recordings without one" if specs else "no key effect",
            remedy="Add DRY=... WET=... to the command, or name an effect in the grid.",
        )
    try:
        return [effects.resolve(spec, folder).to_dict() for spec in specs]
    except InputError as error:
        raise error.within(where) from error


def refuse_unknown(where: str, table: Mapping[str, Any], known: list[str]) -> None:
    """Refuse a table with a key that is not known, naming the nearest one."""
    for key in table:
        if key not in known:
            raise InputError(
                f"{where}, key {key!r}",
                expected="one of " + ", ".join(known),
                found="an unknown key",
                remedy=suggestion(key, known, "Remove it."),
            )


def validated(kind: type[_Config], values: Mapping[str, Any], where: str) -> _Config:
    """A configuration of these values.

    Raises:
        InputError: of ``where`` with the key, or of ``where`` alone if the values do not
            fit together.
    """
    try:
        return kind.model_validate(values, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        refuse_unknown(
            where, {key: None} if first["type"] == "extra_forbidden" else {}, [*kind.model_fields]
        )
        raise InputError(
            f"{where}, key {key!r}" if key else where,
            expected=first["msg"].removeprefix("Input should be ").removeprefix("Value error, "),
            found=shown(first["input"]) if key else "a combination that does not fit",
            remedy="See the list of keys in docs/grids.md.",
        ) from error
