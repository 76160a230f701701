"""A recurrent model over whole signals with its state carried from sample to sample.

The weights are those of the framed model; the function is not, so its figures stand in
rows of their own.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from data.audio import Samples
from models.architecture import Architecture
from models.streaming import build_streaming, state_sizes
from study.rendering.framed import Prediction

BLOCK_SAMPLES = 4096

Signals = npt.NDArray[np.float32]


def stream(
    architecture: Architecture,
    weights: list[jax.Array],
    signals: Signals,
    controls: Sequence[float] = (),
) -> Signals:
    """The model's answer to signals of equal length, each from zero state.

    Args:
        architecture: of a recurrent family.
        weights: of the framed model.
        signals: dry, shape ``(count, samples)``.
        controls: setting of the effect, the same for all.

    Returns:
        Wet, shape ``(count, samples)``.
    """
    count, samples = signals.shape
    step = compiled_step(architecture, count, BLOCK_SAMPLES)
    blocks = -(-samples // BLOCK_SAMPLES)
    padded = np.pad(signals, ((0, 0), (0, blocks * BLOCK_SAMPLES - samples)))[..., None]
    setting = np.asarray(controls, np.float32)
    channels = np.broadcast_to(setting, (*padded.shape[:2], len(controls)))
    padded = np.concatenate([padded, channels], axis=-1)
    states = zero_states(architecture, count)
    wet = []
    for start in range(0, blocks * BLOCK_SAMPLES, BLOCK_SAMPLES):
        block, *states = step(weights, padded[:, start : start + BLOCK_SAMPLES], states)
        wet.append(np.asarray(block[..., 0]))
    return np.concatenate(wet, axis=1)[:, :samples]


def render_streaming(
    architecture: Architecture,
    weights: list[jax.Array],
    dry: Samples,
    controls: Sequence[float] = (),
) -> Prediction:
    """Predict the wet signal of a dry one, from zero state, sample for sample."""
    compiled_step(architecture, 1, BLOCK_SAMPLES)  # not timed
    started = time.perf_counter()
    samples = stream(architecture, weights, dry[None], controls)[0]
    return Prediction(samples, time.perf_counter() - started)


def zero_states(architecture: Architecture, count: int) -> list[jax.Array]:
    """What ``count`` models carry before their first sample."""
    return [jnp.zeros((count, size), jnp.float32) for size in state_sizes(architecture)]


@lru_cache(maxsize=32)
def compiled_step(architecture: Architecture, count: int, block_samples: int) -> Any:
    """``(weights, block, states) -> [wet block, *states]``, compiled ahead.

    Blocks have the shape ``(count, block_samples, 1 + controls)``.
    """
    model = build_streaming(architecture)
    fixed = [jnp.asarray(v.value) for v in model.non_trainable_variables]

    def step(weights: list[jax.Array], block: jax.Array, states: list[jax.Array]) -> list[Any]:
        outputs: list[Any] = model.stateless_call(weights, fixed, [block, *states])[0]
        return outputs

    weights = [jnp.asarray(v.value) for v in model.trainable_variables]
    block = jnp.zeros((count, block_samples, architecture.inputs), jnp.float32)
    return jax.jit(step).lower(weights, block, zero_states(architecture, count)).compile()
