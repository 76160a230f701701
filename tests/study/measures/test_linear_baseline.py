"""The best linear filter against a planted one and against numpy's least squares."""

import numpy as np
import pytest

from data.audio import Samples
from data.frames import Span
from study.measures import linear_baseline

PLANTED = np.array([0.5, -0.3, 0.2, 0.05, -0.01])
SPANS = [Span(100, 1100), Span(1500, 4000)]


def noise(samples: int = 5000, seed: int = 0) -> Samples:
    return (0.3 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


def test_a_planted_filter_is_recovered() -> None:
    dry = noise()
    wet = np.convolve(dry, PLANTED)[: len(dry)].astype(np.float32)
    found = linear_baseline.best_fir(dry, wet, SPANS, taps=8)
    np.testing.assert_allclose(found, [*PLANTED, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(linear_baseline.filtered(dry, found), wet, atol=1e-6)


def test_the_filter_is_the_least_squares_one_over_frames_inside_spans() -> None:
    taps = 16
    dry = np.convolve(noise(), [1, 0.5, 0.25])[:5000].astype(np.float32)
    wet = np.tanh(4 * dry).astype(np.float32)
    targets = np.concatenate([np.arange(s.start + taps - 1, s.stop) for s in SPANS])
    rows = dry.astype(np.float64)[targets[:, None] - np.arange(taps)]
    expected, *_ = np.linalg.lstsq(rows, wet[targets].astype(np.float64), rcond=None)
    found = linear_baseline.best_fir(dry, wet, SPANS, taps)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_rows_in_chunks_sum_to_the_whole() -> None:
    # Longer than one chunk of 16,384 rows.
    dry = noise(40_000)
    wet = np.convolve(dry, PLANTED)[: len(dry)].astype(np.float32)
    found = linear_baseline.best_fir(dry, wet, [Span(0, 40_000)], taps=5)
    np.testing.assert_allclose(found, PLANTED, atol=1e-6)


def test_samples_outside_the_stretches_have_no_say() -> None:
    dry = noise()
    wet = np.convolve(dry, PLANTED)[: len(dry)].astype(np.float32)
    spoilt = wet.copy()
    spoilt[:100] = spoilt[1100:1500] = spoilt[4000:] = 9
    np.testing.assert_array_equal(
        linear_baseline.best_fir(dry, spoilt, SPANS, 5),
        linear_baseline.best_fir(dry, wet, SPANS, 5),
    )


def test_a_band_without_energy_leaves_the_equations_solvable() -> None:
    times = np.arange(5000)
    dry = np.sin(0.1 * times).astype(np.float32)  # two taps already explain it
    found = linear_baseline.best_fir(dry, 0.5 * dry, SPANS, taps=32)
    assert np.abs(found).max() < 10
    rest = linear_baseline.filtered(dry, found)[1000:] - 0.5 * dry[1000:]
    assert np.abs(rest).max() < 1e-4


def test_a_filtered_signal_starts_from_silence_and_is_as_long() -> None:
    dry = noise(20)
    wet = linear_baseline.filtered(dry, PLANTED)
    assert wet.dtype == np.float32
    assert wet.shape == dry.shape
    assert wet[0] == pytest.approx(PLANTED[0] * dry[0])
