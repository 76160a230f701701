"""Grid and search files, whoever wrote them: described whole, or refused in one sentence."""

from __future__ import annotations

import json
import math
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from data import audio
from data.errors import InputError
from study.config import grid
from study.config.grid import Grid
from study.config.run import RunConfig, effect_names
from study.execution import estimate, grid_progress
from study.search import search_file
from tests import tiny
from tests.fuzz.damage import VALUES, nested, spoilt_bytes, spoilt_document
from tests.fuzz.fuzzing import attack

T = TypeVar("T")

LONGEST_S = 60  # of one file, on a busy machine; the largest grid allowed takes seconds

GRIDS, SEARCHES = (
    [path.read_bytes() for path in sorted(folder.glob("*.toml"))]
    for folder in (grid.COMMITTED, search_file.COMMITTED)
)

_WORDS = st.sampled_from(
    ["title", "signal", "runs", "effect", "name", "units", "seed", "controls", "unseen", "trials",
     "run", "space", "final", "low", "high", "log", "step", "published", "lv2", "dry", "wet"]
)  # fmt: skip
_LINES = st.sampled_from(
    """lv2 = "--version"
    lv2 = "\\u0000"
    title = "[/b] [red]"
    title = 1
    training_frames = 9223372036854775807
    units = [1, 2, 3]
    units = 1e3
    units = {low = 1, high = 4}
    seed = -1
    learning_rate = nan
    learning_rate = {low = 0.001, high = 0.1, log = true}
    runs = 1979-05-27
    effect = {name = 'x', dry = 'a.wav', wet = 'b.wav'}
    effect = {name = 'x', dry = '/', wet = '..'}
    effect = "--help"
    effect = []
    effect = [[[]]]
    effect = {name = "\\U0001F3B8"}
    [[runs]]
    [signal]
    [space]
    [runs.runs]""".splitlines()
) | st.sampled_from(
    [
        f"seed = {'9' * 5000}",
        f"seed = {list(range(101))}",
        f"epochs = {list(range(1, 101))}",
        f"{'a' * 300} = 1",
    ]
)


@st.composite
def files(draw: DrawFn, committed: list[bytes]) -> bytes:
    """Committed files, with other values, other lines and other bytes; and what is none."""
    whole = draw(st.sampled_from(committed) | st.sampled_from([*GRIDS, *SEARCHES]))
    document = draw(spoilt_document(tomllib.loads(whole.decode())))
    return draw(
        st.just(as_toml(document))
        | spoilt_bytes(whole, changes=2)
        | spoilt_bytes(as_toml(document), changes=1)
        | _with_lines(whole)
        | st.dictionaries(_WORDS, VALUES, max_size=4).map(as_toml)
        | st.tuples(_WORDS, st.sampled_from([10, 1000, 100_000])).map(
            lambda own: own[0].encode() + b" = " + nested(own[1])
        )
        | st.integers(2, 500).map(lambda depth: b"[" + b".".join([b"a"] * depth) + b"]")
        | st.binary(max_size=64)
    )


@st.composite
def _with_lines(draw: DrawFn, whole: bytes) -> bytes:
    lines = whole.decode().splitlines()
    for new in draw(st.lists(_LINES, min_size=1, max_size=3)):
        place = draw(st.integers(0, len(lines)))
        lines[place : place + draw(st.integers(0, 1))] = [new]
    return "\n".join(lines).encode()


def as_toml(document: Any) -> bytes:
    """A document in TOML, all of it in inline tables; what TOML cannot say as JSON would."""
    if not isinstance(document, dict):
        return _value(document).encode("utf-8", "surrogatepass")
    lines = (f"{json.dumps(key)} = {_value(own)}\n" for key, own in document.items())
    return "".join(lines).encode("utf-8", "surrogatepass")


def _value(value: Any) -> str:
    match value:
        case dict():
            own = (f"{json.dumps(key)} = {_value(own)}" for key, own in value.items())
            return "{" + ", ".join(own) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_value, value)) + "]"
        case bool() | None | str():
            return json.dumps(value)
        case int() if abs(value) >= 10**4000:
            return "9" * 5000  # more digits than Python writes
        case float():
            return repr(value)
        case _:
            return str(value)


@pytest.fixture
def spoilt(tmp_path: Path) -> Callable[[bytes], str]:
    """Writes a file beside a recording, and says how it is named."""
    for name, samples in (("a.wav", tiny.pair().dry), ("b.wav", tiny.pair().wet)):
        audio.write(tmp_path / name, samples, tiny.RATE_HZ)

    def written(content: bytes) -> str:
        (tmp_path / "spoilt.toml").write_bytes(content)
        return str(tmp_path / "spoilt.toml")

    return written


@pytest.fixture(autouse=True)
def known_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An estimate does all but measure this machine, which takes seconds for every model."""
    for way in ("training", "sequence", "rendering"):
        monkeypatch.setattr(estimate, f"_{way}_rate", lambda own: 1e5)


def require_one_sentence(error: InputError) -> None:
    text = str(error)
    assert text.isprintable() and len(text) < 3000, text[:3000]
    assert "Error" not in text and "Traceback" not in text, text


def require_usable(found: Grid) -> None:
    """What is stored and shown of a grid before anything is trained."""
    configs = {run.run_id: run for run in found.runs}
    assert 0 < len(found.runs) == len(configs) <= grid.MOST_RUNS
    for run_id, config in configs.items():
        assert len(run_id.encode()) <= 255 and not run_id.startswith(("-", "."))
        assert "/" not in run_id and run_id.isprintable()
        stored = json.dumps(config.model_dump(mode="json"), allow_nan=False)
        if len(configs) < 100:
            assert RunConfig.model_validate(json.loads(stored)).run_id == run_id
    assert effect_names(configs).keys() == configs.keys()
    told = estimate.estimate(found, 2)
    assert told.runs == len(configs) and math.isfinite(told.hours) and told.hours >= 0
    assert grid_progress.duration(told.hours * 3600)


def in_time(began_s: float) -> None:
    assert time.monotonic() - began_s < LONGEST_S


def attack_files(
    spoilt: Callable[[bytes], str],
    committed: list[bytes],
    load: Callable[[str], T],
    require: Callable[[T], None],
) -> None:
    """Each file is refused in one sentence, or is what ``require`` asks of it; in time."""
    taken = refused = 0

    def check(content: bytes) -> None:
        nonlocal taken, refused
        began_s = time.monotonic()
        try:
            found = load(spoilt(content))
        except InputError as error:
            require_one_sentence(error)
            refused += 1
        else:
            require(found)
            taken += 1
        in_time(began_s)

    attack(check, files(committed))
    print(f"{taken:,} taken, {refused:,} refused")


def require_stored(found: search_file.Search) -> None:
    stored = json.dumps(found.to_dict(), allow_nan=False)
    assert search_file.from_dict(json.loads(stored)).digest == found.digest


def test_a_grid_file_is_a_grid_or_is_refused_in_one_sentence(
    spoilt: Callable[[bytes], str],
) -> None:
    attack_files(spoilt, GRIDS, grid.load, require_usable)


def test_a_search_file_is_a_search_or_is_refused_in_one_sentence(
    spoilt: Callable[[bytes], str],
) -> None:
    attack_files(spoilt, SEARCHES, search_file.load, require_stored)
