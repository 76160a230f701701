"""What is read from the folders of a study, which anybody may have sent: checked, or refused.

Whatever is stored there passes here before it is used. Only plain files and folders are
opened, of bounded size; names that become file names, and words that choose what is done, are
from fixed sets; numbers are numbers, and finite.
"""

from __future__ import annotations

import errno
import io
import json
import math
import os
import re
import stat
import struct
import zipfile
from collections.abc import Collection
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
)

from data import system_errors
from data.devices import lv2
from data.devices.circuits import CIRCUITS
from data.effects import Effect, Kind
from data.errors import InputError
from study.config.grid import MOST_RUNS, Published
from study.config.rendering import Rendering
from study.config.run import Direction, FamilyName, Knobs, LossName, RunConfig, Schedule, Training
from study.store.columns import ALIASING_COLUMNS, COLUMNS, Columns, typed

MOST_BYTES = 64 * 2**20  # ten times the history of the longest training
_MADE_BY = {
    "budget.parquet": "`make budget` with the same GRID",
    "timing.parquet": "`make timing` with the same GRID",
    "trials.parquet": "`make search` with the same SEARCH",
    "importances.json": "`make search` with the same SEARCH",
}
BROKEN = "an empty or broken file"
ANOTHER_VERSION = "that of another version"


def _is_name(text: str) -> str:
    """Of a file or folder, and nothing that leads out of its place."""
    if not re.fullmatch(r"\w[\w-]{0,199}", text):
        raise ValueError("no name of a run")
    return text


def _is_rendering(text: str) -> str:
    return Rendering.parse(text).name


Name = Annotated[str, AfterValidator(_is_name)]
RenderingName = Annotated[str, AfterValidator(_is_rendering)]
Text = Annotated[str, Field(max_length=100_000)]
Count = Annotated[int, Field(ge=0, le=2**53)]

_TYPES: dict[str, Any] = {"string": Text, "Int64": Count, "Float64": float, "boolean": bool}
_FIXED: dict[str, Any] = {
    "run_id": Name,
    "status": Literal["ok", "failed", "pending"],
    "direction": Direction,
    "family": FamilyName,
    "training": Training,
    "rendering": RenderingName,
    "schedule": Schedule,
    "loss": LossName,
    "knobs": Knobs,
    "verdict": Literal["yes", "tight", "no"],
    "state": Literal["complete", "pruned", "fail"],
}


_OF_A_SETTING = ("setting", "is_seen", "way", "rendering", "esr", "macs_per_sample")


