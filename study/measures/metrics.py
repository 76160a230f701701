"""How far a prediction is from its target, one meaning each.

Every function takes ``target`` and ``prediction``, one-dimensional and equally long, and
computes in float64, one figure over the whole signal. It works through it in blocks, so that
memory does not grow with the signal. Nothing is added to a denominator: a
silent target, like an empty, unequal or non-finite pair, is an ``InputError``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import fft, signal

from data.errors import InputError

AnySignal = npt.NDArray[np.floating]
Signal = npt.NDArray[np.float64]

HIGH_BAND_HZ = 8000.0
"""Where the high band begins in the columns ``esr_above_8khz`` and ``lsd_above_8khz_db``."""

_PRE_EMPHASIS = 0.85
_POWER_FLOOR = 1e-8
# FFT size, hop and window length, in samples (Yamamoto, Song & Kim, ICASSP 2020).
_MR_STFT_RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
_LSD_RESOLUTION = (2048, 512, 2048)
# Half a megabyte a block: the spectra stay in the processor's cache.
_BLOCK_SAMPLES = 65_536
_BAND_EDGE_HZ = 500.0
_BAND_REJECTION_DB = 100.0


@dataclass(frozen=True)
class Metric:
    """A figure of a prediction, from which its column, its explanation and its text follow.

    Attributes:
        name: of the column of the results.
        function: of target, prediction and their sample rate in Hz; None where the figure is
            not defined at that rate or for that target.
        meaning: formula or definition, in a few words.
        unit: empty for a ratio.
        better: which of two values is the better one; 1 is perfect where the higher is, 0
            where the lower is.
    """

    name: str
    function: Callable[[AnySignal, AnySignal, int], float | None]
    meaning: str
    unit: str
    better: Literal["lower", "higher"]

    @property
    def explanation(self) -> str:
        """As the data dictionary and the pages have it."""
        measure = f"{self.meaning}, {self.unit}" if self.unit else self.meaning
        return f"test: {measure}; {self.better} is better"


def evaluate(
    target: AnySignal, prediction: AnySignal, sample_rate_hz: int
) -> dict[str, float | None]:
    """All of ``METRICS``, named as the columns of the results table.

    ``esr_above_8khz`` and ``lsd_above_8khz_db`` are None at sample rates that cannot hold
    the band, up to 16 kHz; the former also where the target is silent in the band. Every
    other value is a finite float. 2,048 samples are enough at up to 96 kHz.
    """
    return {own.name: own.function(target, prediction, sample_rate_hz) for own in METRICS}


def mae(target: AnySignal, prediction: AnySignal) -> float:
    """Mean absolute error, mean |y - p|, in units of full scale; 0 is perfect."""
    _check(target, prediction)
    return sum(float(np.abs(y - p).sum()) for y, p in _blocks(target, prediction)) / len(target)


def r2(target: AnySignal, prediction: AnySignal) -> float:
    """Coefficient of determination, 1 - sum (y - p)^2 / sum (y - mean y)^2; 1 is perfect.

    A constant target is an ``InputError`` too.
    """
    _check(target, prediction)
    if np.ptp(target) == 0:
        raise InputError(
            "target signal",
            expected="samples that vary, or R2 is not defined",
            found=f"{len(target)} samples that all equal {target[0]:g}",
            remedy="Use a longer or another part of the signal.",
        )
    mean = target.mean(dtype=np.float64)
    variation = sum(_energy(y - mean) for (y,) in _blocks(target))
    return 1 - _error_energy(target, prediction) / variation


def esr(target: AnySignal, prediction: AnySignal) -> float:
    """Error-to-signal ratio, sum (y - p)^2 / sum y^2; 0 is perfect, silence scores 1."""
    _check(target, prediction)
    return _error_energy(target, prediction) / _signal_energy(target)


def esr_preemph(target: AnySignal, prediction: AnySignal) -> float:
    """ESR after filtering both signals with 1 - 0.85 z^-1, from zero initial state.

    Wright, Damskägg & Välimäki, "Real-time black-box modelling with recurrent neural
    networks", DAFx 2019.
    """
    _check(target, prediction)
    first = float(target[0])
    error, energy = (first - float(prediction[0])) ** 2, first**2
    for y, p in _blocks(target, prediction, overlap=1):
        error += _energy(_pre_emphasised(y - p))
        energy += _energy(_pre_emphasised(y))
    return error / energy


def dc(target: AnySignal, prediction: AnySignal) -> float:
    """Energy of the error's offset, (mean (y - p))^2 / mean y^2 (same paper); 0 is perfect."""
    _check(target, prediction)
    offset = sum(float((y - p).sum()) for y, p in _blocks(target, prediction)) / len(target)
    return offset**2 / (_signal_energy(target) / len(target))


