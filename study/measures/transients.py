"""How much worse a prediction is where notes begin than while they ring."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data.audio import Samples
from study.measures.onsets import Indices

TRANSIENT_S = 0.010
SUSTAINED_FROM_S, SUSTAINED_TO_S = 0.050, 0.500
FEWEST_ONSETS = 3


class TransientError(NamedTuple):
    """ESR by part of a note; None where there are too few onsets to tell.

    Attributes:
        onsets: how many were found.
        esr_transient: over the first 10 ms of every note together.
        esr_sustained: over what follows from 50 ms on, up to 500 ms or the next onset.
    """

    onsets: int
    esr_transient: float | None
    esr_sustained: float | None


def transient_error(
    onsets: Indices, parts: list[int], target: Samples, prediction: Samples, sample_rate_hz: int
) -> TransientError:
    """Onset-aligned error, energies summed over all notes before they are divided.

    Args:
        onsets: sample indices in order, as ``find_onsets`` returns them.
        parts: lengths of the parts that the signals are joined from; no note goes on beyond.
        target: shape ``(samples,)``.
        prediction: shape ``(samples,)``.
        sample_rate_hz: of both.
    """
    if len(onsets) < FEWEST_ONSETS:
        return TransientError(len(onsets), None, None)
    attack, first, last = (
        round(s * sample_rate_hz) for s in (TRANSIENT_S, SUSTAINED_FROM_S, SUSTAINED_TO_S)
    )
    ends = np.cumsum(parts)
    own_end = ends[np.searchsorted(ends, onsets, side="right")]
    following = np.minimum(np.append(onsets[1:], len(target)), own_end)
    is_transient = _marked(len(target), onsets, np.minimum(onsets + attack, following))
    is_sustained = _marked(len(target), onsets + first, np.minimum(onsets + last, following))
    return TransientError(
        len(onsets),
        _esr(target[is_transient], prediction[is_transient]),
        _esr(target[is_sustained], prediction[is_sustained]),
    )


def _marked(samples: int, starts: Indices, stops: Indices) -> npt.NDArray[np.bool_]:
    marked = np.zeros(samples, bool)
    for start, stop in zip(starts, stops, strict=True):
        marked[start:stop] = True
    return marked


def _esr(target: Samples, prediction: Samples) -> float | None:
    target, prediction = target.astype(np.float64), prediction.astype(np.float64)
    energy = float(np.dot(target, target))
    error = target - prediction
    return float(np.dot(error, error)) / energy if energy else None
