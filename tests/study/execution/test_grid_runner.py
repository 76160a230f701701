"""Pairs before a grid's workers start: one that cannot be made stops only its own runs."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data import files, pairs
from data.errors import InputError
from study.command_line import terminal
from study.config.grid import Grid
from study.config.run import SignalConfig
from study.execution import grid_runner
from study.execution.worker_pool import Scheduler
from study.store import tables
from study.store.folders import Store
from tests import tiny

SIGNAL = SignalConfig(segment_seconds=0.5)
FINE = tiny.config(signal=SIGNAL)
BROKEN = tiny.config(signal=SIGNAL, effect=tiny.config().effect | {"name": "broken"})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs in a world where one effect cannot be made and workers do nothing."""

    def made(effect: Any, *_: object) -> pairs.Pair:
        if effect.name == "broken":
            raise InputError("effect broken", expected="a", found="b", remedy="Install it.")
        return replace(tiny.pair(), name=effect.name)

    monkeypatch.setattr(pairs, "_made", made)
    monkeypatch.setattr(Scheduler, "events", lambda scheduler: iter(()))
    return tmp_path


def run(root: Path, *configs: Any, title: str = "Mine") -> str:
    """What a grid of these runs prints."""
    output = io.StringIO()
    console = terminal.console(output, width=200)
    grid_runner.run_grid(Grid("mine", title, configs, "mine"), root, [0], console)
    return output.getvalue()


TITLES = ["[/b] is no markup", "a [red]title[/red] :guitar:", "[/]", "[link=x]"]


@pytest.mark.parametrize("title", TITLES)
def test_titles_and_effects_are_printed_as_they_are(title: str, root: Path) -> None:
    odd = FINE.model_copy(update={"effect": FINE.effect | {"name": title}})
    printed = run(root, odd, title=title)
    assert f"{title}: 10 s at 8000 Hz" in printed  # the pair's name
    assert f"{title}: 1 runs, 0 of them finished before" in printed


def test_an_effect_that_cannot_be_made_leaves_the_others_to_train(root: Path) -> None:
    printed = run(root, BROKEN, FINE)
    assert "clipper: 10 s at 8000 Hz" in printed
    assert "these runs will fail: effect broken: expected a; found b. Install it." in printed
    assert "2 runs, 0 of them finished before, 1 workers" in printed


def test_no_effect_that_can_be_made_is_refused(root: Path) -> None:
    with pytest.raises(InputError, match="effect broken"):
        run(root, BROKEN)


def test_pairs_alone_are_refused_at_the_first_that_cannot_be_made(root: Path) -> None:
    with pytest.raises(InputError, match="effect broken"):
        grid_runner.prepare_pairs(
            [FINE, BROKEN], root / "pairs", terminal.console(file=io.StringIO())
        )


def test_a_finished_grid_removes_the_checkpoints_that_a_kill_left(root: Path) -> None:
    folder = Store(root / "mine").run(FINE.run_id)
    row = {**tables.described(FINE), "status": "ok", "is_final": True}
    files.write_json(folder.result_file, {"status": "ok", "rows": [row]})
    folder.checkpoint_file.write_bytes(b"old")
    run(root, FINE)
    assert not folder.checkpoint_file.exists()


def test_another_recording_under_the_same_name_is_told_of(root: Path) -> None:
    folder = Store(root / "mine").run(FINE.run_id)
    run(root, FINE)
    row = {**tables.described(FINE), "status": "ok", "is_final": True}
    files.write_json(folder.result_file, {"status": "ok", "rows": [row]})
    assert "other finished runs" not in run(root, FINE)
    other = tiny.config(signal=SIGNAL, seed=5)
    assert "showed 1 other finished runs" in run(root, other)
    assert folder.state() == "finished"