def mr_stft(target: AnySignal, prediction: AnySignal) -> float:
    """Multi-resolution STFT distance; 0 is perfect.

    At each of three resolutions, with Y and P the magnitudes (power floor 1e-8) over all
    frames and bins: spectral convergence ||Y - P|| / ||Y|| plus mean |ln Y - ln P|; the
    mean of the three. Yamamoto, Song & Kim, "Parallel WaveGAN", ICASSP 2020, with frames
    laid out as in auraloss (Steinmetz & Reiss 2020): periodic Hann window, centred frames,
    signal reflected at its ends.
    """
    _check(target, prediction)
    return float(
        np.mean([_stft_distance(target, prediction, *sizes) for sizes in _MR_STFT_RESOLUTIONS])
    )


def log_spectral_distance_db(
    target: AnySignal,
    prediction: AnySignal,
    sample_rate_hz: int,
    from_hz: float = 0.0,
) -> float:
    """Log-spectral distance in dB; 0 is perfect.

    The mean over frames of sqrt(mean over bins of (10 log10 |Y|^2 / |P|^2)^2), power floor
    1e-8, STFT of 2048 samples every 512 with a periodic Hann window, frames centred and
    the signal reflected at its ends (Rabiner & Juang, Fundamentals of Speech Recognition,
    1993, section 4.5.1).

    Args:
        target: shape ``(samples,)``.
        prediction: shape ``(samples,)``.
        sample_rate_hz: samples per second.
        from_hz: only bins at or above this frequency count.
    """
    _check(target, prediction)
    _check_band(from_hz, sample_rate_hz, lowest_hz=0.0)
    fft_size = _LSD_RESOLUTION[0]
    first_bin = int(np.ceil(from_hz * fft_size / sample_rate_hz))
    sum_db, frames = 0.0, 0
    for power_y, power_p in _power_blocks(target, prediction, *_LSD_RESOLUTION):
        ratio_db = 10 * np.log10(power_y[:, first_bin:] / power_p[:, first_bin:])
        sum_db += float(np.sqrt(np.mean(ratio_db**2, axis=1)).sum())
        frames += len(ratio_db)
    return sum_db / frames


def band_esr(
    target: AnySignal,
    prediction: AnySignal,
    sample_rate_hz: int,
    from_hz: float = HIGH_BAND_HZ,
) -> float | None:
    """ESR of what both signals hold at or above a frequency: high-frequency error.

    Both are filtered with a linear-phase FIR high-pass, flat from ``from_hz`` on and 100 dB
    down 500 Hz below it (Kaiser window), and only samples where the filter lies wholly
    inside the signal count, so that the edges of the signal are not heard as high
    frequencies. None if the target's energy in the band is more than 100 dB below its
    energy as a whole: what leaks through the filter is no signal to compare with.

    Raises:
        InputError: ``from_hz`` is not between 500 Hz and half the sample rate, or the
            signals are shorter than the filter (about 600 samples at 44.1 kHz).
    """
    _check(target, prediction)
    _check_band(from_hz, sample_rate_hz, lowest_hz=_BAND_EDGE_HZ)
    taps = _high_pass(from_hz, sample_rate_hz)
    _check_length(target, len(taps))
    error, energy = 0.0, 0.0
    for y, p in _blocks(target, prediction, overlap=len(taps) - 1):
        error += _energy(signal.oaconvolve(y - p, taps, mode="valid"))
        energy += _energy(signal.oaconvolve(y, taps, mode="valid"))
    if energy < 10 ** (-_BAND_REJECTION_DB / 10) * _signal_energy(target):
        return None
    return error / energy


