"""The compiled epoch does what Keras' own ``fit`` does, and its losses are the formulas."""

from typing import Any

import jax.numpy as jnp
import keras
import numpy as np
import numpy.typing as npt
import pytest

from data import frames
from models.architecture import Architecture
from models.framed import build
from study.training import compiled
from tests import tiny

FRAME_SIZE = 16
BATCH = 32
RATE = 2e-3

Array = npt.NDArray[np.float32]


def architecture(family: Any, layers: int = 1) -> Architecture:
    return Architecture(family, layers, 4, FRAME_SIZE)


def drawn(count: int, lookback: int = 0) -> frames.Indices:
    return frames.draw(tiny.parts().train, FRAME_SIZE + lookback, count, seed=2)


def train(
    a: Architecture, targets: frames.Indices, epochs: int, loss: str = "mae", rate: float = RATE
) -> tuple[compiled.Variables, list[float]]:
    """What training does in its loop, without the shuffle."""
    pair = tiny.pair()
    epoch = compiled.compiled_epoch(a, loss, len(pair.dry), len(targets), BATCH)
    state = compiled.with_learning_rate(compiled.initial_state(a, seed=3), rate)
    batches = compiled.batches_of(targets, BATCH)
    losses: list[float] = []
    for _ in range(epochs):
        state, of_epoch = epoch(state, jnp.asarray(pair.dry), jnp.asarray(pair.wet), *batches)
        losses += np.asarray(of_epoch).tolist()
    return state, losses


def model_with(a: Architecture, weights: Any) -> keras.Model:
    model = build(a, seed=0)
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    return model


def predicted(model: keras.Model, targets: frames.Indices) -> Array:
    """Keras' own prediction of the samples at ``targets``."""
    inputs = frames.gather(tiny.pair().dry, targets, FRAME_SIZE)
    return np.asarray(model.predict(inputs, verbose=0))[:, 0]


class BatchLosses(keras.callbacks.Callback):  # type: ignore[misc, unused-ignore]
    """Losses of single batches from the running means that ``fit`` reports."""

    def __init__(self, sizes: list[int]) -> None:
        super().__init__()
        self.sizes = sizes
        self.losses: list[float] = []
        self.total = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        assert logs is not None
        if batch == 0:
            self.total = 0.0
        total = logs["loss"] * sum(self.sizes[: batch + 1])
        self.losses.append((total - self.total) / self.sizes[batch])
        self.total = total


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "layers"), [("lstm", 1), ("gru", 1), ("rnn", 1), ("dense", 2), ("conv", 2)]
)
def test_epochs_equal_keras_fit_on_the_same_batches(family: str, layers: int) -> None:
    a, targets = architecture(family, layers), drawn(3 * BATCH + 10)
    state, losses = train(a, targets, epochs=2)

    model = build(a, seed=3)
    model.compile(keras.optimizers.Adam(RATE), "mae", jit_compile=True)
    kept = BatchLosses([BATCH, BATCH, BATCH, 10])
    inputs = frames.gather(tiny.pair().dry, targets, FRAME_SIZE)
    wet = tiny.pair().wet[targets][:, None]
    model.fit(inputs, wet, BATCH, epochs=2, shuffle=False, verbose=0, callbacks=[kept])

    assert len(losses) == 8
    np.testing.assert_allclose(losses, kept.losses, rtol=1e-5)
    for ours, theirs in zip(state.weights, model.trainable_variables, strict=True):
        np.testing.assert_allclose(ours, theirs.value, rtol=1e-5, atol=1e-5)
    start = compiled.initial_state(a, seed=3).weights
    moved = [float(np.abs(s - w).max()) for s, w in zip(start, state.weights, strict=True)]
    assert min(moved) > RATE / 4  # so the comparison above saw weights that training changed


def test_initial_state_holds_the_weights_of_the_keras_model() -> None:
    a = architecture("lstm")
    state = compiled.initial_state(a, seed=5)
    for ours, theirs in zip(state.weights, build(a, seed=5).trainable_variables, strict=True):
        np.testing.assert_array_equal(ours, theirs.value)


@pytest.mark.slow
def test_pre_emphasised_loss_looks_one_output_sample_back() -> None:
    a, targets = architecture("dense"), drawn(BATCH, lookback=1)
    _, [loss] = train(a, targets, epochs=1, loss="esr_preemph_dc")

    model, wet = build(a, seed=3), tiny.pair().wet.astype(np.float64)
    now, before = predicted(model, targets), predicted(model, targets - 1)
    y, y_before = wet[targets], wet[targets - 1]
    error = (y - now) - 0.85 * (y_before - before)
    esr = np.sum(error**2) / np.sum((y - 0.85 * y_before) ** 2)
    both, both_predicted = np.append(y, y_before), np.append(now, before)
    dc = np.mean(both - both_predicted) ** 2 / np.mean(both**2)
    assert loss == pytest.approx(0.75 * esr + 0.25 * dc, rel=1e-5)


