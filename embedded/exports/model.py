"""What every export says of a model: weights, where they come from, and a snapshot to check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from data.audio import Samples
from models.architecture import Architecture

SNAPSHOT_SAMPLES = 1024
SNAPSHOT_SEED = 0


@dataclass(frozen=True)
class Model:
    """A model whose state goes on from sample to sample.

    Attributes:
        architecture: what fixes its shape.
        weights: in the order of ``build_streaming(architecture).trainable_variables``.
        sample_rate_hz: of dry and wet.
        run_id: of the run.
        rendering: row of the results table that describes it.
        effect: what was modelled, with its controls.
        esr: on the test split, so rendered.
        program: name and commit of the program that wrote the file.
        snapshot_wet: what the model makes of ``snapshot_dry()`` from zero state, or of a ``tcn``
            after silence.
    """

    architecture: Architecture
    weights: list[npt.NDArray[np.float32]]
    sample_rate_hz: int
    run_id: str
    rendering: str
    effect: str
    esr: float
    program: str
    snapshot_wet: Samples

    def facts(self) -> dict[str, Any]:
        """Where the model comes from, as plain values for JSON and comments."""
        return {
            "run_id": self.run_id,
            "effect": self.effect,
            "sample_rate_hz": self.sample_rate_hz,
            "rendering": self.rendering,
            "esr": significant(self.esr),
            "program": self.program,
        }

    def snapshot(self) -> dict[str, list[float]]:
        """Input and output by which a reader can check itself."""
        return {"input": numbers(snapshot_dry()), "output": numbers(self.snapshot_wet)}


def snapshot_dry() -> Samples:
    """A quarter of silence, then noise that swells to full scale; the same for all models."""
    rng = np.random.default_rng(SNAPSHOT_SEED)
    swell = np.maximum(0, np.linspace(-1 / 3, 1, SNAPSHOT_SAMPLES))
    return np.asarray(swell * rng.uniform(-1, 1, SNAPSHOT_SAMPLES), np.float32)


def significant(value: float) -> float:
    """Nine significant digits, which tell every float32 from its neighbours."""
    return float(f"{value:.9g}")


def numbers(array: npt.NDArray[np.floating]) -> Any:
    """An array as nested lists of such numbers."""
    if array.ndim > 1:
        return [numbers(row) for row in array]
    return [significant(float(value)) for value in array]
