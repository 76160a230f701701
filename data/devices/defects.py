"""What can be wrong with a recording by itself: clipping, a stuck output, silence, noise.

All functions take the samples as the file has them, before any resampling, because
resampling blurs the exact repetitions that betray a converter at its limit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data.audio import Samples

FULL_SCALE = 0.99
CLIPPED_RUN = 3
STUCK_S = 0.02
"""Longer than the flat top that a distortion makes of half a period of 30 Hz."""
STUCK_SHARE = 0.002
RECOVERY_S = 0.25
SILENCE_DBFS = -60.0
QUIET_DBFS = -70.0
QUIET_WINDOW_S = 0.05
QUIET_WINDOWS = 10


class FlatTops(NamedTuple):
    """Runs of at least three equal samples at a signal's very extremes.

    Attributes:
        level: the larger magnitude of the extremes that repeat, 0 if none does.
        samples: how many samples the runs hold.
        runs: how many runs there are.
    """

    level: float
    samples: int
    runs: int

    @property
    def at_full_scale(self) -> bool:
        """At full scale it is the converter that clips; lower it may be the effect."""
        return self.level >= FULL_SCALE


class Stuck(NamedTuple):
    """Stretches in which a signal stays at its extreme for longer than audio can.

    Attributes:
        level: the extreme, signed.
        share: part of the whole signal, 0 to 1.
        starts: first sample of each span.
        longest_s: length of the longest span.
        period_s: time from one to the next where they recur regularly, else ``None``.
        recovery_s: time in which the signal falls to 1/e of the extreme afterwards, on
            the average over the spans, in which the playing cancels; ``None`` with
            fewer than four.
    """

    level: float
    share: float
    starts: npt.NDArray[np.int64]
    longest_s: float
    period_s: float | None
    recovery_s: float | None


def dbfs(amplitude: float) -> float:
    """Amplitude (peak or root mean square) in dB relative to full scale 1."""
    return float(20 * np.log10(max(amplitude, 1e-15)))


def peak_dbfs(samples: Samples) -> float:
    """Largest magnitude, in dB relative to full scale."""
    return dbfs(float(np.abs(samples).max()))


def is_silent(samples: Samples) -> bool:
    """Whether nothing in the signal rises above ``SILENCE_DBFS``, its DC apart."""
    return peak_dbfs(samples - np.float32(np.mean(samples, dtype=np.float64))) < SILENCE_DBFS


def flat_tops(samples: Samples) -> FlatTops:
    """Count runs of the exact largest or smallest value.

    A converter that clips repeats one code; the flat top of an analogue distortion
    carries noise, and a digital one seldom ends exactly at full scale.
    """
    level, held, count = 0.0, 0, 0
    for extreme in (samples.max(), samples.min()):
        starts, stops = _runs(samples == extreme)
        long = stops - starts >= CLIPPED_RUN
        if long.any() and extreme != 0:
            level = max(level, abs(float(extreme)))
            held += int((stops - starts)[long].sum())
            count += int(long.sum())
    return FlatTops(level, held, count)


def stuck(samples: Samples, sample_rate_hz: int) -> Stuck | None:
    """Find spans at the signal's largest or smallest value of ``STUCK_S`` or more.

    No effect holds its output there while a guitar plays: an overloaded stage that has
    latched, or a simulation that starts up.
    """
    found = [
        _stuck_at(samples, float(extreme), sample_rate_hz)
        for extreme in (samples.max(), samples.min())
    ]
    return max((s for s in found if s is not None), key=lambda s: s.share, default=None)


def quiet_windows(
    dry: Samples, sample_rate_hz: int, quiet_dbfs: float = QUIET_DBFS
) -> npt.NDArray[np.bool_]:
    """Shape ``(windows,)``: which consecutive 50 ms of the dry signal are silent."""
    return _window_powers(dry, sample_rate_hz) < 10 ** (quiet_dbfs / 10)


def noise_power(dry: Samples, wet: Samples, sample_rate_hz: int) -> float | None:
    """Power (mean square, DC apart) of the aligned wet signal while the dry is silent.

    The lower quartile of the silent windows, so that ringing-out notes and echoes do
    not count as noise. ``None`` without half a second of silence.
    """
    quiet = quiet_windows(dry, sample_rate_hz)
    if quiet.sum() < QUIET_WINDOWS:
        return None
    return float(np.percentile(_window_powers(wet, sample_rate_hz)[quiet], 25))


def resting_level(dry: Samples, wet: Samples, sample_rate_hz: int) -> float | None:
    """Mean of the aligned wet signal while the dry is silent, ``None`` without silence.

    The mean over everything would also hold the offset that asymmetric clipping makes
    of a playing guitar, which belongs to the effect.
    """
    quiet = quiet_windows(dry, sample_rate_hz)
    if quiet.sum() < QUIET_WINDOWS:
        return None
    return float(np.median(_windows(wet, sample_rate_hz)[quiet].mean(axis=1)))


def _runs(mask: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    edges = np.diff(mask.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def _stuck_at(samples: Samples, extreme: float, sample_rate_hz: int) -> Stuck | None:
    if extreme == 0:
        return None
    starts, stops = _runs(np.abs(samples - extreme) <= STUCK_SHARE * abs(extreme))
    long = stops - starts >= STUCK_S * sample_rate_hz
    if not long.any():
        return None
    starts, lengths = starts[long], (stops - starts)[long]
    share = float(lengths.sum()) / len(samples)
    longest_s = float(lengths.max()) / sample_rate_hz
    period_s = recovery_s = None
    if len(starts) >= 4:
        period_s = _period_s(starts, sample_rate_hz)
        recovery_s = _recovery_s(samples / extreme, starts + lengths, sample_rate_hz)
    return Stuck(extreme, share, starts, longest_s, period_s, recovery_s)


def _period_s(starts: npt.NDArray[np.int64], sample_rate_hz: int) -> float | None:
    steps = np.diff(starts)
    middle = float(np.median(steps))
    regular = np.mean(np.abs(steps - middle) <= 0.05 * middle)
    return middle / sample_rate_hz if regular >= 0.8 else None


def _recovery_s(
    share_of_extreme: Samples, stops: npt.NDArray[np.int64], sample_rate_hz: int
) -> float | None:
    length = round(RECOVERY_S * sample_rate_hz)
    after = [share_of_extreme[stop : stop + length] for stop in stops[:-1]]
    mean = np.mean([a for a in after if len(a) == length], axis=0)
    below = np.flatnonzero(mean < np.exp(-1))
    return float(below[0]) / sample_rate_hz if len(below) else None


def _windows(samples: Samples, sample_rate_hz: int) -> npt.NDArray[np.float64]:
    length = round(QUIET_WINDOW_S * sample_rate_hz)
    whole = len(samples) // length * length
    return samples[:whole].astype(np.float64).reshape(-1, length)


def _window_powers(samples: Samples, sample_rate_hz: int) -> npt.NDArray[np.float64]:
    powers: npt.NDArray[np.float64] = _windows(samples, sample_rate_hz).var(axis=1)
    return powers
