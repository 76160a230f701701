"""A trained model as a processor of consecutive blocks of sound, its past carried along.

Both kinds answer blocks of one fixed size, every channel by itself, and together the
answers are exactly the rendering of the whole signal.
"""

from __future__ import annotations

from typing import Protocol

import jax
import numpy as np

from data.audio_streams import Chunk
from models.architecture import Architecture
from study.rendering.framed import FRAMES_AT_ONCE, compiled_predict
from study.rendering.streaming import compiled_step, zero_states


class BlockModel(Protocol):
    """Takes dry blocks of shape ``(block_samples, channels)`` and gives wet ones."""

    block_samples: int

    def __call__(self, dry: Chunk) -> Chunk:
        """The wet block of the dry block that follows the one before."""


class StreamingModel:
    """A recurrent model whose state goes on from block to block.

    Args:
        architecture: of a recurrent family.
        weights: in the order of ``build_streaming(architecture).trainable_variables``.
        channels: signals that are worked on side by side.
        block_samples: of every block.
    """

    def __init__(
        self,
        architecture: Architecture,
        weights: list[jax.Array],
        channels: int,
        block_samples: int,
    ) -> None:
        self.block_samples = block_samples
        self._weights = weights
        self._step = compiled_step(architecture, channels, block_samples)
        self._states = zero_states(architecture, channels)

    def __call__(self, dry: Chunk) -> Chunk:
        """The wet block of the dry block that follows the one before."""
        block = np.ascontiguousarray(dry.T)[..., None]
        wet, *self._states = self._step(self._weights, block, self._states)
        return np.asarray(wet)[..., 0].T


class FramedModel:
    """A model that answers every sample from its own frame, the last frame's dry samples kept.

    Args:
        architecture: of any family.
        weights: in the order of ``build(architecture, seed).trainable_variables``.
        channels: signals that are worked on one after the other.
        block_samples: of every block, a multiple of ``FRAMES_AT_ONCE``.
    """

    def __init__(
        self,
        architecture: Architecture,
        weights: list[jax.Array],
        channels: int,
        block_samples: int,
    ) -> None:
        if block_samples % FRAMES_AT_ONCE:
            raise ValueError(f"{block_samples} is no multiple of {FRAMES_AT_ONCE}")
        self.block_samples = block_samples
        self._weights = weights
        self._predict = compiled_predict(architecture, block_samples)
        self._history = np.zeros((architecture.frame_size - 1, channels), np.float32)

    def __call__(self, dry: Chunk) -> Chunk:
        """The wet block of the dry block that follows the one before."""
        seen = np.concatenate([self._history, dry])
        self._history = seen[len(dry) :]
        wet = [self._predict(self._weights, np.ascontiguousarray(channel)) for channel in seen.T]
        return np.stack([np.asarray(channel) for channel in wet], axis=1)
