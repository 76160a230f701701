"""LSTM and GRU over a window of samples from a given state, with gradients written by hand.

What truncated back-propagation through time repeats: a window starts from the state that
the one before it ended in, and no gradient leaves it. Automatic differentiation keeps
what it needs of every step of the window, far more than the caches hold, and accumulates
the weights' gradients step by step. Here the way there keeps only the state at every
64th step; the backward pass computes 64 steps anew, carries the gates' gradients through them
and takes those of the weights in one product. Values and gradients equal those of
Keras' layers (tested).

Signals have time first, ``(samples, batch, channels)``; states are ``(batch, units)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from models import lstm_recursion

CHUNK_SAMPLES = 64
"""Windows that are differentiated are multiples of it."""

Weights = tuple[jax.Array, jax.Array, jax.Array]
"""Kernel ``(inputs, gates * units)``, recurrent kernel ``(units, gates * units)``, bias; as
Keras keeps them."""

State = tuple[jax.Array, ...]
"""Hidden and cell state of an LSTM, hidden state of a GRU."""

Window = Callable[[jax.Array, State, Weights], tuple[jax.Array, State]]


class _Cell(NamedTuple):
    """A kind of layer.

    Attributes:
        forward: ``(x, state, weights) -> (outputs, state after, trace)``; the trace is
            what the backward pass needs of every step, time first.
        backward: ``(trace, gradients of the outputs, gradients of the state after, recurrent
            kernel) -> (gradients of the gates' inputs from x, from the state, gradients of the
            state before)``.
    """

    forward: Any
    backward: Any


def _window(cell: _Cell) -> Window:
    """``(x, state, weights) -> (outputs, state after)``, differentiable in x and weights."""

    @jax.custom_vjp
    def window(x: jax.Array, state: State, weights: Weights) -> tuple[jax.Array, State]:
        outputs, after, _ = cell.forward(x, state, weights)
        return outputs, after

    def forward(x: jax.Array, state: State, weights: Weights) -> tuple[Any, Any]:
        def chunk(state: State, part: jax.Array) -> tuple[State, Any]:
            outputs, after, _ = cell.forward(part, state, weights)
            return after, (outputs, state)

        after, (outputs, before) = jax.lax.scan(chunk, state, _chunks(x))
        outputs = outputs.reshape(*x.shape[:2], -1)
        return (outputs, after), (x, before, weights)

    def backward(kept: Any, gradients: tuple[jax.Array, State]) -> tuple[Any, ...]:
        x, before, weights = kept
        kernel, recurrent, bias = weights

        def chunk(carried: tuple[State, Weights], now: Any) -> tuple[Any, jax.Array]:
            state_gradients, (by_kernel, by_recurrent, by_bias) = carried
            part, state, own = now
            outputs, _, trace = cell.forward(part, state, weights)
            from_x, from_state, state_gradients = cell.backward(
                trace, own, state_gradients, recurrent
            )
            hidden_before = jnp.concatenate([state[0][None], outputs[:-1]])
            both = jnp.stack([from_x.sum((0, 1)), from_state.sum((0, 1))])
            sums = (
                by_kernel + _product_over_time(part, from_x),
                by_recurrent + _product_over_time(hidden_before, from_state),
                # A GRU has a bias for each of the two; an LSTM's two are one.
                by_bias + (both if bias.ndim == 2 else both[0]),
            )
            return (state_gradients, sums), from_x @ kernel.T

        nothing = jax.tree.map(lambda array: jnp.zeros_like(array[0]), before)
        start = (nothing, jax.tree.map(jnp.zeros_like, weights))
        parts = (_chunks(x), before, _chunks(gradients[0]))
        (_, by_weights), by_x = jax.lax.scan(chunk, start, parts, reverse=True)
        return by_x.reshape(x.shape), nothing, by_weights

    window.defvjp(forward, backward)
    return window


def _chunks(signal: jax.Array) -> jax.Array:
    return signal.reshape(-1, CHUNK_SAMPLES, *signal.shape[1:])


def _product_over_time(inputs: jax.Array, gradients: jax.Array) -> jax.Array:
    """Gradient of a kernel: its inputs times its outputs' gradients, over all steps at once."""
    return inputs.reshape(-1, inputs.shape[-1]).T @ gradients.reshape(-1, gradients.shape[-1])


