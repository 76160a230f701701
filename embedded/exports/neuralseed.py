"""GuitarML NeuralSeed (Daisy Seed): one model's statements for ``setupWeights()`` in C++.

The firmware keeps its models in ``all_model_data.h`` as RTNeural takes them: matrices as
Keras has them, gates z, r, n, both biases as two rows, the output's weights as one row.
It runs a GRU of 10 units at 48 kHz and always adds the input to the output.

Source: NeuralSeed (MIT), ``NeuralSeed/all_model_data.h`` and ``neuralseed.cpp``.
"""

from __future__ import annotations

import json
import textwrap
from typing import Any

from embedded.exports.format import Format, described, one_layer
from embedded.exports.model import Model, numbers
from embedded.quoting import comment_text
from models.architecture import Architecture

UNITS = 10
NAME = "Model1"  # of the variable, which the firmware declares


def objection(architecture: Architecture) -> str | None:
    """What the model is, if no host loads such a structure, else None."""
    if not architecture.residual:
        return described(architecture)
    return one_layer(architecture, ("gru",), (UNITS,))


def text(model: Model) -> str:
    """The file's content."""
    kernel, recurrent, bias, output, output_bias = model.weights
    facts = [f"{key}: {comment_text(str(value))}" for key, value in model.facts().items()]
    snapshot = textwrap.fill(json.dumps(model.snapshot()), 100)
    fields = {
        "rec_weight_ih_l0": kernel,
        "rec_weight_hh_l0": recurrent,
        "rec_bias": bias,
        "lin_weight": output.T,
        "lin_bias": output_bias,
    }
    statements = [f"  {NAME}.{name} = {_braces(numbers(v))};" for name, v in fields.items()]
    return "\n".join(
        [
            "/*",
            *facts,
            "",
            "From zero state, input and output (the sum of network and input):",
            snapshot,
            "*/",
            "",
            *statements,
            "",
        ]
    )


def _braces(value: Any) -> str:
    """Nested lists as a C++ initialiser."""
    if isinstance(value, list):
        return "{" + ", ".join(_braces(item) for item in value) + "}"
    return f"{value!r}f"


FORMAT = Format(
    name="neuralseed",
    hosts="GuitarML NeuralSeed on a Daisy Seed",
    loads="a GRU 1x10 with residual, at 48000 Hz",
    how="Paste its lines into setupWeights() of the firmware's all_model_data.h, and build that.",
    suffix=".neuralseed.h",
    objection=objection,
    rates_hz=(48_000,),
    text=text,
)
