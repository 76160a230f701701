"""A Keras LSTM layer whose gradient is written by hand, for speed on small frames.

Automatic differentiation of the time loop accumulates the weights' gradients step by
step, in products too small to be efficient. Here the backward loop only carries the
gates' gradients; those of the weights follow in one large product over all steps, as
in cuDNN. Values and gradients equal those of ``keras.layers.LSTM`` (tested), and so
do its weights: models are trained with this layer and saved with the plain one.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import keras

from models import lstm_recursion

# From here on the trace outgrows the cache, and the gates' gradients are written over it:
# a second array of that size would cost more than the bookkeeping.
_UNITS_IN_PLACE = 32


class FusedLSTM(keras.layers.LSTM):
    """``keras.layers.LSTM`` with default activations, from zero state, without a mask."""

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """The loop over time; the parent class shapes its inputs and picks its outputs."""
        kernel, recurrent, bias = (
            jnp.asarray(v.value)
            for v in (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)
        )
        time_first = jnp.swapaxes(sequences, 0, 1)
        if self.return_sequences:
            hidden = _lstm(time_first, kernel, recurrent, bias)
            return hidden[-1], jnp.swapaxes(hidden, 0, 1), [hidden[-1], hidden[-1]]
        last = _lstm_last(time_first, kernel, recurrent, bias)
        return last, last[:, None], [last, last]


@jax.custom_vjp
def _lstm(x: jax.Array, kernel: jax.Array, recurrent: jax.Array, bias: jax.Array) -> jax.Array:
    """Outputs of an LSTM, shape ``(time, batch, units)``, for inputs with time first."""
    return _forward(x, kernel, recurrent, bias).hidden  # the rest is never computed


@jax.custom_vjp
def _lstm_last(x: jax.Array, kernel: jax.Array, recurrent: jax.Array, bias: jax.Array) -> jax.Array:
    """The last output alone, shape ``(batch, units)``; its way back is shorter."""
    return _forward(x, kernel, recurrent, bias).hidden[-1]


def _forward(
    x: jax.Array, kernel: jax.Array, recurrent: jax.Array, bias: jax.Array
) -> lstm_recursion.Trace:
    zeros = jnp.zeros((x.shape[1], recurrent.shape[0]), x.dtype)
    return lstm_recursion.forward(x, (zeros, zeros), kernel, recurrent, bias)[1]


def _lstm_forward(*inputs: jax.Array) -> tuple[jax.Array, Any]:
    trace = _forward(*inputs)
    return trace.hidden, (*inputs[:3], trace)


def _lstm_last_forward(*inputs: jax.Array) -> tuple[jax.Array, Any]:
    trace = _forward(*inputs)
    return trace.hidden[-1], (*inputs[:3], trace)


def _lstm_backward(kept: Any, gradients: jax.Array) -> tuple[jax.Array, ...]:
    earlier = jnp.concatenate([jnp.zeros_like(gradients[:1]), gradients[:-1]])
    return _backward(kept, gradients[-1], earlier)


def _lstm_last_backward(kept: Any, gradient: jax.Array) -> tuple[jax.Array, ...]:
    return _backward(kept, gradient, None)


def _backward(kept: Any, last: jax.Array, earlier: jax.Array | None) -> tuple[jax.Array, ...]:
    """Gradients of inputs, kernel, recurrent kernel and bias.

    ``last`` is the gradient of the last output; ``earlier`` those of the output *before*
    each step, or None where only the last output is used.

    Going back a step, with d and e the gradients of hidden and cell state:
    e += d o (1 - tanh(c)^2); the gates' inputs get dz = [e g i(1-i), e c' f(1-f),
    e i (1-g^2), d tanh(c) o(1-o)], c' being the cell state before; then d = dz U^T
    and e = e f are what the step before adds to.
    """
    x, kernel, recurrent, trace = kept
    units = recurrent.shape[0]
    zeros = jnp.zeros_like(trace.hidden[:1])
    transposed = recurrent.T

    def step(
        gradients: tuple[jax.Array, jax.Array], now: tuple[Any, ...]
    ) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        before, by_gate, by_cell, forget = now
        d, e = gradients
        e = e + d * by_cell
        dz = jnp.concatenate([e, e, e, d], axis=-1) * by_gate
        d = dz @ transposed if before is None else dz @ transposed + before
        return (d, e * forget), dz

    def in_place(carried: tuple[Any, jax.Array], now: tuple[Any, ...]) -> tuple[Any, None]:
        gradients, by_gate = carried
        t, before, by_cell, forget = now
        gradients, dz = step(gradients, (before, by_gate[t], by_cell, forget))
        return (gradients, by_gate.at[t].set(dz)), None

    if units < _UNITS_IN_PLACE:
        _, dz = jax.lax.scan(step, (last, zeros[0]), (earlier, *trace[:3]), reverse=True)
    else:
        steps = jnp.arange(len(x))
        (_, dz), _ = jax.lax.scan(
            in_place,
            ((last, zeros[0]), trace.by_gate),
            (steps, earlier, trace.by_cell, trace.forget),
            reverse=True,
        )
    # One product gives the gradients of recurrent kernel, kernel and bias.
    hidden_before = jnp.concatenate([zeros, trace.hidden[:-1]])
    sources = jnp.concatenate([hidden_before, x, jnp.ones_like(x[..., :1])], axis=-1)
    by_source = sources.reshape(-1, sources.shape[-1]).T @ dz.reshape(-1, 4 * units)
    return dz @ kernel.T, by_source[units:-1], by_source[:units], by_source[-1]


_lstm.defvjp(_lstm_forward, _lstm_backward)
_lstm_last.defvjp(_lstm_last_forward, _lstm_last_backward)
