"""The built-in dry signal: guitar phrases, logarithmic sweeps and pink-noise swells.

The three kinds follow one another in cycles of about five seconds, so every training,
validation or test set that is cut out of the signal, in random segments or in one piece,
holds all of them, quiet and loud. The guitar resembles a direct guitar signal in crest
factor, dynamics and spectrum; sweeps and noise show a device what guitar alone leaves
out: every frequency at known levels, and dense spectra. No two sections are equal, so
a test set holds nothing that occurs in training.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.random import Generator, default_rng
from scipy import signal

from data.audio import Samples
from data.errors import InputError
from data.phrases import STYLES, phrase
from data.strings import Signal

VERSION = 3
"""Goes up whenever the same arguments give other samples; part of cache keys."""

Kind = Literal["guitar", "sweep", "noise"]

SHORTEST_S = 20.0
LOWEST_SAMPLE_RATE_HZ = 16_000

_CYCLE_S = 5.0
# A tenth of the signal is the smallest part that an 80/10/10 split cuts out.
_FEWEST_CYCLES = 10
_SHARES: tuple[tuple[Kind, float], ...] = (("sweep", 0.1), ("noise", 0.1), ("guitar", 0.8))

_LOWEST_HZ = 20.0
_SWEEP_HIGH_OVER_RATE = 0.45
# Each sweep begins and ends somewhere within these many octaves inside the full range, at
# a level and a phase of its own.
_SWEEP_EDGES_OCTAVES = 1 / 3
_SWEEP_LEVEL_DB = 2.0
_SWELL_RANGE_DB = 40.0
_FADE_S = 0.01

# Sweeps and swells rise along their levels and begin again; the guitar's are shuffled.
_PEAKS_DBFS: dict[Kind, tuple[float, ...]] = {
    "sweep": (-40.0, -32.0, -25.0, -18.0, -12.0, -6.0),
    "noise": (-30.0, -24.0, -18.0, -12.0, -7.0, -3.0),
    "guitar": (-1.0, -2.0, -3.0, -6.0, -10.0, -16.0),
}


class Section(NamedTuple):
    """A span of one kind: samples ``start`` up to, not including, ``stop``."""

    kind: Kind
    start: int
    stop: int


def generate(seconds: float = 480.0, seed: int = 0, sample_rate_hz: int = 44_100) -> Samples:
    """Generate the dry signal.

    Args:
        seconds: length, at least ``SHORTEST_S``.
        seed: not negative; another seed gives other phrases, noise and levels.
        sample_rate_hz: at least ``LOWEST_SAMPLE_RATE_HZ``.

    Returns:
        float32 in [-1, 1], shape ``(round(seconds * sample_rate_hz),)``; the same bits
        for the same arguments on the same machine.

    Raises:
        InputError: an argument is out of range.
    """
    _check(seconds, seed, sample_rate_hz)
    dry = np.zeros(round(seconds * sample_rate_hz), np.float32)
    high_pass = signal.butter(2, _LOWEST_HZ, "highpass", fs=sample_rate_hz, output="sos")
    for index, section in enumerate(sections(len(dry), sample_rate_hz)):
        cycle = index // len(_SHARES)
        sound = signal.sosfilt(high_pass, _sound(section, cycle, seed, sample_rate_hz))
        sound *= _peak(section.kind, cycle, seed) / np.abs(sound).max()
        dry[section.start : section.stop] = sound * _fade(len(sound), sample_rate_hz)
    return dry


def sections(samples: int, sample_rate_hz: int) -> list[Section]:
    """Lay out the kinds over a signal of ``samples`` samples, without gaps."""
    cycles = max(round(samples / sample_rate_hz / _CYCLE_S), _FEWEST_CYCLES)
    shares = [share for _, share in _SHARES] * cycles
    edges = np.round(np.cumsum([0.0, *shares]) / cycles * samples).astype(int).tolist()
    kinds = [kind for kind, _ in _SHARES] * cycles
    return [Section(*row) for row in zip(kinds, edges[:-1], edges[1:], strict=True)]


def log_sweep(
    samples: int, sample_rate_hz: int, low_hz: float, high_hz: float, phase: float = 0.0
) -> Signal:
    """Sine whose frequency rises exponentially from ``low_hz`` to ``high_hz``.

    x(t) = sin(phase + 2 pi f1 T / L (exp(t L / T) - 1)) with L = ln(f2 / f1), after Farina,
    "Simultaneous measurement of impulse response and distortion with a swept-sine
    technique", 108th AES Convention, 2000. Shape ``(samples,)``, amplitude 1.
    """
    duration_s = samples / sample_rate_hz
    log_ratio = math.log(high_hz / low_hz)
    growth = np.expm1(np.arange(samples) / samples * log_ratio)
    return np.asarray(np.sin(phase + 2 * np.pi * low_hz * duration_s / log_ratio * growth))


def pink_noise(samples: int, sample_rate_hz: int, rng: Generator) -> Signal:
    """Gaussian noise whose power density falls by 3 dB an octave, nothing below 20 Hz.

    Shaped in the frequency domain. Shape ``(samples,)``, of no particular level.
    """
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    frequency_hz = np.fft.rfftfreq(samples, 1 / sample_rate_hz)
    audible = frequency_hz >= _LOWEST_HZ
    spectrum[audible] /= np.sqrt(frequency_hz[audible])
    spectrum[~audible] = 0
    return np.asarray(np.fft.irfft(spectrum, samples))


def _sound(section: Section, cycle: int, seed: int, sample_rate_hz: int) -> Signal:
    """Sound of one section, before its level is set; depends on nothing outside it."""
    samples = section.stop - section.start
    rng = default_rng([seed, cycle, section.start])
    if section.kind == "sweep":
        return _sweep(samples, sample_rate_hz, rng)
    if section.kind == "noise":
        growth = 10 ** (np.linspace(-_SWELL_RANGE_DB, 0, samples) / 20)
        return pink_noise(samples, sample_rate_hz, rng) * growth
    return phrase(samples, sample_rate_hz, _shuffled(len(STYLES), cycle, [seed, 1]), rng)


def _sweep(samples: int, sample_rate_hz: int, rng: Generator) -> Signal:
    """Sweep over nearly all frequencies, unlike every other."""
    inside_low, inside_high = 2 ** rng.uniform(0, _SWEEP_EDGES_OCTAVES, 2)
    high_hz = _SWEEP_HIGH_OVER_RATE * sample_rate_hz / inside_high
    phase = rng.uniform(0, 2 * np.pi)
    return log_sweep(samples, sample_rate_hz, _LOWEST_HZ * inside_low, high_hz, phase)


def _peak(kind: Kind, cycle: int, seed: int) -> float:
    """Peak level of a section, linear."""
    ladder = _PEAKS_DBFS[kind]
    step = _shuffled(len(ladder), cycle, [seed, 2]) if kind == "guitar" else cycle % len(ladder)
    level_dbfs = ladder[step]
    if kind == "sweep":
        level_dbfs += default_rng([seed, 3, cycle]).uniform(-_SWEEP_LEVEL_DB, _SWEEP_LEVEL_DB)
    return float(10 ** (level_dbfs / 20))


def _shuffled(choices: int, index: int, seed: list[int]) -> int:
    """Item ``index`` of an endless row of shuffles, so no choice stays away for long."""
    round_, place = divmod(index, choices)
    return int(default_rng([*seed, round_]).permutation(choices)[place])


def _fade(samples: int, sample_rate_hz: int) -> Signal:
    """Raised-cosine edges of 10 ms, so that sections join without a click."""
    ramp = (1 - np.cos(np.linspace(0, np.pi, round(_FADE_S * sample_rate_hz)))) / 2
    window = np.ones(samples)
    window[: len(ramp)] = ramp
    window[-len(ramp) :] = ramp[::-1]
    return window


def _check(seconds: float, seed: int, sample_rate_hz: int) -> None:
    # Written so that NaN fails too.
    if not SHORTEST_S <= seconds < math.inf:
        raise InputError(
            "length of the dry signal",
            expected=f"at least {SHORTEST_S:g} seconds",
            found=f"{seconds:g}",
            remedy="Ask for more, so that each part of a split holds every kind of sound.",
        )
    if seed < 0:
        raise InputError(
            "seed of the dry signal",
            expected="an integer that is not negative",
            found=f"{seed}",
            remedy="Use 0 or any larger integer.",
        )
    if sample_rate_hz < LOWEST_SAMPLE_RATE_HZ:
        raise InputError(
            "sample rate of the dry signal",
            expected=f"at least {LOWEST_SAMPLE_RATE_HZ} Hz",
            found=f"{sample_rate_hz} Hz",
            remedy="Generate at a higher rate and resample.",
        )
