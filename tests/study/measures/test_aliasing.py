"""ASR: the definition's check values, its order under oversampling, and its traps."""

import itertools

import numpy as np
import pytest
import soxr
from scipy import signal

from data.errors import InputError
from study.measures import aliasing
from study.measures.aliasing import Aliasing, Float64s, Probe, analyse, one_by_one, probe, responses

RATE_HZ = 44_100


def overdriven(drive: float) -> aliasing.Process:
    return one_by_one(lambda x: np.tanh(drive * x))


def of(process: aliasing.Process, asked: Probe, memory_samples: int | None = None) -> Aliasing:
    return analyse(responses(process, [asked], memory_samples)[0], asked)


# tanh(drive x) of a full-scale sine at 44.1 kHz.
CHECK_VALUES_DB = [
    (1245, 1, -195.0, 0.2),  # near the limit of float64, and known to 1 dB
    (1245, 5, -54.3, 0.1),
    (1245, 20, -23.8, 0.1),
    (4186, 1, -66.5, 0.1),
    (4186, 5, -21.9, 0.1),
    (4186, 20, -13.7, 0.1),
]


@pytest.mark.parametrize(("wanted_hz", "drive", "expected_db", "tolerance_db"), CHECK_VALUES_DB)
def test_the_check_values(
    wanted_hz: float, drive: float, expected_db: float, tolerance_db: float
) -> None:
    asked = probe(RATE_HZ, wanted_hz, 1.0)
    assert asked.period == 44_089
    assert of(overdriven(drive), asked).asr_db == pytest.approx(expected_db, abs=tolerance_db)


def test_single_precision_bottoms_out_near_150_db() -> None:
    asked = probe(RATE_HZ, 1245, 1.0)
    single = one_by_one(lambda x: np.tanh(x.astype(np.float32)))
    assert -155 < (of(single, asked).asr_db or 0) < -145


def oversampled(factor: int) -> aliasing.Process:
    def process(x: Float64s) -> Float64s:
        raised = soxr.resample(x, RATE_HZ, factor * RATE_HZ, "VHQ")
        return np.asarray(soxr.resample(np.tanh(20 * raised), factor * RATE_HZ, RATE_HZ, "VHQ"))

    return one_by_one(process)


def test_oversampling_lowers_it_step_by_step() -> None:
    asked = probe(RATE_HZ, 1245, 0.5)
    ratios = [of(oversampled(factor), asked).asr_db or 0 for factor in (1, 2, 4, 8)]
    assert all(b < a - 5 for a, b in itertools.pairwise(ratios)), ratios


