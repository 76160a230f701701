"""A small synthetic pair and run, so that a training takes a fraction of a second."""

from functools import lru_cache
from typing import Any

import numpy as np

from data.effects import Effect
from data.pairs import Pair
from data.splits import Split, split
from models import families
from study.config.run import RunConfig
from study.dataset import Dataset

RATE_HZ = 8000
SECONDS = 10
FAMILIES = [name for name, family in families.FAMILIES.items() if family.has_framed_form]


@lru_cache(maxsize=1)
def pair() -> Pair:
    """Noise with a swell, and what a soft clipper after a short filter makes of it."""
    rng = np.random.default_rng(1)
    samples = SECONDS * RATE_HZ
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * np.arange(samples) / RATE_HZ)
    dry = (0.25 * swell * rng.standard_normal(samples)).astype(np.float32)
    wet = np.tanh(2 * np.convolve(dry, [0.6, 0.3, 0.1])[:samples]).astype(np.float32)
    return Pair(dry, wet, RATE_HZ, "clipper")


def parts() -> Split:
    return split(len(pair().dry), RATE_HZ, segment_seconds=0.5)


def dataset() -> Dataset:
    return Dataset(pair(), parts())


def contrary_dataset() -> Dataset:
    """The wet signal is inverted outside the training split: what helps there harms here."""
    wet = -pair().wet
    for span in parts().train:
        wet[span.start : span.stop] *= -1
    return Dataset(Pair(pair().dry, wet, RATE_HZ, "contrary"), parts())


def config(**changes: Any) -> RunConfig:
    """A run of a few hundred frames; ``changes`` replace its fields."""
    values: dict[str, Any] = {
        "effect": Effect("clipper", "recording", content="tiny").to_dict(),
        "family": "dense",
        "units": 4,
        "frame_size": 16,
        "training_frames": 200,
        "epochs": 6,
        "batch_size": 64,
        "learning_rate": 1e-3,
        "schedule": "constant",
        "sample_rate_hz": RATE_HZ,
        "validation_frames": 256,
    }
    return RunConfig.model_validate(values | changes)


# Short enough for the half-second spans of the tiny pair.
SEGMENTS: dict[str, Any] = {
    "sequence_seconds": 0.05,
    "warmup_samples": 50,
    "window_samples": 128,
}


def sequence_config(**changes: Any) -> RunConfig:
    """A run on a few hundred short segments; ``changes`` replace its fields."""
    values: dict[str, Any] = {
        "effect": Effect("clipper", "recording", content="tiny").to_dict(),
        "family": "gru",
        "units": 4,
        "training": "sequence",
        "epochs": 6,
        "batch_size": 64,
        "schedule": "constant",
        "learning_rate": 1e-3,
        "sample_rate_hz": RATE_HZ,
        **SEGMENTS,
    }
    return RunConfig.model_validate(values | changes)
