"""Neural Amp Modeler: ``.nam``, a JSON file with one flat list of weights.

Per layer the matrix from (input, state) to the gates i, f, g, o, row by row, its bias,
and the state to begin with; then weights and bias of the output. Keras keeps the same
gates in the same order, its matrices the other way round. The state to begin with is zero.

Sources: neural-amp-modeler (MIT), ``nam/models/recurrent.py`` and ``exportable.py``;
NeuralAmpModelerCore (MIT), ``NAM/lstm.cpp``.
"""

from __future__ import annotations

import json

import numpy as np

from embedded.exports.format import Format, described, is_plain
from embedded.exports.model import Model, numbers
from models.architecture import Architecture

VERSION = "0.5.4"  # of the file format; every host since 2024 reads it


def objection(architecture: Architecture) -> str | None:
    """What the model is, if no host loads such a structure, else None."""
    a = architecture
    if a.family == "lstm" and not a.residual and is_plain(a):
        return None
    return described(a)


def text(model: Model) -> str:
    """The file's content."""
    a = model.architecture
    flat = []
    for layer in range(a.layers):
        kernel, recurrent, bias = model.weights[3 * layer : 3 * layer + 3]
        gates = np.concatenate([kernel, recurrent]).T
        flat += [gates.ravel(), bias, np.zeros(2 * a.units)]
    flat += [model.weights[-2].ravel(), model.weights[-1]]
    content = {
        "version": VERSION,
        "architecture": "LSTM",
        "config": {"input_size": 1, "hidden_size": a.units, "num_layers": a.layers},
        "weights": numbers(np.concatenate(flat)),
        "sample_rate": model.sample_rate_hz,
        "metadata": {
            "name": model.effect,
            "modeled_by": model.program,
            "pedalframe": {**model.facts(), "snapshot": model.snapshot()},
        },
    }
    return json.dumps(content, allow_nan=False) + "\n"


FORMAT = Format(
    name="nam",
    hosts="Neural Amp Modeler and what plays its files",
    loads="an LSTM of any size without residual, at any sample rate",
    how="Open it in the Neural Amp Modeler plugin, which brings its input to the model's rate.",
    suffix=".nam",
    objection=objection,
    rates_hz=(),
    text=text,
)