class _Stored(BaseModel):
    """As a program of the project wrote it: no text for numbers, no NaN, no infinity."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Manifest(_Stored):
    name: Text
    title: Text
    source: Text
    target: Literal["grid", "search"] = "grid"
    dry: Text = ""
    wet: Text = ""
    runs: Annotated[list[Name], Field(max_length=MOST_RUNS)]
    published: list[Published] = []


class _Result(_Stored):
    status: Literal["ok", "failed"]
    is_final: bool = False
    rows: Annotated[list[dict[str, Any]], Field(min_length=1)]
    environment: dict[str, Text] | None = None


class _Limits(_Stored):
    model_config = ConfigDict(extra="forbid")

    max_asr_db: float | None = None
    max_macs: Count | None = None
    board: Text | None = None
    accept_tight: bool = False


class _Choice(_Stored):
    model_config = ConfigDict(extra="forbid")

    run_id: Name
    rendering: RenderingName
    reason: Text
    by: Literal["rule", "user"]
    limits: _Limits


class _Choices(_Stored):
    model_config = ConfigDict(extra="forbid")

    effects: dict[Text, _Choice]


class _BrowserModel(_Stored):
    model_config = ConfigDict(extra="forbid")

    effect: Text
    run_id: Name
    rendering: RenderingName
    sample_rate_hz: Annotated[int, Field(ge=1, le=10**7)]
    made_from: Text
    wasm: Text
    dry: Text
    wet: Text
    tolerance: float


class _Browser(_Stored):
    model_config = ConfigDict(extra="forbid")

    problem: Text
    models: Annotated[list[_BrowserModel], Field(max_length=1000)]


class _Effect(_Stored):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[Text, Field(min_length=1)]
    kind: Kind
    device: Text = ""
    controls: dict[str, float] = {}
    version: int = 1
    dry_file: Text = ""
    wet_file: Text = ""
    content: Text = ""


class _Agreement(_Stored):
    largest_error: float
    esr_against_keras: float
    esr_against_target: float


class _Parity(_Stored):
    kind: Literal["float32", "int8", "int16x8"]
    form: Literal["framed", "streaming"]
    block: Count
    model_bytes: Count
    arena_needed_bytes: Count | None
    carried_seconds: float
    test_seconds: float
    keras_esr: Annotated[float, Field(gt=0)]
    runtimes: Annotated[dict[Literal["litert", "micro"], _Agreement], Field(min_length=1)]


class _Importance(_Stored):
    name: Text
    share: float
    low: float
    high: float


def require_plain(root: Path, apart: Path | None = None) -> None:
    """Refuse a folder that is a link, or that holds one, or a pipe or device, at any depth.

    Args:
        root: the folder, which need not exist.
        apart: a folder below that is not looked into.

    Raises:
        InputError: naming what is neither a file nor a folder.
    """
    if root.is_symlink():
        raise _not_plain(root, "a link")
    waiting = [root]
    while waiting:
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    raise _not_plain(Path(entry.path), "a link")
                if entry.is_dir():
                    if Path(entry.path) != apart:
                        waiting.append(Path(entry.path))
                elif not entry.is_file():
                    raise _not_plain(Path(entry.path), "a pipe or device")


def content(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """The bytes of a plain file that is not too large.

    Raises:
        InputError: it is a link, a folder, a pipe or device, too large, or closed to us.
        FileNotFoundError: it is not there.
    """
    try:
        # Opened without waiting, since a pipe may have no writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _not_plain(path, "a link") from None
        raise system_errors.told(error, path) from error
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            folder = IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
            raise system_errors.told(folder, path)
        if not stat.S_ISREG(found.st_mode):
            raise _not_plain(path, "a pipe or device")
        if found.st_size > most_bytes:
            raise _unfit(path, f"{found.st_size:,} bytes, where {most_bytes:,} are the most")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def document(path: Path) -> Any:
    """A JSON document.

    Raises:
        InputError: as for ``content``; or it is broken, nested without end, or holds NaN.
        FileNotFoundError: it is not there.
    """
    try:
        return json.loads(content(path), parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        raise _unfit(path, BROKEN) from None


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no finite number")
    return value


def manifest(path: Path) -> dict[str, Any]:
    """What ``grid.json`` holds. Raises as ``document``, and for what it should not hold."""
    return dict(_checked(path, document(path), _Manifest))


def config(path: Path) -> RunConfig:
    """The configuration that ``config.json`` holds. Raises as ``document``."""
    stored = document(path)
    try:
        effect = Effect(**_Effect.model_validate(stored["effect"]).model_dump())
        if effect.kind == "circuit":
            CIRCUITS[effect.device].settings(**effect.controls)
        elif effect.kind == "lv2":
            lv2.effect_named(effect.device)
        return RunConfig.model_validate(stored)
    except (ValueError, TypeError, KeyError, ArithmeticError, InputError):
        raise _unfit(path, ANOTHER_VERSION) from None


def result(path: Path) -> dict[str, Any]:
    """``{"status", "rows", ...}`` of ``result.json``. Raises as ``document``."""
    stored = dict(_checked(path, document(path), _Result))
    for row in stored["rows"]:
        _checked(path, row, _row())
        if row.get("status") != stored["status"]:
            raise _unfit(path, "a row of another status")
    if sum(bool(row.get("is_final")) for row in stored["rows"]) != 1:
        raise _unfit(path, "rows of which not just one is final")
    return stored


def choices(path: Path) -> dict[str, dict[str, Any]]:
    """What ``chosen.json`` holds, by effect. Raises as ``document``."""
    return dict(_checked(path, document(path), _Choices)["effects"])


def browser(path: Path) -> dict[str, Any]:
    """What ``browser.json`` holds. Raises as ``document``."""
    return dict(_checked(path, document(path), _Browser))


def probes(path: Path) -> list[dict[str, Any]]:
    """The rows of ``aliasing.json``. Raises as ``document``."""
    stored = document(path)
    if not isinstance(stored, list):
        raise _unfit(path, BROKEN)
    return [_checked(path, row, _probe()) for row in stored]


def settings(path: Path, columns: Columns) -> list[dict[str, Any]]:
    """The rows of ``settings.json``; ``control_<name>`` are numbers. Raises as ``document``."""
    stored = document(path)
    if not isinstance(stored, list) or not all(isinstance(row, dict) for row in stored):
        raise _unfit(path, BROKEN)
    controls = {name for row in stored for name in row if re.fullmatch(r"control_\w{1,80}", name)}
    model = _model(columns, **dict.fromkeys(controls, (float | None, None)))
    for row in stored:
        _checked(path, row, model)
        lacking = [name for name in _OF_A_SETTING if row.get(name) is None]
        if lacking:
            raise _unfit(path, f"a row without {lacking[0]}")
    return stored


def parity(path: Path) -> dict[str, dict[str, Any]]:
    """What ``parity.json`` holds, by a converted model's file. Raises as ``document``."""
    stored = document(path)
    if not isinstance(stored, dict):
        raise _unfit(path, BROKEN)
    return {name: _checked(path, own, _Parity) for name, own in stored.items()}


