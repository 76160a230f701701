"""Power spectra over time, and the small pictures of them that players show."""

from __future__ import annotations

import itertools
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import signal

from data.audio import Samples

WINDOW_S = 0.023
WELCH_SAMPLES = 4096
FLOOR_DB = -80.0

PICTURE_COLUMNS, PICTURE_ROWS = 480, 96
_COLOURS = 32  # steps of 2.5 dB: continuous to the eye, and a quarter of the bytes

Power = npt.NDArray[np.float64]


def power(samples: Samples, sample_rate_hz: int, columns: int) -> Power:
    """Power spectra, shape ``(bins, columns)`` give or take one, Hann windows of about 23 ms."""
    size = 2 ** round(np.log2(WINDOW_S * sample_rate_hz))
    padded = np.pad(samples.astype(np.float64), (0, max(0, size - len(samples))))
    hop = max(1, (len(padded) - size) // columns)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    spectrum = np.fft.rfft(frames * signal.get_window("hann", size), axis=1)
    return np.asarray((spectrum.real**2 + spectrum.imag**2).T)


def welch(samples: Samples, sample_rate_hz: int) -> tuple[Power, Power]:
    """Frequencies in Hz and the mean power spectrum (Welch's), shape ``(bins,)`` each."""
    size = min(WELCH_SAMPLES, len(samples))
    frequency_hz, found = signal.welch(samples.astype(np.float64), sample_rate_hz, nperseg=size)
    return frequency_hz, found


def by_band(frequency_hz: Power, of: Power, edges_hz: Power) -> Power:
    """Mean power of the bins of each band; between bins where a band holds none.

    Args:
        frequency_hz: of the bins, rising.
        of: power, shape ``(bins,)``.
        edges_hz: of the bands, one more than there are bands.
    """
    middles_hz = np.sqrt(edges_hz[:-1] * edges_hz[1:])
    mean = np.interp(middles_hz, frequency_hz, of)
    places = np.searchsorted(frequency_hz, edges_hz)
    for band, (start, stop) in enumerate(itertools.pairwise(places)):
        if stop > start:
            mean[band] = of[start:stop].mean()
    return np.asarray(mean)


def median_hz(of: Power, sample_rate_hz: int) -> float:
    """The frequency that halves the energy."""
    by_bin = np.cumsum(of.sum(axis=1))
    bin_hz = sample_rate_hz / (2 * (len(by_bin) - 1))
    return (float(np.searchsorted(by_bin, by_bin[-1] / 2)) + 0.5) * bin_hz


def in_db(of: Power, reference: float) -> Power:
    """Decibels relative to a power, floored far below what is drawn."""
    return np.asarray(10 * np.log10(np.maximum(of / (reference or 1.0), 1e-12)))


def save_picture(file: Path, power_db: Power) -> None:
    """A spectrogram without axes as a PNG, time to the right and frequency upwards.

    Args:
        file: to write.
        power_db: shape ``(bins, columns)``; 0 is the brightest, ``FLOOR_DB`` the darkest.
    """
    pooled = _pooled(power_db, PICTURE_ROWS)[::-1]
    levels = np.clip(1 - pooled / FLOOR_DB, 0, 1) * (_COLOURS - 1)
    picture = Image.fromarray(np.round(levels).astype(np.uint8), mode="P")
    palette = mpl.colormaps["magma"].resampled(_COLOURS)(np.arange(_COLOURS), bytes=True)
    picture.putpalette(palette[:, :3].tobytes())
    picture.save(file, optimize=True)


def _pooled(power_db: Power, rows: int) -> Power:
    """The loudest bin of every row: a narrow partial stays visible."""
    edges = np.linspace(0, len(power_db), min(rows, len(power_db)) + 1).astype(int)[:-1]
    return np.asarray(np.maximum.reduceat(power_db, edges, axis=0))
