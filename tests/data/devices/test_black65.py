"""The triode stage against independent solutions of the same schematic, and its memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import fsolve

from data.devices.black65 import _grid_current, _plate_voltage, operating_point
from data.devices.circuits import BLACK65
from tests.data.devices import circuit_reference as reference
from tests.data.devices.circuit_reference import RATE_HZ, Array, Settings, Signal

with_every_signal = reference.with_every_signal(
    {"gain": 0.4, "level": 0.5}, {"gain": 1.0, "level": 1.0}
)
SATURATION_A, THERMAL_V = 1e-9, 25.85e-3
STRAY_F = 0.02e-12


def koren_a(grid_v: float, plate_v: float) -> float:
    """Koren's 12AX7 plate current, electrode voltages against the cathode."""
    inner = 600 * (1 / 100 + grid_v / np.sqrt(300 + plate_v**2))
    e1 = plate_v / 600 * np.logaddexp(0, inner)
    return float(2 * max(e1, 0.0) ** 1.4 / 1060)


def node_equations(signal: Signal, gain: float) -> Callable[[float, Array], Sequence[float]]:
    """An explicit system: stray capacitors stand at the three nodes that have none.

    They are small enough (0.02 pF) to matter at hundreds of MHz only, and spare the
    reference every algebraic equation that the model under test solves.
    """

    def derivative(time_s: float, state: Array) -> Sequence[float]:
        coupling_c, grid_v, junction_v, cathode_v, plate_v, output_c = state
        source_v = gain * BLACK65.dry_full_scale_v * float(signal.at(np.array(time_s)))
        leak_v = ((source_v - coupling_c) / 38e3 + grid_v / 68e3) / (1 / 38e3 + 1 / 1e6 + 1 / 68e3)
        coupling_a = (source_v - coupling_c - leak_v) / 38e3
        stopper_a = (leak_v - grid_v) / 68e3
        series_a = (grid_v - junction_v) / 2e3
        diode_a = SATURATION_A * np.expm1(min((junction_v - cathode_v) / THERMAL_V, 100))
        plate_a = koren_a(grid_v - cathode_v, plate_v - cathode_v)
        load_a = (plate_v - output_c) / 1e6
        return [
            coupling_a / 22e-9,
            (stopper_a - series_a) / STRAY_F,
            (series_a - diode_a) / STRAY_F,
            (plate_a + diode_a - cathode_v / 1.5e3) / 25e-6,
            ((270 - plate_v) / 100e3 - plate_a - load_a) / STRAY_F,
            load_a / 22e-9,
        ]

    return derivative


def resting_state() -> Array:
    """States of ``node_equations`` at rest, solved without the model."""

    def unbalance(unknown: Array) -> Sequence[float]:
        cathode_v, plate_v = unknown
        plate_a = koren_a(1e-9 * 1.068e6 - cathode_v, plate_v - cathode_v)
        return [cathode_v / 1.5e3 - plate_a + 1e-9, (270 - plate_v) / 100e3 - plate_a]

    cathode_v, plate_v = fsolve(unbalance, [1.3, 180], xtol=1e-13)
    grid_v = 1e-9 * 1.068e6  # the reverse-biased diode leaks its saturation current
    return np.array([-1e-9 * 1e6, grid_v, grid_v + 2e-6, cathode_v, plate_v, plate_v])


@pytest.mark.slow
def test_rests_at_the_operating_point() -> None:
    rest, expected = operating_point(), resting_state()
    assert rest.grid_v == pytest.approx(expected[1], abs=1e-6)
    assert rest.cathode_v == pytest.approx(expected[3], abs=1e-6)
    assert rest.plate_v == pytest.approx(expected[4], abs=1e-4)
    assert 1.0 < rest.cathode_v < 1.6, "a 12AX7 with 1.5 kOhm and 100 kOhm biases near 1.3 V"


@pytest.mark.slow
@with_every_signal
def test_agrees_with_an_adaptive_stiff_integrator(signal: Signal, settings: Settings) -> None:
    states = reference.integrate(node_equations(signal, settings["gain"]), resting_state())
    output_v = settings["level"] * (states[4] - states[5])
    assert reference.error_against(output_v, BLACK65, signal, settings) < 3e-4


