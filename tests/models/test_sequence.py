"""Sequence models: built, saved, carried over windows, differentiated; against plain Keras."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from models import sequence
from models.architecture import (
    Architecture,
    streaming_multiply_accumulates,
)
from models.carried import CHUNK_SAMPLES
from models.families import FAMILIES
from models.framed import build as build_framed
from models.streaming import build_streaming, state_sizes

SAMPLES = 3 * CHUNK_SAMPLES
BATCH = 5

SHAPES = [
    *(
        Architecture(family, layers, 4, 64, residual=layers == 2)
        for family, own in FAMILIES.items()
        if own.streams
        for layers in (1, 2)
    ),
    Architecture("gru", 1, 4, 32, residual=True, features=3),
    Architecture("lstm", 2, 4, 48, controls=2, features=4),
    Architecture("gru", 1, 4, 80, controls=1),
]


def name(a: Architecture) -> str:
    return f"{a.family}-{a.layers}-features{a.features}-controls{a.controls}"


def noise(*shape: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(sum(shape)).standard_normal(shape) * 0.4, jnp.float32)


def weights(model: keras.Model) -> list[jax.Array]:
    return [jnp.asarray(v.value) for v in model.trainable_variables]


@pytest.mark.parametrize("a", SHAPES, ids=name)
class TestEveryFamily:
    def test_the_streaming_twin_from_zero_state_is_the_same_function(self, a: Architecture) -> None:
        model, twin, dry = (
            sequence.build(a, seed=1),
            build_streaming(a),
            noise(BATCH, SAMPLES, a.inputs),
        )
        twin.set_weights([np.asarray(value) for value in model.get_weights()])
        zeros = [jnp.zeros((BATCH, size)) for size in state_sizes(a)]
        wet, *_ = twin([dry, *zeros])
        np.testing.assert_allclose(wet, model(dry), atol=1e-6)

    def test_a_window_equals_the_streaming_twin_in_value_states_and_gradients(
        self, a: Architecture
    ) -> None:
        twin, window = build_streaming(a), sequence.Window(a)
        own, target = weights(sequence.build(a, 2)), noise(BATCH)
        dry = noise(SAMPLES, BATCH, a.inputs)
        states = [noise(BATCH, size) for size in state_sizes(a)]
        fixed = [jnp.asarray(v.value) for v in twin.non_trainable_variables]

        def plain(own: Any) -> Any:
            wet, *after = twin.stateless_call(own, fixed, [jnp.swapaxes(dry, 0, 1), *states])[0]
            return jnp.mean((wet[..., 0].T - target) ** 2), after

        def fast(own: Any) -> Any:
            wet, after = window(own, dry if a.controls else dry[..., 0], states)
            return jnp.mean((wet - target) ** 2), after

        (expected, expected_states), expected_gradients = jax.value_and_grad(plain, has_aux=True)(
            own
        )
        (loss, after), gradients = jax.value_and_grad(fast, has_aux=True)(own)
        assert loss == pytest.approx(float(expected), rel=1e-6)
        for one, other in zip(after, expected_states, strict=True):
            np.testing.assert_allclose(one, other, atol=2e-6)
        for one, other in zip(gradients, expected_gradients, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=2e-6)

    def test_it_is_drawn_from_its_seed_and_survives_a_file(
        self, a: Architecture, tmp_path: Path
    ) -> None:
        model, same = sequence.build(a, seed=3), sequence.build(a, seed=3)
        other = sequence.build(a, seed=4)
        for one, two in zip(weights(model), weights(same), strict=True):
            np.testing.assert_array_equal(one, two)
        assert not np.array_equal(weights(model)[0], weights(other)[0])
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        dry = noise(1, 150, a.inputs)
        np.testing.assert_array_equal(loaded(dry), model(dry))


@pytest.mark.parametrize(
    "a", [Architecture("conv_gru", 2, 4, 64), Architecture("gru", 1, 4, 64, features=3)], ids=name
)
def test_windows_follow_one_another_without_a_seam(a: Architecture) -> None:
    window, own, dry = sequence.Window(a), weights(sequence.build(a, 1)), noise(SAMPLES, BATCH)
    states = [jnp.zeros((BATCH, size)) for size in state_sizes(a)]
    whole, _ = window(own, dry, states)
    parts = []
    for start in range(0, SAMPLES, 50):
        wet, states = window(own, dry[start : start + 50], states)
        parts.append(wet)
    np.testing.assert_allclose(jnp.concatenate(parts), whole, atol=1e-6)


def test_framed_and_sequence_models_of_a_seed_start_alike() -> None:
    a = Architecture("lstm", 2, 4, 64)
    for one, two in zip(weights(build_framed(a, 5)), weights(sequence.build(a, 5)), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_convolution_costs_its_kernel_and_widens_the_first_layer() -> None:
    a = Architecture("conv_gru", 2, 3, 64)
    assert streaming_multiply_accumulates(a) == 3 * 3 + 2 * (3 * 3 * (3 + 3)) + 3


def test_features_cost_a_product_of_the_frame_and_widen_the_first_layer() -> None:
    a = Architecture("gru", 1, 10, 32, features=4)
    assert streaming_multiply_accumulates(a) == 32 * 4 + 3 * 10 * (4 + 10) + 10
    with_knob = Architecture("gru", 1, 10, 32, controls=1, features=4)
    assert streaming_multiply_accumulates(with_knob) == 32 * 4 + 3 * 10 * (5 + 10) + 10


def test_a_features_impulse_is_what_its_kernel_says() -> None:
    """A frame's kernel is counted from its oldest sample, as Keras' causal convolution is."""
    a = Architecture("gru", 1, 2, 4, features=1)
    impulse = jnp.zeros((CHUNK_SAMPLES, 1)).at[5].set(1.0)
    reached = jnp.concatenate([jnp.zeros((a.history, 1)), impulse])
    kernel = jnp.asarray([0.1, 0.2, 0.3, 0.4]).reshape(4, 1, 1)
    features = sequence._features(reached, kernel)[:, 0, 0]
    np.testing.assert_allclose(features[5:9], [0.4, 0.3, 0.2, 0.1], rtol=1e-6)
    assert not features[:5].any() and not features[9:].any()


@pytest.mark.parametrize(
    "a", [Architecture("conv_gru", 1, 4, 64), Architecture("gru", 1, 4, 64, features=2)], ids=name
)
def test_what_is_for_sequences_only_has_no_framed_form(a: Architecture) -> None:
    with pytest.raises(ValueError, match="no framed form"):
        build_framed(a, 0)


def test_features_are_refused_where_there_is_no_state() -> None:
    with pytest.raises(ValueError, match="features are for lstm, gru"):
        Architecture("dense", 1, 4, 64, features=2)
