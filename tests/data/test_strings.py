"""One string on its own: tuning, decay, pick and pickup position, absence of clicks."""

from typing import Any

import numpy as np
import pytest

from data import strings
from data.strings import Decay, Signal

RATE_HZ = 44_100
RINGING = Decay(low_s=6.0, high_s=1.5)


def pluck(f0_hz: float, seconds: float = 2.0, **changes: Any) -> Signal:
    arguments: dict[str, Any] = {
        "decay": RINGING,
        "pick_delay_s": 0.13 / f0_hz,
        "pickup_delay_s": 0.071 / f0_hz,
        "pick_width_s": 0.1e-3,
    }
    f0 = np.full(round(seconds * RATE_HZ), f0_hz)
    return strings.pluck(f0, RATE_HZ, **(arguments | changes))


def magnitude_near(sound: Signal, frequency_hz: float) -> tuple[float, float]:
    """Frequency and magnitude of the strongest bin within 3 %, by a zero-padded FFT."""
    padded = 1 << 20
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), padded))
    low, high = (round(frequency_hz * edge * padded / RATE_HZ) for edge in (0.97, 1.03))
    peak = low + int(np.argmax(spectrum[low:high]))
    return peak * RATE_HZ / padded, float(spectrum[peak])


@pytest.mark.parametrize("f0_hz", [82.407, 110.0, 246.942, 439.7, 987.77, 1318.5])
@pytest.mark.parametrize("decay", [RINGING, Decay(low_s=1.0, high_s=0.2)])
def test_fundamental_is_in_tune(f0_hz: float, decay: Decay) -> None:
    heard_hz, _ = magnitude_near(pluck(f0_hz, decay=decay), f0_hz)
    assert abs(1200 * np.log2(heard_hz / f0_hz)) < 5


def test_bend_arrives_in_tune() -> None:
    seconds = np.arange(2 * RATE_HZ) / RATE_HZ
    f0_hz = 220.0 * 2 ** (np.clip(seconds / 0.5, 0, 1) * 200 / 1200)
    sound = strings.pluck(
        f0_hz,
        RATE_HZ,
        decay=RINGING,
        pick_delay_s=0.13 / 220,
        pickup_delay_s=0.07 / 220,
        pick_width_s=1e-4,
    )
    target_hz = 220.0 * 2 ** (200 / 1200)
    heard_hz, _ = magnitude_near(sound[RATE_HZ:], target_hz)
    assert abs(1200 * np.log2(heard_hz / target_hz)) < 5


@pytest.mark.parametrize("missing", [3, 4, 5, 7])
def test_pick_at_one_nth_leaves_out_the_nth_harmonic(missing: int) -> None:
    sound = pluck(110.0, pick_delay_s=1 / missing / 110.0)
    levels = [magnitude_near(sound, 110.0 * n)[1] for n in range(1, 2 * missing)]
    neighbours = min(levels[missing - 2], levels[missing])
    assert levels[missing - 1] < neighbours / 30


def test_pickup_over_a_node_does_not_hear_that_harmonic() -> None:
    # 100 Hz at 44.1 kHz: a period of 441 samples, of which 7 parts are 63 each.
    sound = pluck(100.0, pickup_delay_s=1 / 7 / 100.0)
    assert magnitude_near(sound, 700.0)[1] < magnitude_near(sound, 600.0)[1] / 30


def test_partials_decay_as_asked_for() -> None:
    sound = pluck(196.0, seconds=3.0, decay=Decay(low_s=2.0, high_s=1.0))
    # The second plane of polarisation rings 1.8 times as long with 3/7 of the amplitude.
    low_db = decay_db_per_s(sound, 196.0)
    high_db = decay_db_per_s(sound, 196.0 * 20)
    assert 60 / 2.0 / 1.8 <= low_db <= 60 / 2.0
    assert 60 / 1.0 / 1.8 <= high_db <= 60 / 1.0 * 1.1
    assert high_db > low_db


def decay_db_per_s(sound: Signal, frequency_hz: float) -> float:
    early, late = (
        magnitude_near(sound[round(start * RATE_HZ) :][: RATE_HZ // 2], frequency_hz)[1]
        for start in (0.1, 1.1)
    )
    return float(20 * np.log10(early / late))


def test_release_damps_without_a_click() -> None:
    sound = pluck(110.0, seconds=1.0, release_s=0.5)
    after = sound[round(0.7 * RATE_HZ) :]
    assert np.abs(after).max() < 1e-3 * np.abs(sound).max()
    around = sound[round(0.48 * RATE_HZ) : round(0.6 * RATE_HZ)]
    power = np.abs(np.fft.rfft(around * np.hanning(len(around)))) ** 2
    assert power[len(power) // 2 :].sum() < 1e-9 * power.sum()


def test_pick_excites_no_high_frequencies_that_would_fold() -> None:
    seconds = np.arange(RATE_HZ) / RATE_HZ
    push = strings.pick_velocity(seconds, 1.3e-3, 0.2e-3)
    spectrum = np.abs(np.fft.rfft(push))
    assert push.min() >= 0 and push.max() == pytest.approx(1.0)
    assert spectrum[20_000:].max() < spectrum.max() / 1000


def test_no_offset_remains_under_the_pickup() -> None:
    sound = pluck(110.0, seconds=1.0)[RATE_HZ // 10 :]
    assert abs(sound.mean()) < 0.01 * np.abs(sound).max()
