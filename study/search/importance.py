"""How much each setting decides, and how well so few trials can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.trial import FrozenTrial

RESAMPLINGS = 40
TREES = 16
FEWEST_TRIALS = 4


@dataclass(frozen=True)
class Importance:
    """Share of the variance of the log loss that a setting explains, from 0 to 1.

    Attributes:
        name: of the setting.
        share: mean over sets of the same trials, drawn anew with repetition.
        low, high: 5 and 95 % of these.
    """

    name: str
    share: float
    low: float
    high: float


def importances(trials: Sequence[FrozenTrial]) -> list[Importance]:
    """By fANOVA (Hutter, Hoos & Leyton-Brown, ICML 2014) of the lowest losses, greatest first.

    Pruned trials count with the lowest loss that they reached, which is no lower than what
    they would have come to. Empty where there are too few trials or all are alike.
    """
    judged = [t for t in trials if t.params and lowest_loss(t) is not None]
    if len(judged) < FEWEST_TRIALS:
        return []
    rng = np.random.default_rng(0)
    whole = _shares(judged)
    if not whole:
        return []
    drawn = []
    for _ in range(RESAMPLINGS):
        shares = _shares([judged[k] for k in rng.integers(0, len(judged), len(judged))])
        if shares:
            drawn.append(shares)
    found = []
    for name in whole:
        spread = [shares[name] for shares in drawn or [whole]]
        low, high = np.quantile(spread, [0.05, 0.95])
        found.append(Importance(name, float(np.mean(spread)), float(low), float(high)))
    return sorted(found, key=lambda own: -own.share)


def lowest_loss(trial: FrozenTrial) -> float | None:
    """The lowest validation loss of a trial, or None if it was never finite."""
    losses = [loss for loss in trial.intermediate_values.values() if np.isfinite(loss)]
    return min(losses, default=None)


def _shares(trials: Sequence[FrozenTrial]) -> dict[str, float]:
    """Share by setting; nothing where the losses do not differ."""
    losses = [lowest_loss(trial) for trial in trials]
    if len(set(losses)) < 2:
        return {}
    study = optuna.create_study(storage=optuna.storages.InMemoryStorage())
    study.add_trials(
        [
            optuna.trial.create_trial(
                params=trial.params,
                distributions=trial.distributions,
                value=float(np.log(max(loss or 0.0, 1e-12))),
            )
            for trial, loss in zip(trials, losses, strict=True)
        ]
    )
    evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=TREES, seed=0)
    return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))
