"""Streaming: the same weights with the state carried, checked against the framed model."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from models.architecture import Architecture
from study.rendering import streaming
from study.rendering.framed import FRAMES_AT_ONCE, compiled_predict
from study.training import compiled

FAMILIES = ["lstm", "gru", "rnn"]


def noise(count: int, samples: int) -> streaming.Signals:
    rng = np.random.default_rng(samples)
    return np.asarray(0.5 * rng.standard_normal((count, samples)), np.float32)


def weights(a: Architecture) -> list[Any]:
    return [jnp.asarray(w) for w in compiled.initial_state(a, seed=1).weights]


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("layers", "residual"), [(1, False), (2, False), (1, True)])
def test_a_frame_as_long_as_the_signal_gives_the_same_last_sample(
    family: Any, layers: int, residual: bool
) -> None:
    """From zero state, both forms are one function of all samples so far."""
    dry = noise(1, 200)
    framed = Architecture(family, layers, 5, 200, residual)
    frame = np.concatenate([dry[0], np.zeros(FRAMES_AT_ONCE - 1, np.float32)])
    predict = compiled_predict(framed, FRAMES_AT_ONCE)
    expected = np.asarray(predict(weights(framed), frame))[0]
    streamed = streaming.stream(framed, weights(framed), dry)[0]
    assert streamed[-1] == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_blocks_leave_no_seam(family: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    a, dry = Architecture(family, 2, 4, 16), noise(1, 1000)
    whole = streaming.stream(a, weights(a), dry)
    monkeypatch.setattr(streaming, "BLOCK_SAMPLES", 64)
    streaming.compiled_step.cache_clear()
    np.testing.assert_allclose(streaming.stream(a, weights(a), dry), whole, atol=1e-6)
    streaming.compiled_step.cache_clear()


@pytest.mark.slow
def test_signals_do_not_hear_each_other() -> None:
    a, dry = Architecture("gru", 1, 4, 16), noise(3, 500)
    together = streaming.stream(a, weights(a), dry)
    alone = [streaming.stream(a, weights(a), one[None])[0] for one in dry]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_rendering_is_the_stream_of_one_signal_and_takes_time() -> None:
    a, dry = Architecture("lstm", 1, 4, 16), noise(1, 700)
    rendering = streaming.render_streaming(a, weights(a), dry[0])
    np.testing.assert_array_equal(rendering.samples, streaming.stream(a, weights(a), dry)[0])
    assert rendering.seconds > 0


def test_a_model_without_state_cannot_stream() -> None:
    with pytest.raises(ValueError, match="no state"):
        streaming.stream(Architecture("dense", 1, 4, 16), [], noise(1, 10))
