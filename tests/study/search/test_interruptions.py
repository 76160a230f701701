"""Nothing that ends a search early changes its trials; several commands share them.

Real commands with real workers, killed by SIGKILL.
"""

import re
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from optuna.trial import TrialState

from study.search import trials
from study.store import tables
from study.store.folders import Store
from tests.study.commands import Command, start, until, workers

pytestmark = pytest.mark.slow

TRIALS = 8
FILE = f"""
title = "Tiny"
trials = {TRIALS}

[signal]
seconds = 20
segment_seconds = 1

[run]
effect = "sd1"
family = "dense"
frame_size = 16
training_frames = 500
validation_frames = 256
epochs = 60

[space]
units = [4, 6]
learning_rate = {{low = 1e-6, high = 1e-1, log = true}}

[final]
epochs = 20
patience = 5
seed = [0, 1]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the search file and the uninterrupted results in ``whole``."""
    folder = tmp_path_factory.mktemp("searches")
    (folder / "tiny.toml").write_text(FILE)
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> Path:
    command = search(folder, folder / "whole" / "runs")
    assert command.wait(300) == 0, command.printed
    return command.runs


def search(folder: Path, runs: Path) -> Command:
    return start(folder / "tiny.toml", runs, "--workers", "1", command="search")


def told(runs: Path) -> list[tuple[Any, ...]]:
    """Everything about the trials but how long they took."""
    return [
        (t.number, t.state, t.params, t.value, t.intermediate_values, t.user_attrs.get("reason"))
        for t in trials.of(Store(runs / "tiny")).all()
    ]


def fresh(runs: Path, whole: Path) -> Path:
    """An empty folder of runs, bar the pair, which takes long to make."""
    shutil.copytree(whole / "pairs", runs / "pairs")
    return runs


def epochs_told(runs: Path) -> int:
    if not (runs / "tiny" / "search" / "trials.db").exists():
        return 0
    return sum(len(own) for *_, own, _ in told(runs))


def final_table(runs: Path) -> pd.DataFrame:
    return tables.read(runs / "tiny" / "results.csv").drop(columns=tables.TIMINGS)


def test_a_search_prunes_and_trains_its_best_with_patience(whole: Path) -> None:
    found = told(whole)
    states = [state for _, state, *_ in found]
    assert len(found) == TRIALS
    assert states.count(TrialState.PRUNED) >= 1
    assert states.count(TrialState.COMPLETE) >= 4
    pruned = [len(losses) for _, state, *_, losses, _ in found if state == TrialState.PRUNED]
    assert all(3 <= epochs < 60 for epochs in pruned)
    best = trials.of(Store(whole / "tiny")).best()
    assert best
    results = final_table(whole)
    final = results[results["is_final"]]
    assert set(final["status"]) == {"ok"} and list(final["seed"]) == [0, 1]
    assert set(final["units"]) == {best.params["units"]}
    assert set(final["learning_rate"]) == {best.params["learning_rate"]}
    search_folder = whole / "tiny" / "search"
    listed = pd.read_parquet(search_folder / "trials.parquet")
    assert list(listed["trial"]) == list(range(TRIALS))
    assert list(listed["state"]) == [state.name.lower() for state in states]
    epochs = pd.read_parquet(search_folder / "epochs.parquet")
    assert len(epochs) == sum(len(losses) for *_, losses, _ in found)


def test_killed_at_random_and_started_again_it_has_the_same_trials(
    folder: Path, whole: Path
) -> None:
    runs = fresh(folder / "killed" / "runs", whole)
    rng = np.random.default_rng(20261121)
    kills = 0
    for _ in range(4):
        before = epochs_told(runs)
        command = search(folder, runs)
        assert until(lambda: command.has_ended or epochs_told(runs) > before)  # noqa: B023
        time.sleep(rng.uniform(0, 0.8))
        kills += not command.has_ended
        command.kill()
        assert until(lambda: not workers(runs), 5)
    assert kills >= 2, "too quick to kill"
    command = search(folder, runs)
    assert command.wait(300) == 0, command.printed
    assert told(runs) == told(whole)
    pd.testing.assert_frame_equal(final_table(runs), final_table(whole), check_exact=True)
    assert [path.name for path in (runs / "tiny" / "search").glob("*/0*")] == []


def test_two_commands_at_once_share_the_trials_and_do_none_twice(folder: Path, whole: Path) -> None:
    runs = fresh(folder / "shared" / "runs", whole)
    both = [search(folder, runs) for _ in range(2)]
    assert [command.wait(300) for command in both] == [0, 0], [c.printed for c in both]
    found = told(runs)
    assert [number for number, *_ in found] == list(range(TRIALS))
    assert {state for _, state, *_ in found} <= {TrialState.COMPLETE, TrialState.PRUNED}
    done = Counter(re.findall(r"/\d+ trial (\d+) \(", "".join(c.printed for c in both)))
    assert done == {str(number): 1 for number in range(TRIALS)}
    by_each = [len(re.findall(r"/\d+ trial \d+ \(", command.printed)) for command in both]
    assert min(by_each) >= 1


def test_another_search_of_the_same_name_has_to_wait(folder: Path, whole: Path) -> None:
    runs = fresh(folder / "refused" / "runs", whole)
    command = search(folder, runs)
    assert until(lambda: command.has_ended or epochs_told(runs) > 0)
    other = folder / "other"
    other.mkdir()
    (other / "tiny.toml").write_text(FILE.replace("[4, 6]", "[4, 8]"))
    refused = search(other, runs)
    assert refused.wait() == 2
    assert "expected no other search of this name at work" in refused.printed
    command.kill()
    assert until(lambda: not workers(runs), 5)
