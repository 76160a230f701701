"""The streaming twin of a framed recurrent model: the same weights, the state carried on.

A framed model starts every frame from zero state and so costs ``frame_size`` steps an
output sample; its twin takes one step. It is not the function that was trained, which
is why every table keeps the two apart.
"""

from __future__ import annotations

from typing import Any

import keras

from models.architecture import CONV_GRU_KERNEL, Architecture, is_recurrent
from models.framed import recurrent_layers


def build_streaming(architecture: Architecture) -> keras.Model:
    """A Keras model of one block of samples and the state before it.

    Inputs are the dry block, shape ``(batch, samples, 1 + controls)``, and what is carried from the
    one before, ``(batch, size)`` each of ``state_sizes``. Outputs are the wet block,
    ``(batch, samples, 1)``, and what the next block starts from, in the same order. The
    trainable variables are those of ``models.framed.build`` and ``models.sequence.build``,
    in their order.

    Raises:
        ValueError: the family has no state.
    """
    if not is_recurrent(architecture.family):
        raise ValueError(f"a {architecture.family} model has no state to carry")
    block = keras.Input((None, architecture.inputs), name="dry")
    before, after = [], []
    signal: Any = block
    if architecture.family == "conv_gru":
        history = keras.Input((CONV_GRU_KERNEL - 1,), name="history")
        past = keras.layers.Reshape((CONV_GRU_KERNEL - 1, 1))(history)
        signal = keras.layers.Concatenate(axis=1)([past, block])
        newest = signal[:, 1 - CONV_GRU_KERNEL :, 0]
        signal = keras.layers.Conv1D(
            architecture.units, CONV_GRU_KERNEL, activation="tanh", name="conv"
        )(signal)
        before.append(history)
        after.append(newest)
    for layer in recurrent_layers(architecture, seed=0, sequences=True, states=True):
        states = [
            keras.Input((architecture.units,), name=f"{layer.name}_state_{k}")
            for k in range(states_per_layer(architecture))
        ]
        signal, *carried = layer(signal, initial_state=states)
        before += states
        after += carried
    wet = keras.layers.Dense(1, name="wet")(signal)
    if architecture.residual:
        dry = block[..., :1] if architecture.controls else block
        wet = keras.layers.Add(name="residual")([wet, dry])
    return keras.Model([block, *before], [wet, *after])


def state_sizes(architecture: Architecture) -> list[int]:
    """Lengths of the arrays that are carried from sample to sample, in their order.

    Layer by layer the hidden and, for an LSTM, the cell state; before them, where a
    convolution comes first, the dry samples that it still needs, oldest first.
    """
    history = [CONV_GRU_KERNEL - 1] if architecture.family == "conv_gru" else []
    return history + [architecture.units] * (architecture.layers * states_per_layer(architecture))


def states_per_layer(architecture: Architecture) -> int:
    """Arrays of ``units`` numbers that a recurrent layer carries from sample to sample."""
    return 2 if architecture.family == "lstm" else 1
