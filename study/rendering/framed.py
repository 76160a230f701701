"""A trained model over a whole signal: framed and exact.

Every output sample is the model's answer to its own frame, computed from zero state.
The signal goes through in blocks, so memory is bounded however long it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from data import frames, splits
from data.audio import Samples
from data.frames import Span
from models.architecture import Architecture
from models.framed import build

BLOCK_SAMPLES = 2048
# Frames that are predicted together; few enough that their states stay in the cache.
FRAMES_AT_ONCE = 128


class Prediction(NamedTuple):
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
) -> Prediction:
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
    return Prediction(samples, time.perf_counter() - started)


def render_spans(
    render_one: Callable[[Samples], Prediction], dry: Samples, spans: Sequence[Span]
) -> Prediction:
    """The scored part of each span, rendered by itself, end to end.

    Nothing reaches from one span into another; the seconds are those of the whole
    spans, lead-ins included.

    Args:
        render_one: what renders one signal, framed or otherwise.
        dry: the whole dry signal.
        spans: parts of it.
    """
    parts = [render_one(dry[s.start : s.stop]) for s in spans]
    samples = splits.joined(part.samples for part in parts)
    return Prediction(samples, sum(part.seconds for part in parts))


@lru_cache(maxsize=32)
def compiled_predict(architecture: Architecture, samples: int) -> Callable[..., jax.Array]:
    """The prediction of a block, compiled ahead so that renderings can be timed without that.

    Args:
        architecture: of the model; the one in here is a template, weights come in as arguments.
        samples: wet samples a block, a multiple of ``FRAMES_AT_ONCE``.

    Returns:
        A function of weights and ``samples + frame_size - 1`` dry samples, with the controls
        beside each if there are any, to the samples that the frames inside end at.
    """
    model = build(architecture, seed=0, fused=True)
    # Recurrent layers keep a random seed for dropout, which none of ours has.
    fixed = [jnp.asarray(v.value) for v in model.non_trainable_variables]
    size, controls = architecture.frame_size, architecture.controls

    @jax.jit
    def predict(weights: list[jax.Array], block: jax.Array) -> jax.Array:
        def some(targets: jax.Array) -> jax.Array:
            inputs = frames.gather(block, targets, size)
            outputs: jax.Array = model.stateless_call(weights, fixed, inputs)[0]
            return outputs[:, 0]

        targets = np.arange(size - 1, block.shape[0], dtype=np.int32)
        answers: jax.Array = jax.lax.map(some, targets.reshape(-1, FRAMES_AT_ONCE))
        return answers.reshape(-1)

    dry = (samples + size - 1, 1 + controls) if controls else (samples + size - 1,)
    shapes = [
        jax.ShapeDtypeStruct(tuple(shape), np.float32)  # type: ignore[no-untyped-call]
        for shape in (dry, *(v.shape for v in model.trainable_variables))
    ]
    return predict.lower(shapes[1:], shapes[0]).compile()
