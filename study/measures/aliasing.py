"""How much of a response to a sine is alias: the aliasing-to-signal ratio (ASR).

A distortion makes harmonics without end; those above half the sample rate fold back to
frequencies that are no multiple of the note's. The probe is a sine of ``cycles`` periods
in ``period`` samples, both prime, so that no alias can fall on a harmonic's bin. Of two
periods of the settled response the spectrum is taken without a window:

- a system without memory beyond the settling answers with the same period, so all of it
  lies in the even bins: harmonics, DC, and aliases in all the others;
- odd bins hold what does not repeat: noise and self-oscillation, the *residue*.

ASR = 10 log10(alias energy / energy of the harmonics below Nyquist), DC apart. After Sato
& Smith (2025, arXiv 2505.04082) and Carson, Wright & Bilbao (DAFx 2025), who differ from
each other in the treatment of DC and of windows; the definition here is this project's
own. Figures at different sample rates do not compare.

A model of more than 48 kHz runs on a board of half its rate, between half-band filters
(embedded/firmware/core/halfband.h). Its answers are judged as the board plays them: filtered,
and with the harmonics beyond half the board's rate among the aliases, where the filter leaves
some of them. So they compare with those of a model at the board's own rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy import signal as filters

from data.errors import InputError

Float64s = npt.NDArray[np.float64]

FREQUENCIES_HZ = (110.0, 440.0, 1249.0, 4201.0)
AMPLITUDES = (0.1, 0.5)
MIDI_NOTES = range(21, 109, 3)
SWEEP_AMPLITUDE = 0.5

HIGHEST_BOARD_RATE_HZ = 48_000
# The filter with which boards double and halve their rate (embedded/firmware/core/halfband.h).
HALF_BAND_TAPS, HALF_BAND_KAISER = 79, 8.0

SETTLING_S = 0.5
# Resamplers inside a process ring before their input ends; no answer is read so late.
TAIL_SAMPLES = 1024
PHASE_RAD = 0.3
FLOOR_DB = -300.0


@dataclass(frozen=True)
class Probe:
    """A sine that returns to its start after a prime number of samples.

    Attributes:
        sample_rate_hz: of the study.
        period: samples, the largest prime up to the sample rate.
        cycles: sine periods in that many samples, a prime.
        amplitude: peak, 1 is full scale.
    """

    sample_rate_hz: int
    period: int
    cycles: int
    amplitude: float

    @property
    def f0_hz(self) -> float:
        """Frequency of the sine."""
        return self.cycles * self.sample_rate_hz / self.period

    @property
    def harmonics(self) -> npt.NDArray[np.int64]:
        """Bins of the harmonics below Nyquist in a spectrum of one period."""
        return np.arange(self.cycles, (self.period + 1) // 2, self.cycles)

    @property
    def heard_harmonics(self) -> npt.NDArray[np.int64]:
        """Those of them below half of the rate that a board plays them at."""
        share = played_rate_hz(self.sample_rate_hz) / self.sample_rate_hz
        return self.harmonics[self.harmonics < share * self.period / 2]

    def signal(self, samples: int) -> Float64s:
        """The sine from its start, shape ``(samples,)``; repeats bit for bit."""
        # Reduced in whole numbers, or the phase's rounding would differ between periods.
        phase = (self.cycles * np.arange(samples)) % self.period
        return self.amplitude * np.sin(2 * np.pi * phase / self.period + PHASE_RAD)


def probe(sample_rate_hz: int, wanted_hz: float, amplitude: float) -> Probe:
    """The probe nearest to a frequency.

    Raises:
        InputError: the frequency is not below half the sample rate.
    """
    if not 0 < wanted_hz < sample_rate_hz / 2:
        raise InputError(
            "probe frequency",
            expected=f"between 0 and {sample_rate_hz / 2:g} Hz, half the sample rate",
            found=f"{wanted_hz:g} Hz",
            remedy="Probe lower, or work at a higher sample rate.",
        )
    period = _prime_up_to(sample_rate_hz)
    return probe_of_period(sample_rate_hz, period, wanted_hz, amplitude)


def probe_of_period(sample_rate_hz: int, period: int, wanted_hz: float, amplitude: float) -> Probe:
    """The probe of a prime period nearest to a frequency."""
    wanted = wanted_hz * period / sample_rate_hz
    cycles = min(_primes_about(wanted), key=lambda prime: abs(prime - wanted))
    return Probe(sample_rate_hz, period, cycles, amplitude)


def standard_probes(sample_rate_hz: int) -> list[Probe]:
    """Four frequencies at two amplitudes, as far as the sample rate can hold them."""
    return [
        probe(sample_rate_hz, wanted_hz, amplitude)
        for wanted_hz in FREQUENCIES_HZ
        for amplitude in AMPLITUDES
        if wanted_hz < sample_rate_hz / 2
    ]


def note_probes(sample_rate_hz: int) -> list[Probe]:
    """Every third note of a piano (MIDI 21 to 108), for ASR over frequency."""
    frequencies = (440.0 * 2 ** ((note - 69) / 12) for note in MIDI_NOTES)
    return [
        probe(sample_rate_hz, wanted_hz, SWEEP_AMPLITUDE)
        for wanted_hz in frequencies
        if wanted_hz < sample_rate_hz / 2
    ]


class Aliasing(NamedTuple):
    """What the response to one probe is made of.

    Ratios in dB are against the energy of the harmonics that can be heard, DC apart; not
    below -300. Where the response holds no harmonic at all, they are None.

    Attributes:
        asr_db: energy of all aliases.
        strongest_alias_db: the strongest single alias, in dBc of the *fundamental*.
        strongest_alias_hz: its frequency.
        dc_db: energy of the response's offset.
        residue_db: energy of what does not repeat with the probe.
    """

    asr_db: float | None
    strongest_alias_db: float | None
    strongest_alias_hz: float | None
    dc_db: float | None
    residue_db: float | None


def analyse(response: npt.NDArray[np.floating], probe: Probe) -> Aliasing:
    """Take a settled response of two periods apart.

    Args:
        response: shape ``(2 * probe.period,)``.
        probe: what it answers.
    """
    power = _one_sided_power(response) * _heard_power(len(response), probe.sample_rate_hz)
    periodic, residue = power[0::2], float(power[1::2].sum())
    harmonic_energy = float(periodic[probe.heard_harmonics].sum())
    if harmonic_energy == 0:
        return Aliasing(None, None, None, None, None)
    aliases = periodic.copy()
    aliases[0] = 0
    aliases[probe.heard_harmonics] = 0
    strongest = int(np.argmax(aliases))
    fundamental = float(periodic[probe.cycles])
    return Aliasing(
        _db(float(aliases.sum()) / harmonic_energy),
        _db(float(aliases[strongest]) / fundamental) if fundamental else None,
        float(heard_hz(np.asarray(strongest), probe)),
        _db(float(periodic[0]) / harmonic_energy),
        _db(residue / harmonic_energy),
    )


def spectrum_db(response: npt.NDArray[np.floating], probe: Probe) -> Float64s:
    """Level of each bin of one period against the fundamental, shape ``(period // 2 + 1,)``.

    As a board plays it; bin ``k`` is heard at ``heard_hz(k)``. Not below -300 dB.
    """
    power = _one_sided_power(response) * _heard_power(len(response), probe.sample_rate_hz)
    periodic = power[0::2]
    floor = 10 ** (FLOOR_DB / 10)
    fundamental = periodic[probe.cycles] or 1.0
    return np.asarray(10 * np.log10(np.maximum(periodic / fundamental, floor)))


Signals = npt.NDArray[np.floating]
Process = Callable[[Float64s], Signals]
"""Signals of equal length to as many responses, both of shape ``(count, samples)``."""


def one_by_one(process: Callable[[Float64s], npt.NDArray[np.floating]]) -> Process:
    """A function of one signal, made to take several."""
    return lambda signals: np.stack([process(signal) for signal in signals])


def responses(process: Process, probes: list[Probe], memory_samples: int | None = None) -> Signals:
    """Two settled periods of the answer to each probe, shape ``(probes, 2 * period)``.

    Args:
        process: the system; probes of one sample rate go through it together.
        probes: of one sample rate.
        memory_samples: where it is certain that an output depends on so many inputs
            before it and on nothing else, as with frames: the answer then repeats bit
            for bit, and one period is enough.
    """
    period = probes[0].period
    if memory_samples is not None:
        signals = np.stack([p.signal(memory_samples + period) for p in probes])
        return np.tile(np.asarray(process(signals))[:, memory_samples:], 2)
    settling = round(SETTLING_S * probes[0].sample_rate_hz)
    signals = np.stack([p.signal(settling + 2 * period + TAIL_SAMPLES) for p in probes])
    return np.asarray(process(signals))[:, settling : settling + 2 * period]


def played_rate_hz(sample_rate_hz: int) -> float:
    """The rate at which a board plays what a model of this one answers: it, or half of it."""
    return sample_rate_hz / 2 if sample_rate_hz > HIGHEST_BOARD_RATE_HZ else sample_rate_hz


def heard_hz(bins: npt.NDArray[np.int64], probe: Probe) -> Float64s:
    """Where bins of a spectrum of one period lie at the rate that a board plays them at."""
    frequencies_hz = bins * probe.sample_rate_hz / probe.period
    return np.minimum(frequencies_hz, played_rate_hz(probe.sample_rate_hz) - frequencies_hz)


def _heard_power(samples: int, sample_rate_hz: int) -> Float64s | float:
    """What passes to the board, as a share of each bin's energy."""
    if played_rate_hz(sample_rate_hz) == sample_rate_hz:
        return 1.0
    taps = filters.firwin(HALF_BAND_TAPS, 0.5, window=("kaiser", HALF_BAND_KAISER))
    bins = np.arange(samples // 2 + 1)
    _, response = filters.freqz(taps, worN=2 * np.pi * bins / samples)
    return np.asarray(np.abs(response) ** 2)


def _one_sided_power(response: npt.NDArray[np.floating]) -> Float64s:
    """Energy of each frequency, positive and negative side together."""
    spectrum = fft.rfft(np.asarray(response, np.float64))
    power = spectrum.real**2 + spectrum.imag**2
    power[1:-1] *= 2  # all but DC and Nyquist have a twin
    return np.asarray(power)


def _db(ratio: float) -> float:
    return max(10 * math.log10(ratio), FLOOR_DB) if ratio > 0 else FLOOR_DB


@cache
def _is_prime(number: int) -> bool:
    return number > 1 and all(number % d for d in range(2, math.isqrt(number) + 1))


@cache
def _prime_up_to(number: int) -> int:
    return next(n for n in range(number, 1, -1) if _is_prime(n))


def _primes_about(number: float) -> list[int]:
    """The nearest primes on both sides."""
    below = next((n for n in range(math.floor(number), 1, -1) if _is_prime(n)), 2)
    above = next(n for n in range(math.ceil(number), 2 * math.ceil(number) + 2) if _is_prime(n))
    return [below, above]