def importances(path: Path) -> list[dict[str, Any]]:
    """What ``importances.json`` of a search holds. Raises as ``document``."""
    stored = document(path)
    if not isinstance(stored, list):
        raise _unfit(path, BROKEN)
    return [_checked(path, own, _Importance) for own in stored]


def history(path: Path) -> pd.DataFrame:
    """``history.csv``: epoch, loss and validation_loss. Raises as ``content``, or if broken."""
    try:
        table = pd.read_csv(io.BytesIO(content(path)))
        numbers = table[["epoch", "loss", "validation_loss"]].to_numpy()
        if numbers.dtype.kind not in "iuf" or not np.isfinite(numbers).all():
            raise _unfit(path, "something other than finite numbers")
    except (ValueError, KeyError, ArithmeticError):
        raise _unfit(path, BROKEN) from None
    return table


def parquet(
    path: Path, columns: Columns, added: Collection[str] = (), optional: Collection[str] = ()
) -> pd.DataFrame:
    """A Parquet table with the columns that are asked for, and no others.

    Args:
        path: of the file.
        columns: names, types and meanings.
        added: those of them that older tables lack; they are empty then.
        optional: those that may be empty in some rows.

    Raises:
        InputError: as for ``content``; it is broken, a column is missing or of another type, or
            a value is missing, unknown or not finite.
        FileNotFoundError: it is not there.
    """
    whole = io.BytesIO(content(path))
    try:
        table = pd.read_parquet(whole)
    except Exception as error:  # pyarrow names damage in a dozen ways
        raise _unfit(path, BROKEN) from error
    lacking = [name for name in columns if name not in table and name not in added]
    if lacking:
        raise _unfit(path, f"no column {lacking[0]!r}")
    table = table.assign(**{name: None for name in added if name not in table})
    try:
        table = typed(table, columns)
    except (ValueError, TypeError, OverflowError):
        raise _unfit(path, "a column of another type") from None
    needed = table.drop(columns=[*added, *optional])
    if needed.isna().any(axis=None):
        raise _unfit(path, "a row that lacks a value")
    model = _model(columns)
    for row in table.astype(object).where(table.notna(), None).to_dict("records"):
        _checked(path, row, model)
    return table


def arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Arrays of finite numbers by name, of an ``.npz``. Raises as ``content``, or if broken."""
    archive = require_small(path, MOST_BYTES)
    try:
        with np.load(io.BytesIO(archive)) as kept:
            found = dict(kept)
        if not all(np.isfinite(array).all() for array in found.values()):
            raise _unfit(path, "something other than finite numbers")
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and numpy name damage in a dozen ways
        raise _unfit(path, BROKEN) from error
    return found


def require_small(path: Path, most_bytes: int) -> bytes:
    """The bytes of a ZIP archive, refused if they are many, packed or unpacked.

    Raises as ``content``, or if it is broken.
    """
    packed = content(path, most_bytes)
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        raise _unfit(path, BROKEN) from None
    if unpacked > most_bytes:
        raise _unfit(path, f"{unpacked:,} bytes unpacked, where {most_bytes:,} are the most")
    return packed


@cache
def _row() -> type[_Stored]:
    return _model(COLUMNS)


@cache
def _probe() -> type[_Stored]:
    names = ("probe", "f0_hz", "amplitude", "rendering", "epoch")
    asked: dict[str, Any] = {
        "probe": (Literal["standard", "note"], ...),
        "f0_hz": (Annotated[float, Field(gt=0)], ...),
        "amplitude": (Annotated[float, Field(gt=0)], ...),
        "rendering": (RenderingName | None, None),
        "epoch": (Count | None, None),
    }
    return _model({k: v for k, v in ALIASING_COLUMNS.items() if k not in names}, **asked)


def _model(columns: Columns, **fields: Any) -> type[_Stored]:
    """Of a row of a table: every value may be missing, but none of another type."""
    typed = {name: _FIXED.get(name, _TYPES[dtype]) for name, (dtype, _) in columns.items()}
    own: dict[str, Any] = {name: (own | None, None) for name, own in typed.items()}
    return create_model("Row", __base__=_Stored, **(own | fields))


def _checked(path: Path, stored: Any, model: type[_Stored]) -> Any:
    """What was read, as it was, if a model takes it."""
    try:
        model.model_validate(stored)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise _unfit(path, f"{place!a:.80}: {first['msg']:.200}") from None
    return stored


def _not_plain(path: Path, found: str) -> InputError:
    return InputError(
        f"path {path}",
        expected="a file or folder of its own",
        found=found,
        remedy="Nothing is read or written through it: remove it, or put what it leads to here.",
    )


def _unfit(path: Path, found: str) -> InputError:
    return InputError(
        f"file {path}",
        expected="what this version of the program writes there",
        found=found,
        remedy=f"{_MADE_BY.get(path.name, '`make grid` with the same GRID')} makes it anew.",
    )
