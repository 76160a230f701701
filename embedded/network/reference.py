"""What a model computes, in float64 and in so many words: the yardstick for the C code.

Written from the equations of the Keras 3 documentation: LSTM gates in the order input,
forget, candidate, output; GRU with ``reset_after=True`` and gates in the order update,
reset, candidate; Conv1D without padding, or of the past.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.architecture import Architecture
from models.families import CONV_FIRST_STRIDE, LEAKY_SLOPE, dilations

Weights: TypeAlias = Sequence[NDArray[np.floating]]
"""Arrays in the order of ``model.trainable_variables``."""
Signal64: TypeAlias = NDArray[np.float64]
Tanh: TypeAlias = Callable[[Signal64], Signal64]
Hidden: TypeAlias = Callable[[Architecture, list[Signal64], Signal64, Tanh], Signal64]
"""``(architecture, weights, dry, tanh)`` to what the output layer sees, ``(samples, channels)``."""


def respond(
    architecture: Architecture,
    weights: Weights,
    dry: NDArray[np.floating],
    tanh: Tanh = np.tanh,
) -> Signal64:
    """The wet signal, shape ``(samples,)``, from silence before the first sample.

    Families that stream carry their state from sample to sample. The others
    answer every sample from its own frame. Another ``tanh`` shows what an approximation
    of it costs.
    """
    arrays = [np.asarray(array, np.float64) for array in weights]
    signal = np.asarray(dry, np.float64)
    hidden = HIDDEN[architecture.family](architecture, arrays, signal, tanh)
    wet = (hidden @ arrays[-2] + arrays[-1])[:, 0]
    return wet + signal if architecture.residual else wet


def recurrent(step: Callable[..., Signal64]) -> Hidden:
    """Layers of ``(tanh, x, kernel, recurrent kernel, bias)`` to their answers."""

    def hidden(a: Architecture, arrays: list[Signal64], signal: Signal64, tanh: Tanh) -> Signal64:
        answers, own = signal[:, None], arrays
        if a.features:
            answers, own = _features(signal, arrays[0][:, 0]), arrays[1:]
        for layer in range(a.layers):
            answers = step(tanh, answers, *own[3 * layer : 3 * layer + 3])
        return answers

    return hidden


def _features(signal: Signal64, kernel: Signal64) -> Signal64:
    """Linear features of the frame that ends at every sample, the oldest tap first."""
    padded = np.concatenate([np.zeros(len(kernel) - 1), signal])
    features: Signal64 = sliding_window_view(padded, len(kernel)) @ kernel
    return features


def _sigmoid(tanh: Tanh, x: Signal64) -> Signal64:
    return 0.5 + 0.5 * tanh(0.5 * x)


def _lstm(
    tanh: Tanh, x: Signal64, kernel: Signal64, recurrent: Signal64, bias: Signal64
) -> Signal64:
    fed = x @ kernel + bias
    units = len(recurrent)
    outputs = np.empty((len(x), units))
    hidden, cell = np.zeros(units), np.zeros(units)
    for n in range(len(x)):
        i, f, g, o = np.split(fed[n] + hidden @ recurrent, 4)
        cell = _sigmoid(tanh, f) * cell + _sigmoid(tanh, i) * tanh(g)
        hidden = outputs[n] = _sigmoid(tanh, o) * tanh(cell)
    return outputs


def _gru(
    tanh: Tanh, x: Signal64, kernel: Signal64, recurrent: Signal64, bias: Signal64
) -> Signal64:
    fed = x @ kernel + bias[0]
    units = len(recurrent)
    outputs = np.empty((len(x), units))
    hidden = np.zeros(units)
    for n in range(len(x)):
        from_input = np.split(fed[n], 3)
        from_state = np.split(hidden @ recurrent + bias[1], 3)
        update = _sigmoid(tanh, from_input[0] + from_state[0])
        reset = _sigmoid(tanh, from_input[1] + from_state[1])
        candidate = tanh(from_input[2] + reset * from_state[2])
        hidden = outputs[n] = update * hidden + (1 - update) * candidate
    return outputs


def _rnn(
    tanh: Tanh, x: Signal64, kernel: Signal64, recurrent: Signal64, bias: Signal64
) -> Signal64:
    fed = x @ kernel + bias
    outputs = np.empty((len(x), len(recurrent)))
    hidden = np.zeros(len(recurrent))
    for n in range(len(x)):
        hidden = outputs[n] = tanh(fed[n] + hidden @ recurrent)
    return outputs


def _frames(a: Architecture, signal: Signal64) -> Signal64:
    padded = np.concatenate([np.zeros(a.frame_size - 1), signal])
    return sliding_window_view(padded, a.frame_size)


def _dense(a: Architecture, arrays: list[Signal64], signal: Signal64, tanh: Tanh) -> Signal64:
    hidden = _frames(a, signal)
    for layer in range(a.layers):
        hidden = tanh(hidden @ arrays[2 * layer] + arrays[2 * layer + 1])
    return hidden


def _conv(a: Architecture, arrays: list[Signal64], signal: Signal64, tanh: Tanh) -> Signal64:
    hidden = _frames(a, signal)[:, :, None]
    for layer in range(a.layers):
        kernel, bias = arrays[2 * layer : 2 * layer + 2]
        stride = CONV_FIRST_STRIDE if layer == 0 else 1
        hidden = tanh(_convolve(hidden, kernel, bias, stride))
    return hidden.reshape(len(signal), -1)


def _convolve(x: Signal64, kernel: Signal64, bias: Signal64, stride: int) -> Signal64:
    """One layer's sums on ``(frames, positions, channels)``, counted from the frame's end."""
    taps = len(kernel)
    oldest = (x.shape[1] - taps) % stride
    windows = sliding_window_view(x[:, oldest:], taps, axis=1)[:, ::stride]
    return np.einsum("npct,tco->npo", windows, kernel) + bias


def _dilated(a: Architecture, arrays: list[Signal64], signal: Signal64, tanh: Tanh) -> Signal64:
    """The equations of ``models.families.DilatedConv``; no activation of it is a tanh."""
    del tanh
    u = signal[:, None]
    x, summed = u @ arrays[0], np.zeros((len(u), a.units))
    for layer, dilation in enumerate(dilations(a)):
        own = arrays[1 + 5 * layer : 6 + 5 * layer]
        kernel, bias, mix = own[:3]
        product = bias + u @ mix
        for back, taps in enumerate(kernel[::-1]):
            delay = back * dilation
            product[delay:] += x[: max(0, len(x) - delay)] @ taps
        answer = np.where(product > 0, product, LEAKY_SLOPE * product)
        summed += answer
        if layer < a.layers - 1:
            x = x + answer @ own[3] + own[4]
    return summed


HIDDEN: dict[str, Hidden] = {
    "lstm": recurrent(_lstm),
    "gru": recurrent(_gru),
    "rnn": recurrent(_rnn),
    "dense": _dense,
    "conv": _conv,
    "tcn": _dilated,
}
