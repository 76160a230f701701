"""A triode gain stage: half a 12AX7 driven into grid conduction.

The parts are in the style of the first stage of Fender's 1965 "blackface" amplifiers,
here driven as a second stage would be: from the plate of another one. From left to
right: source resistance 38 kOhm, coupling 22 nF, grid leak 1 MOhm, grid stopper 68 kOhm,
the triode with 1.5 kOhm || 25 uF at its cathode and 100 kOhm to 270 V at its plate,
then 22 nF into a load of 1 MOhm.

It has memory on purpose. On loud notes the grid conducts and charges the coupling
capacitor (time constant to discharge: 23 ms), which moves the bias towards cut-off:
blocking distortion. The cathode's capacitor follows the mean current within 37 ms. A
single stage inverts: a rising dry makes a falling wet.

Plate current: N. Koren, "Improved vacuum-tube models for SPICE simulations", Glass Audio
8(5), 1996, with his 12AX7 parameters, and his grid diode behind 2 kOhm. The capacitances
between the electrodes are left out (their pole, about 20 kHz, is at the edge of hearing).
Each capacitor becomes a resistance in series with a source by the trapezoidal rule, so
that a time step is a resistive circuit (L. O. Chua and P.-M. Lin, "Computer-aided
analysis of electronic circuits", 1975).
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.optimize import brentq

from data.compiled import compiled
from data.devices.oversampling import Volts

SOURCE_OHM = 38e3
COUPLING_F = 22e-9
GRID_LEAK_OHM = 1e6
GRID_STOPPER_OHM = 68e3
CATHODE_OHM = 1.5e3
CATHODE_F = 25e-6
PLATE_OHM = 100e3
SUPPLY_V = 270.0
OUTPUT_F = 22e-9
LOAD_OHM = 1e6

# Koren's 12AX7: his MU, EX, KG1, KP, KVB and RGI; his grid diode has IS = 1 nA and N = 1.
AMPLIFICATION = 100.0
EXPONENT = 1.4
PERVEANCE_DIVISOR = 1060.0
KNEE_SHARPNESS = 600.0
KNEE_V2 = 300.0
GRID_OHM = 2e3
GRID_SATURATION_A = 1e-9
THERMAL_V = 25.85e-3

# Newton squares its last step to the error that it leaves: about 1e-11 V at the grid,
# 1e-6 V (of a swing of 100 V) at the plate.
GRID_STEP_V = 1e-6
PLATE_STEP_V = 1e-2
CATHODE_STEP_V = 1e-6
NEWTON_LIMIT = 100


class OperatingPoint(NamedTuple):
    """Voltages to ground and currents of the stage at rest."""

    grid_v: float
    cathode_v: float
    plate_v: float
    plate_a: float
    grid_a: float


def operating_point() -> OperatingPoint:
    """The stage at rest: capacitors carry no current.

    The cathode voltage is the root of a strictly rising function, cathode voltage minus
    what the currents make of it, between 0 V and the supply.
    """
    grid_path_ohm = GRID_LEAK_OHM + GRID_STOPPER_OHM

    def currents_a(cathode_v: float) -> tuple[float, float]:
        grid_a = _grid_current(-cathode_v, grid_path_ohm)
        grid_cathode_v = -grid_path_ohm * grid_a - cathode_v
        span_v = SUPPLY_V - cathode_v
        return grid_a, (span_v - _plate_voltage(grid_cathode_v, span_v, PLATE_OHM, 0.0)) / PLATE_OHM

    cathode_v = brentq(lambda v: v - CATHODE_OHM * sum(currents_a(v)), 0, SUPPLY_V, xtol=1e-13)
    grid_a, plate_a = currents_a(cathode_v)
    plate_v = SUPPLY_V - PLATE_OHM * plate_a
    return OperatingPoint(-grid_path_ohm * grid_a, cathode_v, plate_v, plate_a, grid_a)


class Black65:
    """The stage being played, from its operating point on, so that it starts silently.

    Args:
        rate_hz: rate of the voltages that will be processed, at least 8 times the audio
            rate for low aliasing.
        gain: 0..1, fraction of the input volts that reaches the stage.
        level: 0..1, fraction of the output volts that leaves it.
    """

    def __init__(self, rate_hz: float, *, gain: float, level: float) -> None:
        rest = operating_point()
        half_step_s = 0.5 / rate_hz
        self._gain = gain
        self._level = level
        self._capacitors_ohm = half_step_s / np.array([COUPLING_F, CATHODE_F, OUTPUT_F])
        coupling_v = GRID_LEAK_OHM * rest.grid_a
        self._sources_v = np.array([coupling_v, rest.cathode_v, rest.plate_v])
        self._guess = np.array([rest.grid_a + rest.plate_a, rest.plate_v - rest.cathode_v, 0.0])

    def process(self, input_v: Volts) -> Volts:
        """Output volts for the next input volts, both of shape ``(samples,)``."""
        output_v = _solve(self._gain * input_v, self._capacitors_ohm, self._sources_v, self._guess)
        return self._level * output_v


@compiled
def _solve(input_v: Volts, capacitors_ohm: Volts, sources_v: Volts, guess: Volts) -> Volts:
    """Voltage across the load, driven by the source's voltage.

    By the trapezoidal rule with step T a capacitor C is a resistance T / 2C in series
    with a source that gains T / C times the current at every step. What is left is solved
    for the grid, then the plate, then the cathode, again until the cathode stays: its
    voltage hardly depends on the step's currents (T / 2C is 0.06 Ohm, the triode's slope
    a few mS), so every pass brings it hundreds of times closer.

    Args:
        input_v: shape ``(samples,)``, volts.
        capacitors_ohm: T / 2C of the coupling, cathode and output capacitors.
        sources_v: the sources of these three; overwritten.
        guess: last cathode current, last plate-to-cathode voltage and how far the
            latter moved in the last step; overwritten.

    Returns:
        Volts, shape ``(samples,)``.
    """
    coupling_ohm, bypass_ohm, output_ohm = capacitors_ohm
    coupling_v, bypass_v, output_v = sources_v
    cathode_a, plate_cathode_v, plate_move_v = guess

    drive_ohm = SOURCE_OHM + coupling_ohm
    leak_share = GRID_LEAK_OHM / (drive_ohm + GRID_LEAK_OHM)
    grid_path_ohm = drive_ohm * leak_share + GRID_STOPPER_OHM
    bypass_share = CATHODE_OHM / (CATHODE_OHM + bypass_ohm)
    cathode_ohm = bypass_ohm * bypass_share
    branch_ohm = LOAD_OHM + output_ohm
    plate_ohm = PLATE_OHM * branch_ohm / (PLATE_OHM + branch_ohm)

    load_v = np.empty_like(input_v)
    for index, now_v in enumerate(input_v):
        grid_open_v = leak_share * (now_v - coupling_v)
        cathode_open_v = bypass_share * bypass_v
        plate_open_v = plate_ohm * (SUPPLY_V / PLATE_OHM + output_v / branch_ohm)
        cathode_v = cathode_open_v + cathode_ohm * cathode_a
        before_v = plate_cathode_v
        plate_cathode_v += plate_move_v
        for _ in range(NEWTON_LIMIT):
            grid_a = _grid_current(grid_open_v - cathode_v, grid_path_ohm)
            grid_cathode_v = grid_open_v - grid_path_ohm * grid_a - cathode_v
            span_v = plate_open_v - cathode_v
            plate_cathode_v = _plate_voltage(grid_cathode_v, span_v, plate_ohm, plate_cathode_v)
            cathode_a = grid_a + (span_v - plate_cathode_v) / plate_ohm
            last_v = cathode_v
            cathode_v = cathode_open_v + cathode_ohm * cathode_a
            if abs(cathode_v - last_v) < CATHODE_STEP_V:
                break
        plate_move_v = plate_cathode_v - before_v
        coupling_a = (now_v - coupling_v + GRID_LEAK_OHM * grid_a) / (drive_ohm + GRID_LEAK_OHM)
        bypass_a = (cathode_v - bypass_v) / bypass_ohm
        output_a = (plate_cathode_v + cathode_v - output_v) / branch_ohm
        coupling_v += 2 * coupling_ohm * coupling_a
        bypass_v += 2 * bypass_ohm * bypass_a
        output_v += 2 * output_ohm * output_a
        load_v[index] = LOAD_OHM * output_a

    sources_v[:] = coupling_v, bypass_v, output_v
    guess[:] = cathode_a, plate_cathode_v, plate_move_v
    return load_v


@njit()
def _grid_current(open_v: float, path_ohm: float) -> float:
    """Grid current when a source of open_v drives grid and cathode through path_ohm.

    Koren's grid is a diode behind GRID_OHM, so the junction voltage w solves
    w + (path_ohm + GRID_OHM) Is (exp(w / Vt) - 1) = open_v. The left side is convex and
    rises, and Newton starts above the root (at the voltage for which the resistance
    alone, or the diode alone, would carry the current), so it comes down to it without
    overshoot.
    """
    knee_v = (path_ohm + GRID_OHM) * GRID_SATURATION_A
    junction_v = open_v + knee_v
    if open_v > 0:
        junction_v = min(junction_v, THERMAL_V * log(1 + open_v / knee_v))
    for _ in range(NEWTON_LIMIT):
        carried_v = knee_v * exp(junction_v / THERMAL_V)
        step_v = (junction_v + carried_v - knee_v - open_v) / (1 + carried_v / THERMAL_V)
        junction_v -= step_v
        if abs(step_v) < GRID_STEP_V:
            break
    return (open_v - junction_v) / (path_ohm + GRID_OHM)


@njit()
def _plate_voltage(grid_v: float, span_v: float, path_ohm: float, guess_v: float) -> float:
    """Plate voltage when a source of span_v feeds the plate through path_ohm.

    Both grid_v and the result are against the cathode. The plate current never falls
    with the plate voltage, so v + path_ohm * Ip(v) = span_v has one root, between 0 and
    span_v; Newton's steps that leave the bracket are replaced by bisections.
    """
    low_v, high_v = 0.0, span_v
    voltage_v = min(max(guess_v, low_v), high_v)
    for _ in range(NEWTON_LIMIT):
        plate_a, slope_s = _plate_current(grid_v, voltage_v)
        excess_v = voltage_v + path_ohm * plate_a - span_v
        if excess_v > 0:
            high_v = voltage_v
        else:
            low_v = voltage_v
        next_v = voltage_v - excess_v / (1 + path_ohm * slope_s)
        if next_v < low_v or next_v > high_v:
            next_v = 0.5 * (low_v + high_v)
        step_v, voltage_v = abs(next_v - voltage_v), next_v
        if step_v < PLATE_STEP_V:
            break
    return voltage_v


@njit()
def _plate_current(grid_v: float, plate_v: float) -> tuple[float, float]:
    """Koren's plate current, and its slope against the plate voltage (A, S).

    E1 = V / KP * log(1 + exp(KP (1 / MU + Vg / sqrt(KVB + V^2)))), Ip = 2 E1^EX / KG1.
    """
    root_v = sqrt(KNEE_V2 + plate_v * plate_v)
    argument = KNEE_SHARPNESS * (1 / AMPLIFICATION + grid_v / root_v)
    # Beyond 30 the logarithm is its argument to float64's precision (and exp may overflow).
    raised = exp(min(argument, 30.0))
    softplus = argument if argument > 30 else log(1 + raised)
    drive_v = plate_v * softplus / KNEE_SHARPNESS
    if drive_v <= 0:
        return 0.0, 0.0
    plate_a = 2 * drive_v**EXPONENT / PERVEANCE_DIVISOR
    bend = plate_v * plate_v * grid_v / (root_v * root_v * root_v)
    drive_slope = softplus / KNEE_SHARPNESS - bend * raised / (1 + raised)
    return plate_a, EXPONENT * plate_a * drive_slope / drive_v
