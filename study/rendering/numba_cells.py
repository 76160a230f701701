"""Models that carry a state sample by sample in compiled loops, for playing live.

XLA hands a call over to threads of its own, and on a busy machine the answer comes back
ten milliseconds late now and then, which is a gap in the sound. These loops run where they
are called. Gates as in Keras: LSTM i, f, c, o; GRU z, r, h with ``reset_after``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from data.audio_streams import Chunk
from data.compiled import compiled
from models.architecture import Architecture
from models.families import LEAKY_SLOPE, dilations, pasts

Array = npt.NDArray[np.float32]

_WEIGHTS_PER_LAYER = 3


class SteppedModel:
    """A model whose state goes on from block to block; mono.

    Args:
        architecture: one that ``objection`` has nothing against.
        weights: in the order of ``build_streaming(architecture).trainable_variables``.
        block_samples: of every block.
    """

    def __init__(self, architecture: Architecture, weights: list[Any], block_samples: int) -> None:
        if reason := objection(architecture):
            raise ValueError(reason)
        self.block_samples = block_samples
        self._residual = architecture.residual
        arrays = [np.ascontiguousarray(value, np.float32) for value in weights]
        self._hidden = CELLS[architecture.family](architecture, arrays[:-2])
        self._output, self._bias = arrays[-2:]

    def __call__(self, dry: Chunk) -> Chunk:
        """The wet block, ``(samples, 1)``, of the dry block that follows the one before."""
        wet = self._hidden(np.ascontiguousarray(dry)) @ self._output + self._bias
        return np.asarray(wet + dry if self._residual else wet)


def objection(a: Architecture) -> str | None:
    """Why a model has no compiled loop, or None; it plays through Keras then."""
    if a.family not in CELLS:
        return f"no compiled loop of a {a.family} model"
    return "no compiled loop of a model with controls" if a.controls else None


@numba.njit()
def _sigmoid(x: float) -> float:
    return np.float32(1) / (np.float32(1) + np.exp(-x))


@numba.njit()
def _added(sums: Array, values: Array, matrix: Array) -> None:
    """``sums += values @ matrix``, without an array in between."""
    for k in range(len(values)):
        for j in range(len(sums)):
            sums[j] += values[k] * matrix[k, j]


@compiled
def _lstm(x: Array, kernel: Array, recurrent: Array, bias: Array, state: Array) -> Array:
    units = len(recurrent)
    hidden, cell = state
    wet = np.empty((len(x), units), np.float32)
    for n in range(len(x)):
        sums = bias.copy()
        _added(sums, x[n], kernel)
        _added(sums, hidden, recurrent)
        for k in range(units):
            forget, take = _sigmoid(sums[units + k]), _sigmoid(sums[k])
            cell[k] = forget * cell[k] + take * np.tanh(sums[2 * units + k])
            hidden[k] = _sigmoid(sums[3 * units + k]) * np.tanh(cell[k])
        wet[n] = hidden
    return wet


@compiled
def _gru(x: Array, kernel: Array, recurrent: Array, bias: Array, state: Array) -> Array:
    units = len(recurrent)
    hidden = state[0]
    wet = np.empty((len(x), units), np.float32)
    for n in range(len(x)):
        fed, kept = bias[0].copy(), bias[1].copy()
        _added(fed, x[n], kernel)
        _added(kept, hidden, recurrent)
        for k in range(units):
            update = _sigmoid(fed[k] + kept[k])
            reset = _sigmoid(fed[units + k] + kept[units + k])
            candidate = np.tanh(fed[2 * units + k] + reset * kept[2 * units + k])
            hidden[k] = update * hidden[k] + (np.float32(1) - update) * candidate
        wet[n] = hidden
    return wet


@compiled
def _rnn(x: Array, kernel: Array, recurrent: Array, bias: Array, state: Array) -> Array:
    hidden = state[0]
    wet = np.empty((len(x), len(hidden)), np.float32)
    for n in range(len(x)):
        sums = bias.copy()
        _added(sums, x[n], kernel)
        _added(sums, hidden, recurrent)
        for k in range(len(hidden)):
            hidden[k] = np.tanh(sums[k])
        wet[n] = hidden
    return wet


class _Recurrent:
    """Layers of ``(x, kernel, recurrent kernel, bias, state)`` to their answers.

    The state, ``(2, units)``, is changed in place.
    """

    def __init__(self, layer: Any, a: Architecture, arrays: list[Array]) -> None:
        self._layer = layer
        self._history = np.zeros(a.history, np.float32)
        self._features = arrays[0][:, 0] if a.features else None
        own = arrays[1:] if a.features else arrays
        self._layers = [
            own[k : k + _WEIGHTS_PER_LAYER]
            for k in range(0, _WEIGHTS_PER_LAYER * a.layers, _WEIGHTS_PER_LAYER)
        ]
        self._states = [np.zeros((2, a.units), np.float32) for _ in self._layers]

    def __call__(self, dry: Array) -> Array:
        hidden = dry
        if self._features is not None:
            seen = np.concatenate([self._history, dry[:, 0]])
            self._history = seen[len(dry) :]
            frames = np.lib.stride_tricks.sliding_window_view(seen, len(self._features))
            hidden = np.ascontiguousarray(frames @ self._features)
        for weights, state in zip(self._layers, self._states, strict=True):
            hidden = self._layer(hidden, *weights, state)
        return hidden


class _Dilated:
    """The equations of ``models.families.DilatedConv``, each layer's past in a ring."""

    def __init__(self, a: Architecture, arrays: list[Array]) -> None:
        self._first, own = arrays[0], arrays[1:]
        self._layers = [own[5 * layer : 5 * layer + 5] for layer in range(a.layers)]
        self._dilations = dilations(a)
        self._rings = [np.zeros((past, a.units), np.float32) for past in pasts(a)]
        self._samples = 0

    def __call__(self, dry: Array) -> Array:
        signal = dry @ self._first
        together = np.zeros_like(signal)
        for weights, dilation, ring in zip(self._layers, self._dilations, self._rings, strict=True):
            kernel, bias, mix, *join = weights
            at = self._samples % len(ring)
            answer = _convolved(signal, dry, kernel, bias, mix, dilation, ring, at)
            together += answer
            if join:
                signal = signal + answer @ join[0] + join[1]
        self._samples += len(dry)
        return together


