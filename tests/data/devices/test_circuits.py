"""What every circuit promises: its controls, its length, silence, alignment, no aliases."""

from __future__ import annotations

import numpy as np
import pytest

from data.audio import Samples
from data.devices.circuits import CIRCUITS, Circuit
from data.devices.oversampling import oversampling_factor, process_oversampled
from data.errors import InputError

RATE_HZ = 44_100


@pytest.fixture(params=sorted(CIRCUITS))
def circuit(request: pytest.FixtureRequest) -> Circuit:
    return CIRCUITS[request.param]


def noise(samples: int) -> Samples:
    return np.random.default_rng(3).uniform(-0.3, 0.3, samples).astype(np.float32)


def test_registry_names_each_circuit_by_its_key() -> None:
    assert {name: circuit.name for name, circuit in CIRCUITS.items()} == {
        "sd1": "sd1",
        "black65": "black65",
    }
    for circuit in CIRCUITS.values():
        assert circuit.version >= 1
        assert all(c.minimum <= c.default <= c.maximum and c.meaning for c in circuit.controls)


def test_settings_fill_in_the_defaults() -> None:
    assert CIRCUITS["sd1"].settings(tone=1) == {"drive": 0.5, "tone": 1.0, "level": 0.5}


def test_unknown_control_names_the_allowed_ones(circuit: Circuit) -> None:
    with pytest.raises(InputError, match=" or ".join(c.name for c in circuit.controls)):
        circuit.render(noise(10), RATE_HZ, volume=0.5)


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_value_out_of_range_names_the_range(circuit: Circuit, value: float) -> None:
    with pytest.raises(InputError, match=r"level.* 0 to 1"):
        circuit.render(noise(10), RATE_HZ, level=value)


@pytest.mark.parametrize(
    ("dry", "rate_hz", "message"),
    [
        (np.zeros((10, 2), np.float32), RATE_HZ, r"shape \(10, 2\)"),
        (np.array([0, np.nan], np.float32), RATE_HZ, "sample 1"),
        (np.zeros(10, np.float32), 4000, "4000 Hz"),
    ],
)
def test_unusable_dry_is_refused(
    circuit: Circuit, dry: Samples, rate_hz: int, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        circuit.render(dry, rate_hz)


@pytest.mark.parametrize("samples", [0, 1, 17, 5000])
@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000])
def test_wet_is_float32_of_the_same_length(circuit: Circuit, samples: int, rate_hz: int) -> None:
    wet = circuit.render(noise(samples), rate_hz)
    assert wet.shape == (samples,)
    assert wet.dtype == np.float32


def test_silence_stays_silent_from_the_first_sample(circuit: Circuit) -> None:
    assert np.abs(circuit.render(np.zeros(4000, np.float32), RATE_HZ)).max() < 1e-9


def test_rendering_repeats_bit_for_bit_and_leaves_dry_alone(circuit: Circuit) -> None:
    dry = noise(4000)
    kept = dry.copy()
    np.testing.assert_array_equal(circuit.render(dry, RATE_HZ), circuit.render(dry, RATE_HZ))
    np.testing.assert_array_equal(dry, kept)


def test_blocks_do_not_show(circuit: Circuit) -> None:
    dry_v = circuit.dry_full_scale_v * noise(3000).astype(np.float64)
    whole, blocks = (
        process_oversampled(
            circuit.model(8 * RATE_HZ, **circuit.settings()), dry_v, RATE_HZ, 8, block_samples
        )
        for block_samples in (3000, 251)
    )
    np.testing.assert_allclose(blocks, whole, atol=1e-9 * np.abs(whole).max())


def test_wet_of_the_defaults_stays_within_full_scale(circuit: Circuit) -> None:
    time_s = np.arange(RATE_HZ // 2) / RATE_HZ
    rng = np.random.default_rng(5)
    signs = [
        rng.uniform(-1, 1, len(time_s)),
        np.sin(2 * np.pi * 5 * time_s),
        np.sin(2 * np.pi * 441.3 * time_s),
        (100 * time_s) % 1 - 0.1,
        0.1 - (100 * time_s) % 1,
        time_s - 0.3,
    ]
    for sign in signs:
        wet = circuit.render(np.sign(sign).astype(np.float32), RATE_HZ)
        assert 0.1 < np.abs(wet).max() < 0.9


def test_level_only_scales(circuit: Circuit) -> None:
    dry = noise(2000)
    half, full = (circuit.render(dry, RATE_HZ, level=level) for level in (0.5, 1.0))
    np.testing.assert_allclose(full, 2 * half, atol=1e-6)
    assert not circuit.render(dry, RATE_HZ, level=0.0).any()


def aliasing_to_signal_db(wet: Samples, k0: int) -> float:
    """Energy outside the harmonics' bins over energy in them, DC apart; no window."""
    energy = np.abs(np.fft.rfft(wet.astype(np.float64))) ** 2
    harmonic = np.zeros(len(energy), bool)
    harmonic[k0::k0] = True
    return float(10 * np.log10(energy[1:][~harmonic[1:]].sum() / energy[harmonic].sum()))


def test_oversampling_removes_most_of_the_aliases(circuit: Circuit) -> None:
    period, k0 = 44_089, 4201  # both prime: no alias of a harmonic falls on a harmonic
    dry = (0.5 * np.sin(2 * np.pi * k0 * np.arange(3 * period) / period)).astype(np.float32)
    middle = slice(period, 2 * period)  # clear of the start and of the cut at the end
    at_rate = circuit.model(RATE_HZ, **circuit.settings())
    dry_v = circuit.dry_full_scale_v * dry.astype(np.float64)
    aliased_db = aliasing_to_signal_db(at_rate.process(dry_v)[middle].astype(np.float32), k0)
    oversampled_db = aliasing_to_signal_db(circuit.render(dry, RATE_HZ)[middle], k0)
    assert oversampled_db < aliased_db - 40
    assert oversampled_db < -60


def test_factor_is_eight_or_what_low_rates_need() -> None:
    rates_hz = (8_000, 22_050, 44_100, 48_000, 96_000)
    assert [oversampling_factor(rate_hz) for rate_hz in rates_hz] == [45, 16, 8, 8, 8]


class _Wire:
    def process(self, input_v: np.typing.NDArray[np.float64]) -> np.typing.NDArray[np.float64]:
        return input_v


def test_resampling_neither_delays_nor_colours() -> None:
    time_s = np.arange(4000) / RATE_HZ
    signal = np.hanning(4000) * (np.sin(2 * np.pi * 997 * time_s) + np.sin(1e5 * time_s))
    np.testing.assert_allclose(process_oversampled(_Wire(), signal, RATE_HZ, 8), signal, atol=1e-6)
