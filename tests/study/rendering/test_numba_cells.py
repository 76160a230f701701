"""Compiled loops compute what Keras' layers do, block after block."""

import numpy as np
import pytest

from models.architecture import Architecture
from study.rendering import streaming
from study.rendering.numba_cells import CELLS, SteppedModel
from study.training import compiled

SHAPES = [
    *(Architecture(f, n, 6, 16, residual=n == 2) for f in CELLS for n in (1, 2)),
    Architecture("gru", 1, 6, 70, residual=True, features=3),
    Architecture("tcn", 3, 6, 16, kernel_sizes=(2, 5), dilations=(1, 20)),
]


@pytest.mark.slow
@pytest.mark.parametrize("a", SHAPES, ids=lambda a: f"{a.family}-{a.layers}-{a.features}")
def test_steps_equal_the_streaming_twin(a: Architecture) -> None:
    drawn = compiled.initial_state(a, seed=2).weights
    rng = np.random.default_rng(0)
    # Biases that are not zero, or one of a GRU's two could be left out unnoticed.
    weights = [w + 0.1 * rng.standard_normal(w.shape).astype(np.float32) for w in drawn]
    dry = rng.uniform(-1, 1, (300, 1)).astype(np.float32)
    model = SteppedModel(a, weights, 50)
    wet = np.concatenate([model(block) for block in np.split(dry, 6)])
    assert wet.dtype == np.float32
    whole = streaming.stream(a, weights, dry.T.copy())[0]
    np.testing.assert_allclose(wet[:, 0], whole, atol=2e-6)


def test_a_family_without_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="dense"):
        SteppedModel(Architecture("dense", 1, 4, 16), [], 64)
