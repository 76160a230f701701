"""Models of whole sequences: every dry sample in, every wet sample out, the state carried.

What the field trains (Wright et al., "Real-time black-box modelling with recurrent neural
networks", DAFx 2019), beside the study's framed models: the same recurrent layers with
the same weights; ``conv_gru``, a convolution over three samples before a GRU; and ``tcn``, dilated
convolutions, whose state is what they still need of the past.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras

from models import carried, dilated
from models.architecture import Architecture, require_streaming_form
from models.families import CONV_GRU_KERNEL
from models.layers import HIDDEN, glorot, samples_of
from models.streaming import build_streaming

States = list[jax.Array]

# (architecture, weights without the output's, inputs with time first, states before) to what the
# output layer sees, and the states after.
Hidden = Callable[[Architecture, list[jax.Array], jax.Array, States], tuple[jax.Array, States]]


def build(architecture: Architecture, seed: int) -> keras.Model:
    """A Keras model of plain layers, from zero state.

    ``(batch, samples, 1 + controls)`` to ``(batch, samples, 1)``. Its weights are
    drawn from ``seed`` alone and stand in the order of ``models.streaming.build_streaming``.

    Raises:
        ValueError: the family has no state.
    """
    require_streaming_form(architecture)
    hidden = HIDDEN[architecture.family].streaming
    assert hidden, architecture.family
    dry = keras.Input((None, architecture.inputs), name="dry")
    signal, _ = hidden(architecture, seed, dry, None)
    wet = keras.layers.Dense(1, kernel_initializer=glorot(seed, 0), name="wet")(signal)
    if architecture.residual:
        wet = keras.layers.Add(name="residual")([wet, samples_of(architecture, dry)])
    name = f"{architecture.family}_{architecture.layers}x{architecture.units}"
    return keras.Model(dry, wet, name=name)


class Window:
    """A model over consecutive windows of samples, fast to differentiate.

    The function of ``models.streaming.build_streaming`` (tested), with time first. No
    gradient goes back beyond a window's start.
    """

    def __init__(self, architecture: Architecture) -> None:
        self._architecture = architecture
        self._plain = None if architecture.family in BY_HAND else build_streaming(architecture)

    def __call__(
        self, weights: list[jax.Array], dry: jax.Array, states: States
    ) -> tuple[jax.Array, States]:
        """Wet samples and the states after them.

        Args:
            weights: in the order of ``build``.
            dry: shape ``(samples, batch)``, or ``(samples, batch, 1 + controls)`` with
                controls; to be differentiated, ``samples`` is a
                multiple of ``models.carried.CHUNK_SAMPLES``.
            states: of the sizes of ``models.streaming.state_sizes``.
        """
        if self._plain is not None:
            fixed = [variable.value for variable in self._plain.non_trainable_variables]
            (wet, *after), _ = self._plain.stateless_call(
                weights, fixed, [jnp.swapaxes(_with_channels(dry), 0, 1), *states]
            )
            return wet[..., 0].T, after
        a, u = self._architecture, _with_channels(dry)
        signal, after = BY_HAND[a.family](a, weights[:-2], u, states)
        wet = (signal @ weights[-2] + weights[-1])[..., 0]
        return wet + u[..., 0] if a.residual else wet, after


def _with_channels(dry: jax.Array) -> jax.Array:
    return dry if dry.ndim == 3 else dry[..., None]


def _features(reached: jax.Array, kernel: jax.Array) -> jax.Array:
    """Linear features of the frames that end at the samples after the history.

    Args:
        reached: history and samples, ``(frame_size - 1 + samples, batch)``.
        kernel: ``(frame_size, 1, features)``.
    """
    taps = kernel.shape[0]
    samples = reached.shape[0] - taps + 1
    # One product of all frames: its gradient is one too, where a sum over taps has one a tap.
    frames = jnp.stack([reached[k : k + samples] for k in range(taps)], axis=-1)
    return frames @ kernel[:, 0]


def _convolved(reached: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """``tanh(Conv1D)`` of samples that follow ``CONV_GRU_KERNEL - 1`` older ones."""
    samples = reached.shape[0] - CONV_GRU_KERNEL + 1
    taps = [reached[k : k + samples, :, None] * kernel[k, 0] for k in range(CONV_GRU_KERNEL)]
    return jnp.tanh(sum(taps) + bias)


def _recurrent(layer: Callable[..., Any]) -> Hidden:
    """Recurrent layers, behind a convolution or features where the architecture has them."""

    def hidden(
        a: Architecture, weights: list[jax.Array], u: jax.Array, states: States
    ) -> tuple[jax.Array, States]:
        signal, after = u, list[jax.Array]()
        if a.history:
            history, states = states[0], states[1:]
            reached = jnp.concatenate([history.T, u[..., 0]])
            after.append(reached[-a.history :].T)
            if a.features:
                features = _features(reached, weights[0])
                signal = jnp.concatenate([features, u[..., 1:]], axis=-1)
                weights = weights[1:]
            else:
                (kernel, bias), weights = weights[:2], weights[2:]
                signal = _convolved(reached, kernel, bias)
        per_layer = len(states) // a.layers
        for number in range(a.layers):
            own = tuple(states[number * per_layer : (number + 1) * per_layer])
            kernel, recurrent, bias = weights[3 * number : 3 * number + 3]
            signal, state = layer(signal, own, (kernel, recurrent, bias))
            after += state
        return signal, after

    return hidden


# Hidden layers that are faster to differentiate than Keras'; all other families have its layers.
BY_HAND: dict[str, Hidden] = {
    "lstm": _recurrent(carried.lstm),
    "gru": _recurrent(carried.gru),
    "conv_gru": _recurrent(carried.gru),
    "tcn": dilated.window,
}
