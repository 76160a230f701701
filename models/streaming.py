"""The streaming twin of a framed recurrent model: the same weights, the state carried on.

A framed model starts every frame from zero state and so costs ``frame_size`` steps an
output sample; its twin takes one step. It is not the function that was trained, which
is why every table keeps the two apart.
"""

from __future__ import annotations

from typing import Any

import keras

from models.architecture import Architecture, is_recurrent
from models.framed import recurrent_layers


def build_streaming(architecture: Architecture) -> keras.Model:
    """A Keras model of one block of samples and the state before it.

    Inputs are the dry block, shape ``(batch, samples, 1)``, and each layer's state,
    ``(batch, units)``: hidden and cell state for an LSTM, hidden state for the others.
    Outputs are the wet block, ``(batch, samples, 1)``, and the states after it, in the
    same order. The trainable variables are those of ``models.framed.build``, in its order.

    Raises:
        ValueError: the family has no state.
    """
    if not is_recurrent(architecture.family):
        raise ValueError(f"a {architecture.family} model has no state to carry")
    block = keras.Input((None, 1), name="dry")
    before, after = [], []
    signal: Any = block
    for layer in recurrent_layers(architecture, seed=0, streaming=True):
        states = [
            keras.Input((architecture.units,), name=f"{layer.name}_state_{k}")
            for k in range(states_per_layer(architecture))
        ]
        signal, *carried = layer(signal, initial_state=states)
        before += states
        after += carried
    wet = keras.layers.Dense(1, name="wet")(signal)
    if architecture.residual:
        wet = keras.layers.Add(name="residual")([wet, block])
    return keras.Model([block, *before], [wet, *after])


def states_per_layer(architecture: Architecture) -> int:
    """Arrays of ``units`` numbers that a layer carries from sample to sample."""
    return 2 if architecture.family == "lstm" else 1
