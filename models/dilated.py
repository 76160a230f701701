"""Dilated convolutions over a window of samples, in products that are fast to differentiate.

The equations of ``models.families.DilatedConv``, and so the function of its Keras layers (tested).
With time first, the samples that a convolution sees lie in slices that need no copy but one:
side by side, they meet the kernel in one product, and so do their gradients.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from models.architecture import Architecture
from models.families import LEAKY_SLOPE, dilations, pasts

States = list[jax.Array]


def window(
    a: Architecture, weights: list[jax.Array], u: jax.Array, states: States
) -> tuple[jax.Array, States]:
    """What the output layer sees, and the states after the window.

    Args:
        a: of the family.
        weights: without those of the output layer.
        u: dry samples and controls, ``(samples, batch, 1 + controls)``.
        states: before the window, ``(batch, size)`` each.
    """
    signal, own = u @ weights[0], weights[1:]
    summed, after = jnp.zeros_like(signal), []
    for layer, (dilation, past) in enumerate(zip(dilations(a), pasts(a), strict=True)):
        kernel, bias, mix, *join = own[5 * layer : 5 * layer + 5]
        before = states[layer].reshape(-1, past, a.units).swapaxes(0, 1)
        seen = jnp.concatenate([before, signal])
        after.append(seen[len(seen) - past :].swapaxes(0, 1).reshape(-1, past * a.units))
        taps = [seen[k * dilation : k * dilation + len(signal)] for k in range(len(kernel))]
        side_by_side = jnp.concatenate([*taps, u], axis=-1)
        product = side_by_side @ jnp.concatenate([kernel.reshape(-1, a.units), mix])
        answer = jax.nn.leaky_relu(product + bias, LEAKY_SLOPE)
        summed = summed + answer
        if join:
            signal = signal + answer @ join[0] + join[1]
    return summed, after
