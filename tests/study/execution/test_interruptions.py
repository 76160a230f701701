"""Nothing that ends a grid early, at whatever moment, changes its results.

Real commands with real workers, killed by SIGKILL and SIGINT, run twice at once, and
run out of disk.
"""

import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from study.store import tables
from study.store.folders import Store
from tests.study.commands import Command, kill, start, study, until, workers

pytestmark = pytest.mark.slow

GRID = """
title = "Tiny"

[signal]
seconds = 20
segment_seconds = 1

[[runs]]
effect = "sd1"
family = "dense"
seed = [0, 1]
units = 4
frame_size = 16
training_frames = 500
epochs = 400
schedule = "cosine"
patience = 1000
checkpoint_epochs = [200]
validation_frames = 256

[[runs]]
effect = "sd1"
family = "lstm"
units = 4
frame_size = 16
training_frames = 500
epochs = 300
patience = 1000
checkpoint_epochs = [200]
validation_frames = 256
streaming_epochs = 20
sequence_seconds = 0.05
window_samples = 512
warmup_samples = 100

[[runs]]
effect = "sd1"
training = "sequence"
family = "gru"
units = 4
epochs = 40
patience = 1000
checkpoint_epochs = [20]
sequence_seconds = 0.1
window_samples = 1024
warmup_samples = 100
"""

ONE_FAILS = """
title = "One of two fails"

[signal]
seconds = 20
segment_seconds = 1

[[runs]]
effect = "sd1"
family = "dense"
units = 4
frame_size = 16
training_frames = [9_000_000, 500]
epochs = 10
"""

