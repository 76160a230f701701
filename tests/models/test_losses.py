"""Training losses against their formulas in numpy, and by algebra."""

import jax
import numpy as np
import numpy.typing as npt
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from scipy import signal

from models.losses import LOSSES

Array = npt.NDArray[np.float32]


def batch(seed: int, shape: tuple[int, int] = (32, 50), offset: float = 0.1) -> Array:
    noise = np.random.default_rng(seed).standard_normal(shape)
    return (0.3 * noise + offset).astype(np.float32)


def loss(name: str, target: Array, prediction: Array) -> float:
    return float(LOSSES[name].make()(target, prediction))


TARGET, PREDICTION = batch(0), batch(1, offset=-0.05)
Y, P = TARGET.astype(np.float64), PREDICTION.astype(np.float64)


def test_losses_equal_their_formulas() -> None:
    assert loss("mae", TARGET, PREDICTION) == pytest.approx(np.mean(np.abs(Y - P)), rel=1e-5)
    assert loss("mse", TARGET, PREDICTION) == pytest.approx(np.mean((Y - P) ** 2), rel=1e-5)
    expected = np.sum((Y - P) ** 2) / np.sum(Y**2)
    assert loss("esr", TARGET, PREDICTION) == pytest.approx(expected, rel=1e-5)


def test_pre_emphasised_loss_equals_lfilter_and_dc() -> None:
    # The filter's first output lacks its predecessor, so it does not count.
    error, target = (signal.lfilter([1, -0.85], [1], s, axis=1)[:, 1:] for s in (Y - P, Y))
    esr = np.sum(error**2) / np.sum(target**2)
    dc = np.mean(Y - P) ** 2 / np.mean(Y**2)
    measured = loss("esr_preemph_dc", TARGET, PREDICTION)
    assert measured == pytest.approx(0.75 * esr + 0.25 * dc, rel=1e-5)


@pytest.mark.parametrize("name", ["esr", "esr_preemph_dc"])
@pytest.mark.parametrize("scale", [1e-2, 3.0])
def test_ratios_do_not_depend_on_the_level(name: str, scale: float) -> None:
    scaled = loss(name, np.float32(scale) * TARGET, np.float32(scale) * PREDICTION)
    assert scaled == pytest.approx(loss(name, TARGET, PREDICTION), rel=1e-4)


def test_mae_depends_on_the_level() -> None:
    half = np.float32(0.5)
    assert loss("mae", half * TARGET, half * PREDICTION) == pytest.approx(
        0.5 * loss("mae", TARGET, PREDICTION), rel=1e-5
    )


@pytest.mark.parametrize("name", ["esr", "esr_preemph_dc"])
def test_silence_as_prediction_costs_one_but_for_the_dc_share(name: str) -> None:
    dc = np.mean(Y) ** 2 / np.mean(Y**2)
    expected = {"esr": 1.0, "esr_preemph_dc": 0.75 + 0.25 * dc}[name]
    assert loss(name, TARGET, np.zeros_like(TARGET)) == pytest.approx(expected, rel=1e-5)


def test_a_constant_error_costs_its_dc_and_what_the_filter_leaves() -> None:
    target = batch(3, offset=0)
    y = target.astype(np.float64)
    emphasised = y[:, 1:] - 0.85 * y[:, :-1]
    expected = 0.75 * 0.015**2 / np.mean(emphasised**2) + 0.25 * 0.1**2 / np.mean(y**2)
    measured = loss("esr_preemph_dc", target, target - np.float32(0.1))
    assert measured == pytest.approx(expected, rel=1e-4)


def test_pre_emphasis_hears_high_frequencies_more() -> None:
    times = np.arange(400)
    low, high = (np.sin(w * times)[None].astype(np.float32) for w in (0.05, 2.5))
    both = low + high
    assert loss("esr", both, low) == pytest.approx(loss("esr", both, high), rel=0.05)
    assert loss("esr_preemph_dc", both, low) > 10 * loss("esr_preemph_dc", both, high)


