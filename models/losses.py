"""Training losses, as Keras losses on consecutive output samples.

Targets and predictions have shape ``(batch, samples)``. ESR and DC are ratios of sums
over everything in the batch, so they return one number and not one per example.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from keras import ops

PRE_EMPHASIS = 0.85


def _energy(signal: Any) -> Any:
    # A batch of pure silence has no ratio; the floor (-100 dB) only keeps it finite.
    return ops.maximum(ops.mean(ops.square(signal)), 1e-10)


def _pre_emphasised(signal: Any) -> Any:
    """``s[n] - 0.85 s[n-1]`` along the samples; one sample shorter than its input."""
    return signal[:, 1:] - PRE_EMPHASIS * signal[:, :-1]


class ErrorToSignalRatio(keras.losses.Loss):
    """ESR of a batch: sum (y - p)^2 / sum y^2."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number for the whole batch."""
        return ops.mean(ops.square(y_true - y_pred)) / _energy(y_true)


class PreEmphasisedErrorAndDc(keras.losses.Loss):
    """0.75 ESR after the filter 1 - 0.85 z^-1, plus 0.25 DC (Wright et al., DAFx 2019).

    Needs at least two consecutive samples an example.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number for the whole batch."""
        error = ops.mean(ops.square(_pre_emphasised(y_true - y_pred)))
        esr = error / _energy(_pre_emphasised(y_true))
        dc = ops.square(ops.mean(y_true - y_pred)) / _energy(y_true)
        return 0.75 * esr + 0.25 * dc


class TrainingLoss(NamedTuple):
    """A loss and how many samples before the target it needs beside it."""

    loss: keras.losses.Loss
    lookback: int


def training_loss(name: str) -> TrainingLoss:
    """The loss of a grid's ``loss`` key: ``mae``, ``mse``, ``esr`` or ``esr_preemph_dc``.

    ``esr_preemph_dc`` looks one output sample back and so costs two frames a target.
    """
    return {
        "mae": TrainingLoss(keras.losses.MeanAbsoluteError(), 0),
        "mse": TrainingLoss(keras.losses.MeanSquaredError(), 0),
        "esr": TrainingLoss(ErrorToSignalRatio(), 0),
        "esr_preemph_dc": TrainingLoss(PreEmphasisedErrorAndDc(), 1),
    }[name]
