"""The SD-1 model against independent solutions of the same schematic, and its character."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from data.devices.circuits import SD1
from data.devices.sd1 import _clipper_voltage
from tests.data.devices import circuit_reference as reference
from tests.data.devices.circuit_reference import RATE_HZ, Array, Settings, Signal

SATURATION_A, EMISSION_V = 2.52e-9, 45.3e-3
with_every_signal = reference.with_every_signal(
    {"drive": 0.5, "tone": 0.5, "level": 0.5}, {"drive": 1.0, "tone": 0.9, "level": 1.0}
)


def node_equations(
    signal: Signal, drive: float, tone: float
) -> Callable[[float, Array], Sequence[float]]:
    """Currents into the seven capacitors over their capacitance, written node by node."""
    feedback_ohm = 33e3 + 1e6 * drive
    cut_ohm, boost_ohm = 20e3 * tone, 20e3 * (1 - tone)

    def derivative(time_s: float, state: Array) -> Sequence[float]:
        input_c, gain_c, feedback_c, low_pass_c, wiper_c, boost_c, _ = state
        plus_v = SD1.dry_full_scale_v * float(signal.at(np.array(time_s))) - input_c
        leg_a = (plus_v - gain_c) / 4.7e3
        one_a = SATURATION_A * np.expm1(min(feedback_c / EMISSION_V, 100))
        two_a = SATURATION_A * np.expm1(min(-feedback_c / 2 / EMISSION_V, 100))
        conductances_s = np.array([1 / cut_ohm, 1 / boost_ohm, 1 / 470])
        ends_v = np.array([low_pass_c, low_pass_c, wiper_c])
        wiper_v = conductances_s @ ends_v / conductances_s.sum()
        return [
            plus_v / 470e3 / 47e-9,
            leg_a / 47e-9,
            (leg_a - feedback_c / feedback_ohm - one_a + two_a) / 51e-12,
            ((plus_v + feedback_c - low_pass_c) / 10e3 - (low_pass_c - wiper_v) / cut_ohm) / 18e-9,
            (wiper_v - wiper_c) / 470 / 27e-9,
            ((low_pass_c - wiper_v) / boost_ohm - boost_c / 10e3) / 10e-9,
            (low_pass_c + boost_c - state[6]) / 1e6 / 47e-9,
        ]

    return derivative


@with_every_signal
def test_agrees_with_an_adaptive_stiff_integrator(signal: Signal, settings: Settings) -> None:
    states = reference.integrate(
        node_equations(signal, settings["drive"], settings["tone"]), np.zeros(7)
    )
    tone_out_v = states[3] + states[5]
    output_v = settings["level"] * (10e3 / 14.7e3) * (tone_out_v - states[6])
    assert reference.error_against(output_v, SD1, signal, settings) < 3e-4


@pytest.mark.system
@reference.needs_ngspice
@with_every_signal
def test_agrees_with_ngspice(signal: Signal, settings: Settings, tmp_path: Path) -> None:
    drive, tone, level = settings["drive"], settings["tone"], settings["level"]
    netlist = f"""
