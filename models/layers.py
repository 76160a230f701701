"""The hidden layers of every family in Keras: what stands between dry samples and the output.

A new family is a ``Hidden`` in ``HIDDEN``. Its weights are drawn from the seed alone
(``glorot``), in the same order in every form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import keras

from models.architecture import Architecture
from models.families import (
    CONV_FIRST_KERNEL,
    CONV_FIRST_STRIDE,
    CONV_NEXT_KERNEL,
    LEAKY_SLOPE,
    dilations,
    kernels,
    pasts,
)
from models.fused import FusedLSTM

States = list[Any]


class Framed(Protocol):
    """Hidden layers on frames."""

    def __call__(self, a: Architecture, seed: int, frame: Any, *, fused: bool) -> Any:
        """What the output layer sees, ``(batch, channels)``.

        Args:
            a: of the family.
            seed: of the weights.
            frame: ``(batch, frame_size, 1 + controls)``.
            fused: whether layers with gradients written by hand may stand for Keras' own.
        """


class Streaming(Protocol):
    """Hidden layers on consecutive samples."""

    def __call__(
        self, a: Architecture, seed: int, block: Any, states: States | None
    ) -> tuple[Any, States]:
        """What the output layer sees, ``(batch, samples, channels)``, and the states after it.

        Args:
            a: of the family.
            seed: of the weights.
            block: ``(batch, samples, 1 + controls)``.
            states: before the block, ``(batch, size)`` each of the family's ``state_sizes``;
                or None to begin in silence, and then none need to be given back.
        """


class Hidden(NamedTuple):
    """A family's hidden layers in the forms that its descriptor says it has."""

    framed: Framed | None = None
    streaming: Streaming | None = None


def glorot(seed: int, layer: int) -> keras.initializers.Initializer:
    """A kernel's draw, a number of its own for every layer; 0 is the output's."""
    return keras.initializers.GlorotUniform(seed=seed * 1009 + 2 * layer)


def samples_of(a: Architecture, signal: Any) -> Any:
    """The dry samples alone, ``(batch, samples, 1)``, without the controls beside them."""
    return signal[..., :1] if a.controls else signal


