"""Where notes begin: spectral flux finds them roughly, the rise of energy exactly."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.fft
from scipy.ndimage import maximum_filter1d

from data.audio import Samples

_HOP_S = 0.003
_SEARCH_S = 0.030
_ATTACK_WINDOW_S = 0.005
# The attack must bring at least this much more energy than there was, or it is no onset.
_LEAST_RISE = 4.0

# librosa's settings of its onset detector, to which the tests compare.
_FFT_SAMPLES = 2048
_MEL_BANDS = 128
_RANGE_DB = 80.0  # below the loudest
_POWER_FLOOR = 1e-10
_LOCAL_MAXIMUM_S = 0.030
_LOCAL_MEAN_S = 0.100
_ABOVE_MEAN = 0.07  # of the largest strength
_WAIT_S = 0.030

_BLOCK_FRAMES = 128

Indices = npt.NDArray[np.int64]
Strength = npt.NDArray[np.float32]


def find_onsets(dry: Samples, sample_rate_hz: int, parts: list[int]) -> Indices:
    """Samples at which notes begin.

    Peaks of the spectral flux find them to some milliseconds; each is then moved to
    the steepest rise of energy nearby. What rises too little is dropped, as is what lies
    at a join of two parts.

    Args:
        dry: shape ``(samples,)``.
        sample_rate_hz: of the signal.
        parts: lengths of the parts that it is joined from.
    """
    hop = max(1, round(_HOP_S * sample_rate_hz))
    coarse = hop * pick_peaks(onset_strength(dry, sample_rate_hz, hop), sample_rate_hz, hop)
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


def onset_strength(dry: Samples, sample_rate_hz: int, hop: int) -> Strength:
    """Spectral flux: how much louder the mel bands grow on average, dB a frame.

    A few frames at a time, since the spectrogram of a minute takes 200 MB.

    Args:
        dry: shape ``(samples,)``.
        sample_rate_hz: of the signal.
        hop: samples between two frames.

    Returns:
        One value a frame, shape ``(1 + samples // hop,)``; frame n is centred on sample
        n * hop and its growth counted half a window later.
    """
    half = _FFT_SAMPLES // 2
    frames = 1 + len(dry) // hop
    blocks_db = []
    for first in range(0, frames, _BLOCK_FRAMES):
        last = min(first + _BLOCK_FRAMES, frames) - 1
        signal = _between(dry, first * hop - half, last * hop + half)
        power = _mel_powers(signal, sample_rate_hz, hop)
        blocks_db.append(10 * np.log10(np.maximum(power, _POWER_FLOOR)))
    floor_db = max(float(block.max()) for block in blocks_db) - _RANGE_DB
    before, strengths = blocks_db[0][:1], []
    for block_db in blocks_db:
        growth_db = np.diff(np.maximum(np.concatenate([before, block_db]), floor_db), axis=0)
        strengths.append(np.maximum(growth_db, 0).mean(axis=1))
        before = block_db[-1:]
    late = np.concatenate([np.zeros(half // hop), *strengths])
    return np.asarray(late[:frames], np.float32)


def _mel_powers(signal: Samples, sample_rate_hz: int, hop: int) -> Strength:
    """Power by frame and mel band, ``(frames, bands)``, of Hann windows that fit whole."""
    windows = np.lib.stride_tricks.sliding_window_view(signal, _FFT_SAMPLES)[::hop]
    n = np.arange(_FFT_SAMPLES)
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * n / _FFT_SAMPLES)).astype(np.float32)
    spectrum = scipy.fft.rfft(windows * hann)
    return np.asarray((np.abs(spectrum) ** 2) @ mel_filters(sample_rate_hz), np.float32)


@lru_cache
def mel_filters(sample_rate_hz: int) -> npt.NDArray[np.float32]:
    """Triangles of equal area on Slaney's mel scale up to half the rate, ``(bins, bands)``.

    The scale is linear below 1 kHz (15 mel) and logarithmic above: 27 mel to a factor of
    6.4 (M. Slaney, Auditory Toolbox, Interval Research 1998-010).
    """
    linear_hz, first_log_mel, log_step = 200 / 3, 15.0, np.log(6.4) / 27
    top_hz = sample_rate_hz / 2
    top_mel = first_log_mel + np.log(top_hz / 1000) / log_step
    mel = np.linspace(0, top_mel if top_hz > 1000 else top_hz / linear_hz, _MEL_BANDS + 2)
    above = np.maximum(mel - first_log_mel, 0)
    corners_hz = np.minimum(mel, first_log_mel) * linear_hz * np.exp(log_step * above)
    bins_hz = scipy.fft.rfftfreq(_FFT_SAMPLES, 1 / sample_rate_hz)[:, None]
    rising = (bins_hz - corners_hz[:-2]) / np.diff(corners_hz[:-1])
    falling = (corners_hz[2:] - bins_hz) / np.diff(corners_hz[1:])
    area = (corners_hz[2:] - corners_hz[:-2]) / 2
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) / area, np.float32)


def pick_peaks(strength: Strength, sample_rate_hz: int, hop: int) -> Indices:
    """Frames that are the largest so far and stand out from the mean about them.

    Greedily from the left, none within 30 ms of the last, after S. Böck, F. Krebs and
    M. Schedl, "Evaluating the online capabilities of onset detection methods", ISMIR 2012.

    Args:
        strength: not negative, shape ``(frames,)``.
        sample_rate_hz: of the signal.
        hop: samples between two frames.
    """
    largest = float(np.ptp(strength)) if len(strength) else 0.0
    if largest == 0:
        return np.zeros(0, np.int64)
    scaled = (strength.astype(np.float64) - strength.min()) / largest
    before, about, wait = (
        int(s * sample_rate_hz // hop) for s in (_LOCAL_MAXIMUM_S, _LOCAL_MEAN_S, _WAIT_S)
    )
    # Of this frame and those before; the filter's origin moves its window to the left.
    maximum = maximum_filter1d(
        scaled, before + 1, mode="nearest", origin=before - (before + 1) // 2
    )
    total = np.concatenate([[0.0], np.cumsum(scaled)])
    here = np.arange(len(scaled))
    first, end = np.maximum(here - about, 0), np.minimum(here + about + 1, len(scaled))
    mean = (total[end] - total[first]) / (end - first)
    is_peak = (scaled == maximum) & (scaled >= mean + _ABOVE_MEAN)
    picked = [-len(scaled)]
    for frame in np.flatnonzero(is_peak):
        if frame - picked[-1] > wait:
            picked.append(int(frame))
    return np.array(picked[1:], np.int64)


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
