"""A graph as the bytes of a ``.tflite`` file.

Tensors lie in the file as TFLite Micro reads them in place, so constants are aligned to 16
bytes. Versions of operators are the lowest that know the number type
(tensorflow/lite/tools/versioning/op_version.cc), so that old runtimes load new files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from embedded.tflite import quantization
from embedded.tflite.graph import Graph, Operator, Tensor
from embedded.tflite.quantization import Kind, Scale

CONSTANT_ALIGNMENT_BYTES = 16
DESCRIPTION = "pedalframe"
SIGNATURE = "serving_default"

Ranges = Mapping[str, tuple[float, float]]
"""By role, the smallest and the largest value that calibration found."""

_NO_OPTIONS: tuple[int, Callable[..., Any] | None] = (0, None)
_OPTIONS: dict[str, tuple[int, Callable[..., Any] | None]] = {
    "FULLY_CONNECTED": (
        schema.BuiltinOptions.FullyConnectedOptions,
        schema.FullyConnectedOptionsT,
    ),
    "CONV_2D": (schema.BuiltinOptions.Conv2DOptions, schema.Conv2DOptionsT),
    "ADD": (schema.BuiltinOptions.AddOptions, schema.AddOptionsT),
    "SUB": (schema.BuiltinOptions.SubOptions, schema.SubOptionsT),
    "MUL": (schema.BuiltinOptions.MulOptions, schema.MulOptionsT),
    "SPLIT": (schema.BuiltinOptions.SplitOptions, schema.SplitOptionsT),
    "CONCATENATION": (schema.BuiltinOptions.ConcatenationOptions, schema.ConcatenationOptionsT),
    "SLICE": (schema.BuiltinOptions.SliceOptions, schema.SliceOptionsT),
    "RESHAPE": (schema.BuiltinOptions.ReshapeOptions, schema.ReshapeOptionsT),
    "TANH": _NO_OPTIONS,
    "LOGISTIC": _NO_OPTIONS,
}

# Version by kind: float32, int8, int16x8.
_VERSIONS: dict[str, tuple[int, int, int]] = {
    "FULLY_CONNECTED": (1, 4, 7),
    "CONV_2D": (1, 3, 4),
    "ADD": (1, 2, 4),
    "SUB": (1, 3, 5),
    "MUL": (1, 2, 4),
    "SPLIT": (1, 2, 4),
    "CONCATENATION": (1, 2, 3),
    "SLICE": (1, 2, 4),
    "RESHAPE": (1, 1, 1),
    "TANH": (1, 2, 3),
    "LOGISTIC": (1, 2, 3),
}
_KIND_COLUMN = {"float32": 0, "int8": 1, "int16x8": 2}

_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.int16): schema.TensorType.INT16,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int64): schema.TensorType.INT64,
}


@dataclass(frozen=True)
class Scaled:
    """What a tensor is in the file.

    Attributes:
        dtype: of its numbers.
        scale: how they stand for numbers; None for floats and sizes.
        constant: its numbers, None for what is computed.
    """

    dtype: np.dtype[Any]
    scale: Scale | None
    constant: NDArray[Any] | None


def scaled(graph: Graph, kind: Kind, ranges: Ranges) -> list[Scaled]:
    """Every tensor of the graph in the number type of ``kind``.

    Raises:
        KeyError: the ranges lack a role.
    """
    done: list[Scaled] = []
    for tensor in graph.tensors:
        done.append(_scaled(tensor, graph, kind, ranges, done))
    return done


def _scaled(tensor: Tensor, graph: Graph, kind: Kind, ranges: Ranges, done: list[Scaled]) -> Scaled:
    constant = tensor.constant
    if constant is not None and constant.dtype == np.int32:
        return Scaled(constant.dtype, None, constant)
    if kind == "float32":
        return Scaled(np.dtype(np.float32), None, constant)
    dtype: quantization.IntegerType = np.int8
    if tensor.role in graph.ranges:
        dtype = quantization.ACTIVATIONS[kind]
        scale = quantization.activation_scale(*ranges[tensor.role], graph.ranges[tensor.role], kind)
    elif tensor.bias_of is not None:
        source, weights = (done[index].scale for index in tensor.bias_of)
        assert source is not None and weights is not None
        dtype, scale = quantization.BIASES[kind], quantization.bias_scale(source, weights)
    else:
        assert constant is not None
        scale = quantization.weight_scale(constant.astype(np.float64), tensor.channel_axis)
    if constant is not None:
        constant = quantization.quantized(constant.astype(np.float64), scale, dtype)
    return Scaled(np.dtype(dtype), scale, constant)


def serialized(graph: Graph, kind: Kind, ranges: Ranges) -> bytes:
    """The file's bytes; the same for the same arguments.

    Args:
        graph: the network.
        kind: its number type.
        ranges: of every role; not read for float32.
    """
    numbers = scaled(graph, kind, ranges)
    model = schema.ModelT()
    model.version = 3
    model.description = DESCRIPTION
    kinds = graph.operator_kinds
    model.operatorCodes = [_operator_code(name, kind) for name in kinds]
    model.buffers = [schema.BufferT()]  # the first is empty, for what is computed
    subgraph = schema.SubGraphT()
    subgraph.name = "main"
    subgraph.inputs, subgraph.outputs = list(graph.inputs), list(graph.outputs)
    subgraph.tensors = [
        _tensor(tensor, number, model.buffers)
        for tensor, number in zip(graph.tensors, numbers, strict=True)
    ]
    subgraph.operators = [_operator(operator, kinds) for operator in graph.operators]
    model.subgraphs = [subgraph]
    model.signatureDefs = [_signature(graph)]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class _AlignedBuffer(schema.BufferT):
    """A constant that begins at a multiple of 16 bytes from the file's start."""

    def Pack(self, builder: flatbuffers.Builder) -> int:
        """Write the bytes, then the table that points to them."""
        builder.StartVector(1, len(self.data), CONSTANT_ALIGNMENT_BYTES)
        builder.head -= len(self.data)
        builder.Bytes[builder.Head() : builder.Head() + len(self.data)] = self.data
        at = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, at)
        return int(schema.BufferEnd(builder))


