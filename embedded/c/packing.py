"""A model's weights in the order in which the generated C reads them, front to back.

Units are worked on in *blocks*: one pass over the inputs feeds a handful of sums at once,
so that a value is loaded once for all of them and the weights lie in one sequence. Every
layer is a list of equal blocks, each a C struct of ``float`` arrays. Where units do not
fill the last block, zero weights do; their outputs are zero and meet only zero weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedded.network.reference import Weights
from models.architecture import Architecture
from models.families import CONV_FIRST_KERNEL, conv_length

Array = NDArray[np.float64]

GATED_UNITS_PER_BLOCK = 2
ROWS_AT_ONCE = {2: 4, 4: 4, 6: 2, 8: 2}
"""By sums a block: rows whose weights one instruction loads, as many as there are registers for."""
_LANES = (8, 6, 4)  # sums that fit the registers beside weights, best first


@dataclass(frozen=True)
class PackedLayer:
    """One layer as the C source holds it.

    Attributes:
        inputs: rows of the input weights (padded units of the layer before).
        units: outputs, padded to whole blocks.
        per_block: units a block.
        blocks: the fields of every block, name to float32 values, in order.
        sums_per_unit: gates.
    """

    inputs: int
    units: int
    per_block: int
    blocks: list[dict[str, NDArray[np.float32]]]
    sums_per_unit: int = 1

    @property
    def fields(self) -> dict[str, int]:
        """Names and lengths of a block's arrays."""
        return {name: values.size for name, values in self.blocks[0].items()}

    @property
    def sums(self) -> int:
        """That a block runs at once."""
        return self.sums_per_unit * self.per_block


PackLayer = Callable[[list[Array], int, Array | None], PackedLayer]
"""``(a layer's arrays, rows of its input, its share of the output layer if it is the last)``."""


