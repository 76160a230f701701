"""Excerpts as players have them: FLAC of 16 bits at one gain, outlines and spectrograms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data import audio
from data.audio import Samples
from reports.audio import excerpts
from reports.audio.excerpts import Excerpt
from reports.drawing import spectra
from reports.sources.cache import Facts
from reports.sources.numbers import decibels
from study.config.run import RunConfig

HIGHEST_RATE_HZ = 48_000
CEILING = 10 ** (-1 / 20)  # -1 dBFS
AUDIBLE_PEAK = 10 ** (-50 / 20)
OUTLINE_COLUMNS = 360
_NAMES = {
    "dry": "Dry: into the pedal",
    "target": "Target: out of the pedal",
    "prediction": "Prediction: out of the model",
    "error": "Error: prediction minus target",
}
# Of runs from wet to dry, whose dry and wet have changed places.
_REVERSED_NAMES = {
    **_NAMES,
    "dry": "Wet: out of the pedal, into the model",
    "target": "Target: into the pedal",
}


def names(config: RunConfig) -> Mapping[str, str]:
    """What the sounds of a run are called, by file name."""
    return _REVERSED_NAMES if config.direction == "reversed" else _NAMES


@dataclass(frozen=True)
class Player:
    """A sound on a page: an audio element below its waveform and its spectrogram.

    Attributes:
        source: the audio file, for links.
        name: what it is.
        seconds: of it.
        outline: its waveform as the points of a polygon, ``outlined``.
        picture: its spectrogram.
        alt: text alternative of both.
    """

    source: str
    name: str
    seconds: float
    outline: str
    picture: str
    alt: str


def heard(
    signals: Mapping[str, Samples], pieces: Sequence[Excerpt], sample_rate_hz: int
) -> tuple[dict[str, Samples], int]:
    """The excerpts of signals, joined, at a rate that browsers play, and that rate.

    Args:
        signals: as long as the scored test split.
        pieces: the excerpts to join.
        sample_rate_hz: of the signals.
    """
    rate_hz = min(sample_rate_hz, HIGHEST_RATE_HZ)
    joined = {name: excerpts.joined(x, pieces, sample_rate_hz) for name, x in signals.items()}
    return {
        name: audio.resample(samples, sample_rate_hz, rate_hz) for name, samples in joined.items()
    }, rate_hz


def loudest_gain(signals: Iterable[Samples]) -> float:
    """The gain that brings the highest peak of all to -1 dBFS."""
    return CEILING / max(1e-6, *(float(np.max(np.abs(x))) for x in signals))


def write_sounds(
    folder: Path,
    signals: Mapping[str, Samples],
    rate_hz: int,
    gain: float,
    reference: Samples,
    prefix: str = "",
) -> list[Facts]:
    """Write each signal as audio and as a spectrogram, and outline it.

    Args:
        folder: where the files go.
        signals: by name, which files have.
        rate_hz: of the signals.
        gain: for all of them; what goes beyond full scale is clipped.
        reference: the signal whose loudest moment is 0 dB in all spectrograms.
        prefix: of the files' names.

    Returns:
        ``{"name", "file", "picture", "outline", "seconds"}`` of each.
    """
    scale = float(spectra.power(reference, rate_hz, spectra.PICTURE_COLUMNS).max())
    made = []
    for name, samples in signals.items():
        base = f"{prefix}{name}"
        audio.write(folder / f"{base}.flac", samples * np.float32(gain), rate_hz, "PCM_16")
        power = spectra.power(samples, rate_hz, spectra.PICTURE_COLUMNS)
        spectra.save_picture(folder / f"{base}.png", spectra.in_db(power, scale))
        made.append(
            {
                "name": name,
                "file": f"{base}.flac",
                "picture": f"{base}.png",
                "outline": outlined(samples * np.float32(gain)),
                "seconds": len(samples) / rate_hz,
            }
        )
    return made


def write_players(
    folder: Path,
    signals: Mapping[str, Samples],
    pieces: Sequence[Excerpt],
    sample_rate_hz: int,
    prefix: str = "",
) -> Facts:
    """Write dry, target, prediction and (if it can be heard) error to a folder.

    Args:
        folder: where the files go.
        signals: "target", "prediction" and perhaps others, as long as the scored test split.
        pieces: the excerpts to join.
        sample_rate_hz: of the signals; files have at most 48 kHz.
        prefix: of the files' names.

    Returns:
        ``{"sounds": [...], "seconds", "gain_db", "rate_hz", "error_db"}``, the last
        relative to the target.
    """
    cut, rate_hz = heard(signals, pieces, sample_rate_hz)
    cut["error"] = cut["prediction"] - cut["target"]
    gain = loudest_gain(cut.values())
    error_db = ratio_db(cut["error"], cut["target"])
    if is_too_quiet(cut["error"], gain):
        del cut["error"]
    return {
        "sounds": write_sounds(folder, cut, rate_hz, gain, cut["target"], prefix),
        "seconds": len(cut["target"]) / rate_hz,
        "gain_db": float(2 * decibels(gain)),
        "rate_hz": rate_hz,
        "error_db": error_db,
    }


def shown(folder: str, sound: Facts, name: str, whose: str) -> Player:
    """A written sound as a page shows it.

    Args:
        folder: of its files, for links.
        sound: one of ``write_sounds``.
        name: what it is called on the page.
        whose: what it belongs to, for its text alternative.
    """
    return Player(
        source=f"{folder}/{sound['file']}",
        name=name,
        seconds=sound["seconds"],
        outline=sound["outline"],
        picture=f"{folder}/{sound['picture']}",
        alt=f"Spectrogram, {sound['seconds']:.1f} s. {name}, {whose}",
    )


def is_too_quiet(samples: Samples, gain: float) -> bool:
    """Whether a sound would stay below -50 dBFS."""
    return gain * float(np.max(np.abs(samples))) < AUDIBLE_PEAK


def outlined(samples: Samples, columns: int = OUTLINE_COLUMNS) -> str:
    """A waveform as the points of a polygon in a field ``columns`` wide and 200 high.

    Along the highest sample of every column, and back along the lowest; full scale is
    0 and 200, silence 100.
    """
    starts = np.linspace(0, len(samples), min(columns, len(samples)) + 1).astype(int)[:-1]
    highs, lows = (f.reduceat(samples, starts) for f in (np.maximum, np.minimum))
    heights = np.round(100 - 100 * np.clip([highs, lows], -1, 1)).astype(int)
    tops, bottoms = ([f"{x},{y}" for x, y in enumerate(row)] for row in heights)
    return " ".join([*tops, *reversed(bottoms)])


def ratio_db(signal: Samples, reference: Samples) -> float:
    """Energy of a signal relative to another's, kept within ±200 dB."""
    ratio = (_energy(signal) + 1e-20) / (_energy(reference) + 1e-20)
    return min(200.0, max(-200.0, decibels(ratio)))


def _energy(samples: Samples) -> float:
    wide = samples.astype(np.float64)
    return float(np.dot(wide, wide))
