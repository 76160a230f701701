"""The trainable variables of a network, checked before anything is made of them."""

from __future__ import annotations

import numpy as np

from data.errors import InputError
from embedded.network.reference import HIDDEN, Weights
from models.architecture import Architecture
from models.families import FAMILIES, Shape


def expected_shapes(a: Architecture) -> list[Shape]:
    """Shapes of the trainable variables, in Keras' order."""
    return FAMILIES[a.family].weight_shapes(a)


def objection(a: Architecture) -> str | None:
    """Why nothing but Keras computes such a model, or None."""
    if a.family not in HIDDEN:
        return f"no firmware is written for the family {a.family}"
    return "no firmware has knobs" if a.controls else None


def check(a: Architecture, weights: Weights) -> None:
    """Refuse weights that are not those of the architecture, or not finite float32.

    Raises:
        InputError: what is wrong with them.
    """
    subject = f"weights of a {a.family} {a.layers}x{a.units}"
    if objection(a):
        raise InputError(
            subject,
            expected=f"a family of {', '.join(HIDDEN)}, without controls",
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
