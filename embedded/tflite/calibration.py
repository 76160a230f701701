"""What range every tensor needs: found on training audio, recorded by index.

A float32 model runs over *every consecutive* sample of some spans of the training split,
so that a state going in and the same state coming out are seen at the same moments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from ai_edge_litert import interpreter as litert
from numpy.typing import NDArray

from data import frames
from data.audio import Samples
from data.frames import Span
from embedded.network.reference import Weights
from embedded.tflite import networks
from embedded.tflite.flatbuffer import Ranges, serialized
from embedded.tflite.graph import Graph
from embedded.tflite.networks import Form
from embedded.tflite.quantization import Kind
from models.architecture import Architecture

SPANS = 16
STRETCH_SAMPLES = 4096
SEED = 0
SIDE_BY_SIDE = 4096  # frames of a recurrent model at a time: some megabytes

Signals: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Calibration:
    """Ranges and where they come from.

    Attributes:
        ranges: by role, the smallest and the largest value.
        spans: the dry samples that were run, by index; the first holds the loudest.
        seed: of the draw.
        dry_sha256: of those samples.
    """

    ranges: Ranges
    spans: tuple[Span, ...]
    seed: int
    dry_sha256: str

    def record(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "ranges": {role: list(ends) for role, ends in self.ranges.items()},
            "spans": [list(span) for span in self.spans],
            "seed": self.seed,
            "dry_sha256": self.dry_sha256,
        }


def pick(
    dry: Samples,
    train: Sequence[Span],
    seed: int = SEED,
    count: int = SPANS,
    samples: int = STRETCH_SAMPLES,
) -> tuple[Span, ...]:
    """Stretches of equal length inside the training split: the loudest, then drawn ones.

    Fewer or shorter ones where the split does not hold as many.
    """
    samples = min(samples, max(span.samples for span in train))
    home = max(
        (span for span in train if span.samples >= samples),
        key=lambda span: float(np.abs(dry[span.start : span.stop]).max()),
    )
    peak = home.start + int(np.abs(dry[home.start : home.stop]).argmax())
    loudest = int(np.clip(peak - samples // 2, home.start, home.stop - samples))
    drawn = frames.draw(train, samples, min(count - 1, frames.frames_in(train, samples)), seed)
    starts = [loudest, *(int(target) - samples + 1 for target in drawn)]
    return tuple(Span(start, start + samples) for start in starts)


def calibrate(
    architecture: Architecture,
    weights: Weights,
    form: Form,
    kind: Kind,
    dry: Samples,
    spans: Sequence[Span],
    seed: int = SEED,
) -> Calibration:
    """Run the float32 model over the spans and keep every role's extremes.

    Args:
        architecture: its shape.
        weights: of the model.
        kind: that the ranges are for; the model runs in float32 whichever it is.
        form: streaming, side by side from zero states; or every frame inside the spans.
        dry: the whole dry signal.
        spans: of equal length, inside the training split.
        seed: that they were drawn with, for the record.
    """
    signals = np.stack([dry[span.start : span.stop] for span in spans])
    ranges = (_of_steps if architecture.streams else _of_frames)(
        architecture, weights, form, kind, signals
    )
    digest = hashlib.sha256(signals.astype("<f4").tobytes()).hexdigest()
    return Calibration(ranges, tuple(spans), seed, digest)


def _of_steps(
    a: Architecture, weights: Weights, form: Form, kind: Kind, signals: Signals
) -> Ranges:
    """Of a recurrent model: all signals, or all frames, side by side from zero state."""
    if form == "framed":
        signals = _frames(signals, a.frame_size)
    parts = np.array_split(signals, -(-len(signals) // SIDE_BY_SIDE))
    return _united(
        _ranges(
            networks.build(a, weights, "streaming", 1, kind, signals=len(part)),
            (part[:, n : n + 1] for n in range(part.shape[1])),
        )
        for part in parts
    )


def _of_frames(
    a: Architecture, weights: Weights, form: Form, kind: Kind, signals: Signals
) -> Ranges:
    """Of a model without state."""
    windows, block = _frames(signals, a.frame_size), networks.LARGEST_BLOCK
    graph = networks.build(a, weights, form, block, kind)
    # The last block is filled up with frames that were seen before.
    blocks = (
        windows[np.arange(start, start + block) % len(windows)]
        for start in range(0, len(windows), block)
    )
    return _ranges(graph, blocks)


def _frames(signals: Signals, size: int) -> Signals:
    return np.lib.stride_tricks.sliding_window_view(signals, size, axis=1).reshape(-1, size)


def _united(found: Iterable[Ranges]) -> Ranges:
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for ranges in found:
        for role, (lowest, highest) in ranges.items():
            low[role] = min(low.get(role, lowest), lowest)
            high[role] = max(high.get(role, highest), highest)
    return {role: (low[role], high[role]) for role in low}


def _ranges(graph: Graph, blocks: Iterable[Signals]) -> Ranges:
    """Smallest and largest value of every role; states are carried from zero."""
    runner = litert.Interpreter(
        model_content=serialized(graph, "float32", {}),
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
        num_threads=1,
    )
    runner.allocate_tensors()
    watched = [
        index
        for index, tensor in enumerate(graph.tensors)
        if tensor.role in graph.ranges and tensor.constant is None
    ]
    low = dict.fromkeys(graph.ranges, 0.0)
    high = dict.fromkeys(graph.ranges, 0.0)
    for tensor in graph.tensors:
        if tensor.role in graph.ranges and tensor.constant is not None:
            low[tensor.role] = min(low[tensor.role], float(tensor.constant.min()))
            high[tensor.role] = max(high[tensor.role], float(tensor.constant.max()))
    carried = [np.zeros(graph.tensors[i].shape, np.float32) for i in graph.inputs[1:]]
    for block in blocks:
        for index, array in zip(graph.inputs, [block, *carried], strict=True):
            runner.set_tensor(index, array)
        runner.invoke()
        for index in watched:
            role, found = graph.tensors[index].role, runner.get_tensor(index)
            low[role] = min(low[role], float(found.min()))
            high[role] = max(high[role], float(found.max()))
        carried = [runner.get_tensor(index) for index in graph.outputs[1:]]
    return {role: (low[role], high[role]) for role in graph.ranges}
