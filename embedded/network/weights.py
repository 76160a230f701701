"""The trainable variables of a network, checked before anything is made of them."""

from __future__ import annotations

import numpy as np

from data.errors import InputError
from embedded.network.reference import Weights
from models.architecture import (
    CONV_FIRST_KERNEL,
    CONV_NEXT_KERNEL,
    FAMILIES,
    GATES,
    Architecture,
    conv_length,
    is_recurrent,
)


def expected_shapes(a: Architecture) -> list[tuple[int, ...]]:
    """Shapes of the trainable variables of ``models.framed.build``, in order."""
    u, shapes = a.units, list[tuple[int, ...]]()
    if a.features:
        shapes.append((a.frame_size, 1, a.features))
    for layer in range(1, a.layers + 1):
        inputs = a.first_inputs if layer == 1 else u
        if is_recurrent(a.family):
            wide = GATES[a.family] * u
            bias = (2, wide) if a.family == "gru" else (wide,)
            shapes += [(inputs, wide), (u, wide), bias]
        elif a.family == "dense":
            shapes += [(a.frame_size if layer == 1 else u, u), (u,)]
        else:
            taps = CONV_FIRST_KERNEL if layer == 1 else CONV_NEXT_KERNEL
            shapes += [(taps, inputs, u), (u,)]
    outputs = u * conv_length(a, a.layers) if a.family == "conv" else u
    return [*shapes, (outputs, 1), (1,)]


def check(a: Architecture, weights: Weights) -> None:
    """Refuse weights that are not those of the architecture, or not finite float32.

    Raises:
        InputError: what is wrong with them.
    """
    subject = f"weights of a {a.family} {a.layers}x{a.units}"
    if a.family not in FAMILIES or a.controls:
        raise InputError(
            subject,
            expected=f"a family of {', '.join(FAMILIES)}, without controls",
            found=f"{a.family} with {a.controls} controls",
            remedy="Choose a run of such a family without knobs.",
        )
    found, expected = [tuple(np.shape(w)) for w in weights], expected_shapes(a)
    if found != expected:
        raise InputError(
            subject,
            expected=f"arrays of the shapes {expected}",
            found=str(found),
            remedy="Pass the trainable variables of that architecture, in their order.",
        )
    with np.errstate(over="ignore"):
        is_sound = all(np.isfinite(np.asarray(w, np.float32)).all() for w in weights)
    if not is_sound:
        raise InputError(
            subject,
            expected="numbers that float32 holds",
            found="NaN, infinity or a larger number",
            remedy="Choose a run that did not diverge.",
        )