def folded(asked: Probe, harmonic: int) -> int:
    """Bin that a harmonic above Nyquist falls on, by hand."""
    bin_ = harmonic * asked.cycles % asked.period
    return min(bin_, asked.period - bin_)


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000])
def test_no_alias_falls_on_a_harmonic_nor_on_dc(rate_hz: int) -> None:
    for asked in aliasing.standard_probes(rate_hz) + aliasing.note_probes(rate_hz):
        harmonics = set(asked.harmonics.tolist())
        # Up to the harmonic at which every bin has been visited once.
        aliases = {folded(asked, h) for h in range(len(harmonics) + 1, (asked.period + 1) // 2)}
        assert not aliases & (harmonics | {0})


def test_a_probe_whose_numbers_share_a_factor_would_hide_its_aliases() -> None:
    """The trap that primes avoid: 441 cycles in 44,100 samples fold onto harmonics."""
    careless = Probe(RATE_HZ, 44_100, 441, 1.0)
    assert folded(careless, 60) in careless.harmonics
    hidden, seen = of(overdriven(20), careless), of(overdriven(20), probe(RATE_HZ, 441, 1.0))
    assert (hidden.asr_db or 0) < -200
    assert (seen.asr_db or 0) > -60


def test_a_pure_gain_leaks_nothing() -> None:
    """A window or a cut between periods would smear the sine over all bins."""
    found = of(one_by_one(lambda x: 0.25 * x), probe(22_050, 440, 0.5))
    assert (found.asr_db or 0) < -280
    assert (found.residue_db or 0) < -280


def test_dc_counts_neither_as_alias_nor_as_signal() -> None:
    asked = probe(RATE_HZ, 1245, 1.0)
    plain = of(overdriven(5), asked)
    shifted = of(one_by_one(lambda x: np.tanh(5 * x) + 0.5), asked)
    assert shifted.asr_db == pytest.approx(plain.asr_db, abs=1e-6)
    harmonic_energy = np.mean(np.tanh(5 * asked.signal(asked.period)) ** 2)
    assert shifted.dc_db == pytest.approx(10 * np.log10(0.25 / harmonic_energy), abs=1e-3)


def test_a_known_alias_is_found_with_its_level_and_frequency() -> None:
    asked, bin_ = probe(22_050, 440, 0.5), 1000
    assert bin_ not in asked.harmonics
    tone = asked.signal(2 * asked.period)
    alias = 0.005 * np.sin(2 * np.pi * bin_ * np.arange(len(tone)) / asked.period)
    found = analyse(tone + alias, asked)
    assert found.asr_db == pytest.approx(-40, abs=1e-6)
    assert found.strongest_alias_db == pytest.approx(-40, abs=1e-6)
    assert found.strongest_alias_hz == pytest.approx(bin_ * 22_050 / asked.period)
    assert (found.residue_db or 0) < -250
    levels = aliasing.spectrum_db(tone + alias, asked)
    assert levels[asked.cycles] == pytest.approx(0, abs=1e-9)
    assert levels[bin_] == pytest.approx(-40, abs=1e-6)


def test_what_does_not_repeat_is_residue_and_half_of_it_looks_like_aliases() -> None:
    asked = probe(22_050, 440, 0.5)
    rng = np.random.default_rng(0)
    noise = 1e-3 * rng.standard_normal(2 * asked.period)
    found = analyse(asked.signal(2 * asked.period) + noise, asked)
    expected_db = 10 * np.log10(0.5 * 1e-6 / 0.125)
    assert found.residue_db == pytest.approx(expected_db, abs=0.2)
    assert found.asr_db == pytest.approx(expected_db, abs=0.2)


def test_silence_has_no_ratio() -> None:
    asked = probe(22_050, 440, 0.5)
    assert analyse(np.zeros(2 * asked.period), asked) == Aliasing(None, None, None, None, None)


def test_probes_repeat_bit_for_bit_and_lie_near_what_was_asked() -> None:
    for wanted_hz in aliasing.FREQUENCIES_HZ:
        asked = probe(22_050, wanted_hz, 0.1)
        signal = asked.signal(3 * asked.period)
        np.testing.assert_array_equal(signal[asked.period :], signal[: -asked.period])
        assert np.abs(signal).max() == pytest.approx(0.1, rel=1e-3)
        assert asked.f0_hz == pytest.approx(wanted_hz, rel=0.02)


def test_one_period_is_enough_where_the_memory_is_known() -> None:
    taps = np.array([0.5, -0.2, 0.1])

    def process(x: Float64s) -> Float64s:
        return np.tanh(8 * np.convolve(x, taps)[: len(x)])

    asked = probe(22_050, 1249, 0.5)
    whole = responses(one_by_one(process), [asked])[0]
    short = responses(one_by_one(process), [asked], memory_samples=2)[0]
    assert len(short) == len(whole) == 2 * asked.period
    assert analyse(short, asked).asr_db == pytest.approx(analyse(whole, asked).asr_db, abs=1e-6)


def test_a_low_sample_rate_gets_the_probes_that_it_can_hold() -> None:
    assert len(aliasing.standard_probes(22_050)) == 8
    assert {round(p.f0_hz) for p in aliasing.standard_probes(8_000)} < {108, 109, 110, 111} | {
        *range(430, 450),
        *range(1230, 1260),
    }


@pytest.mark.parametrize("wanted_hz", [0.0, -5.0, 11_025.0, 30_000.0])
def test_a_frequency_that_the_rate_cannot_hold_is_refused(wanted_hz: float) -> None:
    with pytest.raises(InputError, match="half the sample rate"):
        probe(22_050, wanted_hz, 0.5)


def doubled_on_a_board(x: Float64s) -> Float64s:
    """tanh between the half-band filters of the firmware."""
    taps = signal.firwin(79, 0.5, window=("kaiser", 8))
    stuffed = np.zeros(2 * len(x))
    stuffed[::2] = x
    high = np.tanh(5 * 2 * signal.lfilter(taps, [1.0], stuffed))
    return np.asarray(signal.lfilter(taps, [1.0], high)[::2])


@pytest.mark.parametrize("wanted_hz", [1249, 4201])
def test_at_twice_a_boards_rate_it_is_what_the_board_plays(wanted_hz: float) -> None:
    low, high = probe(RATE_HZ, wanted_hz, 0.5), probe(2 * RATE_HZ, wanted_hz, 0.5)
    played = of(one_by_one(doubled_on_a_board), low)
    judged = of(overdriven(5), high)
    assert judged.asr_db == pytest.approx(played.asr_db, abs=0.5)
    assert judged.strongest_alias_db == pytest.approx(played.strongest_alias_db, abs=0.5)
    # Frequencies are drawn to the nearest primes, and an alias moves by as many times more.
    assert judged.strongest_alias_hz == pytest.approx(played.strongest_alias_hz, abs=50)
    assert (judged.asr_db or 0) < (of(overdriven(5), low).asr_db or 0) - 15


def test_a_harmonic_beyond_the_boards_band_is_filtered_or_heard_as_an_alias() -> None:
    asked = probe(2 * RATE_HZ, 4201, 0.5)
    for harmonic in (5, 6, 7):  # 21, 25.2 and 29.4 kHz
        phase = harmonic * asked.cycles * np.arange(2 * asked.period) % asked.period
        line = 0.1 * np.sin(2 * np.pi * phase / asked.period)
        found = analyse(asked.signal(2 * asked.period) + line, asked)
        if harmonic == 5:
            assert (found.asr_db or 0) < -250
        else:  # 80 dB or more below its -14 dB
            assert -120 < (found.asr_db or 0) < -94
            assert found.strongest_alias_hz == pytest.approx(RATE_HZ - harmonic * asked.f0_hz)
