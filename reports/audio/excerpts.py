"""Which moments of the test split to look at and to listen to, found in the signal itself.

The scored test split is several spans joined end to end, and a join looks like an
onset; so every choice keeps to one span.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.audio import Samples
from data.frames import Span
from data.splits import scored_lengths
from study.measures.onsets import rises

FLUX_WINDOW_S = 0.02
ROOM_AFTER_ONSET_S = 0.45
TRANSIENT_BEFORE_S, TRANSIENT_AFTER_S = 0.005, 0.025
STEADY_S = 0.025
STEADY_FROM_S, STEADY_TO_S = 0.15, 0.40
FADE_S = 0.005


@dataclass(frozen=True)
class Excerpt:
    """Samples ``start`` to ``stop`` (exclusive) of the scored test split."""

    start: int
    stop: int

    @property
    def samples(self) -> int:
        """How many it holds."""
        return self.stop - self.start

    def of(self, signal: Samples) -> Samples:
        """This part of a signal that is as long as the scored test split."""
        return signal[self.start : self.stop]


def spans(test: Sequence[Span]) -> list[Excerpt]:
    """Where each span of the test split lies once their scored parts are joined."""
    ends = np.cumsum(scored_lengths(test)).tolist()
    return [Excerpt(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True) if b > a]


def strongest_onset(dry: Samples, sample_rate_hz: int, parts: Sequence[Excerpt]) -> int:
    """The sample at which the energy grows most: the last 20 ms against the next 20 ms.

    Onsets with room for a sustained note after them come first; where no span is
    long enough for that, any counts.
    """
    window = min(round(FLUX_WINDOW_S * sample_rate_hz), max(1, len(dry) // 4))
    flux = rises(dry, window).flux
    for room in (round(ROOM_AFTER_ONSET_S * sample_rate_hz), 0):
        allowed = np.full(len(dry), -np.inf)
        for part in parts:
            inside = slice(part.start + window, max(part.start, part.stop - max(room, window)))
            allowed[inside] = flux[inside]
        if np.isfinite(allowed).any():
            return int(np.argmax(allowed))
    return parts[0].start


def around_onset(onset: int, sample_rate_hz: int, parts: Sequence[Excerpt]) -> Excerpt:
    """30 ms about an onset."""
    start = onset - round(TRANSIENT_BEFORE_S * sample_rate_hz)
    length = round((TRANSIENT_BEFORE_S + TRANSIENT_AFTER_S) * sample_rate_hz)
    return clamped(start, length, part_at(onset, parts))


def sustained(
    target: Samples, onset: int, sample_rate_hz: int, parts: Sequence[Excerpt]
) -> Excerpt:
    """25 ms of the note, 150 to 400 ms after its onset, where its level changes least.

    The quieter half of the candidates is left out: silence changes least of all.
    """
    length = round(STEADY_S * sample_rate_hz)
    first = onset + round(STEADY_FROM_S * sample_rate_hz)
    last = onset + round(STEADY_TO_S * sample_rate_hz)
    part = part_at(onset, parts)
    step = max(1, round(0.005 * sample_rate_hz))
    candidates = [clamped(start, length, part) for start in range(first, last, step)]
    energies = [_halves(excerpt.of(target)) for excerpt in candidates]
    middle = float(np.median([a + b for a, b in energies]))
    changes = [
        abs(a - b) / (a + b) if a + b >= middle and a + b > 0 else np.inf for a, b in energies
    ]
    return candidates[int(np.argmin(changes))]


def seconds_around(
    onset: int, seconds: float, sample_rate_hz: int, parts: Sequence[Excerpt]
) -> Excerpt:
    """A longer excerpt that begins shortly before an onset."""
    start = onset - round(0.1 * seconds * sample_rate_hz)
    return clamped(start, round(seconds * sample_rate_hz), part_at(onset, parts))


def phrases(
    dry: Samples, sample_rate_hz: int, parts: Sequence[Excerpt], seconds: float
) -> list[Excerpt]:
    """Excerpts of so many seconds in all with the most onsets, in order of time.

    Music has more onsets than sweeps and swells have, so music is what people hear.
    """
    wanted = round(seconds * sample_rate_hz)
    flux = np.maximum(rises(dry, max(1, round(FLUX_WINDOW_S * sample_rate_hz))).flux, 0)
    pieces = [
        Excerpt(start, min(start + wanted, part.stop))
        for part in parts
        for start in range(part.start, part.stop, max(1, wanted))
    ]
    chosen: list[Excerpt] = []
    for piece in sorted(pieces, key=lambda p: -float(flux[p.start : p.stop].mean())):
        missing = wanted - sum(excerpt.samples for excerpt in chosen)
        if missing > 0:
            chosen.append(Excerpt(piece.start, min(piece.stop, piece.start + missing)))
    return sorted(chosen, key=lambda excerpt: excerpt.start)


def worst(
    target: Samples,
    prediction: Samples,
    seconds: float,
    sample_rate_hz: int,
    parts: Sequence[Excerpt],
) -> Excerpt:
    """The window of so many seconds with the highest ESR; it keeps to one span.

    Windows with less than a tenth of the usual energy are left out: near silence any
    error is large in relation.
    """
    error = np.cumsum(np.r_[0.0, (prediction - target).astype(np.float64) ** 2])
    energy = np.cumsum(np.r_[0.0, target.astype(np.float64) ** 2])
    length, step = round(seconds * sample_rate_hz), max(1, round(0.1 * sample_rate_hz))
    windows = [
        clamped(start, length, part)
        for part in parts
        for start in range(part.start, max(part.start + 1, part.stop - length + 1), step)
    ]
    usual = energy[-1] / len(target)

    def esr(window: Excerpt) -> float:
        own = energy[window.stop] - energy[window.start]
        if own < 0.1 * usual * window.samples:
            return -1.0
        return float((error[window.stop] - error[window.start]) / own)

    return max(windows, key=esr)


def joined(signal: Samples, pieces: Sequence[Excerpt], sample_rate_hz: int) -> Samples:
    """The excerpts end to end, each faded in and out over 5 ms so that joins do not click."""
    return np.concatenate([_faded(piece.of(signal), sample_rate_hz) for piece in pieces])


def clamped(start: int, length: int, part: Excerpt) -> Excerpt:
    """So many samples from ``start``, moved or shortened to stay inside a span."""
    begin = max(part.start, min(start, part.stop - length))
    return Excerpt(begin, min(begin + length, part.stop))


def part_at(sample: int, parts: Sequence[Excerpt]) -> Excerpt:
    """The span that holds a sample."""
    return next(part for part in parts if part.start <= sample < part.stop)


def _halves(samples: Samples) -> tuple[float, float]:
    squares = samples.astype(np.float64) ** 2
    middle = len(squares) // 2
    return float(squares[:middle].sum()), float(squares[middle:].sum())


def _faded(samples: Samples, sample_rate_hz: int) -> Samples:
    fade = min(round(FADE_S * sample_rate_hz), len(samples) // 2)
    ramp = np.sin(0.5 * np.pi * (np.arange(fade) + 0.5) / max(fade, 1)) ** 2
    envelope = np.ones(len(samples))
    envelope[:fade], envelope[len(samples) - fade :] = ramp, ramp[::-1]
    return np.asarray(samples * envelope, np.float32)
