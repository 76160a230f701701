"""Test signals and independent solvers that the circuits are compared with.

A signal here is a function of continuous time, so that a reference solver may choose
its own time steps; the circuit under test gets its samples.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soxr
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline

from data.audio import Samples
from data.devices.circuits import Circuit

Array = npt.NDArray[np.float64]

RATE_HZ = 44_100
REFERENCE_FACTOR = 16
REFERENCE_RATE_HZ = REFERENCE_FACTOR * RATE_HZ
DURATION_S = 0.03
SAMPLES = round(DURATION_S * RATE_HZ)
FREQUENCIES_HZ = np.array([30.0, 82, 196, 720, 1500, 4000, 9000, 15000])

Settings = Mapping[str, float]

needs_ngspice = pytest.mark.skipif(
    shutil.which("ngspice") is None, reason="ngspice is not installed (apt-get install ngspice)"
)


@dataclass(frozen=True)
class Signal:
    """A dry signal: as a function of time in seconds, and the same as an ngspice expression."""

    at: Callable[[Array], Array]
    spice: str


def _burst(frequency_hz: float, amplitude: float) -> Signal:
    def burst(time_s: Array) -> Array:
        window = np.sin(np.pi * time_s / DURATION_S) ** 2
        return np.asarray(amplitude * window * np.sin(2 * np.pi * frequency_hz * time_s))

    tone = f"sin({2 * np.pi * frequency_hz}*time)"
    return Signal(burst, f"{amplitude}*sin({np.pi / DURATION_S}*time)^2*{tone}")


def _pluck() -> Signal:
    """A G string: five harmonics, struck within 2 ms, decaying, and faded out at the end."""

    def pluck(time_s: Array) -> Array:
        attack = np.sin(np.pi / 2 * np.minimum(time_s / 0.002, 1)) ** 2
        fade = np.sin(np.pi / 2 * np.minimum((DURATION_S - time_s) / 0.005, 1)) ** 2
        string = [np.sin(2 * np.pi * 196 * k * time_s) / k for k in range(1, 6)]
        return np.asarray(0.5 * attack * fade * np.exp(-time_s / 0.012) * np.sum(string, axis=0))

    attack = f"sin({np.pi / 2}*min(time/0.002,1))^2"
    fade = f"sin({np.pi / 2}*min(({DURATION_S}-time)/0.005,1))^2"
    string = "+".join(f"sin({2 * np.pi * 196 * k}*time)/{k}" for k in range(1, 6))
    return Signal(pluck, f"0.5*{attack}*{fade}*exp(-time/0.012)*({string})")


SIGNALS = {
    "quiet burst": _burst(440, 0.02),
    "loud burst": _burst(1000, 1.0),
    "pluck": _pluck(),
}


def with_every_signal(*settings: Settings) -> pytest.MarkDecorator:
    """Run a test of ``signal`` and ``settings`` with every signal at each of the settings."""
    cases = list(itertools.product(SIGNALS, settings))
    return pytest.mark.parametrize(
        ("signal", "settings"),
        [(SIGNALS[name], chosen) for name, chosen in cases],
        ids=[f"{name}, " + " ".join(map(str, chosen.values())) for name, chosen in cases],
    )


def dry_samples(signal: Signal) -> Samples:
    return signal.at(np.arange(SAMPLES) / RATE_HZ).astype(np.float32)


def reference_times_s() -> Array:
    return np.arange(SAMPLES * REFERENCE_FACTOR) / REFERENCE_RATE_HZ


def to_audio_rate(fine: Array) -> Array:
    return np.asarray(soxr.resample(fine, REFERENCE_RATE_HZ, RATE_HZ, quality="VHQ"))


def relative_rms_error(reference: Array, actual: Samples) -> float:
    """RMS of the difference over RMS of the reference; both of the same length."""
    difference = reference - actual.astype(np.float64)
    return float(np.sqrt(np.sum(difference**2) / np.sum(reference**2)))


def error_against(
    reference_v: Array, circuit: Circuit, signal: Signal, settings: Settings
) -> float:
    """Relative RMS error of a circuit's output, the true one given at ``reference_times_s``."""
    reference = to_audio_rate(reference_v) / circuit.wet_full_scale_v
    wet = circuit.render(dry_samples(signal), RATE_HZ, **settings)
    return relative_rms_error(reference, wet)


def integrate(derivative: Callable[[float, Array], Sequence[float]], start: Array) -> Array:
    """States at ``reference_times_s``, shape ``(states, times)``, by LSODA's adaptive BDF."""
    times_s = reference_times_s()
    solution = solve_ivp(
        derivative,
        (0, times_s[-1]),
        start,
        method="LSODA",
        t_eval=times_s,
        rtol=1e-6,
        atol=1e-9,
        max_step=2e-5,
    )
    assert solution.success, solution.message
    return np.asarray(solution.y)


def run_ngspice(folder: Path, input_v: str, netlist: str, output_node: str) -> Array:
    """Voltage of a node over ``reference_times_s``; the netlist's input is node ``in``.

    Args:
        folder: for the netlist and ngspice's result.
        input_v: the source's voltage, an expression in ``time``.
        netlist: all elements but the input source.
        output_node: the node to read.
    """
    (folder / "circuit.cir").write_text(
        f"circuit\nBin in 0 V={input_v}\n{netlist}\n"
        ".options reltol=1e-5 abstol=1e-14 vntol=1e-8 gmin=1e-15 temp=26.85 tnom=26.85\n"
        f".tran 1u {DURATION_S} 0 1u\n"
        f".control\nrun\nwrdata result.data v({output_node})\nquit 0\n.endc\n.end\n"
    )
    command = ["ngspice", "-b", "circuit.cir"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    time_s, voltage_v = np.loadtxt(folder / "result.data").T
    return np.asarray(CubicSpline(time_s, voltage_v)(reference_times_s()))


def small_signal_gain(circuit: Circuit, height: float, **settings: float) -> Array:
    """Complex gain in volts per volt at ``FREQUENCIES_HZ``, from an impulse of that height.

    The frequencies fall on bins of the DFT over the second that is rendered.
    """
    impulse = np.zeros(RATE_HZ, np.float32)
    impulse[1000] = height
    wet = circuit.render(impulse, RATE_HZ, **settings)
    gain = np.fft.rfft(wet.astype(np.float64)) / np.fft.rfft(impulse.astype(np.float64))
    volts = circuit.wet_full_scale_v / circuit.dry_full_scale_v
    return np.asarray(volts * gain[FREQUENCIES_HZ.astype(int)])
