"""Small models with random weights, converted on noise."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.frames import Span
from data.pairs import Pair
from data.splits import Split
from embedded.network.weights import expected_shapes
from embedded.tflite.convert import Converted, Origin, convert, form_of
from embedded.tflite.networks import Form
from embedded.tflite.quantization import Kind
from models.architecture import Architecture
from study.dataset import Dataset

RATE_HZ = 22050

# Every family, one layer and several, with and without the dry signal added.
FEATURED = [
    Architecture("gru", 1, 6, 16, residual=True, features=4),
    Architecture("gru", 2, 4, 33, features=9),
    Architecture("lstm", 1, 5, 12, features=1),
]
RECURRENT = [
    Architecture("lstm", 1, 8, 16),
    Architecture("lstm", 2, 5, 16, residual=True),
    Architecture("gru", 1, 7, 16),
    Architecture("gru", 2, 4, 16),
    Architecture("rnn", 1, 6, 16, residual=True),
    *FEATURED,
]
FEED_FORWARD = [
    Architecture("dense", 1, 5, 16),
    Architecture("dense", 2, 6, 33, residual=True),
    Architecture("conv", 1, 4, 14, residual=True),
    Architecture("conv", 2, 6, 37),
]
SHAPES = [*RECURRENT, *FEED_FORWARD]


def name(architecture: Architecture) -> str:
    a = architecture
    features = f"to{a.features}" if a.features else ""
    shape = f"{a.family}-{a.layers}x{a.units}-f{a.frame_size}{features}"
    return shape + "-residual" * a.residual


def weights_of(architecture: Architecture, seed: int = 0) -> list[NDArray[np.float32]]:
    """Of the size that training gives them."""
    rng = np.random.default_rng(seed)
    return [
        (rng.standard_normal(shape) * (0.8 / np.sqrt(shape[0]) if len(shape) > 1 else 0.1)).astype(
            np.float32
        )
        for shape in expected_shapes(architecture)
    ]


def noise(samples: int, seed: int = 1) -> NDArray[np.float32]:
    """Dry, within [-1, 1]."""
    rng = np.random.default_rng(seed)
    return np.clip(0.25 * rng.standard_normal(samples), -1, 1).astype(np.float32)


def dataset() -> Dataset:
    dry = noise(6000)
    split = Split((Span(0, 1200),), (Span(1200, 3000),), (Span(3000, 6000),))
    return Dataset(Pair(dry, np.tanh(2 * dry), RATE_HZ, "clipper"), split)


def converted(
    architecture: Architecture,
    path: Path,
    kind: Kind = "float32",
    block: int = 4,
    form: Form | None = None,
) -> Converted:
    return convert(
        architecture,
        weights_of(architecture),
        path,
        dataset(),
        Origin("a-run", "streaming", "clipper", RATE_HZ),
        kind=kind,
        block=block,
        form=form or form_of(architecture),
    )
