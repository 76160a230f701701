"""Whether a recorded pair keeps one delay from beginning to end.

A recorder that loses a buffer, or repeats one, shifts all that follows. The delay is
measured in half-second windows over the whole take: cross-correlation with phase transform
(Knapp & Carter, IEEE TASSP 1976), after the effect's own response, averaged over the take,
has been taken out. That leaves one sharp peak, whatever the effect's filters do to phases.

The signals are brought to a low rate first. The losses of interest are 64 samples and more,
and a distortion has least of its own to add in the lower octaves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soxr
from scipy import fft

from data.audio import Samples

LOW_RATE_HZ = 11_025
WINDOW_S = 0.5
HOP_S = 0.25
REACH_S = 0.25
"""The largest jump that is looked for, either way."""
AGREEMENT_S = 0.0004
"""Far less than 64 samples at 44.1 kHz; good pairs scatter by a tenth of it."""
SAME_JUMP_S = 0.0002
CLEAR_PEAK = 8.0
"""Peak over root mean square, as for ``alignment.CLEAR_PEAK``."""
RIVAL_SHARE = 0.5
"""A window disagrees if the expected delay has less than this share of its peak. Repeated
notes and phrases have several peaks, and the right one is among them."""
RESPONSE_S = 0.02
"""Either side of the delay; what an echo adds later is left in."""
REFERENCE_WINDOWS = 400
SOUNDING = 1e-7
"""Power of a window over that of the loudest one, below which it says nothing."""
USUAL_SHARE = 0.4
"""Of the windows that say something; where fewer have one delay, the effect has none (a
rectifier that passes nothing straight through, a vibrato)."""
CHUNK = 64

_Spectra = npt.NDArray[np.complex64]
_Indices = npt.NDArray[np.int64]


class Stray(NamedTuple):
    """Neighbouring windows that have one other delay than most.

    Attributes:
        start_s, stop_s: the windows' extent in the signals.
        delay_s: how much later the wet is than in most windows; negative is earlier.
        windows: how many windows say so; two or more overlap by half.
        is_at_edge: whether no window before, or none behind, says otherwise.
    """

    start_s: float
    stop_s: float
    delay_s: float
    windows: int
    is_at_edge: bool


class _Layout(NamedTuple):
    dry: Samples
    wet: Samples  # with ``reach`` zeros before
    rate_hz: int
    window: int
    reach: int
    size: int  # of the transforms
    tolerance: int


def strays(dry: Samples, wet: Samples, sample_rate_hz: int) -> list[Stray]:
    """Find the spans whose delay differs from that of most of the take.

    Args:
        dry: shape ``(samples,)``, at least one window of ``WINDOW_S``.
        wet: shape ``(samples,)``, aligned within a few milliseconds.
        sample_rate_hz: of both.

    Returns:
        In order of time. Windows in which nothing can be told (silence, noise) neither
        agree nor disagree, and do not part a span. None where few have one delay.
    """
    layout = _layout(dry, wet, sample_rate_hz)
    last = len(layout.dry) - layout.window
    starts = np.unique(np.append(np.arange(0, last, round(HOP_S * layout.rate_hz)), last))
    power = np.array([np.mean(np.square(layout.dry[s : s + layout.window])) for s in starts])
    starts = starts[power > SOUNDING * power.max()]
    if not len(starts):
        return []
    response = _response(layout, starts)
    chunks = (starts[first : first + CHUNK] for first in range(0, len(starts), CHUNK))
    parts = [_judged(_correlations(layout, own, response), layout) for own in chunks]
    lags, agrees, disagrees = (np.concatenate(part) for part in zip(*parts, strict=True))
    if disagrees.any():
        # A window that is nearly silent beside a loud note finds the note. It does not
        # where the wet signal is heard through the same taper as the dry one.
        in_place = _correlations(layout, starts[disagrees], response, is_in_place=True)
        disagrees[disagrees] = ~_judged(in_place, layout)[1]
    told = agrees | disagrees
    if agrees.sum() < USUAL_SHARE * told.sum():
        return []
    return _spans(starts[told], lags[told], disagrees[told], layout)


def _layout(dry: Samples, wet: Samples, sample_rate_hz: int) -> _Layout:
    rate_hz = min(LOW_RATE_HZ, sample_rate_hz)
    low_dry, low_wet = (
        np.asarray(soxr.resample(signal, sample_rate_hz, rate_hz, quality="MQ"), np.float32)
        for signal in (dry, wet)
    )
    window, reach = round(WINDOW_S * rate_hz), round(REACH_S * rate_hz)
    return _Layout(
        low_dry,
        np.pad(low_wet, (reach, reach + window)),
        rate_hz,
        window,
        reach,
        fft.next_fast_len(window + 2 * reach, real=True),
        round(AGREEMENT_S * rate_hz),
    )


def _whitened(layout: _Layout, starts: _Indices, is_in_place: bool = False) -> _Spectra:
    """Phases of the cross-spectra, shape ``(windows, frequencies)``; lag ``-reach`` is time 0."""
    heard = layout.window + 2 * layout.reach
    taper = np.hanning(layout.window).astype(np.float32)
    x = np.stack([layout.dry[s : s + layout.window] for s in starts]) * taper
    y = np.stack([layout.wet[s : s + heard] for s in starts])
    if is_in_place:
        y *= np.pad(taper, layout.reach)
    cross = fft.rfft(x, layout.size).conj() * fft.rfft(y, layout.size)
    magnitude = np.abs(cross)
    floor = 0.01 * magnitude.mean(axis=1, keepdims=True) + np.finfo(np.float32).tiny
    return np.asarray(cross / (magnitude + floor), np.complex64)


def _response(layout: _Layout, starts: _Indices) -> _Spectra:
    """Phase of the effect at each frequency, times how steady it is, at the usual delay."""
    chosen = starts[:: -(-len(starts) // REFERENCE_WINDOWS)]
    spectra = _whitened(layout, chosen)
    lags = np.abs(fft.irfft(spectra, layout.size)[:, : 2 * layout.reach + 1]).argmax(axis=1)
    counts = np.bincount(lags, minlength=2 * layout.reach + 1)
    votes = np.convolve(counts, np.ones(2 * layout.tolerance + 1), "same")
    near = round(RESPONSE_S * layout.rate_hz)
    usual = layout.reach - near + int(votes[layout.reach - near :][: 2 * near + 1].argmax())
    usual_only = spectra[np.abs(lags - usual) <= layout.tolerance]
    pulse = fft.irfft(usual_only.sum(axis=0), layout.size)
    pulse[np.abs(np.arange(layout.size) - usual) > near] = 0
    return np.asarray(fft.rfft(pulse), np.complex64)


def _correlations(
    layout: _Layout, starts: _Indices, response: _Spectra, is_in_place: bool = False
) -> npt.NDArray[np.float32]:
    """Magnitudes, shape ``(windows, lags)``, at lags from ``-reach`` to ``reach``."""
    spectra = _whitened(layout, starts, is_in_place)
    lags = fft.irfft(spectra * response.conj(), layout.size)
    return np.abs(np.hstack([lags[:, -layout.reach :], lags[:, : layout.reach + 1]]))


def _judged(
    correlations: npt.NDArray[np.float32], layout: _Layout
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Of each window: lag of its peak, whether it clearly agrees, or clearly disagrees."""
    reach, tolerance = layout.reach, layout.tolerance
    peaks = correlations.max(axis=1)
    at = correlations.argmax(axis=1)
    rms = np.sqrt(np.mean(np.square(correlations), axis=1))
    expected = correlations[:, reach - tolerance : reach + tolerance + 1].max(axis=1)
    is_clear = peaks > CLEAR_PEAK * rms
    agrees = is_clear & (np.abs(at - reach) <= tolerance)
    disagrees = is_clear & (expected < RIVAL_SHARE * peaks)
    return _between(correlations, at) - reach, agrees, disagrees