def recurrent(
    name: str, layer: Callable[..., Any], fast: Callable[..., Any] | None = None
) -> Hidden:
    """Both forms of recurrent layers.

    Args:
        name: of the layers, with their numbers.
        layer: Keras' class.
        fast: one with the same weights that trains faster from zero state.
    """

    def layers(a: Architecture, seed: int, kind: Callable[..., Any], **asked: bool) -> list[Any]:
        return [
            kind(
                a.units,
                return_sequences=asked.get("sequences", number < a.layers),
                return_state=asked.get("states", False),
                kernel_initializer=glorot(seed, number),
                recurrent_initializer=keras.initializers.Orthogonal(
                    seed=seed * 1009 + 2 * number + 1
                ),
                name=f"{name}_{number}",
            )
            for number in range(1, a.layers + 1)
        ]

    def framed(a: Architecture, seed: int, frame: Any, *, fused: bool) -> Any:
        signal = frame
        for hidden in layers(a, seed, fast or layer if fused else layer):
            signal = hidden(signal)
        return signal

    def streaming(
        a: Architecture, seed: int, block: Any, states: States | None
    ) -> tuple[Any, States]:
        signal, after = block, list[Any]()
        if a.history:
            samples = samples_of(a, block)
            if states is not None:
                past = keras.layers.Reshape((a.history, 1))(states[0])
                samples = keras.layers.Concatenate(axis=1)([past, samples])
                after.append(samples[:, -a.history :, 0])
            signal = _front(a, seed, samples, block, is_whole=states is None)
        for hidden in layers(a, seed, layer, sequences=True, states=states is not None):
            if states is None:
                signal = hidden(signal)
                continue
            own = states[len(after) : len(after) + (len(states) - bool(a.history)) // a.layers]
            signal, *carried = hidden(signal, initial_state=own)
            after += carried
        return signal, after

    return Hidden(framed, streaming)


def _front(a: Architecture, seed: int, samples: Any, block: Any, *, is_whole: bool) -> Any:
    """What turns dry samples into inputs of the first recurrent layer.

    Args:
        a: of a model with a history.
        seed: of the weights.
        samples: ``(batch, samples, 1)``, the history before those of the block unless
            they are the whole signal.
        block: ``(batch, samples, 1 + controls)``, whose controls are passed on.
        is_whole: whether silence comes before the samples.
    """
    is_linear = bool(a.features)
    layer = keras.layers.Conv1D(
        a.features or a.units,
        a.history + 1,
        padding="causal" if is_whole else "valid",
        activation=None if is_linear else "tanh",
        use_bias=not is_linear,  # it would add nothing to those of the layer after it
        kernel_initializer=glorot(seed, a.layers + 1),
        name="features" if is_linear else "conv",
    )
    signal = layer(samples)
    if not a.controls:
        return signal
    return keras.layers.Concatenate(axis=-1)([signal, block[..., 1:]])


def _dense(a: Architecture, seed: int, frame: Any, *, fused: bool) -> Any:
    del fused
    signal = keras.layers.Flatten()(frame)
    for layer in range(1, a.layers + 1):
        signal = keras.layers.Dense(
            a.units, "tanh", kernel_initializer=glorot(seed, layer), name=f"dense_{layer}"
        )(signal)
    return signal


def _convolutional(a: Architecture, seed: int, frame: Any, *, fused: bool) -> Any:
    del fused
    # Kernels are counted from the frame's end, so that its last sample is always seen.
    oldest = (a.frame_size - CONV_FIRST_KERNEL) % CONV_FIRST_STRIDE
    signal = keras.layers.Cropping1D((oldest, 0))(frame) if oldest else frame
    for layer in range(1, a.layers + 1):
        signal = keras.layers.Conv1D(
            a.units,
            CONV_FIRST_KERNEL if layer == 1 else CONV_NEXT_KERNEL,
            strides=CONV_FIRST_STRIDE if layer == 1 else 1,
            activation="tanh",
            kernel_initializer=glorot(seed, layer),
            name=f"conv_{layer}",
        )(signal)
    return keras.layers.Flatten()(signal)


def _dilated(a: Architecture, seed: int, block: Any, states: States | None) -> tuple[Any, States]:
    """The equations of ``models.families.DilatedConv``; before a silent beginning all x are 0."""
    signal = keras.layers.Dense(
        a.units, use_bias=False, kernel_initializer=glorot(seed, 1), name="input"
    )(block)
    answers, after = [], list[Any]()
    layers = zip(kernels(a), dilations(a), pasts(a), strict=True)
    for layer, (kernel, dilation, past) in enumerate(layers, 1):
        seen = signal
        if states is not None:
            before = keras.layers.Reshape((past, a.units))(states[layer - 1])
            seen = keras.layers.Concatenate(axis=1)([before, signal])
            after.append(keras.layers.Reshape((past * a.units,))(seen[:, -past:]))
        convolved = keras.layers.Conv1D(
            a.units,
            kernel,
            dilation_rate=dilation,
            padding="causal" if states is None else "valid",
            kernel_initializer=glorot(seed, 3 * layer - 1),
            name=f"conv_{layer}",
        )(seen)
        mixed_in = keras.layers.Dense(
            a.units, use_bias=False, kernel_initializer=glorot(seed, 3 * layer), name=f"mix_{layer}"
        )(block)
        summed = keras.layers.Add()([convolved, mixed_in])
        answers.append(keras.layers.LeakyReLU(LEAKY_SLOPE, name=f"answer_{layer}")(summed))
        if layer < a.layers:
            joined = keras.layers.Dense(
                a.units, kernel_initializer=glorot(seed, 3 * layer + 1), name=f"join_{layer}"
            )(answers[-1])
            signal = keras.layers.Add()([signal, joined])
    return keras.layers.Add()(answers) if len(answers) > 1 else answers[0], after


HIDDEN: dict[str, Hidden] = {
    "lstm": recurrent("lstm", keras.layers.LSTM, FusedLSTM),
    "gru": recurrent("gru", keras.layers.GRU),
    "rnn": recurrent("rnn", keras.layers.SimpleRNN),
    "dense": Hidden(_dense),
    "conv": Hidden(_convolutional),
    "conv_gru": recurrent("gru", keras.layers.GRU),
    "tcn": Hidden(streaming=_dilated),
}