@compiled
def _convolved(
    x: Array,
    dry: Array,
    kernel: Array,
    bias: Array,
    mix: Array,
    dilation: int,
    ring: Array,
    at: int,
) -> Array:
    """A layer's answers; its inputs take the place of the ring's oldest, which lies at ``at``."""
    past, newest = len(ring), len(kernel) - 1
    answers = np.empty_like(x)
    for n in range(len(x)):
        sums = bias.copy()
        _added(sums, dry[n], mix)
        position = at
        for tap in range(newest):
            _added(sums, ring[position], kernel[tap])
            position += dilation
            if position >= past:
                position -= past
        _added(sums, x[n], kernel[newest])
        ring[at] = x[n]
        at = at + 1 if at + 1 < past else 0
        for k in range(len(sums)):
            answers[n, k] = max(sums[k], np.float32(LEAKY_SLOPE) * sums[k])
    return answers


# Hidden layers of a family, of its architecture and its weights without the output's, from dry
# samples, ``(samples, 1)``, to what the output layer sees. The others play through Keras.
CELLS: dict[str, Callable[[Architecture, list[Array]], Callable[[Array], Array]]] = {
    "lstm": partial(_Recurrent, _lstm),
    "gru": partial(_Recurrent, _gru),
    "rnn": partial(_Recurrent, _rnn),
    "tcn": _Dilated,
}