def _holds_high_band(sample_rate_hz: int) -> bool:
    return sample_rate_hz > 2 * HIGH_BAND_HZ


# The order is that of the columns.
METRICS: tuple[Metric, ...] = (
    Metric("mae", lambda y, p, _: mae(y, p), "mean |y - p|", "1 is full scale", "lower"),
    Metric("r2", lambda y, p, _: r2(y, p), "1 - sum (y-p)^2 / sum (y - mean y)^2", "", "higher"),
    Metric("esr", lambda y, p, _: esr(y, p), "sum (y-p)^2 / sum y^2", "", "lower"),
    Metric(
        "esr_preemph", lambda y, p, _: esr_preemph(y, p), "ESR after 1 - 0.85 z^-1", "", "lower"
    ),
    Metric("dc", lambda y, p, _: dc(y, p), "(mean (y-p))^2 / mean y^2", "", "lower"),
    Metric("mr_stft", lambda y, p, _: mr_stft(y, p), "multi-resolution STFT distance", "", "lower"),
    Metric(
        "esr_above_8khz",
        lambda y, p, rate_hz: band_esr(y, p, rate_hz) if _holds_high_band(rate_hz) else None,
        "ESR of the band above 8 kHz, high-frequency error",
        "",
        "lower",
    ),
    Metric("lsd_db", log_spectral_distance_db, "log-spectral distance", "dB", "lower"),
    Metric(
        "lsd_above_8khz_db",
        lambda y, p, rate_hz: (
            log_spectral_distance_db(y, p, rate_hz, from_hz=HIGH_BAND_HZ)
            if _holds_high_band(rate_hz)
            else None
        ),
        "log-spectral distance above 8 kHz",
        "dB",
        "lower",
    ),
)


def _blocks(*signals: AnySignal, overlap: int = 0) -> Iterator[list[Signal]]:
    """Signals of one length as float64, piece by piece.

    Each piece but the last holds ``overlap`` samples more than its own, for filters that
    look that far; a piece that has none of its own is left out.
    """
    for start in range(0, len(signals[0]) - overlap, _BLOCK_SAMPLES):
        piece = slice(start, start + _BLOCK_SAMPLES + overlap)
        yield [samples[piece].astype(np.float64) for samples in signals]


def _energy(x: Signal) -> float:
    return float(np.dot(x, x))


def _signal_energy(target: AnySignal) -> float:
    return sum(_energy(y) for (y,) in _blocks(target))


def _error_energy(target: AnySignal, prediction: AnySignal) -> float:
    return sum(_energy(y - p) for y, p in _blocks(target, prediction))


def _pre_emphasised(x: Signal) -> Signal:
    """Without the first sample, whose predecessor is not there."""
    return x[1:] - _PRE_EMPHASIS * x[:-1]


def _stft_distance(y: AnySignal, p: AnySignal, fft_size: int, hop: int, window: int) -> float:
    """Spectral convergence plus mean absolute log-magnitude difference."""
    error, energy, log_sum, count = 0.0, 0.0, 0.0, 0
    for power_y, power_p in _power_blocks(y, p, fft_size, hop, window):
        error += float(np.sum((np.sqrt(power_y) - np.sqrt(power_p)) ** 2))
        energy += float(power_y.sum())
        # Half the logarithm of the power ratio is the difference of log magnitudes.
        log_sum += 0.5 * float(np.sum(np.abs(np.log(power_y / power_p))))
        count += power_y.size
    return float(np.sqrt(error / energy)) + log_sum / count


