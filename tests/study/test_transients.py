"""Onsets of notes that were put there, and errors whose share is known."""

import tracemalloc
import warnings

import librosa
import numpy as np
import pytest

from data.audio import Samples
from study.transients import _onset_strength, find_onsets, transient_error

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


@pytest.mark.parametrize("samples", [900, 66 * 512 - 1, 66 * 512, 110_000])
def test_a_spectrogram_in_blocks_changes_nothing(samples: int) -> None:
    noise = 1e-3 * np.random.default_rng(1).standard_normal(samples)
    signal = np.asarray(notes(110_000)[:samples] + noise, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa warns of signals shorter than its window
        whole = librosa.onset.onset_strength(y=signal, sr=RATE_HZ, hop_length=66)
    np.testing.assert_allclose(_onset_strength(signal, RATE_HZ, 66), whole, atol=1e-4)


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


def test_errors_are_put_where_they_happen() -> None:
    target = np.ones(60_000, np.float32)
    onsets = np.array([0, 20_000, 40_000])
    prediction = target.copy()
    for onset in onsets:
        prediction[onset : onset + 110] = 0.5  # half of the first 10 ms (220 or 221 samples)
    found = transient_error(onsets, [60_000], target, prediction, RATE_HZ)
    assert found.onsets == 3
    assert found.esr_transient == pytest.approx(0.25 * 110 / 220, rel=0.01)
    assert found.esr_sustained == 0
    prediction = target.copy()
    prediction[onsets[1] + 2000 : onsets[1] + 3000] = 0
    found = transient_error(onsets, [60_000], target, prediction, RATE_HZ)
    assert found.esr_transient == 0
    length = round(0.5 * RATE_HZ) - round(0.05 * RATE_HZ)
    assert found.esr_sustained == pytest.approx(1000 / (3 * length), rel=1e-3)


def test_a_note_ends_with_its_part() -> None:
    """What follows a join is other music, and says nothing of how a note rings on."""
    target = np.ones(60_000, np.float32)
    prediction = target.copy()
    prediction[30_000:38_000] = 0  # a part of its own; its error belongs to no note
    onsets = np.array([0, 10_000, 28_000, 45_000])
    parts = [30_000, 10_000, 20_000]
    assert transient_error(onsets, parts, target, prediction, RATE_HZ).esr_sustained == 0
    joined = transient_error(onsets, [60_000], target, prediction, RATE_HZ).esr_sustained
    assert joined is not None and joined > 0.1


def test_too_few_onsets_say_nothing() -> None:
    target = np.ones(1000, np.float32)
    assert transient_error(np.array([5]), [1000], target, target, RATE_HZ) == (1, None, None)