def _operator_code(name: str, kind: Kind) -> Any:
    code = schema.OperatorCodeT()
    number = getattr(schema.BuiltinOperator, name)
    code.builtinCode, code.deprecatedBuiltinCode = number, number  # all are below 127
    code.version = _VERSIONS[name][_KIND_COLUMN[kind]]
    return code


def _tensor(tensor: Tensor, number: Scaled, buffers: list[Any]) -> Any:
    written = schema.TensorT()
    written.name = tensor.name
    written.shape = list(tensor.shape)
    written.type = _TYPES[number.dtype]
    if number.constant is not None:
        little = number.constant.astype(number.dtype.newbyteorder("<"))
        buffer = _AlignedBuffer()
        buffer.data = little.tobytes()
        written.buffer = len(buffers)
        buffers.append(buffer)
    if number.scale is not None:
        found = schema.QuantizationParametersT()
        found.scale = list(number.scale.scale)
        found.zeroPoint = [number.scale.zero_point] * len(number.scale.scale)
        found.quantizedDimension = number.scale.axis
        written.quantization = found
    return written


def _operator(operator: Operator, kinds: list[str]) -> Any:
    written = schema.OperatorT()
    written.opcodeIndex = kinds.index(operator.kind)
    written.inputs, written.outputs = list(operator.inputs), list(operator.outputs)
    number, options = _OPTIONS[operator.kind]
    if options is not None:
        written.builtinOptionsType = number
        written.builtinOptions = options(**operator.options)
    return written


def _signature(graph: Graph) -> Any:
    signature = schema.SignatureDefT()
    signature.signatureKey = SIGNATURE
    signature.inputs = [_named(graph, index) for index in graph.inputs]
    signature.outputs = [_named(graph, index) for index in graph.outputs]
    return signature


def _named(graph: Graph, index: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = graph.tensors[index].name, index
    return entry
