"""A trained model over a whole signal: framed and exact.

Every output sample is the model's answer to its own frame, computed from zero state.
The signal goes through in blocks, so memory is bounded however long it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import numpy as np

from data import frames, splits
from data.audio import Samples
from data.frames import Stretch
from models.architecture import Architecture
from study.training.compiled import compiled_predict

BLOCK_SAMPLES = 2048


class Rendering(NamedTuple):
    """A prediction and what it took.

    Attributes:
        samples: as long as the input.
        seconds: wall time, compilation apart.
    """

    samples: Samples
    seconds: float


def render(
    architecture: Architecture,
    weights: list[jax.Array],
    dry: Samples,
    controls: Sequence[float] = (),
) -> Rendering:
    """Predict the wet signal of a dry one at a setting of the controls, sample for sample.

    The first ``frame_size - 1`` samples see zeros before the signal's start. Blocks
    have one length (the last is padded), so one compilation serves every signal.
    """
    predict = compiled_predict(architecture, BLOCK_SAMPLES)
    size = architecture.frame_size
    blocks = -(-len(dry) // BLOCK_SAMPLES)
    padded = frames.with_history(dry, size)
    padded = np.pad(padded, (0, blocks * BLOCK_SAMPLES + size - 1 - len(padded)))
    padded = frames.with_controls(padded, controls)
    started = time.perf_counter()
    wet = [
        predict(weights, padded[start : start + BLOCK_SAMPLES + size - 1])
        for start in range(0, blocks * BLOCK_SAMPLES, BLOCK_SAMPLES)
    ]
    samples = np.concatenate([np.asarray(block) for block in wet])[: len(dry)]
    return Rendering(samples, time.perf_counter() - started)


def render_stretches(
    render_one: Callable[[Samples], Rendering], dry: Samples, stretches: Sequence[Stretch]
) -> Rendering:
    """The scored part of each stretch, rendered by itself, end to end.

    Nothing reaches from one stretch into another; the seconds are those of the whole
    stretches, lead-ins included.

    Args:
        render_one: what renders one signal, framed or otherwise.
        dry: the whole dry signal.
        stretches: parts of it.
    """
    parts = [render_one(dry[s.start : s.stop]) for s in stretches]
    samples = splits.joined(part.samples for part in parts)
    return Rendering(samples, sum(part.seconds for part in parts))
