"""The LSTM's recursion and what a gradient written by hand needs of it."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

State = tuple[jax.Array, jax.Array]
"""Hidden and cell state, ``(batch, units)`` each."""


class Trace(NamedTuple):
    """What the backward pass needs of every step, time first.

    Attributes:
        by_gate: how the gates' inputs move the cell state (i, f, g) and the output
            (o), shape ``(time, batch, 4 * units)`` in Keras' order i, f, g, o.
        by_cell: how the cell state moves the output, ``(time, batch, units)``.
        forget: the forget gate, ``(time, batch, units)``.
        hidden: the outputs, ``(time, batch, units)``.
    """

    by_gate: jax.Array
    by_cell: jax.Array
    forget: jax.Array
    hidden: jax.Array


def forward(
    x: jax.Array, state: State, kernel: jax.Array, recurrent: jax.Array, bias: jax.Array
) -> tuple[State, Trace]:
    """All steps of inputs with time first, ``(time, batch, channels)``: state after, trace.

    The weights are those of ``keras.layers.LSTM``. What a caller leaves of the trace is
    never computed.
    """
    # sigmoid(z) = (1 + tanh(z / 2)) / 2, so one tanh serves all four gates.
    halves = jnp.repeat(jnp.array([0.5, 0.5, 1.0, 0.5], x.dtype), recurrent.shape[0])
    kernel, recurrent, bias = kernel * halves, recurrent * halves, bias * halves
    # Inside the loop the inputs' share costs less than the memory that it would need
    # for all steps at once: a single input scales a row, many join the state's product.
    has_one_input = x.shape[-1] == 1
    joint = jnp.concatenate([kernel, recurrent])

    def step(state: State, now: jax.Array) -> tuple[State, Trace]:
        hidden, cell_before = state
        if has_one_input:
            gates = now * kernel + hidden @ recurrent
        else:
            gates = jnp.concatenate([now, hidden], axis=-1) @ joint
        i, f, g, o = jnp.split(jnp.tanh(gates + bias), 4, axis=-1)
        i, f, o = 0.5 * i + 0.5, 0.5 * f + 0.5, 0.5 * o + 0.5
        cell = f * cell_before + i * g
        tanh_cell = jnp.tanh(cell)
        hidden = o * tanh_cell
        by_gate = jnp.concatenate(
            [g * i * (1 - i), cell_before * f * (1 - f), i * (1 - g * g), tanh_cell * o * (1 - o)],
            axis=-1,
        )
        by_cell = o * (1 - tanh_cell * tanh_cell)
        return (hidden, cell), Trace(by_gate, by_cell, f, hidden)

    after: State
    trace: Trace
    after, trace = jax.lax.scan(step, state, x)
    return after, trace
