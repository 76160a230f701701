"""Rendering equals Keras' own prediction, frame by frame, however long the signal."""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from data import frames
from data.audio import Samples
from data.frames import Span
from data.splits import LEAD_IN_SAMPLES
from models.architecture import Architecture
from models.framed import build
from study.rendering import framed
from study.rendering.framed import BLOCK_SAMPLES, compiled_predict, render, render_spans
from study.training import compiled
from tests.tiny import FAMILIES

SIZE = 16


def architecture(family: Any) -> Architecture:
    return Architecture(family, 1, 4, SIZE)


@lru_cache
def weights(a: Architecture) -> list[Any]:
    return [jnp.asarray(w) for w in compiled.initial_state(a, seed=1).weights]


def noise(samples: int) -> Samples:
    return np.random.default_rng(samples).standard_normal(samples).astype(np.float32)


def predicted(a: Architecture, dry: Samples) -> Samples:
    windows = np.lib.stride_tricks.sliding_window_view(frames.with_history(dry, SIZE), SIZE)
    return np.asarray(build(a, seed=1).predict(windows[..., None], verbose=0))[:, 0]


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_rendering_equals_keras_prediction_of_its_frames(family: str) -> None:
    a, dry = architecture(family), noise(BLOCK_SAMPLES + 300)
    samples = render(a, weights(a), dry).samples
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, predicted(a, dry), atol=1e-6)


LENGTHS = [1, 5, SIZE - 1, SIZE, BLOCK_SAMPLES - 1, BLOCK_SAMPLES, BLOCK_SAMPLES + 1]


@pytest.mark.parametrize("samples", [*LENGTHS, 2 * BLOCK_SAMPLES + 1])
def test_a_rendering_is_as_long_as_its_input_and_blocks_leave_no_seam(samples: int) -> None:
    a = architecture("dense")
    dry = noise(2 * BLOCK_SAMPLES + 1)[:samples]
    rendered = render(a, weights(a), dry).samples
    assert rendered.shape == (samples,)
    np.testing.assert_allclose(rendered, predicted(a, dry), atol=1e-6)


def test_a_rendering_of_the_beginning_is_the_beginning_of_the_rendering() -> None:
    a, dry = architecture("gru"), noise(BLOCK_SAMPLES + 100)
    whole = render(a, weights(a), dry).samples
    np.testing.assert_array_equal(render(a, weights(a), dry[:700]).samples, whole[:700])


def test_stretches_are_rendered_as_signals_of_their_own() -> None:
    a, dry = architecture("rnn"), noise(3000)
    spans = [Span(500, 1400), Span(1400, 2000)]
    rendered = render_spans(lambda x: render(a, weights(a), x), dry, spans).samples
    expected = [predicted(a, dry[s.start : s.stop])[LEAD_IN_SAMPLES:] for s in spans]
    np.testing.assert_allclose(rendered, np.concatenate(expected), atol=1e-6)


def test_nothing_outside_a_stretch_changes_its_rendering() -> None:
    a, dry = architecture("rnn"), noise(3000)
    spans = [Span(500, 1400), Span(1400, 2000)]
    before = render_spans(lambda x: render(a, weights(a), x), dry, spans).samples
    changed = dry.copy()
    changed[:1400] += 1
    changed[2000:] -= 1
    after = render_spans(lambda x: render(a, weights(a), x), changed, spans).samples
    first = 900 - LEAD_IN_SAMPLES
    np.testing.assert_array_equal(after[first:], before[first:])
    assert not np.array_equal(after[:first], before[:first])


def test_every_block_is_predicted_once_and_compilation_is_not_timed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def slowly_compiled(a: Architecture, samples: int) -> Callable[..., Any]:
        time.sleep(1)

        def predict(weights: Any, block: Samples) -> Any:
            calls.append(len(block))
            return compiled_predict(a, samples)(weights, block)

        return predict

    a = architecture("dense")
    render(a, weights(a), noise(1))  # compiled from now on
    monkeypatch.setattr(framed, "compiled_predict", slowly_compiled)
    rendered = render(a, weights(a), noise(2 * BLOCK_SAMPLES + 1))
    assert calls == [BLOCK_SAMPLES + SIZE - 1] * 3
    assert 0 < rendered.seconds < 1


def test_a_second_rendering_compiles_nothing() -> None:
    a = architecture("conv")
    assert compiled_predict(a, BLOCK_SAMPLES) is compiled_predict(a, BLOCK_SAMPLES)
