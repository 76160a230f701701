"""AIDA-X and other RTNeural hosts: JSON with the arrays of Keras, layer by layer.

``in_skip`` tells whether the host adds the input to the output. AIDA-X picks the compiled
model by the first layer's type and units; it plays a model at the rate of the host.

Sources: RTNeural (BSD-3-Clause), ``RTNeural/model_loader.h``; AIDA-X (GPL-3.0),
``src/model_variant.hpp`` and ``src/aidadsp-plugin.cpp``, and the models that it comes with.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from embedded.exports.format import Format, one_layer
from embedded.exports.model import Model, numbers
from models.architecture import Architecture

UNITS = (8, 12, 16, 20, 24, 32, 40, 64, 80)


def objection(architecture: Architecture) -> str | None:
    """What the model is, if no host loads such a structure, else None."""
    return one_layer(architecture, ("lstm", "gru"), UNITS)


def text(model: Model) -> str:
    """The file's content."""
    a, snapshot = model.architecture, model.snapshot()
    content = {
        "in_shape": [None, None, 1],
        "in_skip": int(a.residual),
        "layers": [
            _layer(a.family, a.units, model.weights[:3]),
            _layer("dense", 1, model.weights[3:]),
        ],
        "input_batch": snapshot["input"],
        "output_batch": snapshot["output"],
        "metadata": {
            "name": model.effect,
            "samplerate": str(model.sample_rate_hz),
            "author": model.program,
            **model.facts(),
        },
    }
    return json.dumps(content, allow_nan=False) + "\n"


def _layer(kind: str, units: int, weights: list[npt.NDArray[np.float32]]) -> dict[str, Any]:
    return {
        "type": kind,
        "activation": "",
        "shape": [None, None, units],
        "weights": [numbers(array) for array in weights],
    }


FORMAT = Format(
    name="aidax",
    hosts="AIDA-X, and others on RTNeural",
    loads="one LSTM or GRU layer of 8, 12, 16, 20, 24, 32, 40, 64 or 80 units, with or without "
    "residual, at 44100 or 48000 Hz, whichever the host runs at",
    how="Open it in AIDA-X or another RTNeural host, set to the rate that it was trained at.",
    suffix=".aidax.json",
    objection=objection,
    rates_hz=(44_100, 48_000),
    text=text,
)
