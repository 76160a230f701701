"""The dry signal as a whole: repeatable, mixed evenly, and like a direct guitar signal."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from data import dry
from data.audio import Samples
from data.errors import InputError
from data.strings import Signal

RATE_HZ = 44_100
SECONDS = 120.0


@pytest.fixture(scope="module")
def long_signal() -> Samples:
    return dry.generate(SECONDS, seed=3)


@pytest.fixture(scope="module")
def guitar(long_signal: Samples) -> Signal:
    layout = dry.sections(len(long_signal), RATE_HZ)
    return np.concatenate(
        [long_signal[s.start : s.stop] for s in layout if s.kind == "guitar"]
    ).astype(np.float64)


def test_same_seed_same_bits_other_seed_other_signal() -> None:
    first, again, other = (dry.generate(20, seed, 16_000) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.9


@pytest.mark.parametrize(("seconds", "rate_hz"), [(20.0, 16_000), (20.01, 22_050), (31.7, 48_000)])
def test_length_type_and_range(seconds: float, rate_hz: int) -> None:
    samples = dry.generate(seconds, 1, rate_hz)
    assert samples.shape == (round(seconds * rate_hz),)
    assert samples.dtype == np.float32
    assert 0.5 < np.abs(samples).max() <= 1.0


@pytest.mark.parametrize(
    "arguments", [(19.9,), (float("nan"),), (float("inf"),), (20.0, -1), (20.0, 0, 8000)]
)
def test_arguments_out_of_range_are_input_errors(arguments: tuple[float, ...]) -> None:
    with pytest.raises(InputError):
        dry.generate(*arguments)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=30)
@given(seconds=st.floats(20, 900), rate_hz=st.sampled_from([16_000, 22_050, 44_100, 96_000]))
def test_every_part_of_a_split_holds_every_kind(seconds: float, rate_hz: int) -> None:
    samples = round(seconds * rate_hz)
    layout = dry.sections(samples, rate_hz)
    assert layout[0].start == 0
    assert layout[-1].stop == samples
    assert all(a.stop == b.start for a, b in pairwise(layout))
    for start, stop in [(0, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 1), (0, 0.8), (0.8, 0.9), (0.9, 1)]:
        shares = kind_shares(layout, start * samples, stop * samples)
        # A tenth of the signal may begin anywhere in a cycle, so it can hold more of
        # one kind, but at least a cycle of all.
        assert shares["guitar"] >= 0.6
        assert min(shares.values()) >= 0.045
    assert kind_shares(layout, 0, samples)["guitar"] == pytest.approx(0.8, abs=0.01)


def kind_shares(layout: list[dry.Section], start: float, stop: float) -> dict[dry.Kind, float]:
    shares: dict[dry.Kind, float] = {"guitar": 0.0, "sweep": 0.0, "noise": 0.0}
    for section in layout:
        overlap = min(section.stop, stop) - max(section.start, start)
        shares[section.kind] += max(overlap, 0) / (stop - start)
    return shares


def test_levels_are_those_of_a_direct_guitar(guitar: Signal) -> None:
    """Ranges around 212 s of a real direct guitar signal.

    That recording (Stratocaster and Les Paul, 44.1 kHz, joined from clips without pauses)
    has: RMS -18.1 dBFS, crest factor 17.2 dB; RMS over 50 ms windows at the 25th, 50th,
    75th, 90th and 99th percentile -24.5, -19.8, -16.4, -14.3 and -11.4 dBFS. Our lower
    percentiles lie lower on purpose: there are pauses and quiet phrases.
    """
    rms = np.sqrt(np.mean(guitar**2))
    assert -21 < 20 * np.log10(rms) < -16
    assert 15 < 20 * np.log10(np.abs(guitar).max() / rms) < 20
    level_db = window_levels_db(guitar)
    quartiles = np.percentile(level_db, [25, 50, 75, 90, 99])
    assert np.all(quartiles > [-38, -27, -21, -17.5, -13])
    assert np.all(quartiles < [-24, -19, -15, -12, -8])
    near_silence = np.mean(level_db < -60)
    assert 0.02 < near_silence < 0.15


def test_spectrum_is_that_of_a_direct_guitar(guitar: Signal) -> None:
    """Ranges around the same recording.

    It has: power centroid 439 Hz, 95 % of the power below 1.3 kHz, 99 % below 2.3 kHz; per
    octave from 62 Hz up to 8 kHz -11, -5, -5, -8, -12, -18, -30 dB of the whole.
    """
    frequency_hz, density = signal.welch(guitar, RATE_HZ, nperseg=8192)
    share = density / density.sum()
    assert 350 < np.sum(frequency_hz * share) < 650
    cumulative = np.cumsum(share)
    assert 900 < frequency_hz[np.searchsorted(cumulative, 0.95)] < 1700
    assert 1700 < frequency_hz[np.searchsorted(cumulative, 0.99)] < 3200
    edges = 62.5 * 2.0 ** np.arange(8)
    octaves_db = [
        10 * np.log10(share[(frequency_hz >= low) & (frequency_hz < 2 * low)].sum())
        for low in edges[:-1]
    ]
    np.testing.assert_allclose(octaves_db, [-11, -5, -5, -8, -12, -18, -30], atol=4)


def test_loud_and_quiet_playing_in_every_quarter(guitar: Signal) -> None:
    for quarter in np.array_split(guitar, 4):
        low, high = np.percentile(window_levels_db(quarter), [25, 95])
        assert low < -24
        assert high > -16


def window_levels_db(samples: Signal) -> Signal:
    """RMS of 50 ms windows in dBFS."""
    window = RATE_HZ // 20
    whole = samples[: len(samples) // window * window].reshape(-1, window)
    return np.asarray(10 * np.log10(np.mean(whole**2, axis=1) + 1e-12))


def test_no_offset_and_no_clicks_between_sections(long_signal: Samples) -> None:
    assert abs(np.mean(long_signal, dtype=np.float64)) < 1e-4
    for section in dry.sections(len(long_signal), RATE_HZ)[1:]:
        joint = long_signal[section.start - 3 : section.start + 3]
        assert np.abs(joint).max() < 1e-3


def test_sweep_frequency_rises_exponentially() -> None:
    sweep = dry.log_sweep(4 * RATE_HZ, RATE_HZ, 20.0, 0.45 * RATE_HZ)
    phase = np.unwrap(np.angle(signal.hilbert(sweep)))
    heard_hz = np.diff(phase) * RATE_HZ / (2 * np.pi)
    middle = np.arange(RATE_HZ, 3 * RATE_HZ)
    expected_hz = 20.0 * (0.45 * RATE_HZ / 20.0) ** ((middle + 0.5) / (4 * RATE_HZ))
    # The analytic signal ripples a little because the sweep is not periodic.
    np.testing.assert_allclose(heard_hz[middle], expected_hz, rtol=0.01)


def test_sweeps_and_swells_rise_in_level(long_signal: Samples) -> None:
    layout = dry.sections(len(long_signal), RATE_HZ)
    for kind in ("sweep", "noise"):
        peaks = [np.abs(long_signal[s.start : s.stop]).max() for s in layout if s.kind == kind]
        assert np.all(np.diff(peaks[:6]) > 0)
        assert peaks[5] > 10 * peaks[0]


@pytest.mark.slow
def test_no_sweep_occurs_twice() -> None:
    """Else training would hold the very sweeps of the test split."""
    rate_hz = 16_000
    samples = dry.generate(180, 0, rate_hz).astype(np.float64)
    layout = dry.sections(len(samples), rate_hz)
    sweeps = [samples[s.start : s.stop] for s in layout if s.kind == "sweep"]
    assert len(sweeps) == 36
    for one, other in combinations(sweeps, 2):
        length = min(len(one), len(other))
        alike = np.corrcoef(one[:length], other[:length])[0, 1]
        assert abs(alike) < 0.8
    peaks_db = 20 * np.log10([np.abs(sweep).max() for sweep in sweeps])
    np.testing.assert_allclose(
        peaks_db.reshape(6, 6).mean(axis=0), [-40, -32, -25, -18, -12, -6], atol=1.5
    )


def test_pink_noise_falls_by_three_decibels_an_octave() -> None:
    noise = dry.pink_noise(30 * RATE_HZ, RATE_HZ, np.random.default_rng(0))
    frequency_hz, density = signal.welch(noise, RATE_HZ, nperseg=8192)
    band = (frequency_hz > 60) & (frequency_hz < 16_000)
    slope, _ = np.polyfit(np.log2(frequency_hz[band]), 10 * np.log10(density[band]), 1)
    assert slope == pytest.approx(-3.01, abs=0.1)
