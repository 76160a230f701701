"""GuitarML Proteus: JSON with the state dictionary of a PyTorch LSTM of 40 units.

PyTorch keeps matrices the other way round than Keras, with the same gates in the same
order, and two biases, which are summed. The host always adds the input to the output and
resamples to 44.1 kHz.

Sources: Proteus (GPL-3.0), ``src/RTNeuralLSTM.cpp`` and ``src/PluginProcessor.cpp``;
Automated-GuitarAmpModelling, whose JSON it reads.
"""

from __future__ import annotations

import json

import numpy as np

from embedded.exports.format import Format, described, one_layer
from embedded.exports.model import Model, numbers
from models.architecture import Architecture

UNITS = 40


def objection(architecture: Architecture) -> str | None:
    """What the model is, if no host loads such a structure, else None."""
    if not architecture.residual:
        return described(architecture)
    return one_layer(architecture, ("lstm",), (UNITS,))


def text(model: Model) -> str:
    """The file's content."""
    kernel, recurrent, bias, output, output_bias = model.weights
    content = {
        "model_data": {
            "model": "SimpleRNN",
            "input_size": 1,
            "skip": 1,
            "output_size": 1,
            "unit_type": "LSTM",
            "num_layers": 1,
            "hidden_size": UNITS,
            "bias_fl": True,
        },
        "state_dict": {
            "rec.weight_ih_l0": numbers(kernel.T),
            "rec.weight_hh_l0": numbers(recurrent.T),
            "rec.bias_ih_l0": numbers(bias),
            "rec.bias_hh_l0": numbers(np.zeros_like(bias)),
            "lin.weight": numbers(output.T),
            "lin.bias": numbers(output_bias),
        },
        "metadata": {**model.facts(), "snapshot": model.snapshot()},
    }
    return json.dumps(content, allow_nan=False) + "\n"


FORMAT = Format(
    name="proteus",
    hosts="GuitarML Proteus",
    loads="an LSTM 1x40 with residual, at 44100 Hz",
    how="Copy it to the Proteus plugin's folder of tones; set the host to 44.1 kHz.",
    suffix=".proteus.json",
    objection=objection,
    rates_hz=(44_100,),
    text=text,
)
