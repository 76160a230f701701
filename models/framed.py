"""Framed architectures: a frame of dry samples to the one wet sample at its end.

Every family takes ``(batch, frame_size, 1 + controls)`` and returns ``(batch, 1)``, both
float32. The dry sample is the first channel; controls are the same all through a frame.
"""

from __future__ import annotations

from typing import Any

import keras

from models.architecture import (
    CONV_FIRST_KERNEL,
    CONV_FIRST_STRIDE,
    CONV_NEXT_KERNEL,
    FAMILIES,
    Architecture,
    is_recurrent,
)


def build(
    architecture: Architecture, seed: int, lstm: type[keras.layers.LSTM] = keras.layers.LSTM
) -> keras.Model:
    """A Keras model with weights drawn from ``seed`` and from nothing else.

    ``lstm`` is the layer class of the LSTM family; ``FusedLSTM`` trains faster and
    has the same weights.

    Raises:
        ValueError: the family, or its features, are for sequences only.
    """
    if architecture.family not in FAMILIES or architecture.features:
        raise ValueError(f"a {architecture.family} model has no framed form")
    frame = keras.Input((architecture.frame_size, architecture.inputs), name="frame")
    signal: Any = frame
    for layer in _hidden(architecture, seed, lstm):
        signal = layer(signal)
    wet = keras.layers.Dense(1, kernel_initializer=glorot(seed, 0), name="wet")(signal)
    if architecture.residual:
        newest = keras.layers.Cropping1D((architecture.frame_size - 1, 0), name="newest")(frame)
        newest = keras.layers.Flatten()(newest)
        dry = newest[:, :1] if architecture.controls else newest
        wet = keras.layers.Add(name="residual")([wet, dry])
    name = f"{architecture.family}_{architecture.layers}x{architecture.units}"
    return keras.Model(frame, wet, name=name)


def glorot(seed: int, layer: int) -> keras.initializers.Initializer:
    """A kernel's draw, a number of its own for every layer; 0 is the output's."""
    return keras.initializers.GlorotUniform(seed=seed * 1009 + 2 * layer)


def _hidden(a: Architecture, seed: int, lstm: type[keras.layers.LSTM]) -> list[keras.layers.Layer]:
    if is_recurrent(a.family):
        return recurrent_layers(a, seed, lstm)
    return _dense(a, seed) if a.family == "dense" else _convolutional(a, seed)


def recurrent_layers(
    a: Architecture,
    seed: int,
    lstm: type[keras.layers.LSTM] = keras.layers.LSTM,
    *,
    sequences: bool = False,
    states: bool = False,
) -> list[keras.layers.Layer]:
    """The hidden recurrent layers, first to last.

    Args:
        a: of a recurrent family.
        seed: of the weights.
        lstm: layer class of the LSTM family.
        sequences: whether the last layer, too, answers at every sample.
        states: whether all tell their states beside their answers.
    """
    kinds: dict[str, Any] = {
        "lstm": lstm,
        "gru": keras.layers.GRU,
        "rnn": keras.layers.SimpleRNN,
        "conv_gru": keras.layers.GRU,
    }
    return [
        kinds[a.family](
            a.units,
            return_sequences=sequences or layer < a.layers,
            return_state=states,
            kernel_initializer=glorot(seed, layer),
            recurrent_initializer=keras.initializers.Orthogonal(seed=seed * 1009 + 2 * layer + 1),
            name=f"{a.family.removeprefix('conv_')}_{layer}",
        )
        for layer in range(1, a.layers + 1)
    ]


def _dense(a: Architecture, seed: int) -> list[keras.layers.Layer]:
    return [
        keras.layers.Flatten(),
        *(
            keras.layers.Dense(
                a.units,
                "tanh",
                kernel_initializer=glorot(seed, layer),
                name=f"dense_{layer}",
            )
            for layer in range(1, a.layers + 1)
        ),
    ]


def _convolutional(a: Architecture, seed: int) -> list[keras.layers.Layer]:
    # Kernels are counted from the frame's end, so that its last sample is always seen.
    oldest = (a.frame_size - CONV_FIRST_KERNEL) % CONV_FIRST_STRIDE
    return [
        *([keras.layers.Cropping1D((oldest, 0))] if oldest else []),
        *(
            keras.layers.Conv1D(
                a.units,
                CONV_FIRST_KERNEL if layer == 1 else CONV_NEXT_KERNEL,
                strides=CONV_FIRST_STRIDE if layer == 1 else 1,
                activation="tanh",
                kernel_initializer=glorot(seed, layer),
                name=f"conv_{layer}",
            )
            for layer in range(1, a.layers + 1)
        ),
        keras.layers.Flatten(),
    ]