def _between(
    correlations: npt.NDArray[np.float32], at: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """Peaks to a fraction of a sample: the top of a parabola through three."""
    inner = np.clip(at, 1, correlations.shape[1] - 2)
    rows = np.arange(len(at))
    before, here, after = (correlations[rows, inner + step].astype(float) for step in (-1, 0, 1))
    bend = np.minimum(before - 2 * here + after, -np.finfo(np.float64).tiny)
    return np.asarray(at + np.clip(0.5 * (before - after) / bend, -0.5, 0.5), np.float64)


def _spans(
    starts: _Indices,
    lags: npt.NDArray[np.float64],
    disagrees: npt.NDArray[np.bool_],
    layout: _Layout,
) -> list[Stray]:
    same = SAME_JUMP_S * layout.rate_hz
    edges = np.flatnonzero(
        (np.diff(disagrees.astype(int)) != 0) | (disagrees[1:] & (np.abs(np.diff(lags)) > same))
    )
    found = []
    for own in np.split(np.arange(len(starts)), edges + 1):
        if len(own) and disagrees[own[0]]:
            found.append(
                Stray(
                    float(starts[own[0]]) / layout.rate_hz,
                    float(starts[own[-1]] + layout.window) / layout.rate_hz,
                    float(np.median(lags[own])) / layout.rate_hz,
                    len(own),
                    bool(own[0] == 0 or own[-1] == len(starts) - 1),
                )
            )
    return found