def _lstm_forward(x: jax.Array, state: State, weights: Weights) -> tuple[Any, State, Any]:
    after, trace = lstm_recursion.forward(x, (state[0], state[1]), *weights)
    return trace.hidden, after, (trace.by_gate, trace.by_cell, trace.forget)


def _lstm_backward(
    trace: Any, gradients: jax.Array, state_gradients: State, recurrent: jax.Array
) -> tuple[jax.Array, jax.Array, State]:
    """With d and e the gradients of hidden and cell state: e += d o (1 - tanh(c)^2); the gates'
    inputs get dz = [e g i(1-i), e c' f(1-f), e i (1-g^2), d tanh(c) o(1-o)], c' being the
    cell state before; the step before gets d = dz U^T and e = e f.
    """  # fmt: skip
    transposed = recurrent.T

    def step(carried: State, now: tuple[Any, ...]) -> tuple[State, jax.Array]:
        gradient, (by_gate, by_cell, forget) = now
        d, e = carried
        d = d + gradient
        e = e + d * by_cell
        dz = jnp.concatenate([e, e, e, d], axis=-1) * by_gate
        return (dz @ transposed, e * forget), dz

    before, dz = jax.lax.scan(step, state_gradients, (gradients, trace), reverse=True)
    return dz, dz, before


def _gru_forward(x: jax.Array, state: State, weights: Weights) -> tuple[Any, State, Any]:
    """Keras' form: the reset gate acts after the product, so there are two biases."""
    kernel, recurrent, (bias, state_bias) = weights
    units = recurrent.shape[0]

    def step(state: State, now: jax.Array) -> tuple[State, Any]:
        (hidden,) = state
        from_x = (now * kernel if kernel.shape[0] == 1 else now @ kernel) + bias
        from_state = hidden @ recurrent + state_bias
        # sigmoid(z) = (1 + tanh(z / 2)) / 2; tanh alone is cheaper on a CPU.
        gates = 0.5 + 0.5 * jnp.tanh(0.5 * (from_x + from_state)[:, : 2 * units])
        update, reset = jnp.split(gates, 2, axis=-1)
        remembered = from_state[:, 2 * units :]
        candidate = jnp.tanh(from_x[:, 2 * units :] + reset * remembered)
        after = candidate + update * (hidden - candidate)
        by_update = (hidden - candidate) * update * (1 - update)
        by_candidate = (1 - update) * (1 - candidate * candidate)
        by_reset = remembered * reset * (1 - reset)
        return (after,), (after, (by_update, by_candidate, by_reset, reset, update))

    last, (outputs, trace) = jax.lax.scan(step, state, x)
    return outputs, last, trace


def _gru_backward(
    trace: Any, gradients: jax.Array, state_gradients: State, recurrent: jax.Array
) -> tuple[jax.Array, jax.Array, State]:
    """With d the gradient of the output h = n + z (h' - n), n = tanh(a + r b): the gates' inputs
    get dz = d (h' - n) z(1-z) and, through dn = d (1-z) (1-n^2), dr = dn b r(1-r); the
    state before gets d z + [dz, dr, dn r] U^T.
    """  # fmt: skip
    transposed = recurrent.T

    def step(carried: State, now: tuple[Any, ...]) -> tuple[State, tuple[jax.Array, ...]]:
        gradient, (by_update, by_candidate, by_reset, reset, update) = now
        d = carried[0] + gradient
        dn = d * by_candidate
        dz, dr = d * by_update, dn * by_reset
        from_state = jnp.concatenate([dz, dr, dn * reset], axis=-1)
        return (d * update + from_state @ transposed,), (
            jnp.concatenate([dz, dr, dn], axis=-1),
            from_state,
        )

    before, (from_x, from_state) = jax.lax.scan(
        step, state_gradients, (gradients, trace), reverse=True
    )
    return from_x, from_state, before


lstm = _window(_Cell(_lstm_forward, _lstm_backward))
gru = _window(_Cell(_gru_forward, _gru_backward))
