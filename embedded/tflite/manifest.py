"""What a converted model is: its file, its arguments and what a board needs to run it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data import files
from data.errors import InputError
from embedded.tflite import quantization
from embedded.tflite.networks import Form
from embedded.tflite.quantization import Kind, Scale


@dataclass(frozen=True)
class Port:
    """An input or an output.

    Attributes:
        name: in the signature of the model.
        index: place among the interpreter's inputs, or outputs.
        shape: of its array; the first axis is the batch.
        dtype: numpy's name of its numbers' type.
        scale, zero_point: an integer q stands for ``scale * (q - zero_point)``; 1 and 0
            for floats.
    """

    name: str
    index: int
    shape: tuple[int, ...]
    dtype: str
    scale: float = 1.0
    zero_point: int = 0

    def encoded(self, values: NDArray[np.floating]) -> NDArray[Any]:
        """Numbers as the model takes them."""
        if self.dtype == "float32":
            return np.asarray(values, np.float32)
        scale = Scale((self.scale,), self.zero_point)
        return quantization.quantized(values, scale, np.dtype(self.dtype).type)

    def decoded(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Numbers of the model as full scale 1."""
        if self.dtype == "float32":
            return np.asarray(values, np.float32)
        return quantization.dequantized(values, Scale((self.scale,), self.zero_point))

    def zeros(self) -> NDArray[Any]:
        """What stands for silence, or for an empty state."""
        return np.full(self.shape, self.zero_point, self.dtype)


@dataclass(frozen=True)
class State:
    """A state that the caller carries: output ``after`` becomes input ``before``, bit for bit.

    Attributes:
        before: index of the input; begins as ``zeros()`` of that port.
        after: index of the output, of equal shape, type and scale.
    """

    before: int
    after: int


@dataclass(frozen=True)
class Origin:
    """Where a model comes from.

    Attributes:
        run_id: whose weights these are.
        rendering: which of the run's models: ``framed``, ``streaming``, ``streaming_tuned``.
        effect: what is modelled.
        sample_rate_hz: of dry and wet.
    """

    run_id: str
    rendering: str
    effect: str
    sample_rate_hz: int


@dataclass(frozen=True)
class Converted:
    """A ``.tflite`` file and all that its caller must know; ``<path>.json`` holds the same.

    Attributes:
        path: the file.
        kind: number type.
        form: ``streaming`` or ``framed``.
        block: samples an invoke answers.
        frame_size: dry samples a frame (framed form only; 1 when streaming).
        inputs, outputs: in the interpreter's order; ``dry`` and ``wet`` come first.
        states: pairs to be carried; none when framed.
        operators: builtin operators that a resolver must know, by their schema names.
        multiply_accumulates: of the matrix products, an output sample.
        model_bytes: size of the file, which is what the model takes of flash.
        arena_bytes: what TFLite Micro keeps, by its recording allocator on this 64-bit host;
            None where its wheel does not exist. A 32-bit board keeps less, for its pointers
            are shorter.
        arena_needed_bytes: the smallest arena in which it prepares and runs on this host, for
            it plans in the part that is still free; None likewise.
        origin: where it comes from.
        weights_sha256, model_sha256: of the float weights and of the file.
        calibration: how the scales were found; None for float32.
    """

    path: Path
    kind: Kind
    form: Form
    block: int
    frame_size: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    states: tuple[State, ...]
    operators: tuple[str, ...]
    multiply_accumulates: int
    model_bytes: int
    arena_bytes: int | None
    arena_needed_bytes: int | None
    origin: Origin
    weights_sha256: str
    model_sha256: str
    calibration: dict[str, Any] | None = None

    @property
    def manifest(self) -> Path:
        """The JSON file beside the model."""
        return manifest_of(self.path)

    def write(self) -> None:
        """Write the manifest."""
        files.write_json(self.manifest, asdict(self) | {"path": self.path.name})

    @classmethod
    def read(cls, path: Path) -> Converted:
        """What was converted to ``path``.

        Raises:
            InputError: nothing was, or the manifest is not that of the file.
        """
        try:
            stored = files.read_json(manifest_of(path))
            found = cls(
                **stored
                | {
                    "path": path,
                    "inputs": tuple(_port(port) for port in stored["inputs"]),
                    "outputs": tuple(_port(port) for port in stored["outputs"]),
                    "states": tuple(State(**state) for state in stored["states"]),
                    "operators": tuple(stored["operators"]),
                    "origin": Origin(**stored["origin"]),
                }
            )
        except FileNotFoundError:
            reason = "none"
        except (ValueError, TypeError, KeyError):
            reason = "a broken one, or one of another version"
        else:
            return found
        raise InputError(
            f"converted model {path}",
            expected=f"a manifest {manifest_of(path).name} beside it",
            found=reason,
            remedy="Convert the run again.",
        )


def manifest_of(model: Path) -> Path:
    """Where the manifest of a ``.tflite`` file lies."""
    return model.with_suffix(".json")


def _port(stored: dict[str, Any]) -> Port:
    return Port(**stored | {"shape": tuple(stored["shape"])})
