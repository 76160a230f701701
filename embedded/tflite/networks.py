"""Our architectures as graphs of TFLite operators, from the flat list of their weights.

Equations and orders are those of Keras 3: LSTM gates input, forget, candidate, output; GRU
with ``reset_after=True`` and gates update, reset, candidate; Conv1D without padding, also where it
gives the linear features of a frame that enter a recurrent layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from data.errors import InputError
from embedded.network import weights as network
from embedded.network.reference import Weights
from embedded.network.weights import check
from embedded.tflite.graph import Graph
from embedded.tflite.quantization import Kind
from models.architecture import Architecture
from models.families import CONV_FIRST_STRIDE

Form = Literal["streaming", "framed"]
"""``streaming``: samples and states in, samples and states out. ``framed``: frames in, every
one from zero state, one sample each out."""

LARGEST_BLOCK = 128
BALANCED: tuple[Kind, ...] = ("int16x8",)
SMALLEST_BALANCE = 1 / 16

Array = NDArray[np.float32]


def build(
    architecture: Architecture,
    weights: Weights,
    form: Form,
    block: int,
    kind: Kind,
    signals: int = 1,
) -> Graph:
    """The graph that answers ``block`` samples at a time, for a number type.

    Inputs are ``dry``, shape ``(signals, block)`` when streaming and ``(block, frame_size)``
    when framed, and, when streaming, the states ``lstm_1.h``, ``lstm_1.c`` and so on, shape
    ``(signals, units)``; before them, of a model with features, ``history``, the dry samples
    before the block, oldest first, shape ``(signals, frame_size - 1)``. Outputs are ``wet``,
    shape ``(signals, block)`` or ``(block, 1)``, and the states ``history.next``,
    ``lstm_1.h.next`` and so on, in the same order. A board streams one signal.

    Raises:
        InputError: the family has no graph, the weights do not fit, the block is out of range,
            a model without state is asked to stream, or one with features to start every frame
            from zero.
    """
    _check(architecture, weights, form, block)
    arrays = [np.asarray(array, np.float32) for array in weights]
    graph = Graph(is_balanced=kind in BALANCED)
    if form == "streaming":
        _streaming(graph, architecture, arrays, block, signals)
    elif architecture.streams:
        _framed_recurrent(graph, architecture, arrays, block)
    else:
        _feed_forward(graph, architecture, arrays, block)
    return graph


def objection(a: Architecture) -> str | None:
    """Why a model has no graph, or None."""
    if a.family not in LAYERS and a.family not in FEED_FORWARD:
        return f"no TFLite graph is written for the family {a.family}"
    return network.objection(a)


def _check(a: Architecture, weights: Weights, form: Form, block: int) -> None:
    subject = f"conversion of a {a.family} {a.layers}x{a.units}"
    if reason := objection(a):
        raise InputError(
            subject,
            expected=f"a family of {', '.join([*LAYERS, *FEED_FORWARD])}, without controls",
            found=reason,
            remedy="Choose a run of such a family without knobs.",
        )
    check(a, weights)
    if not 1 <= block <= LARGEST_BLOCK:
        raise InputError(
            subject,
            expected=f"a block of 1 to {LARGEST_BLOCK} samples",
            found=str(block),
            remedy="Choose a block in that range; the firmware cuts longer buffers up.",
        )
    if form == "framed" and a.features:
        raise InputError(
            subject,
            expected="a model that was trained on frames",
            found=f"one that takes {a.features} features of {a.frame_size} samples, on sequences",
            remedy="Convert it streaming, as it was trained.",
        )
    if form == "streaming" and not a.streams:
        raise InputError(
            subject,
            expected="a recurrent family to stream",
            found="a family without state",
            remedy="Convert it framed, as it was trained.",
        )


def _streaming(
    graph: Graph, a: Architecture, arrays: list[Array], block: int, signals: int
) -> None:
    dry = graph.input("dry", (signals, block), "dry", "unit")
    seen = _with_history(graph, a, dry) if a.features else dry
    layers = _layers(graph, a, arrays[1:] if a.features else arrays)
    states = [
        [graph.input(name, (signals, a.units), name, known) for name, known in layer.states]
        for layer in layers
    ]
    last: list[int] = []
    fed = _features(graph, a, arrays[0], seen) if a.features else dry
    for entering in graph.split(fed, block):
        signal = entering
        for number, layer in enumerate(layers):
            states[number] = layer.step(signal, states[number])
            signal = states[number][0]
        last.append(signal)
    output = _Output(graph, arrays)
    wet = graph.join([output(hidden) for hidden in last])
    graph.output(graph.add(wet, dry, "wet") if a.residual else wet, "wet")
    if a.features:
        graph.output(graph.last(seen, a.history), "history.next")
    for layer, after in zip(layers, states, strict=True):
        for (name, _), tensor in zip(layer.states, after, strict=True):
            graph.output(tensor, f"{name}.next")


def _with_history(graph: Graph, a: Architecture, dry: int) -> int:
    """The block behind the dry samples before it, in one scale, so that they pass untouched."""
    signals, _ = graph.tensors[dry].shape
    return graph.join([graph.input("history", (signals, a.history), "dry", "unit"), dry])


def _features(graph: Graph, a: Architecture, kernel: Array, seen: int) -> int:
    """Linear features of the frame that ends at every sample of a block, sample by sample."""
    signals, samples = graph.tensors[seen].shape
    x = graph.reshape(seen, (signals, 1, samples, 1))
    weights = graph.weights("features.kernel", kernel.transpose(2, 0, 1)[:, None], channel_axis=0)
    bias = graph.bias("features.bias", np.zeros(a.features), x, weights)
    found = graph.convolution(x, weights, bias, 1, "features")
    return graph.reshape(found, (signals, (samples - a.history) * a.features))


def _framed_recurrent(graph: Graph, a: Architecture, arrays: list[Array], block: int) -> None:
    dry = graph.input("dry", (block, a.frame_size), "dry", "unit")
    layers = _layers(graph, a, arrays)
    signals = graph.split(dry, a.frame_size)
    newest = signals[-1]
    for layer in layers:
        zeros = np.zeros((block, a.units), np.float32)
        for name, known in layer.states:
            graph.ranges.setdefault(name, known)
        states = [graph.activations(f"{name}.zero", zeros, name) for name, _ in layer.states]
        hidden = []
        for signal in signals:
            states = layer.step(signal, states)
            hidden.append(states[0])
        signals = hidden
    wet = _Output(graph, arrays)(signals[-1])
    graph.output(graph.add(wet, newest, "wet") if a.residual else wet, "wet")


def _feed_forward(graph: Graph, a: Architecture, arrays: list[Array], block: int) -> None:
    dry = graph.input("dry", (block, a.frame_size), "dry", "unit")
    wet = _Output(graph, arrays)(FEED_FORWARD[a.family](graph, a, arrays, dry))
    graph.output(graph.add(wet, graph.last(dry, 1), "wet") if a.residual else wet, "wet")


def _dense(graph: Graph, a: Architecture, arrays: list[Array], x: int) -> int:
    for number in range(1, a.layers + 1):
        kernel, bias = arrays[2 * number - 2 : 2 * number]
        name = f"dense_{number}"
        x = graph.tanh(_Connection(graph, name, kernel, bias)(x), name)
    return x


def _conv(graph: Graph, a: Architecture, arrays: list[Array], x: int) -> int:
    rows = graph.tensors[x].shape[0]
    x = graph.reshape(x, (rows, 1, a.frame_size, 1))
    for number in range(1, a.layers + 1):
        kernel, bias = arrays[2 * number - 2 : 2 * number]
        stride = CONV_FIRST_STRIDE if number == 1 else 1
        # Kernels are counted from the frame's end; zero taps reach what is left at its start.
        oldest = (graph.tensors[x].shape[2] - len(kernel)) % stride
        taps = np.pad(kernel, ((oldest, 0), (0, 0), (0, 0))).transpose(2, 0, 1)[:, None]
        name = f"conv_{number}"
        weights = graph.weights(f"{name}.kernel", taps, channel_axis=0)
        added = graph.bias(f"{name}.bias", bias, x, weights)
        x = graph.tanh(graph.convolution(x, weights, added, stride, f"{name}.sum"), name)
    _, _, positions, filters = graph.tensors[x].shape
    return graph.reshape(x, (rows, positions * filters))


class _Connection:
    """A matrix with its bias, kept once and applied at every step.

    TFLite Micro's optimised kernels know one scale for all int8 weights of a fully connected
    operator, which leaves little of the outputs whose weights are small. In a balanced graph
    all outputs have weights as large as any, and a product puts them right afterwards.
    """

    def __init__(self, graph: Graph, name: str, kernel: Array, bias: Array | None) -> None:
        self._graph, self._name, self._bias = graph, name, bias
        self._scaled: int | None = None
        if graph.is_balanced and min(kernel.shape) > 1:
            largest = np.abs(kernel).max(axis=0)
            # Biases grow as the weights do, and must not take the range for themselves.
            balance = np.maximum(largest / max(largest.max(), 1e-30), SMALLEST_BALANCE)
            kernel = kernel / balance
            self._bias = None if bias is None else bias / balance
            graph.ranges[f"{name}.balance"] = "unit"
            self._scaled = graph.activations(f"{name}.balance", balance[None], f"{name}.balance")
        self._weights = graph.weights(f"{name}.kernel", kernel.T)
        self._added: int | None = None

    def __call__(self, x: int) -> int:
        """Apply it to ``(rows, n)``."""
        graph = self._graph
        if self._bias is not None and self._added is None:
            # Every x has one role, so one scale: the first stands for all.
            self._added = graph.bias(f"{self._name}.bias", self._bias, x, self._weights)
        if self._scaled is None:
            return graph.fully_connected(x, self._weights, self._added, f"{self._name}.sum")
        summed = graph.fully_connected(x, self._weights, self._added, f"{self._name}.balanced")
        return graph.multiply(summed, self._scaled, f"{self._name}.sum")


class _Output:
    """The last layer."""

    def __init__(self, graph: Graph, arrays: list[Array]) -> None:
        self._connection = _Connection(graph, "output", arrays[-2], arrays[-1])

    def __call__(self, hidden: int) -> int:
        """``(rows, n)`` to ``(rows, 1)``."""
        return self._connection(hidden)


def _layers(graph: Graph, a: Architecture, arrays: list[Array]) -> Sequence[_Layer]:
    return [
        LAYERS[a.family](graph, f"{a.family}_{n}", *arrays[3 * n - 3 : 3 * n])
        for n in range(1, a.layers + 1)
    ]


class _Layer:
    """A recurrent layer, one step at a time.

    Attributes:
        states: names of the tensors that it carries and what is known of their values;
            the first is what it answers.
    """

    def __init__(
        self, graph: Graph, name: str, kernel: Array, recurrent: Array, bias: Array
    ) -> None:
        self.graph, self.name = graph, name
        from_input, from_state = (bias[0], bias[1]) if bias.ndim == 2 else (bias, None)
        self.from_input = _Connection(graph, f"{name}.input", kernel, from_input)
        self.from_state = _Connection(graph, f"{name}.recurrent", recurrent, from_state)

    @property
    def states(self) -> list[tuple[str, Literal["unit", "calibrated"]]]:
        """See the class."""
        return [(f"{self.name}.h", "unit")]

    def step(self, signal: int, states: list[int]) -> list[int]:
        """The states after a sample."""
        raise NotImplementedError


class _Lstm(_Layer):
    @property
    def states(self) -> list[tuple[str, Literal["unit", "calibrated"]]]:
        return [(f"{self.name}.h", "unit"), (f"{self.name}.c", "calibrated")]

    def step(self, signal: int, states: list[int]) -> list[int]:
        g, name = self.graph, self.name
        hidden, cell = states
        both = g.add(self.from_input(signal), self.from_state(hidden), f"{name}.gates")
        i, f, candidate, o = g.split(both, 4)
        kept = g.multiply(g.logistic(f, f"{name}.f"), cell, f"{name}.kept")
        gate, news = g.logistic(i, f"{name}.i"), g.tanh(candidate, f"{name}.candidate")
        cell = g.add(kept, g.multiply(gate, news, f"{name}.new"), f"{name}.c")
        told = g.tanh(cell, f"{name}.told")
        return [g.multiply(g.logistic(o, f"{name}.o"), told, f"{name}.h"), cell]


class _Gru(_Layer):
    def step(self, signal: int, states: list[int]) -> list[int]:
        g, name = self.graph, self.name
        (hidden,) = states
        update_x, reset_x, candidate_x = g.split(self.from_input(signal), 3)
        update_h, reset_h, candidate_h = g.split(self.from_state(hidden), 3)
        update = g.logistic(g.add(update_x, update_h, f"{name}.update_sum"), f"{name}.update")
        reset = g.logistic(g.add(reset_x, reset_h, f"{name}.reset_sum"), f"{name}.reset")
        remembered = g.multiply(reset, candidate_h, f"{name}.remembered")
        summed = g.add(candidate_x, remembered, f"{name}.candidate_sum")
        candidate = g.tanh(summed, f"{name}.candidate")
        # update h + (1 - update) n = n + update (h - n)
        change = g.subtract(hidden, candidate, f"{name}.change")
        kept = g.multiply(update, change, f"{name}.kept")
        return [g.add(candidate, kept, f"{name}.h")]


class _Rnn(_Layer):
    def step(self, signal: int, states: list[int]) -> list[int]:
        g, name = self.graph, self.name
        summed = g.add(self.from_input(signal), self.from_state(states[0]), f"{name}.sum")
        return [g.tanh(summed, f"{name}.h")]


# Of the families that stream, a layer; of the others, what lies between frames and the output.
LAYERS: dict[str, type[_Layer]] = {"lstm": _Lstm, "gru": _Gru, "rnn": _Rnn}
FEED_FORWARD: dict[str, Callable[[Graph, Architecture, list[Array], int], int]] = {
    "dense": _dense,
    "conv": _conv,
}
