"""Folders of results, whoever sent them: read as they are, or left out in one sentence."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from data.errors import InputError
from embedded.budget import budget
from reports.sections.boards import boards_section
from reports.sections.choice import choice_section
from reports.sources.cache import Cache
from reports.sources.results import read_measured
from study.rendering.trained_model import load
from study.selection import candidates, choose
from study.store import tables
from study.store.folders import Store
from tests.fuzz.damage import VALUES, as_json, nested, spoilt_bytes, spoilt_document
from tests.fuzz.fuzzing import attack
from tests.reports.synthetic import config, write_study
from tests.study import finished

Case = tuple[str, bytes]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two finished runs, one of them chosen."""
    made = write_study(tmp_path / "runs" / "mine", [config(seed=0), config(seed=1)])
    choose.write(made, choose.choose(tables.collect(made)).values())
    return made


@st.composite
def spoilt(draw: DrawFn, root: Path) -> Case:
    """One of the files that say what a study is, and what else it may hold."""
    run = min(path.name for path in (root / "runs").iterdir())
    names = ["grid.json", "chosen.json"]
    names += [f"runs/{run}/{name}" for name in ("config.json", "result.json", "history.csv")]
    name = draw(st.sampled_from(names))
    whole = (root / name).read_bytes()
    content = spoilt_bytes(whole) | st.sampled_from([1, 100_000]).map(nested)
    if name.endswith(".json"):
        content |= spoilt_document(json.loads(whole)).map(as_json) | VALUES.map(as_json)
    return name, draw(content)


def test_a_spoilt_study_is_read_or_refused_in_one_sentence(store: Store, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    shutil.copytree(store.root, kept)

    def check(case: Case) -> None:
        name, content = case
        (store.root / name).write_bytes(content)
        try:
            results = read_measured(store)
            assert len(results.finals) == len(results.model_of)
            choice_section(results)
            for run in results.store.runs():
                assert run.path.parent == store.root / "runs"
            for row in results.finals:
                assert results.folder_of(row).prediction_file(None, row["rendering"]).is_file()
        except InputError as error:
            assert "\n" not in str(error) and len(str(error)) < 3000
        finally:
            shutil.copyfile(kept / name, store.root / name)

    attack(check, spoilt(kept))


@st.composite
def spoilt_table(draw: DrawFn, table: pd.DataFrame) -> pd.DataFrame:
    """A table with one value that nobody would write, or a column less."""
    name = draw(st.sampled_from(list(table)))
    if draw(st.booleans()):
        return table.drop(columns=name)
    value = draw(
        st.text(max_size=30)
        | st.floats()
        | st.integers(-(2**63), 2**63 - 1)
        | st.sampled_from([None, pd.NA, "../../x", "framed_x99", "<b>", "yes\n"])
    )
    place = draw(st.integers(0, len(table) - 1))
    changed = table.astype(object)
    changed.loc[place, name] = value
    return changed.convert_dtypes()


def test_a_spoilt_budget_is_read_or_refused_in_one_sentence(store: Store) -> None:
    results = read_measured(store)
    whole = budget.write(store)

    def check(table: pd.DataFrame) -> None:
        with suppress(pa.ArrowException):  # a column of numbers and words is no table
            table.to_parquet(store.root / "budget.parquet")
        try:
            boards_section(results, Cache(store.report_folder))
            choose.choose(tables.collect(store), budget=candidates.read_budget(store))
        except InputError as error:
            assert "\n" not in str(error) and len(str(error)) < 3000

    attack(check, spoilt_table(whole.reset_index(drop=True)))


def test_spoilt_weights_are_loaded_finite_or_refused_in_one_sentence(tmp_path: Path) -> None:
    folder = next(finished.grid(tmp_path / "mine", finished.config()).runs())
    whole = folder.model_file().read_bytes()

    def check(content: bytes) -> None:
        folder.model_file().write_bytes(content)
        with suppress(InputError):
            load(folder)

    attack(check, spoilt_bytes(whole))
