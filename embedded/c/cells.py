"""What a family of models is in C: its weights in blocks, its state, and the template of its step.

A new family is a ``Cell`` in ``CELLS``. Its template in ``templates/`` writes ``step`` and
``<id>_reset`` from the packed layers; ``embedded/network/reference.py`` is what it is
compared with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from data.errors import InputError
from embedded.c.packing import (
    Array,
    PackedLayer,
    PackLayer,
    conv_layers,
    dense_layers,
    dilated_layers,
    gru_layer,
    lstm_layer,
    recurrent_layers,
    rnn_layer,
)
from embedded.network import weights as network
from embedded.network.reference import Weights
from models.architecture import Architecture
from models.families import (
    CONV_FIRST_KERNEL,
    CONV_FIRST_STRIDE,
    LEAKY_SLOPE,
    conv_length,
    dilations,
    kernels,
    pasts,
)


class Field(NamedTuple):
    """A field of the state's struct; ``dimensions`` of nothing is a single number."""

    type: str
    name: str
    dimensions: tuple[int, ...] = ()
    comment: str = ""

    @property
    def numbers(self) -> int:
        """How many of four bytes each."""
        return math.prod(self.dimensions)

    def __str__(self) -> str:
        """Its declaration."""
        lengths = "".join(f"[{size}]" for size in self.dimensions)
        comment = f" /* {self.comment} */" if self.comment else ""
        return f"{self.type} {self.name}{lengths};{comment}"


Layers = Sequence[PackedLayer]


@dataclass(frozen=True)
class Cell:
    """How a family becomes C.

    Attributes:
        template: of ``step`` and ``<id>_reset``, in ``templates/``.
        columns: of the weights' matrices, in words.
        pack: ``(architecture, arrays in Keras' order)`` to the layers that the template reads.
        state: ``(architecture, layers)`` to the fields of the state's struct.
        content: what else the template is told.
    """

    template: str
    columns: str
    pack: Callable[[Architecture, list[Array]], list[PackedLayer]]
    state: Callable[[Architecture, Layers], list[Field]]
    content: Callable[[Architecture], dict[str, Any]]


def objection(a: Architecture) -> str | None:
    """Why no C is written of a model, or None."""
    if a.family not in CELLS:
        return f"no firmware is written for the family {a.family}"
    return network.objection(a)


def pack(a: Architecture, weights: Weights) -> list[PackedLayer]:
    """The hidden layers, the last with its share of the output layer.

    Raises:
        InputError: no C is written of the model, or the weights are not those of the
            architecture, or not finite float32.
    """
    if reason := objection(a):
        raise InputError(
            f"C of a {a.family} {a.layers}x{a.units}",
            expected=f"a family of {', '.join(CELLS)}, without controls",
            found=reason,
            remedy="Choose a run of such a family without knobs.",
        )
    network.check(a, weights)
    return CELLS[a.family].pack(a, [np.asarray(array, np.float64) for array in weights])


def recurrent(
    template: str,
    columns: str,
    pack_layer: PackLayer,
    *,
    has_cell_state: bool = False,
) -> Cell:
    """A family of recurrent layers that ``templates/stream.c`` steps through."""

    def state(a: Architecture, layers: Layers) -> list[Field]:
        fields = []
        for number, layer in enumerate(layers, 1):
            hidden = (2, layer.units)
            fields.append(Field("float", f"hidden_{number}", hidden, "before and after"))
            if has_cell_state:
                fields.append(Field("float", f"cell_{number}", (layer.units,)))
        fields.append(Field("int", "now", comment="which hidden state is the current one"))
        return [*fields, *window(a.frame_size)] if a.features else fields

    def content(a: Architecture) -> dict[str, Any]:
        return {"window": a.frame_size, "has_cell_state": has_cell_state}

    pack = partial(recurrent_layers, pack_layer=pack_layer)
    return Cell(template, columns, pack, state, content)


def window(samples: int) -> list[Field]:
    """The fields that ``templates/window.c`` keeps the newest samples in."""
    return [
        Field("float", "history", (2 * samples,), f"the last {samples} samples, twice"),
        Field("int", "at", comment="where the next sample goes"),
    ]


def _conv_state(a: Architecture, layers: Layers) -> list[Field]:
    stride, (history, at) = CONV_FIRST_STRIDE, window(CONV_FIRST_KERNEL)
    fields = [history]
    for number, layer in enumerate(layers[: a.layers - 1], 1):
        size = (stride, layer.units)
        fields.append(Field("float", f"earlier_{number}", size, f"layer {number}'s past outputs"))
    fields.append(Field("float", "pending", (_ring(a),), "outputs to come"))
    fields.append(Field("int", "due", comment="the one of them that comes next"))
    if a.layers > 1:
        fields.append(Field("int", "slot", comment="the past output that comes next"))
    return [*fields, at]


def _conv_content(a: Architecture) -> dict[str, Any]:
    return {
        "window": CONV_FIRST_KERNEL,
        "stride": CONV_FIRST_STRIDE,
        "positions": conv_length(a, a.layers),
        "ring": _ring(a),
    }


def _ring(a: Architecture) -> int:
    return CONV_FIRST_STRIDE * (conv_length(a, a.layers) - 1) + 1


def _dilated_state(a: Architecture, layers: Layers) -> list[Field]:
    units, fields = layers[0].units, list[Field]()
    for number, past in enumerate(pasts(a), 1):
        comment = f"the last {past} inputs of convolution {number}"
        fields.append(Field("float", f"ring_{number}", (past * units,), comment))
    for number in range(1, a.layers + 1):
        fields.append(Field("int", f"at_{number}", comment="where its oldest lies"))
    return fields


def _dilated_content(a: Architecture) -> dict[str, Any]:
    return {
        "depth": a.layers,
        "taps": kernels(a),
        "dilations": dilations(a),
        "pasts": pasts(a),
        "slope": f"{LEAKY_SLOPE!r}f",
    }


CELLS: dict[str, Cell] = {
    "lstm": recurrent(
        "lstm.c", "gates i, f, g, o, of two units each", lstm_layer, has_cell_state=True
    ),
    "gru": recurrent("gru.c", "gates z, r and candidate n, of two units each", gru_layer),
    "rnn": recurrent("rnn.c", "units", rnn_layer),
    "dense": Cell(
        "dense.c",
        "units",
        dense_layers,
        state=lambda a, _: window(a.frame_size),
        content=lambda a: {"window": a.frame_size},
    ),
    "conv": Cell(
        "conv.c",
        "filters; input is the newest sample or vector",
        conv_layers,
        state=_conv_state,
        content=_conv_content,
    ),
    "tcn": Cell(
        "tcn.c",
        "units",
        dilated_layers,
        state=_dilated_state,
        content=_dilated_content,
    ),
}
