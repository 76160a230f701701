"""A trained model as TFLite files that TensorFlow Lite Micro runs.

The graph is written operator by operator from the flat list of weights
(``embedded.tflite.networks``), so nothing in it is left to a converter: no loops, no hidden
states, no operator beyond TFLite's own, and one scale for a state that goes in and comes out.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np

from data import files
from embedded.network.reference import Weights
from embedded.tflite import calibration, networks, runtimes
from embedded.tflite.flatbuffer import Scaled, scaled, serialized
from embedded.tflite.graph import Graph
from embedded.tflite.manifest import Converted as Converted
from embedded.tflite.manifest import Origin as Origin
from embedded.tflite.manifest import Port, State
from embedded.tflite.networks import Form
from embedded.tflite.quantization import Kind
from models.architecture import (
    Architecture,
    multiply_accumulates,
    streaming_multiply_accumulates,
)
from study.dataset import Dataset

ARENA_TIMEOUT_S = 120.0


def form_of(architecture: Architecture) -> Form:
    """How a board runs a model: recurrent ones stream, the others take frames."""
    return "streaming" if architecture.streams else "framed"


def convert(
    architecture: Architecture,
    weights: Weights,
    path: Path,
    dataset: Dataset,
    origin: Origin,
    *,
    kind: Kind,
    block: int,
    form: Form,
) -> Converted:
    """Write ``path`` and its manifest.

    Args:
        architecture: the model's shape.
        weights: arrays in the order of ``model.trainable_variables``.
        path: where to; ends in ``.tflite``.
        dataset: whose training split calibrates the integers.
        origin: for the manifest.
        kind: number type.
        block: samples an invoke, 1 to 128.
        form: ``streaming``, or ``framed`` as it was trained. A framed recurrent model takes
            ``frame_size`` steps a sample.

    Raises:
        InputError: the weights, the block or the form do not fit.
    """
    graph = networks.build(architecture, weights, form, block, kind)
    found = None
    if kind != "float32":
        dry = dataset.pair.dry
        picked = calibration.pick(dry, dataset.split.train)
        found = calibration.calibrate(architecture, weights, form, kind, dry, picked)
    ranges = found.ranges if found else {}
    content = serialized(graph, kind, ranges)
    numbers = scaled(graph, kind, ranges)
    files.write_whole(path, lambda aside: aside.write_bytes(content))
    inputs = tuple(_port(graph, numbers, n, index) for n, index in enumerate(graph.inputs))
    outputs = tuple(_port(graph, numbers, n, index) for n, index in enumerate(graph.outputs))
    converted = Converted(
        path=path,
        kind=kind,
        form=form,
        block=block,
        frame_size=architecture.frame_size if form == "framed" else 1,
        inputs=inputs,
        outputs=outputs,
        states=tuple(State(n, n) for n in range(1, len(inputs))),
        operators=tuple(graph.operator_kinds),
        multiply_accumulates=_multiply_accumulates(architecture, form),
        model_bytes=len(content),
        arena_bytes=None,
        arena_needed_bytes=None,
        origin=origin,
        weights_sha256=_digest(weights),
        model_sha256=hashlib.sha256(content).hexdigest(),
        calibration=found.record() if found else None,
    )
    if importlib.util.find_spec("tflite_micro"):
        arena = runtimes.arena(converted, ARENA_TIMEOUT_S)
        converted = replace(
            converted, arena_bytes=arena.kept_bytes, arena_needed_bytes=arena.needed_bytes
        )
    converted.write()
    return converted


def _port(graph: Graph, numbers: list[Scaled], place: int, index: int) -> Port:
    tensor, number = graph.tensors[index], numbers[index]
    scale, zero_point = (1.0, 0)
    if number.scale is not None:
        (scale,), zero_point = number.scale.scale, number.scale.zero_point
    return Port(tensor.name, place, tensor.shape, number.dtype.name, scale, zero_point)


def _multiply_accumulates(a: Architecture, form: Form) -> int:
    return streaming_multiply_accumulates(a) if form == "streaming" else multiply_accumulates(a)


def _digest(weights: Weights) -> str:
    digest = hashlib.sha256()
    for array in weights:
        digest.update(np.asarray(array, "<f4").tobytes())
    return digest.hexdigest()
