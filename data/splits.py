"""Train, validation and test, separated in time *before* anything is framed.

The signal is cut into segments (5 s by default) and whole segments are dealt to the
three parts, so that no training frame shares a sample with a test frame.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from data.audio import Samples
from data.errors import InputError
from data.frames import Span

SplitMode = Literal["random", "sequential"]

# The first samples of a span are rendered but not scored: their frames reach back
# before the span, where a model sees zeros and the device saw music. One length
# for every frame size up to 512, so that all models are scored on the same samples.
LEAD_IN_SAMPLES = 511


SEGMENTS_NEEDED = 10  # for one of validation, one of test and the rest to train on


@dataclass(frozen=True)
class Split:
    """The spans of each part, in order of time.

    Attributes:
        train, validation, test: non-overlapping spans; never empty.
    """

    train: tuple[Span, ...]
    validation: tuple[Span, ...]
    test: tuple[Span, ...]


def split(
    samples: int,
    sample_rate_hz: int,
    *,
    mode: SplitMode = "random",
    segment_seconds: float = 5.0,
    seed: int = 0,
) -> Split:
    """Deal segments 80/10/10 to train, validation and test.

    Args:
        samples: length of the signal.
        sample_rate_hz: its rate.
        mode: ``random`` deals shuffled segments; ``sequential`` gives the first 80 %
            to training, the next 10 % to validation and the last 10 % to the test.
        segment_seconds: length of a segment; a shorter last one is dropped.
        seed: of the shuffle.

    Raises:
        InputError: fewer than ten segments.
    """
    segment = round(segment_seconds * sample_rate_hz)
    count = samples // segment
    if count < SEGMENTS_NEEDED:
        raise InputError(
            "signal length",
            expected=f"at least {SEGMENTS_NEEDED} segments of {segment_seconds:g} s for an "
            "80/10/10 split",
            found=f"{samples / sample_rate_hz:.1f} s, {count} segments",
            remedy="Record at least a minute, or set a shorter segment_seconds in the grid.",
        )
    held_out = max(1, round(0.1 * count))
    order = np.arange(count)
    if mode == "random":
        order = np.random.default_rng(seed).permutation(count)
    ends = [0, count - 2 * held_out, count - held_out, count]
    train, validation, test = (
        tuple(Span(k * segment, (k + 1) * segment) for k in sorted(order[a:b].tolist()))
        for a, b in itertools.pairwise(ends)
    )
    return Split(train, validation, test)


def scored(signal: Samples, spans: Sequence[Span], lead_in: int = LEAD_IN_SAMPLES) -> Samples:
    """The samples of the spans that count, end to end, lead-ins left out."""
    return joined([signal[s.start : s.stop] for s in spans], lead_in)


def scored_lengths(spans: Sequence[Span], lead_in: int = LEAD_IN_SAMPLES) -> list[int]:
    """How many samples of each span count; none of one that is all lead-in."""
    return [max(0, span.samples - lead_in) for span in spans]


def joined(parts: Iterable[Samples], lead_in: int = LEAD_IN_SAMPLES) -> Samples:
    """The same where every span is a signal of its own, as a model renders it."""
    return np.concatenate([part[lead_in:] for part in parts])
