"""Excerpts as audio files that browsers play: FLAC, 16 bits, one gain for all of an effect."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data import audio
from data.audio import Samples
from reports import excerpts
from reports.excerpts import Excerpt
from reports.numbers import decibels

EXCERPT_S = 12.0
SHORTEST_EXCERPT_S = 3.0
HIGHEST_RATE_HZ = 48_000
CEILING = 10 ** (-1 / 20)  # -1 dBFS
AUDIBLE_PEAK = 10 ** (-50 / 20)
BUDGET_BYTES = 24_000_000
_BYTES_A_SAMPLE = 2
_FILES_AN_EFFECT = 4


def excerpt_seconds(effects: int) -> float:
    """Length of each player that keeps all of a page within 24 MB, even uncompressed."""
    bytes_a_second = HIGHEST_RATE_HZ * _BYTES_A_SAMPLE * _FILES_AN_EFFECT * effects
    return max(SHORTEST_EXCERPT_S, min(EXCERPT_S, BUDGET_BYTES / bytes_a_second))


def write_players(
    folder: Path,
    signals: dict[str, Samples],
    pieces: Sequence[Excerpt],
    sample_rate_hz: int,
) -> dict[str, Any]:
    """Write dry, target, prediction and (if it can be heard) error to a folder.

    Args:
        folder: where the files go.
        signals: "dry", "target" and "prediction", as long as the scored test split.
        pieces: the excerpts to join.
        sample_rate_hz: of the signals; files have at most 48 kHz.

    Returns:
        ``{"files": [name, ...], "seconds", "gain_db", "rate_hz", "error_db"}``, the last
        relative to the target.
    """
    heard = {
        name: excerpts.joined(signal, pieces, sample_rate_hz) for name, signal in signals.items()
    }
    heard["error"] = heard["prediction"] - heard["target"]
    rate_hz = min(sample_rate_hz, HIGHEST_RATE_HZ)
    heard = {name: audio.resample(x, sample_rate_hz, rate_hz) for name, x in heard.items()}
    gain = CEILING / max(1e-6, *(float(np.max(np.abs(x))) for x in heard.values()))
    error_db = ratio_db(heard["error"], heard["target"])
    if gain * float(np.max(np.abs(heard["error"]))) < AUDIBLE_PEAK:
        del heard["error"]
    for name, samples in heard.items():
        audio.write(folder / f"{name}.flac", samples * np.float32(gain), rate_hz, "PCM_16")
    return {
        "files": list(heard),
        "seconds": len(heard["target"]) / rate_hz,
        "gain_db": float(2 * decibels(gain)),
        "rate_hz": rate_hz,
        "error_db": error_db,
    }


def ratio_db(signal: Samples, reference: Samples) -> float:
    """Energy of a signal relative to another's, kept within ±200 dB."""
    ratio = (_energy(signal) + 1e-20) / (_energy(reference) + 1e-20)
    return min(200.0, max(-200.0, decibels(ratio)))


def _energy(samples: Samples) -> float:
    wide = samples.astype(np.float64)
    return float(np.dot(wide, wide))
