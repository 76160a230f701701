"""The streaming twin of a framed recurrent model: the same weights, the state carried on.

A framed model starts every frame from zero state and so costs ``frame_size`` steps an
output sample; its twin takes one step. It is not the function that was trained, which
is why every table keeps the two apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import keras

from models.architecture import Architecture, is_recurrent
from models.framed import glorot, recurrent_layers


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
    if length := architecture.history:
        history = keras.Input((length,), name="history")
        past = keras.layers.Reshape((length, 1))(history)
        samples = block[..., :1] if architecture.controls else block
        seen = keras.layers.Concatenate(axis=1)([past, samples])
        signal = with_front(architecture, seed=0, padding="valid")(seen, block)
        before.append(history)
        after.append(seen[:, -length:, 0])
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


def with_front(
    architecture: Architecture, seed: int, padding: Literal["causal", "valid"]
) -> Callable[[Any, Any], Any]:
    """What turns dry samples into inputs of the first recurrent layer.

    It takes the dry samples that are convolved, ``(batch, samples, 1)``, and the block that
    is answered, ``(batch, samples, 1 + controls)``, whose controls it passes on.
    """
    a, is_conv = architecture, architecture.family == "conv_gru"
    if not a.history:
        return lambda _, block: block
    layer = keras.layers.Conv1D(
        a.units if is_conv else a.features,
        a.history + 1,
        padding=padding,
        activation="tanh" if is_conv else None,
        use_bias=is_conv,  # a linear layer's would add nothing to those of the layer after it
        kernel_initializer=glorot(seed, a.layers + 1),
        name="conv" if is_conv else "features",
    )

    def front(samples: Any, block: Any) -> Any:
        signal = layer(samples)
        if not a.controls:
            return signal
        return keras.layers.Concatenate(axis=-1)([signal, block[..., 1:]])

    return front


def state_sizes(architecture: Architecture) -> list[int]:
    """Lengths of the arrays that are carried from sample to sample, in their order.

    Layer by layer the hidden and, for an LSTM, the cell state; before them, where a
    convolution or features come first, the dry samples that those still need, oldest first.
    """
    history = [architecture.history] if architecture.history else []
    return history + [architecture.units] * (architecture.layers * states_per_layer(architecture))


def states_per_layer(architecture: Architecture) -> int:
    """Arrays of ``units`` numbers that a recurrent layer carries from sample to sample."""
    return 2 if architecture.family == "lstm" else 1
