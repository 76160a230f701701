"""How late a wet signal is, whether it is upside down, and whether its clock drifts.

A frame ends at its target sample, so a model sees only dry samples up to the wet one it
predicts. A wet signal a few samples late costs a little of the frame; a wet signal that
is *ahead* asks the model to foretell the dry one. The delay found here is therefore the
first arrival of the effect's response, not its largest peak, which filters push later.

A distortion is not linear, but its best linear approximation keeps the phase of the
linear path, and whitening (dividing each frequency by its magnitude) turns that phase
into a sharp peak whatever the tone of the guitar or the pedal.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soxr
from scipy import fft

from data.audio import Samples

MAX_DELAY_S = 1.0
WINDOW_S = 2.0
MAX_WINDOWS = 24
AGREEMENT_S = 0.0005
"""Windows whose delays differ by less than this agree. Less than the smallest usual
buffer of an audio interface (64 samples), so that one lost buffer shows."""
STEEPEST_DRIFT_PPM = 2000.0
CLEAR_PEAK = 8.0
"""Peak over root mean square of a whitened correlation: the largest of 100,000 unrelated
lags stands at about 4.8, so 8 does not come about by chance."""
RESPONSE_SAMPLES = 1 << 14
FIRST_ARRIVAL = 0.4
"""Share of the largest peak that counts as arrival."""
ROUNDED_UP = 0.3
"""A delay with a fraction is rounded down unless less than this is missing."""

REACH_BACK_S = 0.001
"""How far before the largest peak the first arrival may lie: the group delay of filters,
not an echo that is louder than the direct sound."""
UPSAMPLING = 8

_Float = npt.NDArray[np.float64]


class WindowDelay(NamedTuple):
    """What one span of the recording says.

    Attributes:
        start_sample: where the span starts in the dry signal.
        delay_samples: how late the wet is there, to a fraction of a sample.
        clarity: peak over root mean square of the whitened correlation.
    """

    start_sample: int
    delay_samples: float
    clarity: float


class Trend(NamedTuple):
    """A straight line through the delays of the windows.

    Attributes:
        delay_samples: delay at the start of the dry signal.
        drift_ppm: samples that the delay grows by in a million.
        drift_error_ppm: standard error of the drift.
        agrees: shape ``(windows,)``, whether each lies on the line.
    """

    delay_samples: float
    drift_ppm: float
    drift_error_ppm: float
    agrees: npt.NDArray[np.bool_]


class Arrival(NamedTuple):
    """Where the response of an effect begins.

    Attributes:
        delay_samples: first arrival; positive when the wet is late. Take this off.
        peak_samples: the largest peak, to a fraction of a sample, from the same origin.
        is_inverted: whether the linear part of the effect turns the signal upside down.
        clarity: peak over root mean square of the whitened response.
    """

    delay_samples: int
    peak_samples: float
    is_inverted: bool
    clarity: float


def measured_delay(
    dry: Samples, wet: Samples, sample_rate_hz: int, max_delay_s: float = MAX_DELAY_S
) -> Arrival:
    """Find the constant delay of a wet signal.

    Args:
        dry: shape ``(samples,)``, not silent.
        wet: shape ``(samples,)`` or another length, same rate.
        sample_rate_hz: of both.
        max_delay_s: how far to look, either way.

    Returns:
        The first arrival. Its ``clarity`` is below ``CLEAR_PEAK`` when the two signals
        have nothing to do with each other.
    """
    delays = window_delays(dry, wet, sample_rate_hz, max_delay_s)
    trend = straight_line(delays, sample_rate_hz)
    centre = len(dry) / 2
    rough = round(trend.delay_samples + trend.drift_ppm * 1e-6 * centre)
    starts = [d.start_sample for d, agrees in zip(delays, trend.agrees, strict=True) if agrees]
    return first_arrival(dry, wet, rough, starts, sample_rate_hz)


def window_delays(
    dry: Samples, wet: Samples, sample_rate_hz: int, max_delay_s: float = MAX_DELAY_S
) -> list[WindowDelay]:
    """Measure the delay in up to ``MAX_WINDOWS`` spans where the dry signal plays.

    Generalised cross-correlation with phase transform (Knapp & Carter, IEEE TASSP 1976),
    regularised so that frequencies without signal do not vote.
    """
    length = round(WINDOW_S * sample_rate_hz)
    reach = round(max_delay_s * sample_rate_hz)
    wet_with_margin = np.pad(wet, (reach, reach + length))
    delays = []
    for start in _loud_starts(dry, length):
        heard = wet_with_margin[start : start + length + 2 * reach]
        heard = np.pad(heard, (0, length + 2 * reach - len(heard)))
        correlation = _whitened_correlation(dry[start : start + length], heard, reach)
        peak, clarity = _peak(correlation)
        delays.append(WindowDelay(start, peak - reach, clarity))
    return delays


def straight_line(delays: list[WindowDelay], sample_rate_hz: int) -> Trend:
    """Fit the line on which most windows agree.

    Every line through two windows is tried (there are few), so a minority of wrong
    windows has no influence; least squares over those that agree gives the line.
    """
    starts = np.array([d.start_sample for d in delays], np.float64)
    values = np.array([d.delay_samples for d in delays], np.float64)
    tolerance = AGREEMENT_S * sample_rate_hz
    agrees = np.abs(values - np.median(values)) <= tolerance
    for first in range(len(delays)):
        for second in range(len(delays)):
            slope = 0.0
            if second > first:
                slope = (values[second] - values[first]) / (starts[second] - starts[first])
            if abs(slope) * 1e6 > STEEPEST_DRIFT_PPM:
                continue
            on_line = np.abs(values - values[first] - slope * (starts - starts[first])) <= tolerance
            if on_line.sum() > agrees.sum():
                agrees = on_line
    if agrees.sum() < 3:
        return Trend(float(np.median(values)), 0.0, np.inf, agrees)
    return _least_squares(starts, values, agrees)


def first_arrival(
    dry: Samples, wet: Samples, rough_delay_samples: int, starts: list[int], sample_rate_hz: int
) -> Arrival:
    """Find where the response begins, near a delay known roughly.

    The cross-spectrum is averaged over the spans and divided by the root of both
    power spectra (the smoothed coherence transform, Carter et al., Proc. IEEE 1973).
    The average drowns what distortion adds, and frequencies that only one of the two
    signals has get no vote.

    Args:
        dry: shape ``(samples,)``.
        wet: shape ``(samples,)`` or another length.
        rough_delay_samples: within 1,000 samples of the truth.
        starts: spans of ``WINDOW_S`` of the dry signal to listen to.
        sample_rate_hz: of both.
    """
    length = round(WINDOW_S * sample_rate_hz)
    size = min(RESPONSE_SAMPLES, 1 << (length.bit_length() - 1))
    taper = np.hanning(size)
    cross = np.zeros(size // 2 + 1, np.complex128)
    dry_power, wet_power = np.zeros(len(cross)), np.zeros(len(cross))
    for start in starts:
        for at in range(start, start + length - size + 1, size // 2):
            heard_at = at + rough_delay_samples
            if heard_at < 0 or at + size > len(dry) or heard_at + size > len(wet):
                continue
            x = np.fft.rfft(taper * dry[at : at + size])
            y = np.fft.rfft(taper * wet[heard_at : heard_at + size])
            cross += x.conj() * y
            dry_power += np.abs(x) ** 2
            wet_power += np.abs(y) ** 2
    tiny = np.finfo(np.float64).tiny
    coherent = cross / np.maximum(np.sqrt(dry_power * wet_power), tiny)
    # Whitening by the dry spectrum alone weighs frequencies as the effect does, and the
    # sign of an effect is the sign of what it lets through.
    linear = np.fft.irfft(cross / (dry_power + 1e-3 * dry_power.mean() + tiny))
    is_inverted = bool(linear[np.abs(linear).argmax()] < 0)
    return _arrival(coherent, rough_delay_samples, is_inverted, sample_rate_hz)


def shifted(dry: Samples, wet: Samples, delay_samples: int) -> tuple[Samples, Samples]:
    """Take a delay off: the same instant at the same index, both equally long."""
    dry, wet = dry[max(-delay_samples, 0) :], wet[max(delay_samples, 0) :]
    length = min(len(dry), len(wet))
    return dry[:length], wet[:length]


def without_drift(wet: Samples, drift_ppm: float) -> Samples:
    """Resample a wet signal whose clock ran fast by ``drift_ppm`` to the dry one's clock."""
    return np.asarray(soxr.resample(wet, 1 + drift_ppm * 1e-6, 1.0, quality="VHQ"), np.float32)


