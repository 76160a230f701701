"""The folders of runs: states, configurations, leftovers."""

import uuid
from pathlib import Path
from typing import Any

import pytest

from data import files
from data.errors import InputError
from study.config.grid import Grid
from study.store import tables
from study.store.folders import RunFolder, Store
from tests import tiny

CONFIGS = tuple(tiny.config(seed=seed) for seed in (3, 1, 2))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "mine")
    made.write_grid(Grid("mine", "Mine", CONFIGS, "mine"))
    return made


FINISHED = {"status": "ok", "rows": [{"status": "ok", "is_final": True}]}


def first(store: Store) -> RunFolder:
    return next(iter(store.runs()))


def test_runs_come_in_the_order_of_the_grid_with_their_configurations(store: Store) -> None:
    assert [run.config() for run in store.runs()] == list(CONFIGS)
    assert [run.run_id for run in store.runs()] == [config.run_id for config in CONFIGS]
    assert store.manifest()["title"] == "Mine"


def test_laying_out_a_smaller_grid_keeps_what_is_finished(store: Store) -> None:
    files.write_json(first(store).result_file, FINISHED)
    store.write_grid(Grid("mine", "Smaller", CONFIGS[1:], "mine"))
    assert len(list(store.runs())) == 2
    assert store.run(CONFIGS[0].run_id).state() == "finished"


def test_states_of_a_run(store: Store) -> None:
    run = first(store)
    assert run.state() == "pending"
    assert run.result() is None
    files.write_text(run.checkpoint_file, "")
    assert run.state() == "begun"
    tables.write_failure(run.config(), run, "too hot")
    assert run.state() == "failed"
    files.write_json(run.result_file, FINISHED)
    assert run.state() == "finished"


@pytest.mark.parametrize("content", ["", "{", "\0\0"])
def test_a_result_that_a_power_cut_broke_is_none(store: Store, content: str) -> None:
    run = first(store)
    files.write_text(run.result_file, content)
    assert run.result() is None
    assert run.state() == "pending"


def test_a_result_removed_while_it_is_looked_for_is_none(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: True)
    assert first(store).result() is None


def test_a_configuration_once_written_stays(store: Store) -> None:
    run = first(store)
    before = run.config_file.stat().st_mtime_ns
    run.write_config(CONFIGS[0])
    assert run.config_file.stat().st_mtime_ns == before


@pytest.mark.parametrize("content", ["", "{", "\0\0"])
def test_a_run_whose_configuration_a_power_cut_broke_begins_anew(
    store: Store, content: str
) -> None:
    run = first(store)
    files.write_text(run.checkpoint_file, "")
    files.write_json(run.result_file, FINISHED)
    files.write_text(run.config_file, content)
    with pytest.raises(InputError, match="found an empty or broken file"):
        run.config()
    store.write_grid(Grid("mine", "Mine", CONFIGS, "mine"))
    assert run.config() == CONFIGS[0]
    assert run.state() == "pending"


def test_a_missing_configuration_is_told(store: Store) -> None:
    first(store).config_file.unlink()
    with pytest.raises(InputError, match=r"in config\.json; found none"):
        first(store).config()


@pytest.mark.parametrize(
    "changes", [{"reverb": 1}, {"seed": 99}, {"units": "many"}, {"effect": {"colour": "red"}}]
)
def test_a_configuration_that_means_something_else_is_of_another_version(
    store: Store, changes: dict[str, Any]
) -> None:
    run = first(store)
    files.write_json(run.config_file, CONFIGS[0].model_dump(mode="json") | changes)
    with pytest.raises(InputError, match="found that of another version"):
        run.config()


@pytest.mark.parametrize("content", ["", "{", "\0\0"])
def test_a_broken_manifest_says_what_to_do_and_a_grid_mends_it(store: Store, content: str) -> None:
    files.write_text(store.manifest_file, content)
    with pytest.raises(InputError, match=r"broken grid\.json\. Run `make grid` with"):
        store.manifest()
    with store.at_work(Grid("mine", "Mine", CONFIGS, "mine")):
        assert len(list(store.runs())) == 3


def test_leftovers_are_removed_and_nothing_else(store: Store) -> None:
    run = first(store)
    for path in (run.model_file(), run.model_file(20), run.prediction_file(20)):
        files.write_text(path, "kept")
        notebook = path.parent / ".ipynb_checkpoints" / f"{path.name}.txt"
        files.write_text(notebook, "somebody else's")
    before = set(run.path.rglob("*"))
    for path in (run.model_file(), run.model_file(20), run.prediction_file(20)):
        path.with_name(f".pedalframe-{uuid.uuid4().hex}{path.suffix}").write_text("half")
    run.remove_leftovers()
    assert set(run.path.rglob("*")) == before
    assert len(before) == 10  # configuration, three folders, three files of each kind


@pytest.mark.parametrize(
    ("source", "recording", "command"),
    [
        ("mine", None, "make grid GRID=mine"),
        ("my grids/mine.toml", None, "make grid GRID='my grids/mine.toml'"),
        ("real", ("a.wav", "b c.wav"), "make grid GRID=real DRY=a.wav WET='b c.wav'"),
    ],
)
def test_the_command_that_fills_the_folder_names_the_grid_as_it_was_named(
    store: Store, source: str, recording: tuple[str, str] | None, command: str
) -> None:
    store.write_grid(Grid("mine", "Mine", CONFIGS, source, recording))
    assert store.grid_command() == command


def test_the_command_that_fills_the_folder_of_a_search_is_a_search(store: Store) -> None:
    recording = ("a.wav", "b.wav")
    store.write_grid(Grid("mine", "Mine", CONFIGS, "mine.toml", recording, "search"))
    assert store.grid_command() == "make search SEARCH=mine.toml DRY=a.wav WET=b.wav"


def test_a_folder_without_a_grid_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"results of a grid; found none\. Run `make grid` with"):
        Store(tmp_path / "x").manifest()


def test_commands_with_the_same_runs_work_together(store: Store) -> None:
    grid = Grid("mine", "Mine", CONFIGS, "mine")
    with store.at_work(grid), store.at_work(Grid("mine", "Mine", CONFIGS[::-1], "mine")):
        assert len(list(store.runs())) == 3


def test_another_grid_of_the_name_has_to_wait(store: Store) -> None:
    other = Grid("mine", "Other", CONFIGS[1:], "mine")
    with store.at_work(Grid("mine", "Mine", CONFIGS, "mine")):
        for _ in range(2):  # a refusal leaves the lock as it was
            with pytest.raises(InputError, match="no other grid of this name"):
                store.at_work(other).__enter__()
        assert len(list(store.runs())) == 3
    with store.at_work(other):
        assert len(list(store.runs())) == 2


def test_a_run_is_locked_by_one(store: Store) -> None:
    one, other = first(store), first(store)
    with one.lock() as mine, other.lock() as also_mine:
        assert (mine, also_mine) == (True, False)