# What is killed, and whether soon after a checkpoint or anywhere, start-up included.
KILLS = [("command", "training")] * 3 + [("worker", "training")] * 3 + [("command", "any")] * 4
WORKERS_END_WITHIN_S = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the grid file and the uninterrupted results in ``whole``."""
    folder = tmp_path_factory.mktemp("interruptions")
    (folder / "tiny.toml").write_text(GRID)
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> Path:
    command = start(folder / "tiny.toml", folder / "whole" / "runs")
    assert command.wait() == 0, command.printed
    return command.runs


def fresh(runs: Path, whole: Path) -> Path:
    """An empty folder of runs, bar the pair, which takes long to make."""
    shutil.copytree(whole / "pairs", runs / "pairs")
    return runs


def assert_same_results(runs: Path, whole: Path) -> None:
    one, other = Store(runs / "tiny"), Store(whole / "tiny")
    results, expected = tables.read(one.table_file), tables.read(other.table_file)
    # A checkpoint and an end each, and the framed LSTM streaming, as it is and tuned.
    assert len(expected) == 10
    assert (expected["status"] == "ok").all()
    pd.testing.assert_frame_equal(
        results.drop(columns=tables.TIMINGS),
        expected.drop(columns=tables.TIMINGS),
        check_exact=True,
    )
    for name in ("aliasing.parquet", "history.parquet"):
        pd.testing.assert_frame_equal(
            pd.read_parquet(one.root / name),
            pd.read_parquet(other.root / name),
            check_exact=True,
        )
    for run, same in zip(one.runs(), other.runs(), strict=True):
        assert run.history_file.read_bytes() == same.history_file.read_bytes()
        main = run.config().main_rendering
        for epoch in (*run.config().checkpoint_epochs, None):
            sounds = [folder.prediction_file(epoch, main).read_bytes() for folder in (run, same)]
            assert audio_data(sounds[0]) == audio_data(sounds[1])
            assert_same_weights(run.model_file(epoch), same.model_file(epoch))
        if run.config().streaming_epochs:
            assert_same_weights(run.streaming_model_file, same.streaming_model_file)
            assert not run.streaming_checkpoint_file.exists()
        assert not run.checkpoint_file.exists()
        assert run.state() == "finished"
        assert list(run.path.rglob(".*")) == []


def assert_same_weights(one: Path, other: Path) -> None:
    models = [keras.saving.load_model(path, compile=False) for path in (one, other)]
    weights = [model.get_weights() for model in models]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def audio_data(wav: bytes) -> bytes:
    """A WAV file without its PEAK chunk, which holds the time of writing."""
    start = wav.index(b"PEAK")
    return wav[:start] + wav[start + 24 :]


def await_training(command: Command) -> None:
    """Until a checkpoint is written from now on."""
    now = time.time()

    def is_training() -> bool:
        checkpoints = command.runs.glob("tiny/runs/*/checkpoint.npz")
        return command.has_ended or any(changed(path) > now for path in checkpoints)

    assert until(is_training)


def changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # just finished
        return 0.0


def test_killed_at_random_and_started_again_the_results_are_bit_identical(
    folder: Path, whole: Path
) -> None:
    runs = fresh(folder / "killed" / "runs", whole)
    rng = np.random.default_rng(20240607)
    kills: Counter[str] = Counter()
    command = start(folder / "tiny.toml", runs)
    for victim, moment in rng.permutation(KILLS):
        if moment == "training":
            await_training(command)
            time.sleep(rng.uniform(0, 0.4))
        else:
            time.sleep(rng.uniform(0, 4))
        assert not command.has_ended, f"too quick to kill\n{command.printed}"
        if victim == "worker":
            kill(int(rng.choice(command.workers())))
        else:
            command.kill()
            assert until(lambda: not workers(runs), WORKERS_END_WITHIN_S)
            command = start(folder / "tiny.toml", runs)
        kills[f"{victim}, {moment}"] += 1
    while command.wait() == 3:  # a run whose worker died too often is tried again
        assert "died 3 times" in command.printed
        command = start(folder / "tiny.toml", runs)

    print(f"\n{kills.total()} kills: {dict(kills)}")
    assert command.wait() == 0, command.printed
    assert_same_results(runs, whole)


def test_ctrl_c_ends_all_workers_and_two_commands_at_once_go_on_from_there(
    folder: Path, whole: Path
) -> None:
    runs = fresh(folder / "interrupted" / "runs", whole)
    command = start(folder / "tiny.toml", runs)
    await_training(command)
    assert len(command.workers()) == min(3, len(os.sched_getaffinity(0)))
    command.process.send_signal(signal.SIGINT)
    assert command.wait(10) == 130
    assert workers(runs) == []
    assert "Interrupted. The same command continues where it stopped." in command.printed
    assert "Traceback" not in command.printed

    both = [start(folder / "tiny.toml", runs, "--workers", "1") for _ in range(2)]
    assert [command.wait() for command in both] == [0, 0], [c.printed for c in both]
    assert_same_results(runs, whole)


def test_a_failing_run_is_in_the_table_with_its_reason_and_the_others_go_on(
    folder: Path, whole: Path
) -> None:
    runs = fresh(folder / "failing" / "runs", whole)
    grid = folder / "failing.toml"
    grid.write_text(ONE_FAILS)
    command = start(grid, runs, "--workers", "1")
    assert command.wait() == 3
    results = tables.read(runs / "failing" / "results.csv")
    failed, fine = results[results["status"] == "failed"], results[results["status"] == "ok"]
    assert (len(failed), len(fine)) == (1, 1)
    [(run_id, reason)] = zip(failed["run_id"], failed["error"], strict=True)
    assert reason.startswith("training_frames: expected at most ")
    assert f"failed {run_id}: {reason}" in command.printed
    assert "Traceback" not in command.printed


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_stopped_grid_ends_its_workers(number: int, code: int, folder: Path, whole: Path) -> None:
    runs = fresh(folder / f"stopped-{code}" / "runs", whole)
    command = start(folder / "tiny.toml", runs)
    await_training(command)
    command.process.send_signal(number)
    assert command.wait(10) == code
    assert workers(runs) == []
    assert command.printed.endswith("The same command continues where it stopped.\n")


def test_runs_deleted_in_the_middle_are_told(folder: Path, whole: Path) -> None:
    runs = fresh(folder / "deleted" / "runs", whole)
    command = start(folder / "tiny.toml", runs)
    await_training(command)
    shutil.rmtree(runs / "tiny" / "runs")
    assert command.wait() in (2, 3)
    assert "Traceback" not in command.printed
    assert "config.json" in command.printed


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 800 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=800k", "pedalframe-test", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system can be mounted by root only")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_one_message_and_the_same_command_goes_on_later(
    small_disk: Path, folder: Path, whole: Path
) -> None:
    runs = small_disk / "runs"
    runs.mkdir()
    (runs / "pairs").symlink_to(whole / "pairs")
    grid = folder / "tiny.toml"
    command = start(grid, runs)
    assert command.wait() == 2, command.printed
    assert command.printed.count("error:") == 1
    assert "expected room on the disk" in command.printed
    assert "Free some space" in command.printed
    assert "Traceback" not in command.printed
    assert workers(runs) == []

    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    command = start(grid, runs)
    assert command.wait() == 0, command.printed
    assert_same_results(runs, whole)


def test_a_disk_too_small_for_the_pair_is_one_message(small_disk: Path, folder: Path) -> None:
    told = study("data", str(folder / "tiny.toml"), "--runs", str(small_disk / "runs"))
    assert told.returncode == 2
    assert "expected room on the disk" in told.stderr
    assert "Traceback" not in told.stderr
    left = (small_disk / "runs" / "pairs").iterdir()
    assert [path.name for path in left if path.suffix != ".lock"] == []
