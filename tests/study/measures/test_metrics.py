"""Metrics by algebra, against independent implementations, and on bad input."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal
from sklearn.metrics import mean_absolute_error, r2_score

from data.errors import InputError
from study.measures import metrics
from study.measures.metrics import Signal

RATE_HZ = 44_100
SAMPLES = 16_000


def noise(seed: int, samples: int = SAMPLES) -> Signal:
    return 0.2 * np.random.default_rng(seed).standard_normal(samples)


def tone(frequency_hz: float, amplitude: float = 0.5, samples: int = SAMPLES) -> Signal:
    return amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(samples) / RATE_HZ + 0.3)


def high_band_esr(target: Signal, prediction: Signal) -> float | None:
    return metrics.band_esr(target, prediction, RATE_HZ)


def lsd_db(target: Signal, prediction: Signal) -> float:
    return metrics.log_spectral_distance_db(target, prediction, RATE_HZ)


ESR_LIKE = [metrics.esr, metrics.esr_preemph, high_band_esr]
ALL = [*ESR_LIKE, metrics.mae, metrics.r2, metrics.dc, metrics.mr_stft, lsd_db]
Metric = Callable[[Signal, Signal], float | None]


@pytest.mark.parametrize("metric", ESR_LIKE)
@settings(max_examples=20, deadline=None)
@given(scale=st.floats(0.01, 100), seed=st.integers(0, 99))
def test_esr_of_a_scaled_target(metric: Metric, scale: float, seed: int) -> None:
    y = noise(seed)
    assert metric(y, scale * y) == pytest.approx((scale - 1) ** 2, rel=1e-9, abs=1e-15)
    assert metric(scale * y, y) == pytest.approx((1 / scale - 1) ** 2, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("metric", ESR_LIKE)
def test_esr_of_silence_is_one(metric: Metric) -> None:
    assert metric(noise(0), np.zeros(SAMPLES)) == 1.0


def test_scaled_target_by_the_other_metrics() -> None:
    y = noise(1) + 0.1
    assert metrics.mae(y, 3 * y) == pytest.approx(2 * np.mean(np.abs(y)))
    assert metrics.r2(y, 3 * y) == pytest.approx(1 - 4 * np.mean(y**2) / np.var(y))
    assert metrics.dc(y, 3 * y) == pytest.approx(4 * np.mean(y) ** 2 / np.mean(y**2))
    # Convergence |a - 1| and |ln a|; 20 log10 a in every bin.
    assert metrics.mr_stft(y, 3 * y) == pytest.approx(2 + np.log(3))
    assert lsd_db(y, 3 * y) == pytest.approx(20 * np.log10(3))


@pytest.mark.parametrize("metric", ALL)
def test_perfect_prediction(metric: Metric) -> None:
    assert metric(noise(2), noise(2)) == (1.0 if metric is metrics.r2 else 0.0)


@pytest.mark.parametrize("metric", ALL)
@settings(max_examples=10, deadline=None)
@given(exponent=st.integers(-2, 3), sign=st.sampled_from([-1, 1]), seed=st.integers(0, 99))
def test_common_gain_and_polarity_change_nothing(
    metric: Metric, exponent: int, sign: int, seed: int
) -> None:
    y, p = noise(seed), noise(seed) + 0.1 * noise(seed + 1)
    gain = sign * 2.0**exponent
    expected = metric(y, p)
    assert expected is not None
    if metric is metrics.mae:
        expected *= abs(gain)
    # The power floor moves the spectral metrics a little: it does not scale.
    assert metric(gain * y, gain * p) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("metric", ALL)
def test_float32_is_reckoned_in_float64(metric: Metric) -> None:
    y, p = noise(3).astype(np.float32), noise(4).astype(np.float32)
    assert metric(y, p) == metric(y.astype(np.float64), p.astype(np.float64))  # type: ignore[arg-type]


def test_known_libraries_agree() -> None:
    y, p = noise(5) + 0.05, noise(6)
    assert metrics.mae(y, p) == pytest.approx(mean_absolute_error(y, p))
    assert metrics.r2(y, p) == pytest.approx(r2_score(y, p))
    assert metrics.r2(y, np.full(SAMPLES, y.mean())) == pytest.approx(0.0)


def test_pre_emphasis_is_the_filter_of_the_paper() -> None:
    y, p = noise(7), noise(8)
    filtered_y, filtered_p = (signal.lfilter([1, -0.85], [1], x) for x in (y, p))
    expected = metrics.esr(filtered_y, filtered_p)
    assert metrics.esr_preemph(y, p) == pytest.approx(expected, rel=1e-12)


def test_offset_is_all_that_dc_hears() -> None:
    y = tone(441.0, samples=RATE_HZ)
    assert metrics.dc(y, y + 0.1) == pytest.approx(0.1**2 / 0.125)
    assert metrics.dc(y, y + tone(882.0, samples=RATE_HZ)) == pytest.approx(0.0, abs=1e-12)


def scipy_magnitude(x: Signal, fft_size: int, hop: int, window: int) -> Signal:
    """Magnitudes of shape (bins, frames), as torch and librosa scale them."""
    _, _, spectrum = signal.stft(
        x, 1.0, "hann", window, window - hop, fft_size, boundary="even", padded=False
    )
    return np.asarray(np.maximum(np.abs(spectrum) * (window / 2), 1e-4))


@pytest.mark.parametrize("samples", [1300, 7321, SAMPLES])
def test_mr_stft_against_scipy(samples: int) -> None:
    y, p = noise(9, samples), 0.1 * noise(10, samples)
    terms = []
    for sizes in ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240)):
        magnitude_y, magnitude_p = (scipy_magnitude(x, *sizes) for x in (y, p))
        convergence = np.linalg.norm(magnitude_y - magnitude_p) / np.linalg.norm(magnitude_y)
        terms.append(convergence + np.mean(np.abs(np.log(magnitude_y) - np.log(magnitude_p))))
    assert metrics.mr_stft(y, p) == pytest.approx(np.mean(terms), rel=1e-9)


@pytest.mark.parametrize("from_hz", [0.0, 8000.0])
def test_log_spectral_distance_against_scipy(from_hz: float) -> None:
    y, p = noise(11), signal.lfilter([0.3], [1, -0.7], noise(12))
    level_y, level_p = (20 * np.log10(scipy_magnitude(x, 2048, 512, 2048)) for x in (y, p))
    band = np.fft.rfftfreq(2048, 1 / RATE_HZ) >= from_hz
    expected = np.sqrt(np.mean((level_y - level_p)[band] ** 2, axis=0)).mean()
    found = metrics.log_spectral_distance_db(y, p, RATE_HZ, from_hz)
    assert found == pytest.approx(expected, rel=1e-9)


def test_silent_stretch_counts_at_the_floor() -> None:
    y = noise(13)
    # The noise's density against a power floor of 1e-8.
    window_energy = np.sum(signal.get_window("hann", 2048) ** 2)
    density_db = 10 * np.log10(0.2**2 * window_energy / 1e-8)
    assert lsd_db(y, np.zeros(SAMPLES)) == pytest.approx(density_db, abs=5)


def test_band_esr_hears_only_its_band() -> None:
    y = tone(1000.0) + tone(10_000.0, 0.1)
    high_error = metrics.band_esr(y, y + tone(10_000.0, 0.05), RATE_HZ)
    assert high_error == pytest.approx(0.25, rel=1e-3)
    low_error = metrics.band_esr(y, y + tone(1000.0), RATE_HZ)
    assert low_error == pytest.approx(0.0, abs=1e-8)
    assert metrics.band_esr(y, tone(1000.0), RATE_HZ) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("sample_rate_hz", [16_100, 22_050, 44_100, 48_000, 96_000])
def test_band_filter_is_flat_above_and_deaf_below(sample_rate_hz: int) -> None:
    frequency_hz, response = signal.freqz(
        metrics._high_pass(8000, sample_rate_hz), worN=1 << 15, fs=sample_rate_hz
    )
    level_db = 20 * np.log10(np.maximum(np.abs(response), 1e-12))
    assert np.abs(level_db[frequency_hz >= 8000]).max() < 0.001
    assert level_db[frequency_hz <= 7500].max() < -98


def test_band_without_sound_has_no_esr() -> None:
    assert metrics.band_esr(tone(1000.0), noise(14), RATE_HZ) is None


@pytest.mark.parametrize("from_hz", [-1.0, 22_050.0, float("nan")])
def test_band_outside_the_spectrum_is_an_input_error(from_hz: float) -> None:
    with pytest.raises(InputError, match="band"):
        metrics.log_spectral_distance_db(noise(0), noise(1), RATE_HZ, from_hz)
    with pytest.raises(InputError, match="band"):
        metrics.band_esr(noise(0), noise(1), RATE_HZ, from_hz)


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    ("target", "prediction", "words"),
    [
        (np.zeros(0), np.zeros(0), "at least one sample"),
        (np.ones(3000), np.ones(3001), "equal length"),
        (np.ones((3000, 1)), np.ones((3000, 1)), "one dimension"),
        (np.zeros(3000), np.ones(3000), "silence"),
        (np.ones(3000), np.full(3000, np.nan), "prediction signal.*sample 0"),
        (np.append(np.ones(3000), np.inf), np.ones(3001), "target signal.*sample 3000"),
    ],
)
def test_unusable_pairs_are_input_errors(
    metric: Metric, target: Signal, prediction: Signal, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        metric(target, prediction)


def test_constant_target_has_no_r2() -> None:
    with pytest.raises(InputError, match="vary"):
        metrics.r2(np.ones(10), np.zeros(10))


@pytest.mark.parametrize("metric", [metrics.mr_stft, lsd_db, high_band_esr])
def test_too_short_for_a_spectrum_is_an_input_error(metric: Metric) -> None:
    with pytest.raises(InputError, match="at least"):
        metric(np.ones(300), np.ones(300))


def test_evaluate_gives_every_column() -> None:
    row = metrics.evaluate(noise(15), noise(16), RATE_HZ)
    assert list(row) == [
        "mae",
        "r2",
        "esr",
        "esr_preemph",
        "dc",
        "mr_stft",
        "esr_above_8khz",
        "lsd_db",
        "lsd_above_8khz_db",
    ]
    assert all(type(value) is float and np.isfinite(value) for value in row.values())


def test_evaluate_leaves_the_high_band_open_at_low_sample_rates() -> None:
    row = metrics.evaluate(noise(17), noise(18), 16_000)
    assert [name for name, value in row.items() if value is None] == [
        "esr_above_8khz",
        "lsd_above_8khz_db",
    ]


def test_memory_stays_near_that_of_the_signals() -> None:
    y, p = noise(19, 400_000), noise(20, 400_000)
    tracemalloc.start()
    metrics.mr_stft(y, p)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Whole spectra would take 400,000 / 50 frames of 257 bins, 33 MB a signal.
    assert peak < 6 * y.nbytes


def test_band_esr_in_blocks_equals_one_filtering_of_the_whole() -> None:
    rng = np.random.default_rng(11)
    target = rng.standard_normal(3 * metrics._BLOCK_SAMPLES + 777)
    prediction = target + 0.1 * rng.standard_normal(len(target))
    taps = metrics._high_pass(metrics.HIGH_BAND_HZ, 44_100)

    def high(x: Signal) -> Signal:
        return np.convolve(x, taps, mode="valid")

    whole = np.sum(high(target - prediction) ** 2) / np.sum(high(target) ** 2)
    assert metrics.band_esr(target, prediction, 44_100) == pytest.approx(whole, rel=1e-9)