C1 in plus 47n
R1 plus 0 470k
Eclip clip 0 plus minus 1e6
Rleg minus leg 4.7k
Cleg leg 0 47n
Rdrive minus clip {33e3 + 1e6 * drive}
Cdrive minus clip 51p
D1 clip minus small
D2 minus middle small
D3 middle clip small
.model small D(IS=2.52n N={EMISSION_V / 0.02585})
Rtone clip tplus 10k
Ctone tplus 0 18n
Rcut tplus wiper {20e3 * tone}
Rboost wiper tminus {20e3 * (1 - tone)}
Rwiper wiper wleg 470
Cwiper wleg 0 27n
Etone tout 0 tplus tminus 1e6
Rback tout tminus 10k
Cback tout tminus 10n
Elevel pot 0 tout 0 {level * 10 / 14.7}
Cout pot out 47n
Rout out 0 1meg
"""
    input_v = f"{SD1.dry_full_scale_v}*({signal.spice})"
    output_v = reference.run_ngspice(tmp_path, input_v, netlist, "out")
    assert reference.error_against(output_v, SD1, signal, settings) < 3e-4


def linear_gain(frequency_hz: float, drive: float, tone: float, level: float) -> complex:
    """Small-signal gain in volts per volt: nodal analysis with the diodes' slopes at 0 V."""
    s = 2j * np.pi * frequency_hz
    cut_s, boost_s = 1 / (20e3 * tone), 1 / (20e3 * (1 - tone))
    wiper_s = 1 / (470 + 1 / (s * 27e-9))
    back_s = 1 / 10e3 + s * 10e-9
    # Unknowns: both tone inputs (one voltage), the wiper, the tone stage's output.
    nodes = np.array(
        [
            [1 / 10e3 + s * 18e-9 + cut_s, -cut_s, 0],
            [-(cut_s + boost_s), cut_s + boost_s + wiper_s, 0],
            [back_s + boost_s, -boost_s, -back_s],
        ]
    )
    tone_gain = np.linalg.solve(nodes, [1 / 10e3, 0, 0])[2]
    diodes_s = SATURATION_A / EMISSION_V * 1.5
    feedback_s = 1 / (33e3 + 1e6 * drive) + diodes_s + s * 51e-12
    clip_gain = 1 + 1 / (4.7e3 + 1 / (s * 47e-9)) / feedback_s
    input_gain = 470e3 / (470e3 + 1 / (s * 47e-9))
    output_gain = level * 10 / 14.7 * 1e6 / (1e6 + 1 / (s * 47e-9))
    return complex(input_gain * clip_gain * tone_gain * output_gain)


@pytest.mark.parametrize("tone", [0.1, 0.5, 0.9])
def test_small_signal_response_is_that_of_the_linearised_circuit(tone: float) -> None:
    measured = reference.small_signal_gain(SD1, 1e-4, tone=tone)
    expected = np.array([linear_gain(f, 0.5, tone, 0.5) for f in reference.FREQUENCIES_HZ])
    # The bilinear transform's warping grows with the square of frequency: 1 % at 15 kHz.
    np.testing.assert_allclose(np.abs(measured / expected)[:6], 1, atol=2e-3)
    np.testing.assert_allclose(np.abs(measured / expected), 1, atol=1.5e-2)
    np.testing.assert_allclose(np.angle(measured / expected), 0, atol=1.5e-2)


def test_asymmetric_clipping_makes_even_harmonics() -> None:
    dry = np.sin(2 * np.pi * 441 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    wet = SD1.render(dry, RATE_HZ)[RATE_HZ // 2 :]
    spectrum = np.abs(np.fft.rfft(wet))
    fundamental, second = (spectrum[441 * k // 2] for k in (1, 2))
    assert second > 0.03 * fundamental


def test_the_two_diodes_are_on_the_negative_side() -> None:
    pulse = np.zeros(2000, np.float32)
    pulse[1000:1040] = np.hanning(40)
    up, down = SD1.render(pulse, RATE_HZ), SD1.render(-pulse, RATE_HZ)
    assert -down.min() > 1.3 * up.max()


def test_newton_finds_the_clipper_voltage_from_any_guess() -> None:
    conductance_s = 3.6e-5
    for magnitude_a in np.logspace(-12, 1, 40):
        for total_a in (-magnitude_a, magnitude_a):
            roots = [_clipper_voltage(total_a, conductance_s, guess) for guess in (-50, 0, 50)]
            one_a = SATURATION_A * np.expm1(roots[0] / EMISSION_V)
            two_a = SATURATION_A * np.expm1(-roots[0] / 2 / EMISSION_V)
            assert conductance_s * roots[0] + one_a - two_a == pytest.approx(total_a, rel=1e-6)
            np.testing.assert_allclose(roots, roots[0], atol=1e-10)


def test_settles_after_full_scale_noise_at_full_drive() -> None:
    rng = np.random.default_rng(7)
    dry = np.zeros(RATE_HZ, np.float32)
    dry[:4000] = rng.choice([-1.0, 1.0], 4000)
    wet = SD1.render(dry, RATE_HZ, drive=1.0)
    assert np.isfinite(wet).all()
    assert np.abs(wet[-RATE_HZ // 4 :]).max() < 1e-4


def test_the_reference_signals_end_in_silence() -> None:
    """What is cut off at the end would ring in the resampler and blur the comparisons."""
    for signal in reference.SIGNALS.values():
        assert abs(float(signal.at(np.array(reference.DURATION_S)))) < 1e-12
