import numpy as np
import pytest

from reports.drawing import spectra


def test_bands_hold_the_mean_of_their_bins_or_what_lies_between_two() -> None:
    frequency_hz = np.array([0.0, 100.0, 200.0, 300.0, 400.0])
    power = np.array([9.0, 1.0, 3.0, 5.0, 7.0])
    narrow = np.array([90.0, 250.0, 270.0, 310.0])
    between = np.interp(np.sqrt(250.0 * 270.0), frequency_hz, power)
    assert list(spectra.by_band(frequency_hz, power, narrow)) == [2.0, between, 5.0]


@pytest.mark.parametrize("samples", [500, 40_000])
def test_welchs_power_adds_up_to_the_signals(samples: int) -> None:
    noise = np.random.default_rng(0).standard_normal(samples).astype(np.float32)
    frequency_hz, power = spectra.welch(noise, 8000)
    assert frequency_hz[-1] == 4000
    assert power.mean() * 4000 == pytest.approx(np.mean(noise**2), rel=0.1)
