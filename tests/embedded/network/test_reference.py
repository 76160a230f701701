"""The yardstick itself against Keras."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from embedded.c.generate import golden_input
from embedded.network import reference
from models import sequence
from models.architecture import Architecture
from models.framed import build
from models.streaming import build_streaming
from study.rendering import framed

DRY = golden_input(400, 8000, seed=5)


def scattered(shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Weights without zeros, so that biases are seen too."""
    rng = np.random.default_rng(2)
    return [(0.4 * rng.normal(size=s)).astype(np.float32) for s in shapes]


@pytest.mark.parametrize("family", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("layers", [1, 2])
def test_streaming_equals_keras_layers_over_the_whole_signal(family: str, layers: int) -> None:
    a = Architecture(family, layers, 6, 16)
    model = build_streaming(a)
    weights = scattered([tuple(v.shape) for v in model.trainable_variables])
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    states = [np.zeros((1, a.units), np.float32) for _ in model.inputs[1:]]
    wet = np.asarray(model([DRY[None, :, None], *states])[0])[0, :, 0]
    assert np.abs(wet).max() > 0.05
    np.testing.assert_allclose(reference.respond(a, weights, DRY), wet, atol=3e-6)


@pytest.mark.parametrize(
    "a",
    [
        Architecture("dense", 2, 6, 16),
        Architecture("conv", 1, 4, 12),
        Architecture("conv", 3, 5, 37),
    ],
)
def test_framed_equals_the_studys_rendering(a: Architecture) -> None:
    weights = scattered([tuple(v.shape) for v in build(a, seed=0).trainable_variables])
    wet = framed.render(a, [jnp.asarray(w) for w in weights], DRY).samples
    np.testing.assert_allclose(reference.respond(a, weights, DRY), wet, atol=3e-6)


@pytest.mark.parametrize(
    "a",
    [
        Architecture("tcn", 1, 4, 64, kernel_sizes=(2,)),
        Architecture("tcn", 3, 3, 64, residual=True, kernel_sizes=(3, 6), dilations=(1, 20)),
        Architecture("tcn", 9, 2, 64),  # reaches back beyond the signal's beginning
    ],
)
def test_dilated_convolutions_equal_keras_layers_over_the_whole_signal(a: Architecture) -> None:
    model = sequence.build(a, seed=0)
    weights = scattered([tuple(v.shape) for v in model.trainable_variables])
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    wet = np.asarray(model(DRY[None, :, None]))[0, :, 0]
    assert np.abs(wet).max() > 0.05
    np.testing.assert_allclose(reference.respond(a, weights, DRY), wet, rtol=1e-5, atol=3e-6)


def test_residual_adds_the_input() -> None:
    a = Architecture("dense", 1, 3, 16)
    weights = scattered([tuple(v.shape) for v in build(a, seed=0).trainable_variables])
    plain = reference.respond(a, weights, DRY)
    added = reference.respond(replace(a, residual=True), weights, DRY)
    np.testing.assert_allclose(added - plain, DRY)
