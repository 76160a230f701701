"""What lies in the file: read back with the schema."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from embedded.tflite import flatbuffer, networks, quantization
from embedded.tflite.graph import Graph
from embedded.tflite.networks import Form
from embedded.tflite.quantization import Kind
from models.architecture import Architecture
from tests.embedded.tflite import models


class EveryRange(dict[str, tuple[float, float]]):
    def __missing__(self, role: str) -> tuple[float, float]:
        return -2.0, 2.0


def written(
    a: Architecture, kind: Kind, block: int = 2, form: Form = "streaming"
) -> tuple[bytes, Graph]:
    graph = networks.build(a, models.weights_of(a), form, block, kind)
    return flatbuffer.serialized(graph, kind, EveryRange()), graph


@pytest.mark.parametrize("kind", ["float32", "int8", "int16x8"])
def test_constants_begin_at_multiples_of_16_bytes(kind: Kind) -> None:
    content, graph = written(models.RECURRENT[1], kind)
    model = schema.Model.GetRootAsModel(content, 0)
    constants = 0
    for index in range(model.BuffersLength()):
        buffer = model.Buffers(index)
        if buffer.DataLength():
            data = np.frombuffer(content, np.uint8)
            offset = buffer.DataAsNumpy().ctypes.data - data.ctypes.data
            assert offset % 16 == 0
            constants += 1
    assert constants == sum(tensor.constant is not None for tensor in graph.tensors)


def test_a_block_keeps_one_copy_of_the_weights() -> None:
    a = Architecture("lstm", 1, 32, 16)
    sizes = [len(written(a, "int16x8", block)[0]) for block in (8, 16, 24)]
    per_step = (sizes[2] - sizes[1]) / 8
    assert per_step == pytest.approx((sizes[1] - sizes[0]) / 8, rel=0.02)
    assert per_step < 3000 < 4 * 32 * 32  # less than the recurrent kernel alone


@pytest.mark.parametrize("a", models.SHAPES, ids=models.name)
def test_there_is_no_loop_and_nothing_foreign(a: Architecture) -> None:
    form: Form = "streaming" if a in models.RECURRENT else "framed"
    content, _ = written(a, "int8", 2, form)
    model = schema.Model.GetRootAsModel(content, 0)
    assert model.SubgraphsLength() == 1  # a loop has its body in another
    names = {number: name for name, number in vars(schema.BuiltinOperator).items()}
    found = {
        names[model.OperatorCodes(n).BuiltinCode()] for n in range(model.OperatorCodesLength())
    }
    assert not found & {"WHILE", "CUSTOM", "DELEGATE", "UNIDIRECTIONAL_SEQUENCE_LSTM"}
    assert "FULLY_CONNECTED" in found


@pytest.mark.parametrize("kind", ["int8", "int16x8"])
def test_tensors_of_one_role_have_one_scale(kind: Kind) -> None:
    a = models.RECURRENT[1]
    graph = networks.build(a, models.weights_of(a), "streaming", 5, kind)
    scales: dict[str, set[object]] = {}
    for tensor, number in zip(
        graph.tensors, flatbuffer.scaled(graph, kind, EveryRange()), strict=True
    ):
        if number.scale is not None:
            scales.setdefault(tensor.role, set()).add(number.scale)
    assert all(len(found) == 1 for found in scales.values())


def test_small_weights_keep_their_digits_beside_large_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Balanced, every output's weights use all eight bits."""
    a = Architecture("dense", 1, 4, 16)
    weights = models.weights_of(a)
    weights[0] = weights[0] * np.array([1, 1 / 3, 1 / 6, 1 / 9], np.float32)

    def error() -> float:
        """Largest error of an output's weights, its own largest weight being 1."""
        graph = networks.build(a, weights, "framed", 1, "int16x8")
        found = constant(graph, "dense_1.kernel").T
        if networks.BALANCED:
            found = found * constant(graph, "dense_1.balance")
        errors = np.abs(found - weights[0]).max(axis=0) / np.abs(weights[0]).max(axis=0)
        return float(errors.max())

    assert error() < 0.51 / 127
    monkeypatch.setattr(networks, "BALANCED", ())
    assert error() > 2 / 127


def constant(graph: Graph, name: str) -> NDArray[np.float32]:
    """The numbers that the integers of a constant stand for."""
    [index] = [n for n, tensor in enumerate(graph.tensors) if tensor.name == name]
    number = flatbuffer.scaled(graph, "int16x8", EveryRange())[index]
    assert number.constant is not None
    assert number.scale is not None
    return quantization.dequantized(number.constant, number.scale)
