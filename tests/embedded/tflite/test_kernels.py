"""Each operator on random integers: LiteRT's reference kernel beside TFLite Micro's own.

Both run the same kernels for all but two. LiteRT rounds sums of a fully connected operator
once, TFLite Micro twice (int8) or with 16 bits of the factor (int16); of int16 products they
round some halves differently. None is off by more than the last bit, though a state that is
carried adds such steps up.
"""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import interpreter as litert
from numpy.typing import NDArray

from embedded.tflite import flatbuffer, quantization
from embedded.tflite.graph import Graph
from embedded.tflite.quantization import Kind

micro = pytest.importorskip("tflite_micro", reason="its wheel exists for Linux on x86-64 alone")

ROWS, WIDTH, TRIALS = 4, 96, 12
OPERATORS = ["TANH", "LOGISTIC", "ADD", "SUB", "MUL", "FULLY_CONNECTED", "CONV_2D", "MOVES"]
LAST_BIT_DIFFERS = {
    ("FULLY_CONNECTED", "int8"),
    ("FULLY_CONNECTED", "int16x8"),
    ("MUL", "int16x8"),
}


def graph_of(operator: str, rng: np.random.Generator) -> Graph:
    graph = Graph()

    def given(name: str) -> int:
        return graph.input(name, (ROWS, WIDTH), name, "calibrated")

    one = given("one")
    if operator == "TANH":
        out = graph.tanh(one, "out")
    elif operator == "LOGISTIC":
        out = graph.logistic(one, "out")
    elif operator == "ADD":
        out = graph.add(one, given("other"), "out")
    elif operator == "SUB":
        out = graph.subtract(one, given("other"), "out")
    elif operator == "MUL":
        out = graph.multiply(one, given("other"), "out")
    elif operator == "FULLY_CONNECTED":
        weights = graph.weights("weights", rng.standard_normal((16, WIDTH)) / 8)
        bias = graph.bias("bias", rng.standard_normal(16), one, weights)
        out = graph.fully_connected(one, weights, bias, "out")
    elif operator == "CONV_2D":
        shaped = graph.reshape(one, (ROWS, 1, WIDTH, 1))
        weights = graph.weights("weights", rng.standard_normal((5, 1, 12, 1)) / 4, 0)
        bias = graph.bias("bias", rng.standard_normal(5), shaped, weights)
        out = graph.convolution(shaped, weights, bias, 4, "out")
    else:
        out = graph.join([*reversed(graph.split(one, 24)), graph.last(one, 1)])
    graph.output(out, "wet")
    return graph


def in_litert(model: bytes, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    runner = litert.Interpreter(
        model_content=model, experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF
    )
    runner.allocate_tensors()
    for detail, array in zip(runner.get_input_details(), arrays, strict=True):
        runner.set_tensor(detail["index"], array)
    runner.invoke()
    return runner.get_tensor(runner.get_output_details()[0]["index"])


def in_micro(model: bytes, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    runner = micro.runtime.Interpreter.from_bytes(model, arena_size=1 << 20)
    for index, array in enumerate(arrays):
        runner.set_input(array, index)
    runner.invoke()
    return runner.get_output(0)


@pytest.mark.parametrize("kind", ["int8", "int16x8"])
@pytest.mark.parametrize("operator", OPERATORS)
def test_both_runtimes_give_the_same_integers(operator: str, kind: Kind) -> None:
    rng = np.random.default_rng(7)
    dtype = quantization.ACTIVATIONS[kind]
    largest, answers = 0, set()
    for _ in range(TRIALS):
        graph = graph_of(operator, rng)
        ends = {role: np.exp(rng.uniform(-2, 2, 2)) for role in graph.ranges}
        ranges = {role: (-float(low), float(high)) for role, (low, high) in ends.items()}
        model = flatbuffer.serialized(graph, kind, ranges)
        limits = np.iinfo(dtype)
        arrays = [
            rng.integers(limits.min, limits.max, (ROWS, WIDTH), dtype, endpoint=True)
            for _ in graph.inputs
        ]
        one, other = in_litert(model, arrays), in_micro(model, arrays)
        assert one.dtype == other.dtype == dtype
        largest = max(largest, int(np.abs(one.astype(int) - other.astype(int)).max()))
        answers |= set(one.reshape(-1)[:50].tolist())
    assert largest <= int((operator, kind) in LAST_BIT_DIFFERS)
    assert len(answers) > 10  # not a constant
