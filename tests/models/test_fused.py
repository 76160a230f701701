"""The hand-written LSTM gradient against Keras' own layer and against finite differences."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from models.architecture import Architecture
from models.framed import build
from models.fused import _lstm, _lstm_last

SHAPES = [(1, 4, 7), (1, 16, 64), (2, 5, 9), (3, 8, 16), (2, 32, 12)]  # layers, units, frame size


def _both(layers: int, units: int, frame_size: int) -> tuple[keras.Model, keras.Model]:
    architecture = Architecture("lstm", layers, units, frame_size)
    return build(architecture, seed=3), build(architecture, seed=3, fused=True)


@pytest.mark.slow
@pytest.mark.parametrize(("layers", "units", "frame_size"), SHAPES)
def test_predictions_equal_those_of_the_keras_layer(
    layers: int, units: int, frame_size: int
) -> None:
    plain, fused = _both(layers, units, frame_size)
    frames = np.random.default_rng(0).standard_normal((33, frame_size, 1)).astype(np.float32)
    np.testing.assert_allclose(fused(frames), plain(frames), atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("layers", "units", "frame_size"), SHAPES)
def test_gradients_of_all_weights_equal_automatic_ones(
    layers: int, units: int, frame_size: int
) -> None:
    rng = np.random.default_rng(1)
    frames = rng.standard_normal((33, frame_size, 1)).astype(np.float32)
    target = rng.standard_normal((33, 1)).astype(np.float32)

    def gradients(model: keras.Model) -> list[jax.Array]:
        fixed = [v.value for v in model.non_trainable_variables]

        def loss(weights: list[jax.Array]) -> jax.Array:
            return jnp.mean((model.stateless_call(weights, fixed, frames)[0] - target) ** 2)

        return list(jax.grad(loss)([v.value for v in model.trainable_variables]))

    plain, fused = _both(layers, units, frame_size)
    for automatic, by_hand in zip(gradients(plain), gradients(fused), strict=True):
        scale = float(jnp.abs(automatic).max())
        np.testing.assert_allclose(by_hand, automatic, atol=2e-5 * scale)


@pytest.mark.slow
def test_gradient_of_the_inputs_by_finite_differences() -> None:
    rng = np.random.default_rng(2)
    with jax.enable_x64(True):
        x = jnp.asarray(rng.standard_normal((6, 3, 2)))
        weights = [jnp.asarray(0.5 * rng.standard_normal(s)) for s in ((2, 12), (3, 12), (12,))]
        pull = jnp.asarray(rng.standard_normal((6, 3, 3)))

        def value(x: jax.Array) -> jax.Array:
            return (_lstm(x, *weights) * pull).sum()

        analytic = jax.grad(value)(x)
        step = 1e-5
        for index in [(0, 0, 0), (3, 1, 1), (5, 2, 0)]:
            up, down = value(x.at[index].add(step)), value(x.at[index].add(-step))
            assert float(analytic[index]) == pytest.approx(float(up - down) / (2 * step), rel=1e-6)


@pytest.mark.slow
def test_the_last_output_alone_is_the_last_of_all() -> None:
    rng = np.random.default_rng(4)
    x = jnp.asarray(rng.standard_normal((6, 3, 1)), jnp.float32)
    weights = [
        jnp.asarray(rng.standard_normal(shape), jnp.float32) for shape in ((1, 12), (3, 12), (12,))
    ]
    np.testing.assert_array_equal(_lstm_last(x, *weights), _lstm(x, *weights)[-1])