@pytest.mark.system
@reference.needs_ngspice
@with_every_signal
def test_agrees_with_ngspice(signal: Signal, settings: Settings, tmp_path: Path) -> None:
    netlist = f"""
Rsource in s 38k
Ccoupling s leak 22n
Rleak leak 0 1meg
Rstopper leak g 68k
Rgrid g j 2k
D1 j k grid
.model grid D(IS=1n N={THERMAL_V / 0.02585})
Be1 e1 0 V=v(p,k)/600*ln(1+exp(min(600*(0.01+v(g,k)/sqrt(300+v(p,k)*v(p,k))),300)))
Bplate p k I=2*pwr(max(v(e1),0),1.4)/1060
Rcathode k 0 1.5k
Ccathode k 0 25u
Rplate p b 100k
Vb b 0 270
Coutput p out 22n
Rload out 0 1meg
"""
    input_v = f"{settings['gain'] * BLACK65.dry_full_scale_v}*({signal.spice})"
    output_v = settings["level"] * reference.run_ngspice(tmp_path, input_v, netlist, "out")
    assert reference.error_against(output_v, BLACK65, signal, settings) < 3e-4


def linear_gain(frequency_hz: float, gain: float, level: float) -> complex:
    """Small-signal gain in volts per volt, the triode by its slopes at rest."""
    s = 2j * np.pi * frequency_hz
    _, grid_v, _, cathode_v, plate_v, _ = resting_state()
    grid_v, plate_v = grid_v - cathode_v, plate_v - cathode_v
    step_v = 1e-4
    gm_s = (koren_a(grid_v + step_v, plate_v) - koren_a(grid_v - step_v, plate_v)) / (2 * step_v)
    gp_s = (koren_a(grid_v, plate_v + step_v) - koren_a(grid_v, plate_v - step_v)) / (2 * step_v)
    grid_gain = 1e6 / (1e6 + 38e3 + 1 / (s * 22e-9))
    cathode_s = 1 / 1.5e3 + s * 25e-6
    load_s = 1 / 100e3 + 1 / (1e6 + 1 / (s * 22e-9))
    # Unknowns: cathode and plate; the tube feeds gm (vg - vk) + gp (vp - vk) from p to k.
    nodes = np.array([[cathode_s + gm_s + gp_s, -gp_s], [-(gm_s + gp_s), load_s + gp_s]])
    plate_gain = np.linalg.solve(nodes, [gm_s, -gm_s])[1]
    return complex(gain * level * grid_gain * plate_gain * 1e6 / (1e6 + 1 / (s * 22e-9)))


def test_small_signal_response_is_that_of_the_linearised_circuit() -> None:
    measured = reference.small_signal_gain(BLACK65, 1e-3)
    expected = np.array([linear_gain(f, 0.4, 0.5) for f in reference.FREQUENCIES_HZ])
    assert expected.real[3] < 0, "a common-cathode stage inverts"
    np.testing.assert_allclose(np.abs(measured / expected), 1, atol=3e-3)
    np.testing.assert_allclose(np.angle(measured / expected), 0, atol=3e-3)


def probe_gain_after_a_burst(pause_s: float) -> float:
    """Gain for a small 1 kHz tone, relative to its gain at rest, a pause after a loud burst."""
    time_s = np.arange(RATE_HZ // 2) / RATE_HZ
    probe = 0.005 * np.sin(2 * np.pi * 1000 * time_s)
    burst = np.where(time_s < 0.1, np.sin(2 * np.pi * 200 * time_s), 0)
    alone, after = (
        BLACK65.render(dry.astype(np.float32), RATE_HZ, gain=1.0) for dry in (probe, probe + burst)
    )
    start = round((0.1 + pause_s) * RATE_HZ)
    window = slice(start, start + 10 * RATE_HZ // 1000)
    carrier = np.exp(-2j * np.pi * 1000 * time_s[window])
    return float(np.abs(after[window] @ carrier) / np.abs(alone[window] @ carrier))


def test_a_loud_burst_shifts_the_bias_and_is_forgotten() -> None:
    assert probe_gain_after_a_burst(0.005) < 0.8
    assert probe_gain_after_a_burst(0.35) == pytest.approx(1, abs=0.02)


def test_newton_finds_the_plate_voltage_from_any_guess() -> None:
    for grid_v in (-20.0, -3.0, -1.0, 0.0, 2.0):
        roots = [_plate_voltage(grid_v, 268.7, 100e3, guess) for guess in (-5.0, 0.0, 90.0, 900.0)]
        carried_v = roots[0] + 100e3 * koren_a(grid_v, roots[0])
        assert carried_v == pytest.approx(268.7, abs=1e-3)
        np.testing.assert_allclose(roots, roots[0], atol=1e-4)


@pytest.mark.parametrize("open_v", [-200.0, -1.3, -0.01, 0.0, 0.01, 0.5, 10.0, 200.0])
def test_newton_finds_the_grid_current(open_v: float) -> None:
    current_a = _grid_current(open_v, 100e3)
    junction_v = open_v - 102e3 * current_a
    assert SATURATION_A * np.expm1(junction_v / THERMAL_V) == pytest.approx(
        current_a, rel=1e-6, abs=1e-14
    )
