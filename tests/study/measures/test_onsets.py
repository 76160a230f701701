"""Onsets of notes that were put there; librosa as the reference of each step."""

import tracemalloc
import warnings
from types import ModuleType

import numpy as np
import pytest

from data.audio import Samples
from study.measures.onsets import find_onsets, mel_filters, onset_strength, pick_peaks

RATE_HZ = 22_050
STARTS = [5_000, 25_000, 47_000, 80_000]


def notes(samples: int = 110_000) -> Samples:
    """Plucks: an abrupt start, then an exponential decay into silence."""
    signal = np.zeros(samples)
    for number, start in enumerate(STARTS):
        n = np.arange(samples - start)
        decay = np.exp(-n / (0.15 * RATE_HZ))
        signal[start:] += 0.4 * decay * np.sin(2 * np.pi * (150 + 60 * number) * n / RATE_HZ + 1)
    return np.asarray(signal, np.float32)


def test_onsets_are_found_to_two_milliseconds() -> None:
    found = find_onsets(notes(), RATE_HZ, [110_000])
    assert len(found) == len(STARTS)
    np.testing.assert_allclose(found, STARTS, atol=0.002 * RATE_HZ)


@pytest.mark.slow
@pytest.mark.parametrize("samples", [900, 66 * 512 - 1, 66 * 512, 110_000])
def test_a_spectrogram_in_blocks_changes_nothing(librosa: ModuleType, samples: int) -> None:
    noise = 1e-3 * np.random.default_rng(1).standard_normal(samples)
    signal = np.asarray(notes(110_000)[:samples] + noise, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa warns of signals shorter than its window
        whole = librosa.onset.onset_strength(y=signal, sr=RATE_HZ, hop_length=66)
    np.testing.assert_allclose(onset_strength(signal, RATE_HZ, 66), whole, atol=1e-4)


@pytest.mark.slow
def test_memory_grows_with_the_signal_not_with_its_spectrogram() -> None:
    signal = np.tile(notes(), 8)
    find_onsets(signal[:1000], RATE_HZ, [1000])
    tracemalloc.start()
    find_onsets(signal, RATE_HZ, [len(signal)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 80 * len(signal)  # the spectrogram alone is 125 bytes a sample


def test_a_join_of_two_parts_is_no_onset() -> None:
    found = find_onsets(notes(), RATE_HZ, [47_010, 62_990])
    assert len(found) == len(STARTS) - 1
    assert np.abs(found - 47_000).min() > 1000


def test_steady_noise_has_no_onset() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(50_000)
    assert len(find_onsets(np.asarray(noise, np.float32), RATE_HZ, [50_000])) == 0


@pytest.mark.slow
@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 192_000])
def test_mel_bands_are_librosas(librosa: ModuleType, rate_hz: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of bands narrower than a bin, where the rate is high
        expected = librosa.filters.mel(sr=rate_hz, n_fft=2048)
    np.testing.assert_allclose(mel_filters(rate_hz), expected.T, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 96_000])
def test_peaks_are_librosas(librosa: ModuleType, rate_hz: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    strength = (draw.exponential(size=int(draw.integers(1, 2000))) ** 3).astype(np.float32)
    strength[draw.random(len(strength)) < 0.3] = 0  # ties
    hop = round(0.003 * rate_hz)
    expected = librosa.onset.onset_detect(onset_envelope=strength, sr=rate_hz, hop_length=hop)
    np.testing.assert_array_equal(pick_peaks(strength, rate_hz, hop), expected)


def test_silence_has_no_peak() -> None:
    assert len(find_onsets(np.zeros(5000, np.float32), RATE_HZ, [5000])) == 0
    assert len(pick_peaks(np.zeros(0, np.float32), RATE_HZ, 66)) == 0
