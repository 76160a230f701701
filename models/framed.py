"""Framed architectures: a frame of dry samples to the one wet sample at its end.

Every family takes ``(batch, frame_size, 1 + controls)`` and returns ``(batch, 1)``, both
float32. The dry sample is the first channel; controls are the same all through a frame.
"""

from __future__ import annotations

import keras

from models.architecture import Architecture, require_framed_form
from models.layers import HIDDEN, glorot


def build(architecture: Architecture, seed: int, *, fused: bool = False) -> keras.Model:
    """A Keras model with weights drawn from ``seed`` and from nothing else.

    ``fused`` layers (``models.fused``), where the family has some, train faster and have the
    same weights; such a model is not for saving.

    Raises:
        ValueError: the family, or its features, are for sequences only.
    """
    require_framed_form(architecture)
    hidden = HIDDEN[architecture.family].framed
    assert hidden, architecture.family
    frame = keras.Input((architecture.frame_size, architecture.inputs), name="frame")
    signal = hidden(architecture, seed, frame, fused=fused)
    wet = keras.layers.Dense(1, kernel_initializer=glorot(seed, 0), name="wet")(signal)
    if architecture.residual:
        newest = keras.layers.Cropping1D((architecture.frame_size - 1, 0), name="newest")(frame)
        newest = keras.layers.Flatten()(newest)
        dry = newest[:, :1] if architecture.controls else newest
        wet = keras.layers.Add(name="residual")([wet, dry])
    name = f"{architecture.family}_{architecture.layers}x{architecture.units}"
    return keras.Model(frame, wet, name=name)
