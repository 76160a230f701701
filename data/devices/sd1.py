"""An overdrive pedal after the Boss SD-1: op-amp stage with asymmetric diode feedback.

The signal path, each stage driving the next from an op-amp or follower, unloaded:

1. Input coupling: 47 nF into 470 kOhm (7.2 Hz high-pass).
2. Clipping stage: a non-inverting op-amp whose inverting input sees 4.7 kOhm + 47 nF
   to ground (so only what lies above about 720 Hz gets the full gain), and in the
   feedback 33 kOhm + the 1 MOhm drive pot, 51 pF, one diode one way and two in series
   the other way.
3. Tone stage: 10 kOhm and 18 nF low-pass into a second op-amp with 10 kOhm || 10 nF in
   its feedback; the 20 kOhm tone pot moves 27 nF + 470 Ohm from one of its inputs
   (treble cut) to the other (treble boost).
4. Level: 4.7 kOhm into the 10 kOhm level pot, then 47 nF into 1 MOhm (3.4 Hz high-pass).

Op-amps are ideal and do not reach the supply rails; the followers are ideal. The
pedal's 18 nF between the input follower and the clipping stage is taken as a short:
its 88 Hz high-pass is linear and would only ask for more memory than a frame has.

Sources: part values from the published service schematic as it stands in M. Holters'
"superover" example of ACME.jl; the 51 pF, the diode's two parameters and the split into
a filter, a scalar clipper equation and a filter from D. T. Yeh, J. S. Abel and
J. O. Smith, "Simplified, physically-informed models of distortion and overdrive guitar
effects pedals", DAFx 2007.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log1p

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.signal import bilinear, lfilter

from data.compiled import compiled
from data.devices.oversampling import Volts

Polynomial = npt.NDArray[np.float64]

INPUT_F = 47e-9
INPUT_OHM = 470e3
GAIN_LEG_F = 47e-9
GAIN_LEG_OHM = 4.7e3
FEEDBACK_F = 51e-12
FEEDBACK_OHM = 33e3
DRIVE_POT_OHM = 1e6
DIODE_SATURATION_A = 2.52e-9
DIODE_EMISSION_V = 45.3e-3  # ideality factor times thermal voltage
TONE_INPUT_OHM = 10e3
TONE_INPUT_F = 18e-9
TONE_POT_OHM = 20e3
TONE_LEG_OHM = 470.0
TONE_LEG_F = 27e-9
TONE_FEEDBACK_OHM = 10e3
TONE_FEEDBACK_F = 10e-9
LEVEL_SERIES_OHM = 4.7e3
LEVEL_POT_OHM = 10e3
OUTPUT_F = 47e-9
OUTPUT_OHM = 1e6

# Newton's last step is squared in the error that it leaves: 1e-6 V leaves about 1e-11 V.
NEWTON_STEP_V = 1e-6
NEWTON_LIMIT = 100


def feedback_ohm(drive: float) -> float:
    """Resistance across the diodes at a drive setting in 0..1 (linear pot)."""
    return FEEDBACK_OHM + drive * DRIVE_POT_OHM


def tone_transfer(tone: float) -> tuple[Polynomial, Polynomial]:
    """Numerator and denominator in s of the tone stage, highest power first.

    Both op-amp inputs are at one voltage v. With the pot split into ``cut_ohm`` (to the
    + input) and ``boost_ohm`` (to the - input), and the wiper's leg an admittance
    leg = n / d, Kirchhoff's law at the wiper and at both inputs gives::

        D = (cut_ohm + boost_ohm) d + cut_ohm boost_ohm n
        H = (Yf D + cut_ohm n) / (Yf (D (1 + s R C) + R boost_ohm n))

    where Yf is the feedback's admittance and R C the low-pass in front. At ``tone`` 1
    the wiper is at the - input, which is the bright end.
    """
    cut_ohm, boost_ohm = tone * TONE_POT_OHM, (1 - tone) * TONE_POT_OHM
    leg_n = np.array([TONE_LEG_F, 0.0])
    leg_d = np.array([TONE_LEG_OHM * TONE_LEG_F, 1.0])
    feedback_s = np.array([TONE_FEEDBACK_F, 1 / TONE_FEEDBACK_OHM])
    low_pass = np.array([TONE_INPUT_OHM * TONE_INPUT_F, 1.0])
    wiper = TONE_POT_OHM * leg_d + cut_ohm * boost_ohm * leg_n
    numerator = np.polyadd(np.polymul(feedback_s, wiper), cut_ohm * leg_n)
    loaded = np.polyadd(np.polymul(wiper, low_pass), TONE_INPUT_OHM * boost_ohm * leg_n)
    return np.asarray(numerator, np.float64), np.asarray(np.polymul(feedback_s, loaded))


class Sd1:
    """The pedal being played: filters and clipper with their state.

    Args:
        rate_hz: rate of the voltages that will be processed, at least 8 times the audio
            rate for low aliasing.
        drive: 0..1, feedback resistance from 33 kOhm to 1.033 MOhm.
        tone: 0..1, from treble cut to treble boost.
        level: 0..1, position of the level pot.
    """

    def __init__(self, rate_hz: float, *, drive: float, tone: float, level: float) -> None:
        input_tau_s = INPUT_F * INPUT_OHM
        output_tau_s = OUTPUT_F * OUTPUT_OHM
        self._input = _Filter([input_tau_s, 0], [input_tau_s, 1], rate_hz)
        self._gain_leg = _Filter([GAIN_LEG_F, 0], [GAIN_LEG_F * GAIN_LEG_OHM, 1], rate_hz)
        self._tone = _Filter(*tone_transfer(tone), rate_hz)
        self._output = _Filter([output_tau_s, 0], [output_tau_s, 1], rate_hz)
        self._level = level * LEVEL_POT_OHM / (LEVEL_POT_OHM + LEVEL_SERIES_OHM)
        self._feedback_s = 1 / feedback_ohm(drive)
        self._capacitor_s = 2 * FEEDBACK_F * rate_hz
        self._clipper_state = np.zeros(3)

    def process(self, input_v: Volts) -> Volts:
        """Output volts for the next input volts, both of shape ``(samples,)``."""
        stage_v = self._input.process(input_v)
        current_a = self._gain_leg.process(stage_v)
        feedback_v = _clip(current_a, self._feedback_s, self._capacitor_s, self._clipper_state)
        tone_v = self._tone.process(stage_v + feedback_v)
        return self._level * self._output.process(tone_v)


class _Filter:
    """A linear stage: its transfer function in s by the bilinear transform, with state."""

    def __init__(
        self,
        numerator: Sequence[float] | Polynomial,
        denominator: Sequence[float] | Polynomial,
        rate_hz: float,
    ) -> None:
        self._b, self._a = bilinear(numerator, denominator, rate_hz)
        self._state = np.zeros(len(self._a) - 1)

    def process(self, signal: Volts) -> Volts:
        filtered, self._state = lfilter(self._b, self._a, signal, zi=self._state)
        return np.asarray(filtered, np.float64)


@compiled
def _clip(current_a: Volts, feedback_s: float, capacitor_s: float, state: Volts) -> Volts:
    """Voltage across the feedback network, driven by the gain leg's current.

    Solves C dv/dt = i - v / R - i_diodes(v) by the trapezoidal rule. Time steps that
    cross the whole clipping curve at once are normal here (the diodes' time constant is
    nanoseconds), so every step is solved implicitly.

    Args:
        current_a: amperes into the feedback network, shape ``(samples,)``.
        feedback_s: conductance across the diodes, siemens.
        capacitor_s: 2 C / step, the capacitor's conductance in the trapezoidal rule.
        state: last voltage, last driving current and last current of the resistor and
            the diodes; overwritten.

    Returns:
        Volts, shape ``(samples,)``.
    """
    voltage_v, last_a, leaving_a = state
    conductance_s = capacitor_s + feedback_s
    clipped_v = np.empty_like(current_a)
    for index, now_a in enumerate(current_a):
        charge_a = capacitor_s * voltage_v
        total_a = charge_a + now_a + last_a - leaving_a
        voltage_v = _clipper_voltage(total_a, conductance_s, voltage_v)
        leaving_a = total_a - capacitor_s * voltage_v
        last_a = now_a
        clipped_v[index] = voltage_v
    state[:] = voltage_v, last_a, leaving_a
    return clipped_v


@njit()
def _clipper_voltage(total_a: float, conductance_s: float, guess_v: float) -> float:
    """The v with conductance_s * v + i_diodes(v) = total_a, by bracketed Newton.

    One diode conducts for v > 0, two in series for v < 0 (Shockley's equation)::

        i_diodes(v) = Is (exp(v / nVt) - 1) - Is (exp(-v / 2 nVt) - 1)

    The left side rises strictly with v, so there is one root. It lies between zero and
    the voltage at which the resistance alone, or the conducting diode alone, would carry
    the current. A step that leaves the bracket is replaced by a bisection, hence
    convergence for every input.
    """
    if total_a >= 0:
        alone_v = DIODE_EMISSION_V * log1p(total_a / DIODE_SATURATION_A)
        low_v, high_v = 0.0, min(total_a / conductance_s, alone_v)
    else:
        alone_v = -2 * DIODE_EMISSION_V * log1p(-total_a / DIODE_SATURATION_A)
        low_v, high_v = max(total_a / conductance_s, alone_v), 0.0
    voltage_v = min(max(guess_v, low_v), high_v)
    for _ in range(NEWTON_LIMIT):
        pair = exp(voltage_v / (2 * DIODE_EMISSION_V))
        single_a = DIODE_SATURATION_A * pair * pair
        pair_a = DIODE_SATURATION_A / pair
        excess_a = conductance_s * voltage_v + single_a - pair_a - total_a
        slope_s = conductance_s + (single_a + 0.5 * pair_a) / DIODE_EMISSION_V
        if excess_a > 0:
            high_v = voltage_v
        else:
            low_v = voltage_v
        next_v = voltage_v - excess_a / slope_s
        if next_v < low_v or next_v > high_v:
            next_v = 0.5 * (low_v + high_v)
        step_v, voltage_v = abs(next_v - voltage_v), next_v
        if step_v < NEWTON_STEP_V:
            break
    return voltage_v
