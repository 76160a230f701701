"""Running a circuit at a multiple of the audio rate, without delay and in blocks.

A clipper makes harmonics far beyond the audio band. Solved at the audio rate they
would fold back as aliases; solved at 8 times that rate or more they are mostly
above the audio band still and are filtered out on the way down.
"""

from __future__ import annotations

from math import ceil
from typing import Protocol

import numpy as np
import numpy.typing as npt
import soxr

Volts = npt.NDArray[np.float64]

MINIMUM_FACTOR = 8
MINIMUM_INTERNAL_RATE_HZ = 8 * 44_100
BLOCK_SAMPLES = 1 << 14


class CircuitModel(Protocol):
    """A circuit being solved: it keeps its capacitors' charge from block to block."""

    def process(self, input_v: Volts) -> Volts:
        """Output voltages of the next block, shape ``(samples,)`` as the input's."""
        ...


def oversampling_factor(sample_rate_hz: int) -> int:
    """Smallest whole factor of at least 8 that reaches 352.8 kHz.

    The second bound keeps the circuits equally accurate at low audio rates.
    """
    return max(MINIMUM_FACTOR, ceil(MINIMUM_INTERNAL_RATE_HZ / sample_rate_hz))


def process_oversampled(
    model: CircuitModel,
    input_v: Volts,
    sample_rate_hz: int,
    factor: int,
    block_samples: int = BLOCK_SAMPLES,
) -> Volts:
    """Solve a circuit at ``factor`` times the sample rate.

    Both conversions are soxr's very-high-quality linear-phase filter with its delay
    removed, so the output is aligned with the input but for the circuit's own phase.
    Blocks bound the memory: the oversampled signal never exists as a whole.

    Args:
        model: a circuit set up for the rate ``factor * sample_rate_hz``, at rest.
        input_v: shape ``(samples,)``, volts.
        sample_rate_hz: rate of the input and of the output.
        factor: whole oversampling factor.
        block_samples: input samples a block; it changes the speed, not the result.

    Returns:
        Volts, shape ``(samples,)``.
    """
    internal_rate_hz = factor * sample_rate_hz
    up = soxr.ResampleStream(sample_rate_hz, internal_rate_hz, 1, "float64", "VHQ")
    down = soxr.ResampleStream(internal_rate_hz, sample_rate_hz, 1, "float64", "VHQ")
    blocks = []
    for start in range(0, len(input_v), block_samples):
        last = start + block_samples >= len(input_v)
        raised = up.resample_chunk(input_v[start : start + block_samples], last)
        # The filter may hold back all of a short block; SciPy's filters mishandle no samples.
        solved = model.process(raised) if len(raised) else raised
        blocks.append(down.resample_chunk(solved, last))
    return np.concatenate(blocks) if blocks else np.empty(0)
