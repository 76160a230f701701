"""A network as a list of TFLite operators on named tensors, before any number type is chosen.

A tensor's *role* says what it holds, whichever step of an unrolled block it belongs to. All
tensors of one role get one scale, so that a state goes in as it came out, and a block of 32
samples computes what 32 blocks of one compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Range: TypeAlias = Literal["calibrated", "unit", "tanh", "logistic"]
"""What is known of a role's values: nothing; that they lie within [-1, 1]; or that an
operator gives them, whose output scale TFLite prescribes."""

# TFLite Micro joins at most ten tensors in one operator.
JOINED_AT_ONCE = 8


@dataclass(frozen=True)
class Tensor:
    """A value of the graph.

    Attributes:
        name: of inputs, outputs and constants; others go without, which spares flash.
        shape: of its array.
        role: tensors of one role share their scale.
        constant: float weights, or int32 sizes; None for what is computed.
        channel_axis: axis of float weights along which every slice has a scale of its own.
        bias_of: input and weights whose scales' product is this constant's scale.
    """

    name: str
    shape: tuple[int, ...]
    role: str
    constant: NDArray[np.generic] | None = None
    channel_axis: int | None = None
    bias_of: tuple[int, int] | None = None


@dataclass(frozen=True)
class Operator:
    """A TFLite operator: its name in the schema, tensors by index, and its options."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class Graph:
    """Tensors, operators in the order of computing, and what goes in and out.

    Attributes:
        tensors, operators: named by their place in these lists.
        inputs, outputs: tensors in the order of the interpreter's arguments.
        ranges: by role, what is known of its values.
        is_balanced: whether weights are brought to one size, see ``networks``.
    """

    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    ranges: dict[str, Range] = field(default_factory=dict)
    is_balanced: bool = False

    @property
    def operator_kinds(self) -> list[str]:
        """The operators that a resolver must know, by name."""
        return sorted({operator.kind for operator in self.operators})

    def input(self, name: str, shape: tuple[int, ...], role: str, known: Range) -> int:
        """A new input."""
        self.ranges.setdefault(role, known)
        self.inputs.append(self._tensor(name, shape, role))
        return self.inputs[-1]

    def output(self, tensor: int, name: str) -> None:
        """Make a computed tensor an output, under a name of its own."""
        found = self.tensors[tensor]
        self.tensors[tensor] = Tensor(name, found.shape, found.role)
        self.outputs.append(tensor)

    def weights(
        self, name: str, value: NDArray[np.floating], channel_axis: int | None = None
    ) -> int:
        """A float constant that becomes int8 in both integer kinds."""
        array = np.asarray(value, np.float32)
        return self._tensor(name, array.shape, name, array, channel_axis)

    def bias(self, name: str, value: NDArray[np.floating], source: int, weights: int) -> int:
        """A float constant that is added to ``source * weights``, in wider integers."""
        array = np.asarray(value, np.float32)
        return self._tensor(name, array.shape, name, array, None, (source, weights))

    def activations(self, name: str, value: NDArray[np.floating], role: str) -> int:
        """A float constant in the place of a computed tensor, in its role's scale."""
        array = np.asarray(value, np.float32)
        return self._tensor(name, array.shape, role, array)

    def fully_connected(self, x: int, weights: int, bias: int | None, role: str) -> int:
        """``x @ weights.T + bias``: ``(rows, n)`` and ``(m, n)`` to ``(rows, m)``."""
        rows, width = self.tensors[x].shape[0], self.tensors[weights].shape[0]
        inputs = (x, weights, -1 if bias is None else bias)
        return self._operator("FULLY_CONNECTED", inputs, (rows, width), role)

    def convolution(self, x: int, kernel: int, bias: int, stride: int, role: str) -> int:
        """Along time, without padding: ``(batch, 1, time, in)`` and ``(out, 1, taps, in)``."""
        batch, _, time, _ = self.tensors[x].shape
        filters, _, taps, _ = self.tensors[kernel].shape
        shape = (batch, 1, (time - taps) // stride + 1, filters)
        options = {"padding": 1, "strideW": stride, "strideH": 1}  # 1: no padding
        return self._operator("CONV_2D", (x, kernel, bias), shape, role, options)

    def add(self, a: int, b: int, role: str) -> int:
        """Sum of two tensors of one shape."""
        shape = self.tensors[a].shape
        return self._operator("ADD", (a, b), shape, role, {"potScaleInt16": False})

    def subtract(self, a: int, b: int, role: str) -> int:
        """Difference of two tensors of one shape."""
        shape = self.tensors[a].shape
        return self._operator("SUB", (a, b), shape, role, {"potScaleInt16": False})

    def multiply(self, a: int, b: int, role: str) -> int:
        """Product of two tensors of one shape, number by number."""
        return self._operator("MUL", (a, b), self.tensors[a].shape, role)

    def tanh(self, x: int, role: str) -> int:
        """Hyperbolic tangent."""
        self.ranges[role] = "tanh"
        return self._operator("TANH", (x,), self.tensors[x].shape, role)

    def logistic(self, x: int, role: str) -> int:
        """1 / (1 + exp(-x))."""
        self.ranges[role] = "logistic"
        return self._operator("LOGISTIC", (x,), self.tensors[x].shape, role)

    def split(self, x: int, parts: int) -> list[int]:
        """Equal parts of the last axis, in the role of the whole."""
        if parts == 1:
            return [x]
        *rest, width = self.tensors[x].shape
        axis = self._sizes("split_axis", [len(rest)], scalar=True)
        role = self.tensors[x].role
        shape = (*rest, width // parts)
        outputs = [self._tensor("", shape, role) for _ in range(parts)]
        self.operators.append(Operator("SPLIT", (axis, x), tuple(outputs), {"numSplits": parts}))
        return outputs

    def join(self, parts: Sequence[int]) -> int:
        """Tensors of one role joined along the last axis."""
        joined = list(parts)
        while len(joined) > 1:
            groups = [
                joined[start : start + JOINED_AT_ONCE]
                for start in range(0, len(joined), JOINED_AT_ONCE)
            ]
            joined = [group[0] if len(group) == 1 else self._joined(group) for group in groups]
        return joined[0]

    def last(self, x: int, count: int) -> int:
        """The last columns of ``(rows, columns)``, shape ``(rows, count)``."""
        rows, columns = self.tensors[x].shape
        begin = self._sizes(f"begin_0x{columns - count}", [0, columns - count])
        size = self._sizes(f"size_{rows}x{count}", [rows, count])
        return self._operator("SLICE", (x, begin, size), (rows, count), self.tensors[x].role)

    def reshape(self, x: int, shape: tuple[int, ...]) -> int:
        """The same numbers in another shape."""
        size = self._sizes("shape_" + "x".join(map(str, shape)), list(shape))
        options = {"newShape": list(shape)}
        return self._operator("RESHAPE", (x, size), shape, self.tensors[x].role, options)

    def _joined(self, parts: list[int]) -> int:
        *rest, _ = self.tensors[parts[0]].shape
        width = sum(self.tensors[part].shape[-1] for part in parts)
        role = self.tensors[parts[0]].role
        options = {"axis": len(rest)}
        return self._operator("CONCATENATION", tuple(parts), (*rest, width), role, options)

    def _operator(
        self,
        kind: str,
        inputs: tuple[int, ...],
        shape: tuple[int, ...],
        role: str,
        options: dict[str, Any] | None = None,
    ) -> int:
        self.ranges.setdefault(role, "calibrated")
        output = self._tensor("", shape, role)
        self.operators.append(Operator(kind, inputs, (output,), options or {}))
        return output

    def _sizes(self, name: str, values: list[int], scalar: bool = False) -> int:
        """A constant of sizes or positions, kept once."""
        for index, tensor in enumerate(self.tensors):
            if tensor.name == name:
                return index
        array = np.array(values[0] if scalar else values, np.int32)
        return self._tensor(name, array.shape, name, array)

    def _tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        role: str,
        constant: NDArray[np.generic] | None = None,
        channel_axis: int | None = None,
        bias_of: tuple[int, int] | None = None,
    ) -> int:
        self.tensors.append(Tensor(name, tuple(shape), role, constant, channel_axis, bias_of))
        return len(self.tensors) - 1