def spectral_share(target: Array, prediction: Array) -> float:
    """What the loss on waveform and spectrum adds to that on the waveform."""
    whole = loss("esr_preemph_dc_stft", target, prediction)
    return whole - loss("esr_preemph_dc", target, prediction)


@pytest.mark.slow
def test_the_spectral_share_equals_its_formula() -> None:
    target, prediction = batch(4, (3, 300)), batch(5, (3, 300))
    distances = []
    for size in (64, 128, 256):
        window = signal.get_window("hann", size)
        y, p = (
            np.abs(np.fft.rfft(sliding_window_view(s, size, axis=1)[:, :: size // 4] * window))
            for s in (target.astype(np.float64), prediction.astype(np.float64))
        )
        convergence = np.linalg.norm(y - p) / np.linalg.norm(y)
        distances.append(convergence + np.mean(np.abs(np.log(y) - np.log(p))))
    measured = spectral_share(target, prediction)
    assert measured == pytest.approx(0.2 * np.mean(distances), rel=1e-3)


@pytest.mark.slow
def test_the_spectral_share_hears_what_is_weak_and_no_phase() -> None:
    times = np.arange(256)
    strong, weak = np.sin(0.1 * times), 0.001 * np.sin(2.5 * times)
    target, without, turned = (
        s[None].astype(np.float32) for s in (strong + weak, strong, -strong - weak)
    )
    assert spectral_share(target, without) > 100 * loss("esr_preemph_dc", target, without) > 0
    assert spectral_share(target, turned) == pytest.approx(0, abs=1e-5)


@pytest.mark.slow
def test_the_slope_of_the_spectral_share_is_finite_everywhere() -> None:
    target = batch(6, (2, 256))
    of_target = jax.grad(lambda p: LOSSES["esr_preemph_dc_stft"].make()(target, p))
    for prediction in (target, np.zeros_like(target), batch(7, (2, 256))):
        assert np.isfinite(of_target(prediction)).all()


@pytest.mark.parametrize("name", ["mae", "mse", "esr", "esr_preemph_dc"])
def test_a_perfect_prediction_costs_nothing_and_silence_stays_finite(name: str) -> None:
    assert loss(name, TARGET, TARGET) == 0
    silence = np.zeros_like(TARGET)
    assert loss(name, silence, silence) == 0
    assert np.isfinite(loss(name, silence, PREDICTION))


@pytest.mark.slow
def test_with_spectra_a_perfect_prediction_costs_a_rounding_and_silence_stays_finite() -> None:
    name, target, prediction = "esr_preemph_dc_stft", batch(0, (4, 256)), batch(1, (4, 256))
    assert loss(name, target, target) == pytest.approx(0, abs=1e-7)
    silence = np.zeros_like(target)
    assert loss(name, silence, silence) == pytest.approx(0, abs=1e-5)
    assert np.isfinite(loss(name, silence, prediction))


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_has_a_value_from_its_shortest_window_on_and_falls_to_nothing(name: str) -> None:
    own = LOSSES[name]
    assert own.name == name and own.lookback == own.shortest_window - 1
    shape = (4, own.shortest_window)
    target, prediction = batch(0, shape), batch(1, shape)
    assert np.isfinite(loss(name, target, prediction))
    assert loss(name, target, prediction) > 10 * loss(name, target, target) + 1e-3


def test_losses_look_back_as_far_as_they_compare_consecutive_samples() -> None:
    found = {name: own.shortest_window for name, own in LOSSES.items()}
    assert found == {
        "mae": 1, "mse": 1, "esr": 1, "esr_preemph_dc": 2, "esr_preemph_dc_stft": 256,
    }  # fmt: skip
    target, prediction = batch(0, (4, 255)), batch(1, (4, 255))
    with pytest.raises(ValueError, match="longer than input signal"):
        loss("esr_preemph_dc_stft", target, prediction)
