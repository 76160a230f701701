"""Segments and their compiled epoch, against a plain Keras training loop."""

from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from data.errors import InputError
from data.frames import Span
from models.architecture import Architecture
from models.loss_functions import PRE_EMPHASIS, PreEmphasisedErrorAndDc
from models.sequence import build
from models.streaming import build_streaming, state_sizes
from study.config.run import Segment
from study.training import compiled, tbptt
from tests import tiny

SEGMENT = Segment(warmup_samples=100, window_samples=128, windows=3)
BATCH = 4
RATE = 5e-3


def test_segments_fill_their_stretches_and_never_straddle_two() -> None:
    spans = [Span(0, 1000), Span(1000, 1300), Span(5000, 6010)]
    np.testing.assert_array_equal(tbptt.starts(spans, SEGMENT), [100, 484, 5100, 5484])
    for seed in range(20):
        drawn = tbptt.starts(spans, SEGMENT, np.random.default_rng(seed))
        assert len(drawn) == 4
        for start in drawn:
            home = next(s for s in spans if s.start <= start < s.stop)
            assert start - SEGMENT.warmup_samples >= home.start
            assert start + SEGMENT.counted_samples <= home.stop
        assert drawn[1] - drawn[0] == SEGMENT.counted_samples


def test_what_is_left_over_is_dealt_to_both_ends() -> None:
    drawn = [
        int(tbptt.starts([Span(0, 600)], SEGMENT, np.random.default_rng(seed))[0])
        for seed in range(300)
    ]
    assert (min(drawn), max(drawn)) == (100, 600 - SEGMENT.counted_samples)


def test_stretches_without_room_are_refused() -> None:
    with pytest.raises(InputError, match=r"at least 484 samples .* at most 483"):
        tbptt.starts([Span(0, 483), Span(500, 600)], SEGMENT)


def plain_keras(a: Architecture, first: Any, epochs: int) -> tuple[list[Any], list[float]]:
    """The same training as a loop over Keras' own layers, loss and optimiser."""
    model, pair = build_streaming(a), tiny.pair()
    model.set_weights(build(a, seed=3).get_weights())
    optimiser, loss_fn = keras.optimizers.Adam(RATE), PreEmphasisedErrorAndDc()
    optimiser.build(model.trainable_variables)
    fixed = [v.value for v in model.non_trainable_variables]

    def loss_of(weights: Any, dry: Any, wet: Any, states: Any) -> Any:
        predicted, *after = model.stateless_call(weights, fixed, [dry[..., None], *states])[0]
        return loss_fn(wet, predicted[..., 0]), after

    slopes_of = jax.jit(jax.value_and_grad(loss_of, has_aux=True))

    def cut(signal: Any, starts: Any, samples: int) -> Any:
        return jnp.asarray(np.stack([signal[s : s + samples] for s in starts]))

    losses = []
    for _ in range(epochs):
        for k in range(0, len(first), BATCH):
            batch = first[k : k + BATCH]
            weights = [v.value for v in model.trainable_variables]
            states: Any = [jnp.zeros((len(batch), size)) for size in state_sizes(a)]
            before = cut(pair.dry, batch - SEGMENT.warmup_samples, SEGMENT.warmup_samples)
            silent = jnp.zeros_like(before)
            (_, states), _ = slopes_of(weights, before, silent, states)
            of_windows = []
            for window in range(SEGMENT.windows):
                at = batch + window * SEGMENT.window_samples
                dry, wet = (cut(s, at, SEGMENT.window_samples) for s in (pair.dry, pair.wet))
                weights = [v.value for v in model.trainable_variables]
                (loss, states), gradients = slopes_of(weights, dry, wet, states)
                optimiser.apply(gradients, model.trainable_variables)
                of_windows.append(float(loss))
            losses.append(float(np.mean(of_windows)))
    return [v.value for v in model.trainable_variables], losses


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "layers", "features"),
    [
        ("lstm", 1, 0), ("lstm", 2, 0), ("gru", 1, 0), ("rnn", 1, 0), ("conv_gru", 1, 0),
        ("tcn", 2, 0), ("gru", 1, 3), ("lstm", 2, 2),
    ],
)  # fmt: skip
def test_epochs_equal_a_plain_keras_loop_over_the_same_segments(
    family: Any, layers: int, features: int
) -> None:
    a = Architecture(family, layers, 4, 40, residual=layers == 2, features=features)
    pair = tiny.pair()
    first = tbptt.starts(tiny.parts().train, SEGMENT)[: 2 * BATCH + 1]
    kind = (a, "esr_preemph_dc", compiled.Adam(), SEGMENT)
    epoch = tbptt.compiled_epoch(*kind, (len(pair.dry), len(first), BATCH))
    state = compiled.with_learning_rate(compiled.initial_state(a, seed=3), RATE)
    losses: list[float] = []
    for _ in range(2):
        batches = compiled.batches_of(first, BATCH)
        state, of_epoch = epoch(state, jnp.asarray(pair.dry), jnp.asarray(pair.wet), *batches)
        losses += np.asarray(of_epoch).tolist()

    weights, expected = plain_keras(a, first, epochs=2)
    assert len(losses) == 6
    np.testing.assert_allclose(losses, expected, rtol=2e-4)
    for one, other in zip(state.weights, weights, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)
    start = compiled.initial_state(a, seed=3).weights
    moved = [float(np.abs(s - w).max()) for s, w in zip(start, state.weights, strict=True)]
    assert np.median(moved) > RATE  # far more than the tolerance above


@pytest.mark.slow
def test_the_loss_of_a_batch_is_that_of_its_counted_samples() -> None:
    a, pair = Architecture("gru", 1, 4, 64), tiny.pair()
    first = tbptt.starts(tiny.parts().validation, SEGMENT)[:3]
    weights = compiled.initial_state(a, seed=1).weights
    loss = tbptt.passes(a, "esr_preemph_dc", compiled.Adam(), SEGMENT).loss(
        weights, pair.dry, pair.wet, first[None]
    )
    model = build(a, seed=1)
    cuts = [slice(s - SEGMENT.warmup_samples, s + SEGMENT.counted_samples) for s in first]
    dry = np.stack([pair.dry[cut] for cut in cuts])[..., None]
    predicted = np.asarray(model.predict(dry, verbose=0))[:, SEGMENT.warmup_samples :, 0]
    y = np.stack([pair.wet[cut] for cut in cuts])[:, SEGMENT.warmup_samples :].astype(np.float64)
    error = y - predicted
    emphasised, target = (x[:, 1:] - PRE_EMPHASIS * x[:, :-1] for x in (error, y))
    expected = 0.75 * np.sum(emphasised**2) / np.sum(target**2)
    expected += 0.25 * np.mean(error) ** 2 / np.mean(y**2)
    assert float(loss) == pytest.approx(expected, rel=1e-4)
