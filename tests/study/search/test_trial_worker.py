"""A trial is a training judged on validation alone; a hopeless one ends early."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.trial import FrozenTrial, TrialState

from data.pairs import Pair
from study.config.run import RunConfig
from study.dataset import Dataset, Datasets
from study.search.search_file import Choices, Search
from study.search.trial_worker import perform
from study.search.trials import Trials
from tests import tiny

pytestmark = pytest.mark.slow

FINE = (1e-3, 2e-3, 3e-3, 4e-3)
HOPELESS = 1e-9


def search(rates: tuple[float, ...] = FINE, **settings: Any) -> Search:
    base = tiny.config(epochs=8, **settings)
    space = {"learning_rate": Choices(rates)}
    return Search("mine", "Mine", "mine.toml", 9, 0, base, space, {"patience": 5})


class OneDataset(Datasets):
    """The same dataset for every run."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def of(self, config: RunConfig) -> Dataset:
        return self.dataset


def do(
    trials: Trials, params: Mapping[str, Any], dataset: Dataset | None = None
) -> tuple[FrozenTrial, list[dict[str, Any]]]:
    """One trial with these settings in the place of the proposed ones, and its events."""
    events: list[dict[str, Any]] = []
    with trials.claimed() as claimed:
        assert claimed
        datasets = OneDataset(dataset or tiny.dataset())
        perform(trials, replace(claimed, params=params), datasets, events.append)
    return trials.all()[claimed.number], events


def test_a_trial_is_worth_the_lowest_validation_loss_of_its_epochs(tmp_path: Path) -> None:
    trial, events = do(Trials(search(), tmp_path), {"learning_rate": 2e-3})
    assert trial.state == TrialState.COMPLETE
    assert list(trial.intermediate_values) == list(range(1, 9))
    assert trial.value == min(trial.intermediate_values.values())
    assert [event["event"] for event in events] == ["start", *["epoch"] * 8, "done"]
    assert trial.user_attrs["seconds"] > 0


def test_a_hopeless_learning_rate_is_pruned(tmp_path: Path) -> None:
    trials = Trials(search((*FINE, HOPELESS)), tmp_path)
    for rate in FINE:
        trial, _ = do(trials, {"learning_rate": rate})
        assert trial.state == TrialState.COMPLETE
    trial, events = do(trials, {"learning_rate": HOPELESS})
    assert trial.state == TrialState.PRUNED
    assert len(trial.intermediate_values) == 3
    assert [event["event"] for event in events] == ["start", *["epoch"] * 3, "done"]
    assert list(tmp_path.glob("*/0004")) == []  # no checkpoint is left


def test_the_test_split_plays_no_part(tmp_path: Path) -> None:
    fair, _ = do(Trials(search(), tmp_path / "fair"), {"learning_rate": 2e-3})
    dataset = tiny.dataset()
    dry, wet = dataset.pair.dry.copy(), dataset.pair.wet.copy()
    for span in dataset.split.test:
        dry[span.start : span.stop] = wet[span.start : span.stop] = np.nan
    blind = Dataset(Pair(dry, wet, tiny.RATE_HZ, "blind"), dataset.split)
    judged, _ = do(Trials(search(), tmp_path / "blind"), {"learning_rate": 2e-3}, blind)
    assert judged.value == fair.value


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_a_diverging_trial_is_pruned_so_that_its_like_are_avoided(tmp_path: Path) -> None:
    dataset = tiny.dataset()
    broken = np.full_like(dataset.pair.wet, np.nan)
    trial, _ = do(
        Trials(search(), tmp_path),
        {"learning_rate": 2e-3},
        Dataset(Pair(dataset.pair.dry, broken, tiny.RATE_HZ, "broken"), dataset.split),
    )
    assert trial.state == TrialState.PRUNED
    assert "loss" in trial.user_attrs["reason"]


def test_settings_that_do_not_fit_together_fail_with_the_reason(tmp_path: Path) -> None:
    trial, events = do(Trials(search(family="conv"), tmp_path), {"layers": 4})
    assert trial.state == TrialState.FAIL
    assert "4 convolutional layers reach over more than 16 samples" in trial.user_attrs["reason"]
    assert events[-1]["event"] == "done"
