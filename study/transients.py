"""Where notes begin, and how much worse a prediction is there than while they ring."""

from __future__ import annotations

from typing import NamedTuple

import librosa
import numpy as np
import numpy.typing as npt

from data.audio import Samples

TRANSIENT_S = 0.010
SUSTAINED_FROM_S, SUSTAINED_TO_S = 0.050, 0.500
FEWEST_ONSETS = 3

_HOP_S = 0.003
_SEARCH_S = 0.030
_ATTACK_WINDOW_S = 0.005
_FFT_SAMPLES = 2048  # librosa's own for onsets
_RANGE_DB = 80.0  # as are these: a spectrogram's, below its loudest
_BLOCK_FRAMES = 128
# The attack must bring at least this much more energy than there was, or it is no onset.
_LEAST_RISE = 4.0

Indices = npt.NDArray[np.int64]


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


def find_onsets(dry: Samples, sample_rate_hz: int, parts: list[int]) -> Indices:
    """Samples at which notes begin.

    librosa's spectral-flux detector finds them to some milliseconds; each is then moved to
    the steepest rise of energy nearby. What rises too little is dropped, as is what lies
    at a join of two parts.

    Args:
        dry: shape ``(samples,)``.
        sample_rate_hz: of the signal.
        parts: lengths of the parts that it is joined from.
    """
    hop = max(1, round(_HOP_S * sample_rate_hz))
    coarse = librosa.onset.onset_detect(
        onset_envelope=_onset_strength(dry, sample_rate_hz, hop),
        sr=sample_rate_hz,
        hop_length=hop,
        units="samples",
    )
    window, search = (round(s * sample_rate_hz) for s in (_ATTACK_WINDOW_S, _SEARCH_S))
    found = set()
    for onset in map(int, coarse):
        start = max(0, onset - search)
        first = max(0, start - window)  # rises look this far beyond what is searched
        energy = rises(dry[first : onset + search + window], window)
        best = start - first + int(np.argmax(energy.flux[start - first : onset + search - first]))
        if energy.after[best] > _LEAST_RISE * energy.before[best]:
            found.add(first + best)
    joins = np.cumsum([0, *parts])
    return np.array([s for s in sorted(found) if np.abs(joins - s).min() > search], dtype=np.int64)


def _onset_strength(dry: Samples, sample_rate_hz: int, hop: int) -> npt.NDArray[np.float32]:
    """librosa's, a few frames at a time: its spectrogram of a minute takes 200 MB."""
    half = _FFT_SAMPLES // 2
    frames = 1 + len(dry) // hop
    blocks_db = []
    for first in range(0, frames, _BLOCK_FRAMES):
        last = min(first + _BLOCK_FRAMES, frames) - 1
        mel = librosa.feature.melspectrogram(
            y=_between(dry, first * hop - half, last * hop + half),
            sr=sample_rate_hz,
            n_fft=_FFT_SAMPLES,
            hop_length=hop,
            center=False,
        )
        blocks_db.append(librosa.power_to_db(mel, top_db=None))
    floor_db = max(float(block.max()) for block in blocks_db) - _RANGE_DB
    before, strengths = blocks_db[0][:, :1], []
    for block_db in blocks_db:
        joined_db = np.maximum(np.concatenate([before, block_db], axis=1), floor_db)
        strengths.append(librosa.onset.onset_strength(S=joined_db, center=False)[1:])
        before = block_db[:, -1:]
    # As librosa centres it: by half a window.
    late = np.concatenate([np.zeros(half // hop), *strengths])
    return np.asarray(late[:frames], np.float32)


def _between(signal: Samples, start: int, stop: int) -> Samples:
    """Its samples from ``start`` to ``stop``, silent beyond its ends."""
    inside = np.asarray(signal[max(0, start) : stop], np.float32)
    return np.pad(inside, (max(0, -start), max(0, stop - len(signal))))


class Rises(NamedTuple):
    """Energy about every sample, shape ``(samples,)`` each.

    Attributes:
        before: of the window that ends before it.
        after: of the window that begins with it.
    """

    before: npt.NDArray[np.float64]
    after: npt.NDArray[np.float64]

    @property
    def flux(self) -> npt.NDArray[np.float64]:
        """How much it grows."""
        return self.after - self.before


def rises(signal: Samples, window: int) -> Rises:
    """By sample, the energy of the ``window`` samples before it and of those from it on.

    The signal counts as silent beyond its ends.
    """
    silence = np.zeros(window)
    padded = np.concatenate([silence, signal.astype(np.float64), silence])
    total = np.concatenate([[0.0], np.cumsum(padded**2)])
    here = np.arange(len(signal)) + window
    return Rises(total[here] - total[here - window], total[here + window] - total[here])


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
