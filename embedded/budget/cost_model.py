"""What a model costs on a Cortex-M7: instructions and cycles a sample, flash and RAM.

``measured/c99.json`` holds what the generated C took in QEMU, which counts instructions exactly,
and how many cycles those take by the rules of ``embedded.simulator.timing`` and, as a second
opinion, by LLVM's model of the processor. A model in that list is told as measured; another by a
linear model of what its code does, fitted to the list: layers, units (their activations), blocks,
batches of rows that are loaded at once, weights, rows left over and loops; where features of a
frame come first, also their taps and weights; of convolutions over the past, their taps. All its
coefficients are 0 or more (non-negative least squares on relative errors), so that it stays
sensible beyond the list. Part of the list was held out of the fit, and its largest relative error
there is the error that every estimate carries.

``measured/tflite_micro.json`` holds the same of the firmware with TFLite Micro (its reference
kernels, with the flags of its own Makefile for ``cortex-m7+fp``), whose cost is its graph's:
operators, products of matrices and of convolutions, activations, sums and products of tensors,
and numbers moved. Its held-out models are an LSTM without features and a dense one. TFLite Micro
is no part of this repository, so every figure of it is such an estimate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from data import files
from embedded.c import cells
from embedded.c.cells import CELLS, pack
from embedded.c.packing import ROWS_AT_ONCE, PackedLayer, pack_features
from embedded.network.weights import expected_shapes
from embedded.tflite import networks
from embedded.tflite.graph import Graph
from embedded.tflite.networks import Form
from embedded.tflite.quantization import Kind
from models.architecture import Architecture
from study.selection.boards import Resampling

MEASURED = Path(__file__).parents[1] / "measured" / "c99.json"
TFLITE_MEASURED = Path(__file__).parents[1] / "measured" / "tflite_micro.json"

SHAPE = ("family", "layers", "units", "frame_size", "features", "kernel_sizes", "dilations")
"""What the lists tell of a model; the last three only where they are not as usual."""

TFLITE_BLOCK = 8
"""Samples an invoke of TFLite Micro: divides the blocks of every board, halved too."""

UNTRIED_ERROR = 0.3
"""Least relative error told of TFLite Micro on what no held-out model is like: another family, or
features of a frame. A guess."""

UNROLLED = 8  # batches of rows that the generated C has one after the other

TENSOR_BYTES = 80  # what the interpreter keeps of a tensor and its share of an operator

# Instructions and cycles of the firmware's core without a model (gains, fades, bypass, limits) and
# of half-band filters, a sample of the model. Counted and priced as the file above, with a GRU 1x10
# in generated C in blocks of 128, whose own are taken off.
_AROUND: dict[Resampling, tuple[float, float]] = {
    "none": (56.0, 80.0),
    "halved": (478.0, 604.0),
    "doubled": (212.0, 262.0),
    "impossible": (56.0, 80.0),
}


def around_the_model(resampling: Resampling) -> tuple[float, float]:
    """Instructions and cycles of the core and of filters, for each sample of the model."""
    return _AROUND[resampling]


_QUANTITIES = ("instructions", "flash", "cycles")


@dataclass(frozen=True)
class Cost:
    """What a model takes.

    Attributes:
        instructions: a sample, at the model's rate.
        flash_bytes: code and weights.
        ram_bytes: state and deepest stack.
        basis: ``measured``, ``model``, or ``guess``: of the same model, but its error on such
            a family, or with features, was never tried.
        error: largest relative error of the instructions on what was held out of the fit;
            0 where measured, and at least ``UNTRIED_ERROR`` where guessed.
        cycles: a sample, as instructions and data without wait states take; None where nobody
            knows.
        cycles_error: largest relative error of those on what was held out of the fit; 0 where
            priced.
    """

    instructions: float
    flash_bytes: int
    ram_bytes: int
    basis: str
    error: float
    cycles: float | None = None
    cycles_error: float = 0.0

    def repeated(self, steps: int) -> Cost:
        """The same code run so many times a sample: a frame from zero state."""
        cycles = None if self.cycles is None else steps * self.cycles
        return replace(self, instructions=steps * self.instructions, cycles=cycles)


def objection(a: Architecture) -> str | None:
    """Why nobody knows what the generated C of a model takes, or None."""
    if reason := cells.objection(a):
        return reason
    for part in ("fit", "held_out"):
        if not any(row["family"] == a.family for row in _measured(part)):
            return f"no cost of the family {a.family} was measured"
    return None


def tflite_objection(a: Architecture) -> str | None:
    """Why nobody knows what TFLite Micro takes, or None."""
    return networks.objection(a)


def generated_c(a: Architecture) -> Cost:
    """What the generated C takes, one sample in and one out."""
    added = 1.0 if a.residual else 0.0
    for row in _measured("fit") + _measured("held_out"):
        if architecture_of(row) == _key(a):
            return Cost(
                row["instructions"] + added, row["flash"], row["state"] + row["stack"],
                "measured", 0.0, row["cycles"] + added, 0.0,
            )  # fmt: skip
    does = np.array(_features(a))
    instructions, flash, cycles = (float(does @ _fitted(a.family, name)) for name in _QUANTITIES)
    return Cost(
        instructions + added, round(flash), _ram_bytes(a),
        "model", held_out_error(a.family, "instructions"),
        cycles + added, held_out_error(a.family, "cycles"),
    )  # fmt: skip


def tflite_micro(a: Architecture, kind: Kind) -> Cost:
    """What TFLite Micro takes with its reference kernels, in blocks of ``TFLITE_BLOCK``."""
    graph = _graph(a, kind)
    rows = [row for row in _tflite_measured("fit") if row["kind"] == kind]
    instructions = float(np.array(_work(graph)) @ _tflite_fitted(kind, "instructions"))
    file_bytes = float(np.array(_content(graph)) @ _tflite_fitted(kind, "model"))
    code_bytes = max(row["code"] for row in rows)
    width = {"float32": 4, "int8": 1, "int16x8": 2}[kind]
    computed = [t for t in graph.tensors if t.constant is None]
    numbers = sum(math.prod(t.shape) for t in computed)
    # Nothing shares memory: an upper bound. As much again is needed for the planning.
    arena_bytes = 2 * (width * numbers + TENSOR_BYTES * len(computed))
    error = tflite_held_out_error(kind)
    basis = "model"
    if a.features or a.family not in _tflite_held_out_families(kind):
        basis, error = "guess", max(error, UNTRIED_ERROR)
    return Cost(instructions, round(file_bytes) + code_bytes, arena_bytes, basis, error)


@lru_cache(maxsize=4)
def tflite_held_out_error(kind: Kind) -> float:
    """Largest relative error of that model's instructions on what it was not fitted to."""
    rows = [row for row in _tflite_measured("held_out") if row["kind"] == kind]
    features = np.array([_work(_graph(architecture_of(row), kind)) for row in rows])
    found = np.array([float(row["instructions"]) for row in rows])
    return float(np.abs(features @ _tflite_fitted(kind, "instructions") / found - 1).max())