@pytest.mark.parametrize("name", ["mae", "mse", "esr"])
def test_loss_without_training_is_the_mean_over_batches(name: str) -> None:
    a, targets = architecture("rnn"), drawn(3 * BATCH)
    weights = compiled.initial_state(a, seed=4).weights
    pair = tiny.pair()
    loss = compiled.program(a, name).loss(
        weights, jnp.asarray(pair.dry), jnp.asarray(pair.wet), targets.reshape(3, BATCH)
    )

    y = pair.wet[targets].reshape(3, BATCH).astype(np.float64)
    error = y - predicted(build(a, seed=4), targets).reshape(3, BATCH)
    expected = {
        "mae": np.abs(error).mean(axis=1),
        "mse": (error**2).mean(axis=1),
        "esr": (error**2).sum(axis=1) / (y**2).sum(axis=1),
    }[name]
    assert float(loss) == pytest.approx(expected.mean(), rel=1e-5)


def test_constant_schedule_keeps_the_peak() -> None:
    assert [compiled.learning_rate_at(k, 10, 0.01, "constant") for k in (0, 5, 9)] == [0.01] * 3


def test_cosine_schedule_falls_from_the_peak_to_a_hundredth() -> None:
    rates = [compiled.learning_rate_at(k, 10, 0.02, "cosine") for k in range(11)]
    assert rates[0] == pytest.approx(0.02)
    assert rates[5] == pytest.approx(0.02 * 0.505)
    assert rates[10] == pytest.approx(0.0002)
    assert all(np.diff(rates) < 0)


@pytest.mark.slow
def test_first_adam_step_is_as_long_as_the_learning_rate() -> None:
    a, targets = architecture("dense"), drawn(BATCH)
    start = compiled.initial_state(a, seed=3).weights
    for rate in (1e-3, 4e-3):
        state, _ = train(a, targets, epochs=1, rate=rate)
        step = np.abs(np.asarray(state.weights[0]) - np.asarray(start[0]))
        # Adam's first step is rate * g / (|g| + 1e-7).
        assert np.median(step) == pytest.approx(rate, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["lstm", "dense"])
def test_weight_decay_shrinks_every_weight_beside_adams_step(family: str) -> None:
    a, pair, targets = architecture(family), tiny.pair(), drawn(BATCH)
    start = compiled.initial_state(a, seed=3)
    stepped = []
    for decay in (0.0, 0.5):
        epoch = compiled.compiled_epoch(a, "mae", len(pair.dry), BATCH, BATCH, compiled.Adam(decay))
        state = compiled.with_learning_rate(start, RATE)
        batches = compiled.batches_of(targets, BATCH)
        stepped.append(epoch(state, jnp.asarray(pair.dry), jnp.asarray(pair.wet), *batches)[0])
    plain, decayed = (state.weights for state in stepped)
    for before, without, with_decay in zip(start.weights, plain, decayed, strict=True):
        expected = np.asarray(without) - RATE * 0.5 * np.asarray(before)
        np.testing.assert_allclose(with_decay, expected, atol=1e-7)


@pytest.mark.slow
def test_a_long_gradient_is_shortened() -> None:
    """Adam undoes any scale but that of its epsilon, so the limit lies far below it."""
    a, pair, targets = architecture("dense"), tiny.pair(), drawn(BATCH)
    start = compiled.with_learning_rate(compiled.initial_state(a, seed=3), RATE)
    moved = []
    for limit in (0.0, 1e3, 1e-10):
        epoch = compiled.compiled_epoch(
            a, "mae", len(pair.dry), BATCH, BATCH, compiled.Adam(0.0, limit)
        )
        batches = compiled.batches_of(targets, BATCH)
        state, _ = epoch(start, jnp.asarray(pair.dry), jnp.asarray(pair.wet), *batches)
        moved.append(np.asarray(state.weights[0]) - np.asarray(start.weights[0]))
    free, far, near = moved
    np.testing.assert_array_equal(free, far)
    assert np.abs(near).max() < 0.01 * np.abs(free).max()


def test_batches_keep_order_and_leave_the_rest() -> None:
    batches, rest = compiled.batches_of(np.arange(10, dtype=np.int32), 4)
    assert batches.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert rest.tolist() == [8, 9]
