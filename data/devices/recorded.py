"""A user's own dry/wet pair: checked, aligned, and told about.

``import_pair`` either returns two signals of one length at one rate, with a report of
what it found and corrected, or refuses with one message that says what to do.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from data import audio
from data.audio import Audio, Samples
from data.devices import alignment, continuity, defects
from data.devices.alignment import Arrival, Trend, WindowDelay
from data.devices.continuity import Stray
from data.devices.import_report import ImportReport, SideReport
from data.errors import InputError

VERSION = 3  # goes up when the same files give another pair, so that caches can tell

SHORTEST_S = 10.0
SHORTEST_SHARE = 0.5
"""Of the longer file; below it the two are hardly one take."""
NOTABLE_MISMATCH_S = 1.5
LARGEST_DRIFT_PPM = 500.0
"""Crystals of audio interfaces stay within 100 ppm; more is tape, or a wrong sample rate."""
SMALLEST_DRIFT_PPM = 2.0
DRIFT_SIGMAS = 6.0
"""Notes with slow attacks scatter the delays; a fit of chance reaches 3 standard errors."""
RELATED_SHARE = 0.5
STRAY_SHARE = 0.1
STEADY_S = 0.02
"""Neighbouring windows of one take differ by less than this, but for the odd jump."""
STUCK_SHARE = 0.01
CLIPPED_SHARE = 0.25
"""Beyond it a model would learn the converter, not the effect."""
MOST_PLACES = 8
NOTABLE_DC = 1e-3
NOTABLE_ESR = 1e-4


def import_pair(
    dry_path: str | Path, wet_path: str | Path, sample_rate_hz: int
) -> tuple[Samples, Samples, ImportReport]:
    """Read a recorded pair, check it, and bring it into line.

    The delay is taken off in whole samples at the higher of the two files' rates, so
    that the response of the effect begins at the same index as the dry sample that
    causes it, never a whole sample before; what remains of a sample is reported. The level is left
    as it is, because distortion depends on it.

    Args:
        dry_path: WAV or FLAC of what went into the effect, any rate and channels.
        wet_path: the same of what came out of it.
        sample_rate_hz: rate of the returned signals.

    Returns:
        Dry and wet, each of shape ``(samples,)``, and the report.

    Raises:
        InputError: when the pair is unusable: unreadable, shorter than 10 s, of very
            different lengths, silent, stuck at an extreme, unrelated, or with a delay
            that jumps or drifts beyond correction.
    """
    dry_file, wet_file = audio.read(dry_path), audio.read(wet_path)
    corrections, warnings = list[str](), list[str]()
    _refuse_bad_lengths(dry_path, dry_file, wet_path, wet_file)
    _refuse_silence("dry", dry_path, dry_file.samples)
    _refuse_silence("wet", wet_path, wet_file.samples)
    _check_stuck(wet_path, wet_file, warnings)
    dry_clipped = _check_clipping("dry", dry_path, dry_file, warnings)
    wet_clipped = _check_clipping("wet", wet_path, wet_file, warnings)
    _note_channels("dry", dry_file, warnings)
    _note_channels("wet", wet_file, warnings)
    _note_lengths(dry_file, wet_file, corrections)

    rate_hz = max(dry_file.sample_rate_hz, wet_file.sample_rate_hz)
    dry = audio.resample(dry_file.samples, dry_file.sample_rate_hz, rate_hz)
    wet = audio.resample(wet_file.samples, wet_file.sample_rate_hz, rate_hz)
    wet, drift_ppm = _without_drift(dry, wet, rate_hz, wet_path, corrections)
    arrival = alignment.measured_delay(dry, wet, rate_hz)
    dry, wet = alignment.shifted(dry, wet, arrival.delay_samples)
    _refuse_short_overlap(wet_path, len(dry) / rate_hz)
    _check_continuity(wet_path, dry, wet, rate_hz, arrival, warnings)
    _note_delay(arrival, rate_hz, corrections)
    dry, dry_dc = _without_dry_dc(dry, corrections)
    wet, wet_dc = _without_wet_dc(dry, wet, rate_hz, corrections, warnings)
    wet = _turned_over(wet, corrections) if arrival.is_inverted else wet
    noise_floor_dbfs, best_esr = _noise_limit(dry, wet, rate_hz, warnings)

    dry = audio.resample(dry, rate_hz, sample_rate_hz)
    wet = audio.resample(wet, rate_hz, sample_rate_hz)
    report = ImportReport(
        dry=_side(dry_path, dry_file, dry_clipped, dry_dc),
        wet=_side(wet_path, wet_file, wet_clipped, wet_dc),
        sample_rate_hz=sample_rate_hz,
        duration_s=len(dry) / sample_rate_hz,
        working_rate_hz=rate_hz,
        delay_samples=arrival.delay_samples,
        peak_after_samples=arrival.peak_samples - arrival.delay_samples,
        is_inverted=arrival.is_inverted,
        drift_ppm=drift_ppm,
        noise_floor_dbfs=noise_floor_dbfs,
        best_esr=best_esr,
        corrections=corrections,
        warnings=warnings,
    )
    return dry, wet, report


def _refuse_bad_lengths(dry_path: str | Path, dry: Audio, wet_path: str | Path, wet: Audio) -> None:
    dry_s, wet_s = _duration_s(dry), _duration_s(wet)
    for name, path, seconds in (("dry", dry_path, dry_s), ("wet", wet_path, wet_s)):
        if seconds < SHORTEST_S:
            raise InputError(
                f"{name} recording {path}",
                expected=f"at least {SHORTEST_S:.0f} s of playing",
                found=f"{seconds:.1f} s",
                remedy="Record a longer take; two to four minutes train a good model.",
            )
    if min(dry_s, wet_s) < SHORTEST_SHARE * max(dry_s, wet_s):
        raise InputError(
            f"recorded pair {dry_path}, {wet_path}",
            expected="two takes of about the same length",
            found=f"dry {dry_s:.1f} s, wet {wet_s:.1f} s",
            remedy="Check that the two files belong together, and export both whole.",
        )


def _refuse_silence(name: str, path: str | Path, samples: Samples) -> None:
    if defects.is_silent(samples):
        peak = float(np.abs(samples).max())
        raise InputError(
            f"{name} recording {path}",
            expected=f"a signal that peaks above {defects.SILENCE_DBFS:.0f} dBFS",
            found=f"silence, its peak at {defects.dbfs(peak):.1f} dBFS"
            if peak
            else "silence, every sample zero",
            remedy="Check cables, channel and level, and record again.",
        )


def _check_stuck(path: str | Path, wet: Audio, warnings: list[str]) -> None:
    stuck = defects.stuck(wet.samples, wet.sample_rate_hz)
    if stuck is None:
        return
    every = "" if stuck.period_s is None else f", one every {stuck.period_s:.2f} s"
    back = (
        "" if stuck.recovery_s is None else f", creeping back in {1000 * stuck.recovery_s:.0f} ms"
    )
    found = (
        f"it stuck at {stuck.level:+.3f} for {100 * stuck.share:.1f} % of the time, in "
        f"{len(stuck.starts)} spans of up to {1000 * stuck.longest_s:.0f} ms{every}{back}"
    )
    if stuck.share < STUCK_SHARE:
        warnings.append(f"wet: {found}; the first at {stuck.starts[0] / wet.sample_rate_hz:.2f} s")
        return
    cause = (
        "An effect that latches so is overloaded or not yet settled"
        if stuck.period_s is None
        else "It looks like short clips put end to end, each with the device's start-up in it"
    )
    raise InputError(
        f"wet recording {path}",
        expected="an output that moves while the guitar plays",
        found=found,
        remedy=f"{cause}; nothing in the dry signal explains those spans, so no model "
        "can learn them. Record one continuous take with the device powered up and settled, "
        "at a lower level.",
    )


def _check_clipping(name: str, path: str | Path, file: Audio, warnings: list[str]) -> int:
    tops = defects.flat_tops(file.samples)
    if tops.runs == 0:
        return 0
    if not tops.at_full_scale:
        warnings.append(
            f"{name}: {tops.runs} flat tops of exactly {tops.level:.3f}; if that is not the "
            "effect's own, the take was clipped before it was turned down"
        )
        return 0
    share = 100 * tops.samples / len(file.samples)
    if share >= 100 * CLIPPED_SHARE:
        raise InputError(
            f"{name} recording {path}",
            expected="a level below full scale",
            found=f"{share:.0f} % of the samples cut off at full scale",
            remedy="Turn the input of the recorder down by 12 dB and record again. An effect "
            "that ends exactly at full scale by itself, a plugin for instance, export 1 dB lower.",
        )
    warnings.append(
        f"{name}: clipped at full scale in {tops.runs} places ({tops.samples} samples, "
        f"{share:.2g} %); record it lower"
    )
    return tops.samples


def _note_channels(name: str, file: Audio, warnings: list[str]) -> None:
    if file.channels > 1:
        warnings.append(
            f"{name}: its {file.channels} channels were averaged into one; if the effect is on one "
            "of them only, or they differ, export the one that you mean as mono"
        )


def _note_lengths(dry: Audio, wet: Audio, corrections: list[str]) -> None:
    difference_s = _duration_s(dry) - _duration_s(wet)
    if abs(difference_s) > NOTABLE_MISMATCH_S:
        longer = "dry" if difference_s > 0 else "wet"
        corrections.append(f"the {longer} file was {abs(difference_s):.1f} s longer: trimmed")


def _without_drift(
    dry: Samples, wet: Samples, rate_hz: int, wet_path: str | Path, corrections: list[str]
) -> tuple[Samples, float]:
    delays = alignment.window_delays(dry, wet, rate_hz)
    trend = alignment.straight_line(delays, rate_hz)
    _refuse_unrelated(wet_path, dry, wet, delays, trend, rate_hz)
    if not _is_clear(trend, len(dry)):
        return wet, 0.0
    if abs(trend.drift_ppm) > LARGEST_DRIFT_PPM:
        raise InputError(
            f"wet recording {wet_path}",
            expected=f"clocks within {LARGEST_DRIFT_PPM:.0f} ppm of each other",
            found=f"a drift of {trend.drift_ppm:+.0f} ppm against the dry recording",
            remedy="Record both on one interface, or play the dry file through the effect and "
            "record it on the same one.",
        )
    corrections.append(f"drift of {trend.drift_ppm:+.1f} ppm between two clocks: wet resampled")
    return alignment.without_drift(wet, trend.drift_ppm), trend.drift_ppm


def _is_clear(trend: Trend, samples: int) -> bool:
    threshold_ppm = max(SMALLEST_DRIFT_PPM, DRIFT_SIGMAS * trend.drift_error_ppm)
    return abs(trend.drift_ppm) > threshold_ppm and abs(trend.drift_ppm) * 1e-6 * samples > 1


def _refuse_unrelated(
    path: str | Path,
    dry: Samples,
    wet: Samples,
    delays: list[WindowDelay],
    trend: Trend,
    rate_hz: int,
) -> None:
    clear = np.array([d.clarity >= alignment.CLEAR_PEAK for d in delays])
    agrees = trend.agrees
    if agrees.sum() >= 3 and agrees.mean() >= RELATED_SHARE:
        stray = clear & ~agrees
        if stray.sum() < 2 or stray.mean() < STRAY_SHARE:
            return
    steps = np.abs(np.diff([d.delay_samples for d in delays]))
    steady = np.mean(steps <= STEADY_S * rate_hz) if len(steps) else 0.0
    if clear.mean() < RELATED_SHARE or steady < RELATED_SHARE:
        raise InputError(
            f"wet recording {path}",
            expected="the dry recording as an effect changes it, at most "
            f"{alignment.MAX_DELAY_S:.0f} s early or late",
            found="nothing in common: "
            f"{int(agrees.sum())} of {len(delays)} places agree on a delay",
            remedy="Check that the two files are of one take, start together, and carry the "
            "sample rate they were recorded at.",
        )
    usual = round(
        float(
            np.median(
                [d.delay_samples for d, is_usual in zip(delays, agrees, strict=True) if is_usual]
            )
        )
    )
    strays = _credible(continuity.strays(*alignment.shifted(dry, wet, usual), rate_hz))
    if strays:
        raise _jumping(path, _strays_text(strays, rate_hz, usual))
    raise _jumping(path, _jumps_text(delays, clear, rate_hz))


def _jumps_text(delays: list[WindowDelay], clear: npt.NDArray[np.bool_], rate_hz: int) -> str:
    told = [d for d, is_clear in zip(delays, clear, strict=True) if is_clear]
    steps = np.abs(np.diff([d.delay_samples for d in told]))
    at = int(steps.argmax())
    before, after = told[at], told[at + 1]
    return (
        f"{before.delay_samples:+.0f} samples at {before.start_sample / rate_hz:.1f} s, "
        f"{after.delay_samples:+.0f} at {after.start_sample / rate_hz:.1f} s"
    )


def _refuse_short_overlap(path: str | Path, overlap_s: float) -> None:
    if overlap_s < SHORTEST_S - alignment.MAX_DELAY_S:
        raise InputError(
            f"wet recording {path}",
            expected=f"{SHORTEST_S - alignment.MAX_DELAY_S:.0f} s in common with the dry one",
            found=f"{overlap_s:.1f} s",
            remedy="Record a longer take.",
        )


def _check_continuity(
    path: str | Path,
    dry: Samples,
    wet: Samples,
    rate_hz: int,
    arrival: Arrival,
    warnings: list[str],
) -> None:
    """Refuse what two windows say; warn of what the first or the last window says alone."""
    strays = _credible(continuity.strays(dry, wet, rate_hz))
    if not strays:
        return
    places = _strays_text(strays, rate_hz, arrival.delay_samples)
    if any(stray.windows > 1 for stray in strays):
        raise _jumping(path, places)
    warnings.append(
        f"wet: the delay may jump: {places}; if the recorder lost samples there, cut that end "
        "off both files"
    )


def _credible(strays: list[Stray]) -> list[Stray]:
    """A lost buffer shifts all that follows, so one window between others is chance."""
    return [stray for stray in strays if stray.windows > 1 or stray.is_at_edge]


def _jumping(path: str | Path, jumps: str) -> InputError:
    return InputError(
        f"wet recording {path}",
        expected="one delay from beginning to end",
        found=f"a delay that jumps: {jumps}",
        remedy="The recorder lost samples or a file was edited: record the take again in one "
        "piece. An effect that shifts pitch or time (vibrato, tape) cannot be modelled in frames.",
    )


def _strays_text(strays: list[Stray], rate_hz: int, removed_samples: int) -> str:
    """Places in the wet file, each with its delay against the rest of the take."""
    skipped_s = max(removed_samples, 0) / rate_hz
    told = [
        f"{stray.delay_s * rate_hz:+.0f} samples from {stray.start_s + skipped_s:.2f} "
        f"to {stray.stop_s + skipped_s:.2f} s"
        for stray in strays
    ]
    more = f", and at {len(told) - MOST_PLACES} more places" if len(told) > MOST_PLACES else ""
    return ", ".join(told[:MOST_PLACES]) + more


def _note_delay(arrival: Arrival, rate_hz: int, corrections: list[str]) -> None:
    if arrival.delay_samples == 0:
        return
    way = "late" if arrival.delay_samples > 0 else "early"
    size = abs(arrival.delay_samples)
    corrections.append(
        f"the wet signal came {size} samples ({1000 * size / rate_hz:.2f} ms at {rate_hz} Hz) "
        f"{way}: removed; its largest peak lies {arrival.peak_samples - arrival.delay_samples:.1f} "
        "samples after the first arrival"
    )


def _without_dry_dc(dry: Samples, corrections: list[str]) -> tuple[Samples, float]:
    offset = float(np.mean(dry, dtype=np.float64))
    if abs(offset) <= NOTABLE_DC:
        return dry, offset
    corrections.append(f"dry: DC offset of {offset:+.4f} taken off")
    return dry - np.float32(offset), offset


def _without_wet_dc(
    dry: Samples, wet: Samples, rate_hz: int, corrections: list[str], warnings: list[str]
) -> tuple[Samples, float]:
    resting = defects.resting_level(dry, wet, rate_hz)
    if resting is None:
        mean = float(np.mean(wet, dtype=np.float64))
        if abs(mean) > NOTABLE_DC:
            warnings.append(
                f"wet: mean of {mean:+.4f}, left in: without silence in the dry signal an "
                "offset of the converter cannot be told from the effect's own asymmetry"
            )
        return wet, mean
    if abs(resting) <= NOTABLE_DC:
        return wet, resting
    corrections.append(f"wet: DC offset of {resting:+.4f} (measured in silence) taken off")
    return wet - np.float32(resting), resting


def _turned_over(wet: Samples, corrections: list[str]) -> Samples:
    corrections.append("polarity was inverted: the wet signal has been turned over")
    return -wet


def _noise_limit(
    dry: Samples, wet: Samples, rate_hz: int, warnings: list[str]
) -> tuple[float | None, float | None]:
    """Noise floor in dBFS and the ESR (noise power over wet power) that it leaves."""
    noise = defects.noise_power(dry, wet, rate_hz)
    if noise is None:
        return None, None
    best_esr = noise / float(np.mean(np.square(wet, dtype=np.float64)))
    if best_esr > NOTABLE_ESR:
        warnings.append(f"noise in the wet signal limits every model to an ESR of {best_esr:.2g}")
    return defects.dbfs(noise**0.5), best_esr


def _side(path: str | Path, file: Audio, clipped_samples: int, dc_offset: float) -> SideReport:
    return SideReport(
        path=str(path),
        sample_rate_hz=file.sample_rate_hz,
        channels=file.channels,
        subtype=file.subtype,
        duration_s=_duration_s(file),
        peak_dbfs=defects.peak_dbfs(file.samples),
        clipped_samples=clipped_samples,
        dc_offset=dc_offset,
    )


def _duration_s(file: Audio) -> float:
    return len(file.samples) / file.sample_rate_hz