@lru_cache(maxsize=4)
def _tflite_held_out_families(kind: Kind) -> frozenset[str]:
    return frozenset(r["family"] for r in _tflite_measured("held_out") if r["kind"] == kind)


@lru_cache(maxsize=8)
def _tflite_fitted(kind: Kind, quantity: str) -> NDArray[np.float64]:
    rows = [row for row in _tflite_measured("fit") if row["kind"] == kind]
    described = _work if quantity == "instructions" else _content
    features = np.array([described(_graph(architecture_of(row), kind)) for row in rows])
    found = np.array([float(row[quantity]) for row in rows])
    coefficients: NDArray[np.float64] = nnls(features / found[:, None], np.ones(len(rows)))[0]
    return coefficients


@lru_cache(maxsize=1)
def _all_tflite_measured() -> dict[str, Any]:
    return dict(files.read_json(TFLITE_MEASURED))


def _tflite_measured(part: str) -> list[dict[str, Any]]:
    return list(_all_tflite_measured()[part])


@lru_cache(maxsize=512)
def _graph(a: Architecture, kind: Kind) -> Graph:
    form: Form = "streaming" if a.streams else "framed"
    return networks.build(a, _zeros(a), form, TFLITE_BLOCK, kind)


def _work(graph: Graph) -> list[float]:
    """What an output sample takes, by kind of work; one for what every invoke takes."""
    products = convolved = activations = combined = moved = 0
    for operator in graph.operators:
        numbers = sum(math.prod(graph.tensors[index].shape) for index in operator.outputs)
        if operator.kind == "FULLY_CONNECTED":
            products += numbers * graph.tensors[operator.inputs[1]].shape[1]
        elif operator.kind == "CONV_2D":
            convolved += numbers * math.prod(graph.tensors[operator.inputs[1]].shape[1:])
        elif operator.kind in ("TANH", "LOGISTIC"):
            activations += numbers
        elif operator.kind in ("ADD", "SUB", "MUL"):
            combined += numbers
        else:
            moved += numbers
    taken = (len(graph.operators), products, convolved, activations, combined, moved)
    return [1.0, *(count / TFLITE_BLOCK for count in taken)]


