"""One delay over a whole take: through any effect, by its measured place where it jumps."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from scipy import signal

from data import audio, dry, effects
from data.audio import Samples
from data.devices import alignment, continuity
from data.devices.continuity import Stray

RATE = 44_100
SECONDS = 30.0
Signal = npt.NDArray[np.float64]


@cache
def take() -> Samples:
    """Guitar, sweeps and noise; two quiet seconds and two silent ones."""
    samples = dry.generate(SECONDS, 3, RATE)
    samples[10 * RATE : 12 * RATE] *= 0.003
    samples[20 * RATE : 22 * RATE] = 0
    return samples


def filtered(
    samples: npt.NDArray[np.floating], order: int, hz: float, kind: Literal["low", "high"]
) -> Signal:
    coefficients = signal.butter(order, hz, kind, fs=RATE, output="sos")
    return np.asarray(signal.sosfilt(coefficients, samples))


def hall(samples: npt.NDArray[np.floating]) -> Signal:
    t = np.arange(RATE) / RATE
    response = 0.05 * np.random.default_rng(0).normal(size=RATE) * np.exp(-4 * t)
    response[0] = 1
    return np.asarray(signal.fftconvolve(samples, response)[: len(samples)])


def hissing(samples: npt.NDArray[np.floating]) -> Signal:
    return np.tanh(10 * samples) + np.random.default_rng(0).normal(0, 0.05, len(samples))


DEVICES: dict[str, Callable[[Samples], npt.NDArray[np.floating]]] = {
    "wire": lambda x: x,
    "sd1": lambda x: effects.resolve("sd1", Path()).render(x, RATE),
    "black65": lambda x: effects.resolve("black65", Path()).render(x, RATE),
    "square": lambda x: np.tanh(1000 * x),
    "fuzz": lambda x: filtered(np.tanh(100 * filtered(x, 1, 200, "high")), 2, 3000, "low"),
    "octave": lambda x: 0.7 * np.abs(x) + 0.3 * x,
    "low": lambda x: filtered(x, 4, 300, "low"),
    "high": lambda x: filtered(x, 4, 4000, "high"),
    "crushed": lambda x: np.repeat(np.round(x[::8] * 16) / 16, 8)[: len(x)],
    "tremolo": lambda x: x * (0.5 + 0.5 * np.sin(2 * np.pi * 5 * np.arange(len(x)) / RATE)),
    "hall": hall,
    "hissing": hissing,
}


@cache
def aligned(device: str) -> tuple[Samples, Samples]:
    wet = np.asarray(DEVICES[device](take()), np.float32)
    found = alignment.measured_delay(take(), wet, RATE)
    return alignment.shifted(take(), wet, found.delay_samples)


def sustained(dry: Samples, wet: Samples, rate: int = RATE) -> list[Stray]:
    return [span for span in continuity.strays(dry, wet, rate) if span.windows > 1]


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES)
def test_no_effect_looks_like_a_loss(device: str) -> None:
    assert sustained(*aligned(device)) == []


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("place", [0.04, 0.3, 0.95])
def test_a_loss_is_found_through_any_effect(device: str, place: float) -> None:
    dry_samples, wet = aligned(device)
    at = round(place * len(wet))
    broken = np.concatenate([wet[:at], wet[at + 100 :]])
    found = sustained(dry_samples[: len(broken)], broken)
    longest = max(found, key=lambda span: span.windows)
    assert abs(longest.delay_s) * RATE == pytest.approx(100, abs=6)
    # The fewer windows say otherwise; those before the loss are late, those after it early.
    assert (longest.delay_s > 0) == (place < 0.5)
    edge_s = max(s.stop_s for s in found) if place < 0.5 else min(s.start_s for s in found)
    assert edge_s == pytest.approx(at / RATE, abs=1.0)


@pytest.mark.parametrize("rate", [8000, 192_000])
def test_any_rate_is_measured(rate: int) -> None:
    dry_samples = audio.resample(dry.generate(20.0, 4, 48_000), 48_000, rate)
    wet = np.tanh(5 * dry_samples)
    lost = round(0.0015 * rate)
    at = len(wet) // 4
    found = sustained(dry_samples[:-lost], np.concatenate([wet[:at], wet[at + lost :]]), rate)
    assert {round(s.delay_s * 1e4) for s in found} == {15}


def test_where_nothing_is_told_nothing_is_claimed() -> None:
    silent = np.zeros_like(take())
    assert continuity.strays(take(), silent, RATE) == []
    assert continuity.strays(silent, take(), RATE) == []
    hiss = np.random.default_rng(1).normal(0, 0.1, len(take())).astype(np.float32)
    assert continuity.strays(take(), hiss, RATE) == []


def test_repeated_phrases_are_told_from_a_jump() -> None:
    phrase = take()[2 * RATE : 2 * RATE + RATE // 5]
    dry_samples = np.tile(phrase, 60)
    assert continuity.strays(dry_samples, np.tanh(8 * dry_samples), RATE) == []
