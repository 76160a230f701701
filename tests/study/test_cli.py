"""The command line explains itself, and bad input in one line."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from data import audio, files, pairs
from study.cli import app
from study.config import grid as grids
from study.config.grid import Grid, committed_names
from study.config.run import SignalConfig
from study.execution import grid_runner
from study.execution.worker_pool import Event, Scheduler
from study.store import tables
from study.store.folders import Store
from tests import tiny
from tests.study.commands import study

COMMANDS = [command.name or "" for command in app.registered_commands]


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", "NO_COLOR": "1"})


def refused(*arguments: str) -> str:
    """The one line that a refused command prints."""
    result = call(*arguments)
    assert result.exit_code == 2
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("error: ")
    assert "Traceback" not in result.output
    return line


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = call(command, "--help")
    assert result.exit_code == 0
    assert f"Usage: root {command}" in result.output
    assert "checkpoint" not in result.output  # for tests alone


def test_help_lists_all_commands() -> None:
    output = call("--help").output
    assert len(COMMANDS) >= 5
    for command in COMMANDS:
        assert f" {command} " in output


def test_an_unknown_grid_is_one_line() -> None:
    assert "Did you mean 'quick'?" in refused("grid", "quikc")


def test_dry_without_wet_is_one_line(tmp_path: Path) -> None:
    audio.write(tmp_path / "a.wav", tiny.pair().dry, tiny.RATE_HZ)
    assert "found only DRY" in refused("grid", "real", "--dry", str(tmp_path / "a.wav"))
    assert "found only WET" in refused("data", "real", "--wet", str(tmp_path / "a.wav"))


def test_a_missing_recording_is_one_line() -> None:
    assert "no such file" in refused("grid", "real", "--dry", "no.wav", "--wet", "no.wav")


def test_an_unusable_recording_is_one_line(tmp_path: Path) -> None:
    audio.write(tmp_path / "a.wav", tiny.pair().dry, tiny.RATE_HZ)
    audio.write(tmp_path / "b.wav", np.zeros_like(tiny.pair().dry), tiny.RATE_HZ)
    files = ("--dry", str(tmp_path / "a.wav"), "--wet", str(tmp_path / "b.wav"))
    line = refused("data", "real", *files, "--runs", str(tmp_path / "runs"))
    assert "b.wav" in line


def test_more_workers_than_cores_are_refused() -> None:
    assert "at most" in refused("grid", "smoke", "--workers", "999")


def test_a_table_without_results_says_what_to_run(tmp_path: Path) -> None:
    assert "make grid` with the same GRID" in refused("table", "smoke", "--runs", str(tmp_path))


def test_results_of_another_version_are_one_line_and_their_table_stays(tmp_path: Path) -> None:
    store = Store(tmp_path / "mine")
    config = tiny.config()
    store.write_grid(Grid("mine", "Mine", (config,), "mine.toml"))
    row = {**tables.described(config), "status": "ok", "is_final": True}
    files.write_json(store.run(config.run_id).result_file, {"status": "ok", "rows": [row]})
    tables.write(store)
    before = store.table_file.read_bytes()
    changed = config.model_dump(mode="json") | {"reverb": 1}
    files.write_json(store.run(config.run_id).config_file, changed)
    line = refused("table", "mine.toml", "--runs", str(tmp_path))
    assert "that of another version" in line and "Run `make grid GRID=mine.toml`." in line
    assert store.table_file.read_bytes() == before


@pytest.mark.slow
def test_a_wrong_option_is_refused_by_a_process_without_a_traceback() -> None:
    told = study("grid", "smoke", "--workers", "many")
    assert told.returncode == 2
    assert "Traceback" not in told.stderr


def test_failed_runs_have_an_exit_code_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny.config()
    row = {**tables.described(config), "status": "failed", "error": "too hot", "is_final": True}
    monkeypatch.setattr(grid_runner, "run_grid", lambda *_: tables.typed([row]))
    result = call("grid", "smoke", "--runs", str(tmp_path))
    assert result.exit_code == 3
    assert f"failed {config.run_id}: too hot" in result.stderr
    assert "3 if some runs failed" in call("grid", "--help").output


@pytest.mark.parametrize("what", ["runs", "grid"])
def test_results_that_are_deleted_while_they_are_made_are_no_success(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All finished; then everything of the runs goes away, as by another's hand."""
    config = tiny.config(signal=SignalConfig(segment_seconds=0.5))
    grid = Grid("mine", "Mine", (config,), "mine.toml")

    def deleted(scheduler: Scheduler) -> Iterator[Event]:
        run = scheduler.store.run(config.run_id)
        shutil.rmtree(run.path.parent if what == "runs" else scheduler.store.root)
        row = {**tables.described(config), "status": "ok", "is_final": True}
        if what == "runs":  # its worker goes on and finishes it in a folder made anew
            files.write_json(run.result_file, {"status": "ok", "rows": [row]})
        return iter(())

    monkeypatch.setattr(grids, "load", lambda *_: grid)
    monkeypatch.setattr(pairs, "_made", lambda *_: tiny.pair())
    monkeypatch.setattr(Scheduler, "events", deleted)
    result = call("grid", "mine", "--runs", str(tmp_path))
    assert result.exit_code == {"runs": 3, "grid": 2}[what], result.output
    assert "expected" in result.stderr and "make grid" in result.stderr


def test_a_run_that_left_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pending = {**tables.described(tiny.config()), "status": "pending"}
    monkeypatch.setattr(grid_runner, "run_grid", lambda *_: tables.typed([pending]))
    result = call("grid", "smoke", "--runs", str(tmp_path))
    assert result.exit_code == 3
    assert f"failed {tiny.config().run_id}: its files went away" in result.stderr


def test_a_name_in_square_brackets_is_shown_as_it_is(tmp_path: Path) -> None:
    grid = tmp_path / "mine.toml"
    audio.write(tmp_path / "dry.wav", tiny.pair().dry, tiny.RATE_HZ)
    audio.write(tmp_path / "wet.wav", tiny.pair().wet, tiny.RATE_HZ)
    grid.write_text(
        '[[runs]]\neffect = {name = "[/x] :guitar:", dry = "dry.wav", wet = "wet.wav"}\n'
        "[signal]\nsegment_seconds = 0.5\n"
    )
    result = call("data", str(grid), "--runs", str(tmp_path / "[/runs]"))
    assert result.exit_code == 0, result.exception
    assert "[/x] :guitar:: " in result.output
    assert "[/runs]/pairs" in result.output


def test_grids_and_effects_are_listed() -> None:
    grids, effects = call("grids").output, call("effects").output
    assert all(name in grids for name in committed_names())
    assert "sd1" in effects
    assert "drive=" in effects


@pytest.mark.slow
def test_a_dry_run_counts_and_makes_nothing(tmp_path: Path) -> None:
    grid = tmp_path / "mine.toml"
    grid.write_text('[[runs]]\neffect = "sd1"\nfamily = "dense"\nseed = [0, 1, 2]\nepochs = 2\n')
    result = call("grid", str(grid), "--dry-run", "--runs", str(tmp_path / "runs"))
    assert result.exit_code == 0, result.output
    assert "3 runs, about" in result.output
    assert "dense 1x16, frame 64:" in result.output
    assert not (tmp_path / "runs").exists()
