"""Neural Amp Modeler: ``.nam``, a JSON file with one flat list of weights.

An LSTM: per layer the matrix from (input, state) to the gates i, f, g, o, row by row, its bias,
and the state to begin with; then weights and bias of the output. Keras keeps the same
gates in the same order, its matrices the other way round. The state to begin with is zero.

Dilated convolutions are a WaveNet of one array of layers: the first product; per layer the
convolution, (outputs, inputs, taps), its bias, the product of the dry sample, and what joins the
answer to the signal, which the last layer has in vain (zeros); weights and bias of the output; a
scale of it (1). The player begins after silence, not from a zero state.

Sources: neural-amp-modeler (MIT), ``nam/models/recurrent.py``, ``wavenet/`` and ``exportable.py``;
NeuralAmpModelerCore (MIT), ``NAM/lstm.cpp``, ``NAM/wavenet/model.cpp``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from embedded.exports.format import Format, described, is_plain
from embedded.exports.model import Model, numbers
from models.architecture import Architecture
from models.families import dilations, kernels

VERSION = "0.5.4"  # of the file format; every host since 2024 reads it
VERSION_OF_KERNELS = "0.7.0"  # where layers have kernels of their own


def objection(architecture: Architecture) -> str | None:
    """What the model is, if no host loads such a structure, else None."""
    a = architecture
    if a.family in _CONTENT and not a.residual and is_plain(a):
        return None
    return described(a)


def text(model: Model) -> str:
    """The file's content."""
    content = {
        **_CONTENT[model.architecture.family](model),
        "sample_rate": model.sample_rate_hz,
        "metadata": {
            "name": model.effect,
            "modeled_by": model.program,
            "pedalframe": {**model.facts(), "snapshot": model.snapshot()},
        },
    }
    return json.dumps(content, allow_nan=False) + "\n"


def _lstm(model: Model) -> dict[str, Any]:
    a = model.architecture
    flat = []
    for layer in range(a.layers):
        kernel, recurrent, bias = model.weights[3 * layer : 3 * layer + 3]
        gates = np.concatenate([kernel, recurrent]).T
        flat += [gates.ravel(), bias, np.zeros(2 * a.units)]
    flat += [model.weights[-2].ravel(), model.weights[-1]]
    return {
        "version": VERSION,
        "architecture": "LSTM",
        "config": {"input_size": 1, "hidden_size": a.units, "num_layers": a.layers},
        "weights": numbers(np.concatenate(flat)),
    }


def _wavenet(model: Model) -> dict[str, Any]:
    a = model.architecture
    first, *own = model.weights[:-2]
    flat: list[npt.NDArray[np.floating]] = [first.ravel()]
    for layer in range(a.layers):
        kernel, bias, mix, *join = own[5 * layer : 5 * layer + 5]
        unused = [np.zeros((a.units, a.units)), np.zeros(a.units)]
        matrix, added = join or unused
        flat += [kernel.transpose(2, 1, 0).ravel(), bias, mix.ravel(), matrix.T.ravel(), added]
    flat += [model.weights[-2].ravel(), model.weights[-1], np.ones(1)]
    sizes = kernels(a)
    alike = len(set(sizes)) == 1
    array = {
        "input_size": 1,
        "condition_size": 1,
        "channels": a.units,
        **({"kernel_size": sizes[0]} if alike else {"kernel_sizes": list(sizes)}),
        "dilations": list(dilations(a)),
        "activation": "LeakyReLU",
        "gated": False,
        # Older players read the first two, newer ones the third.
        "head_size": 1,
        "head_bias": True,
        "head": {"out_channels": 1, "kernel_size": 1, "bias": True},
    }
    return {
        "version": VERSION if alike else VERSION_OF_KERNELS,
        "architecture": "WaveNet",
        "config": {"layers": [array], "head": None, "head_scale": 1.0},
        "weights": numbers(np.concatenate(flat)),
    }


_CONTENT: dict[str, Callable[[Model], dict[str, Any]]] = {"lstm": _lstm, "tcn": _wavenet}


FORMAT = Format(
    name="nam",
    hosts="Neural Amp Modeler and what plays its files",
    loads="an LSTM or TCN of any size without residual, at any sample rate",
    how="Open it in the Neural Amp Modeler plugin, which brings its input to the model's rate.",
    suffix=".nam",
    objection=objection,
    rates_hz=(),
    text=text,
)
