"""Importances tell what was built into made-up trials, and how sure they can be."""

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from study.search.importance import importances, lowest_loss


def made_up(count: int, seed: int = 0) -> list[FrozenTrial]:
    """Trials whose loss hangs on the rate alone; every fourth was pruned."""
    rng = np.random.default_rng(seed)
    trials = []
    for number in range(count):
        rate, family = float(rng.uniform(0, 1)), str(rng.choice(["lstm", "gru"]))
        loss = float(np.exp(3 * (rate - 0.5) ** 2))
        trials.append(
            optuna.trial.create_trial(
                state=TrialState.PRUNED if number % 4 == 3 else TrialState.COMPLETE,
                params={"rate": rate, "family": family},
                distributions={
                    "rate": FloatDistribution(0, 1),
                    "family": CategoricalDistribution(("lstm", "gru")),
                },
                intermediate_values={1: 2 * loss, 2: loss, 3: 1.1 * loss},
                value=loss,
            )
        )
    return trials


@pytest.mark.slow
def test_what_decides_comes_first_and_shares_are_of_one_whole() -> None:
    rate, family = importances(made_up(20))
    assert (rate.name, family.name) == ("rate", "family")
    assert rate.share > 3 * family.share
    assert abs(rate.share + family.share - 1) < 1e-6
    for own in (rate, family):
        assert 0 <= own.low <= own.high <= 1


@pytest.mark.slow
def test_fewer_trials_tell_less_surely() -> None:
    few, many = importances(made_up(6, seed=2))[0], importances(made_up(60, seed=2))[0]
    assert few.high - few.low > many.high - many.low


@pytest.mark.slow
def test_pruned_trials_count_with_their_lowest_loss() -> None:
    trials = made_up(20)
    assert lowest_loss(trials[3]) == trials[3].intermediate_values[2]
    without = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    assert importances(trials) != importances(without)


def test_where_nothing_can_be_told_nothing_is() -> None:
    assert importances(made_up(3)) == []
    assert importances([made_up(1)[0]] * 8) == []
