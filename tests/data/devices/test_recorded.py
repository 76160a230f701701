"""Import of a dry/wet pair, on synthetic takes through a synthetic pedal."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from data import audio
from data.audio import Samples
from data.devices import alignment, defects
from data.devices.import_report import ImportReport
from data.devices.recorded import import_pair
from data.errors import InputError

RATE = 22050
SECONDS = 14.0


@cache
def guitar(rate: int = RATE, seconds: float = SECONDS, seed: int = 0) -> Samples:
    """Plucked notes with decaying harmonics, then a second and a half of silence."""
    rng = np.random.default_rng(seed)
    out = np.zeros(round(seconds * rate))
    playing_s = seconds - 1.5
    for start_s in np.arange(0, playing_s, 0.3):
        t = np.arange(round(min(1.2, playing_s - start_s) * rate)) / rate
        f0_hz = 82.4 * 2 ** (rng.integers(0, 30) / 12)
        note = np.zeros_like(t)
        for k in range(1, 30):
            if k * f0_hz < 0.45 * rate:
                decay = np.exp(-t * (2 + 0.8 * k))
                note += decay * np.sin(2 * np.pi * k * f0_hz * t + rng.uniform(0, 6)) / k
        pick = np.exp(-t / 0.003) * rng.normal(size=len(t))
        at = round(start_s * rate)
        fade = np.minimum(1, np.arange(len(t), 0, -1) / (0.02 * rate))
        out[at : at + len(t)] += rng.uniform(0.05, 0.2) * fade * (note + pick)
    return np.asarray(0.7 * out / np.abs(out).max(), np.float32)


def pedal(dry: Samples, rate: int = RATE) -> Samples:
    """High-pass, hard drive into tanh, tone filter: no delay of its own."""
    tight = signal.lfilter(*signal.butter(1, 400, "high", fs=rate), dry.astype(np.float64))
    toned = signal.lfilter(*signal.butter(1, 4000, "low", fs=rate), np.tanh(20 * tight))
    return np.asarray(0.4 * toned, np.float32)


def late(samples: Samples, delay_samples: int) -> Samples:
    """Same length, delayed (positive) or advanced."""
    if delay_samples >= 0:
        return np.concatenate([np.zeros(delay_samples, np.float32), samples])[: len(samples)]
    return np.concatenate([samples[-delay_samples:], np.zeros(-delay_samples, np.float32)])


Importer = Callable[..., tuple[Samples, Samples, ImportReport]]


@pytest.fixture
def import_signals(tmp_path: Path) -> Importer:
    def run(
        dry: Samples, wet: Samples, rate: int = RATE, wet_rate: int | None = None
    ) -> tuple[Samples, Samples, ImportReport]:
        audio.write(tmp_path / "dry.wav", dry, rate)
        audio.write(tmp_path / "wet.wav", wet, wet_rate or rate)
        return import_pair(tmp_path / "dry.wav", tmp_path / "wet.wav", rate)

    return run


@pytest.mark.parametrize("delay_samples", [0, 1, 33, 5000, RATE, -33, -5000, -RATE])
def test_a_constant_delay_is_taken_off_exactly(
    import_signals: Importer, delay_samples: int
) -> None:
    dry, wet, report = import_signals(guitar(), late(pedal(guitar()), delay_samples))
    assert report.delay_samples == delay_samples
    assert len(dry) == len(wet) == len(guitar()) - abs(delay_samples)
    skipped = max(-delay_samples, 0)
    np.testing.assert_array_equal(dry, guitar()[skipped : skipped + len(dry)])
    np.testing.assert_array_equal(wet, pedal(guitar())[skipped : skipped + len(wet)])


@pytest.mark.slow
@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    delay_samples=st.integers(-RATE, RATE),
    drive=st.floats(1, 100),
    tone_hz=st.floats(1500, 9000),
    sign=st.sampled_from([-1, 1]),
)
def test_any_delay_is_found_through_any_distortion(
    delay_samples: int, drive: float, tone_hz: float, sign: int
) -> None:
    tone = signal.butter(1, tone_hz, fs=RATE)
    wet = sign * np.asarray(signal.lfilter(*tone, np.tanh(drive * guitar())), np.float32)
    found = alignment.measured_delay(guitar(), late(wet, delay_samples), RATE)
    assert found.delay_samples in (delay_samples, delay_samples - 1)  # never ahead of the dry
    assert found.is_inverted == (sign < 0)


def test_a_fraction_of_a_sample_never_leaves_the_wet_ahead_by_more() -> None:
    quick = audio.resample(guitar()[: 6 * RATE], RATE, 4 * RATE)
    dry = quick[::4].copy()
    for quarter in range(4):
        wet = late(quick, 4 * 20 + quarter)[::4].copy()
        found = alignment.measured_delay(dry, wet, RATE)
        assert -0.3 < 20 + quarter / 4 - found.delay_samples < 1.3
        assert found.peak_samples == pytest.approx(20 + quarter / 4, abs=0.15)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [176400, 192000])
@pytest.mark.parametrize(("device", "early"), [("wire", 1), ("tanh", 1), ("pedal", 2)])
def test_a_file_with_an_empty_upper_band_is_aligned_as_well(
    rate: int, device: str, early: int
) -> None:
    """A take of 44.1 kHz at a higher rate: there the pulse of a delay is four samples wide."""
    dry = audio.resample(guitar(44100, 6.0), 44100, rate)
    wet = {"wire": dry, "tanh": np.tanh(9 * dry), "pedal": pedal(dry, rate)}[device]
    noise = np.random.default_rng(0).normal(0, 1e-5, (2, len(dry))).astype(np.float32)
    found = alignment.measured_delay(dry + noise[0], late(wet, 123) + noise[1], rate)
    assert 123 - early <= found.delay_samples <= 123  # 2 are half a sample of the take


def test_inverted_polarity_is_turned_and_told(import_signals: Importer) -> None:
    _, wet, report = import_signals(guitar(), -pedal(guitar()))
    assert report.is_inverted
    assert "polarity" in str(report)
    np.testing.assert_array_equal(wet, pedal(guitar()))


def test_a_good_pair_passes_unchanged(import_signals: Importer) -> None:
    dry, wet, report = import_signals(guitar(), pedal(guitar()))
    np.testing.assert_array_equal(dry, guitar())
    np.testing.assert_array_equal(wet, pedal(guitar()))
    assert report.corrections == []
    assert report.warnings == []
    assert (report.drift_ppm, report.is_inverted) == (0.0, False)


@pytest.mark.slow
@pytest.mark.parametrize("drift_ppm", [50.0, -120.0])
def test_drift_is_measured_and_resampled_away(import_signals: Importer, drift_ppm: float) -> None:
    dry = guitar(seconds=40.0)
    target = pedal(dry)
    drifting = alignment.without_drift(target, -drift_ppm)
    _, wet, report = import_signals(dry, late(drifting, 100))
    assert report.drift_ppm == pytest.approx(drift_ppm, abs=0.5)
    # The delay is that at the start, give or take what half a ppm makes of the middle.
    assert abs(report.delay_samples - 100) <= 1
    length = min(len(wet), len(target))
    error = wet[:length] - late(target, 100 - report.delay_samples)[:length]
    assert np.mean(error**2) / np.mean(target**2) < 0.01


def test_a_drift_beyond_any_clock_is_refused(import_signals: Importer) -> None:
    with pytest.raises(InputError, match=r"drift of \+9\d\d ppm"):
        import_signals(guitar(), alignment.without_drift(pedal(guitar()), -950.0))


@pytest.mark.slow
def test_a_lost_buffer_is_refused_and_located(import_signals: Importer) -> None:
    wet = pedal(guitar(seconds=30.0))
    cut = np.concatenate([wet[: 12 * RATE], wet[12 * RATE + 256 :]])
    with pytest.raises(InputError, match="a delay that jumps") as caught:
        import_signals(guitar(seconds=30.0), cut)
    assert re.search(r"jumps: [-+]25\d samples from \d", caught.value.found)


@pytest.mark.parametrize("samples", [64, -64, 512])  # negative: repeated
@pytest.mark.parametrize("place", [0.02, 0.05, 0.95, 0.98])
def test_a_buffer_lost_near_an_end_is_refused_and_located(
    import_signals: Importer, samples: int, place: float
) -> None:
    dry = guitar(seconds=40.0)[: 38 * RATE]  # it plays to its end
    wet = pedal(dry)
    at = round(place * len(wet))
    with pytest.raises(InputError, match="a delay that jumps") as caught:
        import_signals(dry, np.concatenate([wet[:at], wet[at + samples :]]))
    moved, start_s, stop_s = map(
        float, re.findall(r"([-+]\d+) samples from ([\d.]+) to ([\d.]+) s", caught.value.found)[0]
    )
    # The few say otherwise than the many: those before the place are late, those after early.
    assert moved == pytest.approx(samples if place < 0.5 else -samples, abs=4)
    cut_s = at / RATE
    assert (stop_s if place < 0.5 else start_s) == pytest.approx(cut_s, abs=0.3)
    assert (start_s if place < 0.5 else stop_s) == pytest.approx(
        0 if place < 0.5 else len(dry) / RATE, abs=0.3
    )


def test_what_one_window_at_an_end_says_is_a_warning(import_signals: Importer) -> None:
    dry = guitar(seconds=40.0)[: 38 * RATE]
    wet = pedal(dry)
    at = len(wet) - round(0.4 * RATE)
    _, _, report = import_signals(dry, np.concatenate([wet[:at], wet[at + 256 :]]))
    (warning,) = report.warnings
    assert re.match(r"wet: the delay may jump: -25\d samples from 37.4\d to 37.9\d s;", warning)


def test_unrelated_takes_are_refused(import_signals: Importer) -> None:
    with pytest.raises(InputError, match="nothing in common"):
        import_signals(guitar(), pedal(guitar(seed=1)))


def test_takes_further_apart_than_a_second_are_refused(import_signals: Importer) -> None:
    with pytest.raises(InputError, match="at most 1 s"):
        import_signals(guitar(), late(pedal(guitar()), 3 * RATE))


@pytest.mark.slow
def test_rates_may_differ_and_be_asked_for(tmp_path: Path) -> None:
    dry = guitar(rate=44100)
    wet = audio.resample(late(pedal(dry, 44100), 40), 44100, 48000)
    audio.write(tmp_path / "dry.flac", dry, 44100, "PCM_24")
    audio.write(tmp_path / "wet.wav", wet, 48000, "PCM_16")
    dry_in, wet_in, report = import_pair(tmp_path / "dry.flac", tmp_path / "wet.wav", RATE)
    assert len(dry_in) == len(wet_in)
    assert report.duration_s == pytest.approx(SECONDS, abs=0.01)
    assert report.working_rate_hz == 48000
    assert report.delay_samples in (43, 44)  # 40 * 48 / 44.1 = 43.54
    found = alignment.measured_delay(dry_in, wet_in, RATE)
    assert found.delay_samples in (-1, 0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [8000, 96000])
def test_unusual_rates_align_too(import_signals: Importer, rate: int) -> None:
    dry = guitar(rate=rate, seconds=11.0)
    assert import_signals(dry, late(np.tanh(9 * dry), 70), rate)[2].delay_samples == 70


def test_stereo_is_averaged_and_told(tmp_path: Path) -> None:
    import soundfile

    both = np.stack([guitar(), guitar()], axis=1)
    soundfile.write(tmp_path / "dry.wav", both, RATE, subtype="FLOAT")
    audio.write(tmp_path / "wet.wav", pedal(guitar()), RATE)
    dry, _, report = import_pair(tmp_path / "dry.wav", tmp_path / "wet.wav", RATE)
    np.testing.assert_array_equal(dry, guitar())
    assert "2 channels averaged" in str(report)
    assert any("2 channels were averaged into one" in w for w in report.warnings)


def test_clipping_in_either_file_is_a_warning(import_signals: Importer) -> None:
    loud = np.clip(3 * guitar(), -1, 1)
    _, _, report = import_signals(loud, np.clip(2.8 * pedal(guitar()), -1, 1))
    assert report.dry.clipped_samples > 0
    assert report.wet.clipped_samples > 100
    assert sum("clipped at full scale" in w for w in report.warnings) == 2


@pytest.mark.parametrize("side", ["dry", "wet"])
def test_a_take_that_is_clipped_most_of_the_time_is_refused(
    import_signals: Importer, side: str
) -> None:
    pair = [guitar(), pedal(guitar())]
    which = ["dry", "wet"].index(side)
    pair[which] = np.clip(400 * pair[which], -1, 1)
    with pytest.raises(InputError, match=rf"{side} recording .* \d\d % of the samples cut off"):
        import_signals(*pair)


def test_flat_tops_of_an_effect_are_not_called_clipping(import_signals: Importer) -> None:
    hard_clipper = np.clip(20 * guitar(), -0.3, 0.3)
    _, _, report = import_signals(guitar(), hard_clipper)
    assert report.wet.clipped_samples == 0
    assert any("flat tops of exactly 0.300" in w for w in report.warnings)


def test_dc_offset_is_taken_off_both(import_signals: Importer) -> None:
    dry, wet, report = import_signals(guitar() + np.float32(0.02), pedal(guitar()) - 0.05)
    assert abs(float(dry.mean())) < 1e-4
    np.testing.assert_allclose(wet, pedal(guitar()), atol=2e-4)
    assert sum("DC offset" in c for c in report.corrections) == 2
    assert report.wet.dc_offset == pytest.approx(-0.05, abs=1e-3)


def test_the_offset_of_asymmetric_clipping_is_left_in(import_signals: Importer) -> None:
    wet = np.asarray(np.where(guitar() > 0, np.tanh(9 * guitar()), 0.2 * guitar()), np.float32)
    assert wet.mean() > 0.01
    _, wet_in, _ = import_signals(guitar(), wet)
    np.testing.assert_array_equal(wet_in, wet)


@pytest.mark.parametrize("snr_db", [30.0, 50.0])
def test_noise_floor_gives_the_best_esr(import_signals: Importer, snr_db: float) -> None:
    wet = pedal(guitar())
    noise_rms = float(np.sqrt(np.mean(np.square(wet)))) * 10 ** (-snr_db / 20)
    noise = np.random.default_rng(3).normal(0, noise_rms, len(wet)).astype(np.float32)
    _, _, report = import_signals(guitar(), wet + noise)
    assert report.noise_floor_dbfs == pytest.approx(20 * np.log10(noise_rms), abs=0.5)
    assert report.best_esr is not None
    assert -10 * np.log10(report.best_esr) == pytest.approx(snr_db, abs=1)


def test_no_silence_means_no_noise_figure(import_signals: Importer) -> None:
    dry = guitar()[: -2 * RATE]
    _, _, report = import_signals(dry, pedal(dry))
    assert report.best_esr is None
    assert "not measurable" in str(report)


def railed_clips(wet: Samples) -> Samples:
    """Every half second starts at the rail for 140 ms and creeps back over 46 ms."""
    wet, clip = -wet, RATE // 2
    for start in range(0, len(wet) - clip, clip):
        free = start + round(0.14 * RATE)
        wet[start:free] = -1
        wet[free : start + clip] -= np.exp(-np.arange(start + clip - free) / (0.046 * RATE))
    return np.clip(wet, -1, 1)


def test_a_railed_wet_signal_is_refused_with_the_reason(import_signals: Importer) -> None:
    with pytest.raises(InputError) as caught:
        import_signals(guitar(), railed_clips(pedal(guitar())))
    assert "stuck at -1.000" in caught.value.found
    assert "one every 0.50 s, creeping back in" in caught.value.found
    assert "short clips put end to end" in caught.value.remedy


def test_one_moment_at_the_rail_is_a_warning(import_signals: Importer) -> None:
    wet = pedal(guitar())
    wet[5 * RATE : round(5.05 * RATE)] = 1.0
    _, _, report = import_signals(guitar(), wet)
    assert any("stuck at +1.000" in w and "at 5.00 s" in w for w in report.warnings)


def test_an_echo_does_not_hide_the_direct_sound(import_signals: Importer) -> None:
    wet = guitar() + 0.8 * late(guitar(), round(0.4 * RATE))
    assert import_signals(guitar(), wet.astype(np.float32))[2].delay_samples == 0


@pytest.mark.parametrize("silent_side", ["dry", "wet"])
def test_silence_is_refused(import_signals: Importer, silent_side: str) -> None:
    hiss = np.random.default_rng(0).normal(0, 1e-4, len(guitar())).astype(np.float32) + 0.01
    pair = (hiss, pedal(guitar())) if silent_side == "dry" else (guitar(), hiss)
    with pytest.raises(InputError, match=f"{silent_side} recording .* silence"):
        import_signals(*pair)


def test_digital_silence_is_called_so(import_signals: Importer) -> None:
    with pytest.raises(InputError, match="silence, every sample zero"):
        import_signals(guitar(), np.zeros_like(guitar()))


def test_lengths(import_signals: Importer) -> None:
    wet = pedal(guitar())
    dry_in, wet_in, report = import_signals(guitar(), wet[: -2 * RATE])
    assert len(dry_in) == len(wet_in) == len(wet) - 2 * RATE
    assert any("dry file was 2.0 s longer" in c for c in report.corrections)
    with pytest.raises(InputError, match="about the same length"):
        import_signals(guitar(seconds=30.0), pedal(guitar()))
    with pytest.raises(InputError, match="at least 10 s"):
        import_signals(guitar(), wet[: 9 * RATE])


def test_invalid_samples_are_refused(import_signals: Importer) -> None:
    wet = pedal(guitar())
    wet[RATE] = np.nan
    with pytest.raises(InputError, match=r"NaN or infinity, first at 1.000 s"):
        import_signals(guitar(), wet)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        import_pair(tmp_path / "dry.wav", tmp_path / "wet.wav", RATE)


def test_the_report_becomes_plain_values(import_signals: Importer) -> None:
    import json

    _, _, report = import_signals(guitar(), late(pedal(guitar()), 33))
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["delay_samples"] == 33
    assert plain["wet"]["sample_rate_hz"] == RATE
    assert "33 samples (1.50 ms at 22050 Hz) late" in str(report)


def test_flat_tops_count_runs_of_the_extreme_only() -> None:
    samples = np.array([0, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 1, 1, -0.2], np.float32)
    assert defects.flat_tops(samples) == defects.FlatTops(1.0, 3, 1)