def _power_blocks(
    y: AnySignal, p: AnySignal, fft_size: int, hop: int, window: int
) -> Iterator[tuple[Signal, Signal]]:
    """Floored power spectra of both signals, a few frames at a time.

    Yields pairs of shape ``(frames, fft_size // 2 + 1)``; so memory does not grow with
    the length of the signals, and they become float64 a block at a time.
    """
    _check_length(y, fft_size // 2 + 1)
    hann = signal.get_window("hann", window)
    frames_y, frames_p = (_frames(x, fft_size, hop, window) for x in (y, p))
    step = max(_BLOCK_SAMPLES // fft_size, 1)
    for start in range(0, len(frames_y), step):
        block = slice(start, start + step)
        yield _power(frames_y[block] * hann, fft_size), _power(frames_p[block] * hann, fft_size)


def _frames(x: AnySignal, fft_size: int, hop: int, window: int) -> AnySignal:
    """View of shape ``(1 + samples // hop, window)``; frame k is centred on sample k hop."""
    padded = np.pad(x, fft_size // 2, mode="reflect")
    # The window sits in the middle of the FFT's span.
    offset = (fft_size - window) // 2
    spans = np.lib.stride_tricks.sliding_window_view(padded[offset:], window)[::hop]
    return spans[: 1 + len(x) // hop]


def _power(frames: Signal, fft_size: int) -> Signal:
    spectrum = fft.rfft(frames, fft_size, axis=1)
    return np.maximum(spectrum.real**2 + spectrum.imag**2, _POWER_FLOOR)


def _high_pass(from_hz: float, sample_rate_hz: int) -> Signal:
    """Linear-phase high-pass of odd length, so that it may pass the Nyquist frequency."""
    nyquist_hz = sample_rate_hz / 2
    order, beta = signal.kaiserord(_BAND_REJECTION_DB, _BAND_EDGE_HZ / nyquist_hz)
    return signal.firwin(
        order | 1,
        from_hz - _BAND_EDGE_HZ / 2,
        window=("kaiser", beta),
        pass_zero=False,
        fs=sample_rate_hz,
    )


def _check(target: AnySignal, prediction: AnySignal) -> None:
    """An error that says what is wrong with the signals, if anything is."""
    if target.ndim != 1 or target.shape != prediction.shape or len(target) == 0:
        raise InputError(
            "target and prediction",
            expected="two signals of one dimension and equal length, with at least one sample",
            found=f"shapes {target.shape} and {prediction.shape}",
            remedy="Compare mono signals over the same span of time.",
        )
    for name, samples in (("target", target), ("prediction", prediction)):
        finite = np.isfinite(samples)
        if not finite.all():
            raise InputError(
                f"{name} signal",
                expected="finite samples",
                found=f"NaN or infinity, first at sample {int(np.argmin(finite))}",
                remedy="Find out where it comes from; a diverged training gives such output.",
            )
    if not target.any():
        raise InputError(
            "target signal",
            expected="some sound to compare with",
            found=f"{len(target)} samples of silence",
            remedy="Use a longer or another part of the signal.",
        )


def _check_length(samples: AnySignal, shortest: int) -> None:
    if len(samples) < shortest:
        raise InputError(
            "target and prediction",
            expected=f"at least {shortest} samples",
            found=f"{len(samples)}",
            remedy="Compare a longer span of time.",
        )


def _check_band(from_hz: float, sample_rate_hz: int, lowest_hz: float) -> None:
    nyquist_hz = sample_rate_hz / 2
    if not lowest_hz <= from_hz < nyquist_hz:
        raise InputError(
            "lower frequency of the band",
            expected=f"{lowest_hz:g} Hz up to, not including, {nyquist_hz:g} Hz",
            found=f"{from_hz:g} Hz",
            remedy="Leave this metric out, or evaluate at a higher sample rate.",
        )