def lanes_for(units: int) -> int:
    """How many sums a block of an ungated layer runs at once: least padding, then habit."""
    return min(_LANES, key=lambda lanes: (-(-units // lanes) * lanes, _LANES.index(lanes)))


def recurrent_layers(
    a: Architecture, arrays: list[Array], pack_layer: PackLayer
) -> list[PackedLayer]:
    """Layers of three arrays each, behind the features if there are any."""
    own = arrays[1:] if a.features else arrays
    first = _padded(a.features, _narrow_lanes(a.features)) if a.features else 1
    return _hidden_layers(
        [own[3 * n : 3 * n + 3] for n in range(a.layers)], first, arrays[-2], pack_layer
    )


def dense_layers(a: Architecture, arrays: list[Array]) -> list[PackedLayer]:
    """Layers over the frame."""
    return _hidden_layers(_pairs(a, arrays), a.frame_size, arrays[-2], _dense)


def conv_layers(a: Architecture, arrays: list[Array]) -> list[PackedLayer]:
    """Convolutions, and the output layer: one column a position, the oldest first."""
    layers = _hidden_layers(_pairs(a, arrays), CONV_FIRST_KERNEL, None, _conv)
    positions = conv_length(a, a.layers)
    taps = arrays[-2].reshape(positions, a.units).T
    output = _ungated(
        {"input": (taps, layers[-1].units)}, np.zeros(positions), layers[-1].units, None
    )
    return [*layers, output]


def dilated_layers(a: Architecture, arrays: list[Array]) -> list[PackedLayer]:
    """The first product; then by turns a convolution and the product that joins it to the signal.

    A convolution's taps lie one after the other, the oldest first.
    """
    lanes = _narrow_lanes(a.units)
    units = _padded(a.units, lanes)
    layers = [_ungated({"input": (arrays[0], 1)}, np.zeros(a.units), 1, None, lanes)]
    own = arrays[1:-2]
    for number in range(a.layers):
        kernel, bias, mix, *join = own[5 * number : 5 * number + 5]
        taps = _grown(kernel, 1, units).reshape(-1, a.units)
        sources = {"mix": (mix, 1), "taps": (taps, len(taps))}
        share = None if join else arrays[-2][:, 0]
        layers.append(_ungated(sources, bias, units, share, lanes))
        if join:
            layers.append(_ungated({"input": (join[0], units)}, join[1], units, None, lanes))
    return layers


def _pairs(a: Architecture, arrays: list[Array]) -> list[list[Array]]:
    return [arrays[2 * n : 2 * n + 2] for n in range(a.layers)]


def _hidden_layers(
    own: list[list[Array]], inputs: int, output: Array | None, pack_layer: PackLayer
) -> list[PackedLayer]:
    """Layer by layer; the last one has its share of an output layer, ``(units, 1)``."""
    layers: list[PackedLayer] = []
    for number, arrays in enumerate(own, 1):
        share = output[:, 0] if number == len(own) and output is not None else None
        layers.append(pack_layer(arrays, layers[-1].units if layers else inputs, share))
    return layers


def pack_features(a: Architecture, weights: Weights) -> PackedLayer:
    """The linear features of a frame that enter the first layer, the oldest tap first."""
    kernel = np.asarray(weights[0], np.float64)[:, 0]
    lanes = _narrow_lanes(a.features)
    kernel = _grown(kernel, 1, _padded(a.features, lanes))
    blocks = [_flat(taps=kernel[:, b]) for b in _blocks(kernel.shape[1], lanes)]
    return PackedLayer(a.frame_size, kernel.shape[1], lanes, blocks)


def _narrow_lanes(units: int) -> int:
    """One block for few units, so that what feeds them is read once."""
    even = units + units % 2
    return even if even <= max(_LANES) else lanes_for(units)


def _grown(array: Array, axis: int, size: int) -> Array:
    widths = [(0, 0)] * array.ndim
    widths[axis] = (0, size - array.shape[axis])
    return np.pad(array, widths)


def _by_gate(array: Array, gates: int, rows: int | None, units: int) -> Array:
    """``(..., gates * units)`` to ``(..., gates, padded units)``, rows padded too."""
    split = _grown(array.reshape(*array.shape[:-1], gates, -1), -1, units)
    return split if rows is None else _grown(split, 0, rows)


def _blocks(units: int, per_block: int) -> Iterator[slice]:
    return (slice(start, start + per_block) for start in range(0, units, per_block))


def _flat(**fields: Array | None) -> dict[str, NDArray[np.float32]]:
    return {k: np.float32(v).reshape(-1) for k, v in fields.items() if v is not None}


def _padded(units: int, per_block: int) -> int:
    return -(-units // per_block) * per_block


def lstm_layer(own: list[Array], inputs: int, output: Array | None) -> PackedLayer:
    """Gates i, f, g, o of two units a block."""
    units = _padded(len(own[1]), GATED_UNITS_PER_BLOCK)
    # sigmoid(z) = (1 + tanh(z / 2)) / 2: the gates' weights are halved, which is exact.
    halves = np.array([0.5, 0.5, 1.0, 0.5])[:, None]
    kernel = _by_gate(own[0], 4, inputs, units) * halves
    recurrent = _by_gate(own[1], 4, units, units) * halves
    bias = _by_gate(own[2], 4, None, units) * halves
    output = None if output is None else _grown(output, 0, units)
    blocks = [
        _flat(
            bias=bias[:, b],
            input=kernel[:, :, b],
            recurrent=recurrent[:, :, b],
            output=None if output is None else output[b],
        )
        for b in _blocks(units, GATED_UNITS_PER_BLOCK)
    ]
    return PackedLayer(inputs, units, GATED_UNITS_PER_BLOCK, blocks, sums_per_unit=4)


def gru_layer(own: list[Array], inputs: int, output: Array | None) -> PackedLayer:
    """Gates z, r and candidate n of two units a block."""
    units = _padded(len(own[1]), GATED_UNITS_PER_BLOCK)
    # Halved for the sigmoid's sake (see lstm_layer); what the reset gate multiplies, too, since
    # the code multiplies it by twice the gate.
    halves = np.array([0.5, 0.5, 1.0])[:, None]
    kernel = _by_gate(own[0], 3, inputs, units) * halves
    recurrent = _by_gate(own[1], 3, units, units) * 0.5
    bias = _by_gate(own[2], 3, None, units)  # (input or recurrent, gate, unit)
    bias = bias * np.stack([halves, np.full((3, 1), 0.5)])
    output = None if output is None else _grown(output, 0, units)
    blocks = [
        _flat(
            bias=np.concatenate([bias[0, :2, b] + bias[1, :2, b], bias[1, 2:, b]]),
            candidate_bias=bias[0, 2, b],
            input=kernel[:, :, b],
            recurrent=recurrent[:, :, b],
            output=None if output is None else output[b],
        )
        for b in _blocks(units, GATED_UNITS_PER_BLOCK)
    ]
    return PackedLayer(inputs, units, GATED_UNITS_PER_BLOCK, blocks, sums_per_unit=3)


def _ungated(
    sources: Mapping[str, tuple[Array, int]],
    bias: Array,
    inputs: int,
    output: Array | None,
    lanes: int | None = None,
) -> PackedLayer:
    """A layer fed by several named vectors: name to (matrix, padded rows)."""
    lanes = lanes or lanes_for(bias.size)
    units = _padded(bias.size, lanes)
    grown = {k: _grown(_grown(m, 0, rows), 1, units) for k, (m, rows) in sources.items()}
    bias = _grown(bias, 0, units)
    output = None if output is None else _grown(output, 0, units)
    blocks = [
        _flat(
            bias=bias[b],
            **{name: matrix[:, b] for name, matrix in grown.items()},
            output=None if output is None else output[b],
        )
        for b in _blocks(units, lanes)
    ]
    return PackedLayer(inputs, units, lanes, blocks)


def rnn_layer(own: list[Array], inputs: int, output: Array | None) -> PackedLayer:
    """A tanh layer that sees its own last answer."""
    units = _padded(own[2].size, lanes_for(own[2].size))
    sources = {"input": (own[0], inputs), "recurrent": (own[1], units)}
    return _ungated(sources, own[2], inputs, output)


def _dense(own: list[Array], inputs: int, output: Array | None) -> PackedLayer:
    return _ungated({"input": (own[0], inputs)}, own[1], inputs, output)


def _conv(own: list[Array], inputs: int, output: Array | None) -> PackedLayer:
    kernel, bias = own
    if kernel.shape[1] == 1:
        return _ungated({"input": (kernel[:, 0], inputs)}, bias, inputs, output)
    sources = {"earlier": (kernel[0], inputs), "input": (kernel[1], inputs)}
    return _ungated(sources, bias, inputs, output)
