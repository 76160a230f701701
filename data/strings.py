"""Plucked strings of an electric guitar, as single-delay-loop digital waveguides.

A string is one delay line of a period's length closed over a loss filter: the
Karplus-Strong algorithm (Karplus & Strong, Computer Music Journal 7(2), 1983) with the
extensions of Jaffe & Smith (same issue): fractional delay for exact tuning, chosen decay
times, pick position. The fractional delay is Lagrange interpolation and the losses are a
one-pole filter, as in Välimäki, Huopaniemi, Karjalainen & Jánosy, "Physical modeling of
plucked string instruments with application to real-time sound synthesis", JAES 44(5),
1996. What travels in the loop is string velocity, which is what a magnetic pickup senses.

Stiffness (inharmonic partials) is left out: on the strings of an electric guitar the
first ten partials are sharp by a few cents at most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.compiled import compiled

Signal = npt.NDArray[np.float64]

HIGH_PARTIALS_HZ = 4000.0
"""Where ``Decay.high_s`` holds."""

_POLARISATION_SPREAD_CENTS = 1.5
_POLARISATION_DECAY_RATIO = 1.8
_HORIZONTAL_SHARE = 0.3
_RELEASE_TIME_S = 0.02


@dataclass(frozen=True)
class Decay:
    """How long a string rings, as times to fall by 60 dB.

    Attributes:
        low_s: T60 of the lowest partials, in seconds.
        high_s: T60 of partials at ``HIGH_PARTIALS_HZ``, in seconds, at most ``low_s``.
        released_s: T60 of all partials once the finger lifts or the hand mutes.
    """

    low_s: float
    high_s: float
    released_s: float = 0.06


def pluck(
    f0_hz: Signal,
    sample_rate_hz: int,
    *,
    decay: Decay,
    pick_delay_s: float,
    pickup_delay_s: float,
    pick_width_s: float,
    release_s: float = np.inf,
) -> Signal:
    """Sound of one pluck under a magnetic pickup, before the pickup's own resonance.

    The string swings in two planes that are tuned and damped a little differently, which
    gives the beats and the two-stage decay of a real string (Välimäki et al. 1996).

    Args:
        f0_hz: fundamental at every sample, shape ``(samples,)``; bends and vibrato are
            written into it. The result has the same shape.
        sample_rate_hz: samples per second.
        decay: how long the string rings.
        pick_delay_s: how long the wave takes from the pick to the bridge and back: the
            pick's relative position over ``f0``. A pick at 1/n of the string leaves out
            every n-th harmonic.
        pickup_delay_s: the same for the pickup; taken to the nearest whole sample.
        pick_width_s: time the string takes to slip off the pick; shorter is brighter.
        release_s: when the note is damped.
    """
    seconds = np.arange(len(f0_hz)) / sample_rate_hz
    push = pick_velocity(seconds, pick_delay_s, pick_width_s)
    decay_rate = _decay_rate(seconds - release_s, decay)
    horizontal_f0_hz = f0_hz * 2 ** (_POLARISATION_SPREAD_CENTS / 1200)
    vertical = _vibrate(push, f0_hz, sample_rate_hz, decay, decay_rate)
    horizontal = _vibrate(
        push, horizontal_f0_hz, sample_rate_hz, decay, decay_rate / _POLARISATION_DECAY_RATIO
    )
    velocity = (1 - _HORIZONTAL_SHARE) * vertical + _HORIZONTAL_SHARE * horizontal
    return _under_pickup(velocity, round(pickup_delay_s * sample_rate_hz))


def pick_velocity(seconds: Signal, pick_delay_s: float, pick_width_s: float) -> Signal:
    """Velocity wave that a pick leaves on the string, at the given times after the pluck.

    An ideal pluck is a corner in the string's shape; its velocity wave is a box as long
    as the way from the pick to the bridge and back. The pick's width rounds the edges
    into raised-cosine steps, so nothing above a few multiples of ``1 / pick_width_s``
    is excited and nothing folds at the Nyquist frequency.
    """
    return _smooth_step(seconds / pick_width_s) - _smooth_step(
        (seconds - pick_delay_s) / pick_width_s
    )


def _smooth_step(phase: Signal) -> Signal:
    """Integral of a Hann pulse: 0 up to phase 0, 1 from phase 1."""
    step = np.heaviside(phase - 1, 1.0)
    rising = (phase > 0) & (phase < 1)
    step[rising] = phase[rising] - np.sin(2 * np.pi * phase[rising]) / (2 * np.pi)
    return step


def _decay_rate(since_release_s: Signal, decay: Decay) -> Signal:
    """Reciprocal T60 of the low partials; the damping hand takes 20 ms to come down."""
    progress = np.clip(since_release_s / _RELEASE_TIME_S, 0, 1)
    return 1 / decay.low_s + progress * (1 / decay.released_s - 1 / decay.low_s)


def _vibrate(
    push: Signal, f0_hz: Signal, sample_rate_hz: int, decay: Decay, decay_rate: Signal
) -> Signal:
    """Run the loop with the delays and losses that give ``f0_hz`` and ``decay_rate``."""
    pole = _loss_pole(f0_hz[0], sample_rate_hz, decay)
    # Phase delay of the loss filter, hardly different at the top of a bend.
    omega = 2 * np.pi * f0_hz[0] / sample_rate_hz
    loss_delay = np.arctan2(pole * np.sin(omega), 1 - pole * np.cos(omega)) / omega
    loop_gain = np.exp(-np.log(1000) * decay_rate / f0_hz)
    return _string_loop(push, sample_rate_hz / f0_hz - loss_delay, loop_gain, pole)


def _loss_pole(f0_hz: float, sample_rate_hz: int, decay: Decay) -> float:
    """Pole p of (1 - p) / (1 - p z^-1) that shortens the T60 of the high partials.

    Solves |H|^2 = (1 - p)^2 / (1 - 2 p cos w + p^2) for the gain per period that the
    high partials lose beyond the low ones.
    """
    extra_gain = 10 ** (-3 / f0_hz * (1 / decay.high_s - 1 / decay.low_s))
    power = extra_gain**2
    if power == 1.0:
        return 0.0
    cosine = np.cos(2 * np.pi * HIGH_PARTIALS_HZ / sample_rate_hz)
    half_sum = (1 - power * cosine) / (1 - power)
    return float(half_sum - np.sqrt(half_sum**2 - 1))


@compiled
def _string_loop(push: Signal, delay_samples: Signal, loop_gain: Signal, pole: float) -> Signal:
    """Delay line closed over fractional delay and losses.

    All arrays have shape ``(samples,)``; ``delay_samples`` is at least 1. Third-order
    Lagrange interpolation (Laakso, Välimäki, Karjalainen & Laine, IEEE Signal Processing
    Magazine 13(1), 1996) around its most accurate point, a delay between 1 and 2.
    """
    silence = int(delay_samples.max()) + 3
    wave = np.zeros(silence + len(push))
    returned = 0.0
    for n in range(len(push)):
        whole = int(delay_samples[n]) - 1
        d = delay_samples[n] - whole
        m = silence + n - whole
        delayed = (
            -(d - 1) * (d - 2) * (d - 3) / 6 * wave[m]
            + d * (d - 2) * (d - 3) / 2 * wave[m - 1]
            - d * (d - 1) * (d - 3) / 2 * wave[m - 2]
            + d * (d - 1) * (d - 2) / 6 * wave[m - 3]
        )
        returned = (1 - pole) * delayed + pole * returned
        wave[silence + n] = push[n] + loop_gain[n] * returned
    return wave[silence:]


def _under_pickup(velocity: Signal, delay_samples: int) -> Signal:
    """Add the wave that the bridge sends back, inverted, past the pickup."""
    delay_samples = max(delay_samples, 1)
    sensed = velocity.copy()
    sensed[delay_samples:] -= velocity[:-delay_samples]
    return sensed
