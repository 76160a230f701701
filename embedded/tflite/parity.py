"""Does a converted model compute what Keras computes, and what do its integers cost?

Keras renders with the study's own functions. Float models are held against it sample by
sample, over 10 s with the state carried; integer models by ESR, against Keras and against the
target that the pedal gave. The runtimes are held against each other number by number.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from data import files, splits
from data.audio import Samples
from data.errors import InputError
from data.frames import Span
from embedded.network.reference import Weights
from embedded.tflite import runtimes
from embedded.tflite.manifest import Converted
from embedded.tflite.runtimes import Runtime
from models.architecture import Architecture
from study.dataset import Dataset
from study.measures import metrics
from study.rendering.framed import render, render_spans
from study.rendering.streaming import render_streaming
from study.store import received

FLOAT_TOLERANCE = 1e-5
CARRIED_S = 10.0
ROUNDED = np.float32(1 + 2.0**-23)
ROUNDINGS = 10.0
"""A model that blows rounding up may differ by this many times what one rounding does."""
# Multiply-accumulates that a runtime's reference kernels do in a minute or so: of costly
# models as much audio is rendered.
AFFORDABLE_MACS = 3e9

# Times by which the ESR against the target may grow and count as the same, or as a loss.
SAME_ESR = 1.1
WORSE_ESR = 2.0

PACKAGES: Mapping[Runtime, str] = {"litert": "ai_edge_litert", "micro": "tflite_micro"}


@dataclass(frozen=True)
class Agreement:
    """A runtime's answers beside those of Keras and the target.

    Attributes:
        largest_error: of the 10 s with the state carried, against Keras; full scale is 1.
        esr_against_keras: over the scored part of the test split.
        esr_against_target: the same against what the pedal made.
    """

    largest_error: float
    esr_against_keras: float
    esr_against_target: float


@dataclass(frozen=True)
class Difference:
    """Two runtimes' answers to the test split, in the model's own numbers.

    Attributes:
        share: of the samples that differ.
        largest: difference; steps of the output's scale, or full scale 1 for floats.
    """

    share: float
    largest: float


@dataclass(frozen=True)
class Parity:
    """What was found of a converted model.

    Attributes:
        kind, form, block, model_bytes, arena_needed_bytes: as in its manifest.
        model_sha256: of the file that was run.
        carried_seconds: length of the signal that was held against Keras.
        keras_change: largest change of Keras' own answer to it when the input grows by
            2^-23, which is float32's rounding. Some recurrent models blow it up.
        test_seconds: length of the scored audio that the ESRs are of: the test split, or as
            much of it as a costly model renders in reasonable time.
        keras_esr: of the Keras model against the target, over the same audio.
        runtimes: by name.
        litert_and_micro: how they differ; None where one of them is not installed.
    """

    kind: str
    form: str
    block: int
    model_bytes: int
    arena_needed_bytes: int | None
    model_sha256: str
    carried_seconds: float
    keras_change: float
    test_seconds: float
    keras_esr: float
    runtimes: dict[str, Agreement]
    litert_and_micro: Difference | None

    @property
    def of_board(self) -> Agreement:
        """Of TFLite Micro, as a board has it; of LiteRT where Micro is not installed."""
        return self.runtimes.get("micro", self.runtimes["litert"])

    @property
    def largest_error(self) -> float:
        """Of all runtimes, against Keras."""
        return max(found.largest_error for found in self.runtimes.values())

    @property
    def is_faithful(self) -> bool:
        """Whether a float model is as close to Keras as a float model can be."""
        allowed = max(FLOAT_TOLERANCE, ROUNDINGS * self.keras_change)
        return self.kind == "float32" and self.largest_error <= allowed


def installed() -> list[Runtime]:
    """The runtimes that this Python has."""
    return [name for name, package in PACKAGES.items() if importlib.util.find_spec(package)]


def measure(
    model: Converted, architecture: Architecture, weights: Weights, dataset: Dataset
) -> Parity:
    """Render with Keras and with every runtime, and compare.

    Args:
        model: what was converted.
        architecture: of the Keras model.
        weights: that it was converted from.
        dataset: whose test split is rendered.

    Raises:
        InputError: a runtime gave no answer in time.
    """
    dry, wet = dataset.pair.dry, dataset.pair.wet
    rate_hz = dataset.pair.sample_rate_hz
    samples = int(AFFORDABLE_MACS / model.multiply_accumulates)
    spans = affordable(dataset.split.test, samples)
    begin = spans[0].start
    carried = dry[begin : begin + min(samples, round(CARRIED_S * rate_hz))]
    keras = _keras(model, architecture, weights)
    exact = render_spans(keras, dry, spans).samples
    exact_carried = keras(carried).samples
    target = splits.scored(wet, spans)
    signals = [carried, *(dry[s.start : s.stop] for s in spans)]
    answers = {name: runtimes.respond(model, signals, name) for name in installed()}
    agreements: dict[str, Agreement] = {}
    raws: dict[str, NDArray[Any]] = {}
    for name, answer in answers.items():
        tested = splits.joined(answer.wet[1:])
        raws[name] = splits.joined(answer.raw[1:])
        agreements[name] = Agreement(
            float(np.abs(answer.wet[0] - exact_carried).max()),
            metrics.esr(exact, tested),
            metrics.esr(target, tested),
        )
    return Parity(
        model.kind,
        model.form,
        model.block,
        model.model_bytes,
        model.arena_needed_bytes,
        model.model_sha256,
        len(carried) / rate_hz,
        float(np.abs(keras(carried * ROUNDED).samples - exact_carried).max()),
        len(target) / rate_hz,
        metrics.esr(target, exact),
        agreements,
        difference(raws["litert"], raws["micro"]) if {"litert", "micro"} <= set(raws) else None,
    )


def sentences(found: Parity) -> list[str]:
    """What was found, in words."""
    told = [_told_of_floats(found) if found.kind == "float32" else _told_of_integers(found)]
    if found.litert_and_micro is not None:
        told.append(_told_of_runtimes(found, found.litert_and_micro))
    return told


def _told_of_floats(found: Parity) -> str:
    where = f"over {found.carried_seconds:.1f} s in {' and '.join(found.runtimes)}"
    if found.largest_error <= FLOAT_TOLERANCE:
        return (
            f"float32 keeps within {FLOAT_TOLERANCE:g} of Keras: at most "
            f"{found.largest_error:.1e} {where}."
        )
    told = (
        f"float32 does NOT keep within {FLOAT_TOLERANCE:g} of Keras: up to "
        f"{found.largest_error:.1e} {where}."
    )
    if not found.is_faithful:
        return told
    return (
        f"{told} Keras itself changes by up to {found.keras_change:.1e} when its input changes "
        "by one rounding: this model blows rounding up, and no float32 program agrees closer."
    )


def _told_of_integers(found: Parity) -> str:
    board = found.of_board
    growth = board.esr_against_target / found.keras_esr
    if growth <= SAME_ESR:
        verdict = "no loss that matters"
    elif growth <= WORSE_ESR:
        verdict = "a loss"
    else:
        verdict = "so bad that it is no longer this model"
    return (
        f"{found.kind}: ESR {board.esr_against_target:.5f} against the target, where Keras has "
        f"{found.keras_esr:.5f} ({growth:.2f} times): {verdict}. Against Keras itself "
        f"{board.esr_against_keras:.1e}."
    )


def _told_of_runtimes(found: Parity, pair: Difference) -> str:
    if pair.share == 0:
        return f"{found.kind}: LiteRT and TFLite Micro agree bit for bit."
    unit = "" if found.kind == "float32" else " steps of the output's scale"
    return (
        f"{found.kind}: LiteRT and TFLite Micro differ in {pair.share:.1%} of the samples, by "
        f"at most {pair.largest:g}{unit}; they round some products differently."
    )


def difference(one: NDArray[Any], other: NDArray[Any]) -> Difference:
    """How two answers of one model differ, number by number."""
    steps = np.abs(one.astype(np.float64) - other.astype(np.float64))
    return Difference(float(np.mean(steps > 0)), float(steps.max()))


def write(model: Converted, found: Parity) -> None:
    """Keep the figures beside the other models' of the run, in ``parity.json``."""
    path = model.path.with_name("parity.json")
    files.write_json(path, {**_stored(path), model.path.name: asdict(found)})


def _stored(path: Path) -> dict[str, Any]:
    try:
        return received.parity(path)
    except (FileNotFoundError, InputError):  # none yet, or cut short: written anew
        return {}


def _keras(
    model: Converted, architecture: Architecture, weights: Weights
) -> Callable[[Samples], Any]:
    arrays = [jnp.asarray(np.asarray(array, np.float32)) for array in weights]
    rendered = render_streaming if model.form == "streaming" else render
    return lambda dry: rendered(architecture, arrays, dry)


def affordable(test: Sequence[Span], samples: int) -> list[Span]:
    """As much of the spans as there are samples for, in order; never less than is scored."""
    taken: list[Span] = []
    left = max(samples, 2 * splits.LEAD_IN_SAMPLES)
    for span in test:
        if left > splits.LEAD_IN_SAMPLES:
            taken.append(Span(span.start, min(span.stop, span.start + left)))
            left -= taken[-1].samples
    return taken