def _content(graph: Graph) -> list[float]:
    """What a file holds: one, tensors, operators and the numbers of its constants."""
    constants = [t.constant.size for t in graph.tensors if t.constant is not None]
    return [1.0, len(graph.tensors), len(graph.operators), sum(constants)]


@lru_cache(maxsize=16)
def timing_error(family: str) -> float:
    """By how much LLVM's cycles exceed those by our rules at most, over all of a family's list."""
    rows = [row for row in _measured("fit") + _measured("held_out") if row["family"] == family]
    return max(row["llvm_cycles"] / row["cycles"] - 1 for row in rows)


@lru_cache(maxsize=16)
def held_out_error(family: str, quantity: str) -> float:
    """Largest relative error of the model of a quantity on what it was not fitted to."""
    rows = [row for row in _measured("held_out") if row["family"] == family]
    features = np.array([_features(architecture_of(row)) for row in rows])
    found = np.array([float(row[quantity]) for row in rows])
    return float(np.abs(features @ _fitted(family, quantity) / found - 1).max())


@lru_cache(maxsize=16)
def _fitted(family: str, quantity: str) -> NDArray[np.float64]:
    rows = [row for row in _measured("fit") if row["family"] == family]
    features = np.array([_features(architecture_of(row)) for row in rows])
    found = np.array([float(row[quantity]) for row in rows])
    coefficients: NDArray[np.float64] = nnls(features / found[:, None], np.ones(len(rows)))[0]
    return coefficients


@lru_cache(maxsize=1)
def _all_measured() -> dict[str, Any]:
    return dict(files.read_json(MEASURED))


def _measured(part: str) -> list[dict[str, Any]]:
    return list(_all_measured()[part])


def architecture_of(row: dict[str, Any]) -> Architecture:
    """The model that a line of a list is of."""
    told: dict[str, Any] = {name: row[name] for name in SHAPE if name in row}
    told |= {name: tuple(told[name]) for name in ("kernel_sizes", "dilations") if name in told}
    return Architecture(**told)


def _key(a: Architecture) -> Architecture:
    """Recurrent models cost the same whatever frames they were trained on."""
    plain = replace(a, residual=False)
    ignores_frame = a.streams and not a.features
    return replace(plain, frame_size=64) if ignores_frame else plain


def _zeros(a: Architecture) -> list[NDArray[np.float32]]:
    """Weights of the right shapes, where only those are asked for."""
    return [np.zeros(shape, np.float32) for shape in expected_shapes(a)]


@lru_cache(maxsize=256)
def _packed(a: Architecture) -> Sequence[PackedLayer]:
    return pack(a, _zeros(a))


@lru_cache(maxsize=256)
def _packed_features(a: Architecture) -> PackedLayer:
    return pack_features(a, _zeros(a))


# Fields of a block that hold matrices; their rows meet the inputs of a layer.
_FED_BY = frozenset({"input", "recurrent", "earlier", "mix", "taps"})


def _features(a: Architecture) -> list[float]:
    layers = _packed(_key(a))
    batches = rests = loops = taps = 0
    for layer in layers:
        for name in _FED_BY.intersection(layer.fields):
            rows = layer.fields[name] // layer.sums
            # A convolution over the past goes from tap to tap; the others have all rows at once.
            times = rows // layer.inputs if name == "taps" else 1
            whole, rest = divmod(rows // times, ROWS_AT_ONCE[layer.sums])
            times *= len(layer.blocks)
            batches += times * (whole + rest)
            rests += times * (rest > 0)
            loops += times * (1 + whole % UNROLLED if whole > UNROLLED else 0)
            taps += times if name == "taps" else 0
    blocks = sum(len(layer.blocks) for layer in layers)
    units = sum(layer.units for layer in layers)
    front = _packed_features(_key(a)) if a.features else None
    taps += len(front.blocks) * front.inputs if front else 0
    return [
        1.0, len(layers), blocks, units, batches, _weights(layers), rests, loops,
        float(front is not None), taps, _weights([front]) if front else 0,
    ]  # fmt: skip


def _weights(layers: Sequence[PackedLayer]) -> int:
    return sum(values.size for layer in layers for b in layer.blocks for values in b.values())


def _ram_bytes(a: Architecture) -> int:
    """State, computed as the generated struct, and the deepest stack of the family's list."""
    rows = [row for row in _measured("fit") if row["family"] == a.family]
    stack = max(row["stack"] for row in rows)
    layers = _packed(_key(a))
    if a.streams:
        state = sum(field.numbers for field in CELLS[a.family].state(_key(a), layers))
        return 4 * state + int(stack)
    # A window twice, and what earlier positions of a convolution found.
    return 4 * (2 * a.frame_size + 4 * sum(layer.units for layer in layers)) + int(stack)