def _loud_starts(dry: Samples, length: int) -> list[int]:
    last = max(len(dry) - length, 0)
    count = min(MAX_WINDOWS, 1 + 2 * last // length)
    starts = np.linspace(0, last, count).astype(int)
    powers = np.array([np.mean(np.square(dry[s : s + length], dtype=np.float64)) for s in starts])
    # 20 dB under the loudest window there is little but hum and handling noise.
    return [int(s) for s in starts[powers >= 0.01 * powers.max()]]


def _whitened_correlation(dry: Samples, heard: Samples, reach: int) -> _Float:
    size = fft.next_fast_len(len(heard), real=True)
    x = fft.rfft(dry * np.hanning(len(dry)), size)
    y = fft.rfft(heard.astype(np.float64), size)
    cross = x.conj() * y
    magnitude = np.abs(cross)
    floor = 0.01 * magnitude.mean() + np.finfo(np.float64).tiny
    correlation: _Float = fft.irfft(cross / (magnitude + floor), size)[: 2 * reach + 1]
    return correlation


def _peak(correlation: _Float) -> tuple[float, float]:
    """Peak of the magnitude between samples (parabola through three), and its clarity."""
    size = np.abs(correlation)
    at = int(size.argmax())
    rms = float(np.sqrt(np.mean(np.square(size))))
    clarity = float(size[at]) / rms if rms > 0 else 0.0
    if not 0 < at < len(size) - 1:
        return float(at), clarity
    before, here, after = size[at - 1 : at + 2]
    bend = before - 2 * here + after
    return float(at + (0.5 * (before - after) / bend if bend < 0 else 0.0)), clarity


def _arrival(
    coherent: npt.NDArray[np.complex128],
    rough_delay_samples: int,
    is_inverted: bool,
    sample_rate_hz: int,
) -> Arrival:
    response = np.fft.fftshift(np.fft.irfft(coherent))
    between = _between(coherent)
    centre = len(between) // 2
    size = np.abs(between)
    at = int(size.argmax())
    reach = at - round(UPSAMPLING * REACH_BACK_S * sample_rate_hz)
    # Where the files hold only the lower part of their band, the pulse of a bare delay is
    # wide and rises before it arrives. That rise is the band's, not the effect's.
    pulse = np.abs(_between(np.abs(coherent).astype(np.complex128)))
    rise = centre - _first_above(pulse, centre // 2)
    arrival = (_first_above(size, reach) + rise - centre) / UPSAMPLING
    return Arrival(
        math.floor(arrival + ROUNDED_UP) + rough_delay_samples,
        (_peak(between)[0] - centre) / UPSAMPLING + rough_delay_samples,
        is_inverted,
        _peak(response)[1],
    )


def _between(spectrum: npt.NDArray[np.complex128]) -> _Float:
    """A pulse at ``UPSAMPLING`` times its rate, with time zero in the middle."""
    size = UPSAMPLING * 2 * (len(spectrum) - 1)
    return np.asarray(np.fft.fftshift(np.fft.irfft(spectrum, size)), np.float64)


def _first_above(size: _Float, start: int) -> int:
    """Where, from an index on, a pulse first reaches ``FIRST_ARRIVAL`` of its peak."""
    start = max(start, 0)
    return start + int(np.argmax(size[start:] >= FIRST_ARRIVAL * size.max()))


def _least_squares(starts: _Float, values: _Float, agrees: npt.NDArray[np.bool_]) -> Trend:
    x, y = starts[agrees], values[agrees]
    spread = np.sum((x - x.mean()) ** 2)
    slope = float(np.sum((x - x.mean()) * (y - y.mean())) / spread)
    offset = float(y.mean() - slope * x.mean())
    variance = np.sum((y - offset - slope * x) ** 2) / (len(x) - 2)
    return Trend(offset, slope * 1e6, float(np.sqrt(variance / spread)) * 1e6, agrees)
