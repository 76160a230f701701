"""The built-in effects: circuits solved by physics, in need of nothing installed.

``CIRCUITS["sd1"].render(dry, 44_100, drive=0.7)`` returns the wet signal. Level means
something to a circuit, so nothing is normalised: full scale of dry and of wet stand for
fixed voltages, named in each circuit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data.audio import Samples
from data.devices.black65 import Black65
from data.devices.oversampling import CircuitModel, oversampling_factor, process_oversampled
from data.devices.sd1 import Sd1
from data.errors import InputError, suggestion

LOWEST_SAMPLE_RATE_HZ = 8_000


@dataclass(frozen=True)
class Control:
    """A knob: its range, where it stands by default and what it does."""

    name: str
    default: float
    minimum: float
    maximum: float
    meaning: str


@dataclass(frozen=True)
class Circuit:
    """An effect that is computed from its schematic.

    Attributes:
        name: key in ``CIRCUITS``.
        meaning: what it is, in one line.
        version: goes up when the same dry and controls give another wet, so that caches
            can tell.
        controls: the knobs.
        dry_full_scale_v: volts at the input for a dry sample of 1.
        wet_full_scale_v: volts at the output for a wet sample of 1.
        model: sets the circuit up, at rest, for an internal rate in Hz and all controls.
    """

    name: str
    meaning: str
    version: int
    controls: tuple[Control, ...]
    dry_full_scale_v: float
    wet_full_scale_v: float
    model: Callable[..., CircuitModel]

    def settings(self, **controls: float) -> dict[str, float]:
        """All controls in the circuit's order, those not named at their defaults.

        Raises:
            InputError: for a control that the circuit lacks or a value out of its range.
        """
        allowed = {control.name: control for control in self.controls}
        for name, value in controls.items():
            if name not in allowed:
                raise InputError(
                    f"control of the circuit {self.name}",
                    expected=" or ".join(allowed),
                    found=repr(name),
                    remedy=suggestion(name, allowed, "Use one of the circuit's own controls."),
                )
            low, high = allowed[name].minimum, allowed[name].maximum
            if not low <= value <= high:
                raise InputError(
                    f"control {name} of the circuit {self.name}",
                    expected=f"a number from {low:g} to {high:g}",
                    found=f"{value:g}",
                    remedy=f"{name} is {allowed[name].meaning}; bring it into its range.",
                )
        return {name: float(controls.get(name, c.default)) for name, c in allowed.items()}

    def render(self, dry: Samples, sample_rate_hz: int, **controls: float) -> Samples:
        """The wet signal of a dry one, from rest, the same at every call.

        Wet is aligned with dry: no delay but the circuit's own phase. At the default
        controls wet stays within [-1, 1] for dry within [-1, 1] (the worst of full-scale
        noise, pulses and square waves reach 0.83); at others it may not, and is not clipped.

        Args:
            dry: shape ``(samples,)``, full scale at 1.
            sample_rate_hz: samples per second, 8,000 or more.
            controls: values by name; those left out stand at their defaults.

        Returns:
            float32, shape ``(samples,)``.

        Raises:
            InputError: for an unknown control, a value out of range, a dry signal that
                is not mono and finite, or too low a sample rate.
        """
        settings = self.settings(**controls)
        _check_dry(self.name, dry, sample_rate_hz)
        factor = oversampling_factor(sample_rate_hz)
        model = self.model(factor * sample_rate_hz, **settings)
        input_v = self.dry_full_scale_v * np.asarray(dry, np.float64)
        output_v = process_oversampled(model, input_v, sample_rate_hz, factor)
        return np.asarray(output_v / self.wet_full_scale_v, np.float32)


def _check_dry(circuit_name: str, dry: Samples, sample_rate_hz: int) -> None:
    if dry.ndim != 1:
        raise InputError(
            f"dry signal for the circuit {circuit_name}",
            expected="mono samples, shape (samples,)",
            found=f"shape {dry.shape}",
            remedy="Average or pick the channels first.",
        )
    if not np.isfinite(dry).all():
        raise InputError(
            f"dry signal for the circuit {circuit_name}",
            expected="finite samples",
            found=f"NaN or infinity, first at sample {int(np.argmin(np.isfinite(dry)))}",
            remedy="Repair the dry signal.",
        )
    if sample_rate_hz < LOWEST_SAMPLE_RATE_HZ:
        raise InputError(
            f"sample rate for the circuit {circuit_name}",
            expected=f"{LOWEST_SAMPLE_RATE_HZ} Hz or more",
            found=f"{sample_rate_hz} Hz",
            remedy="Resample the dry signal.",
        )


SD1 = Circuit(
    name="sd1",
    meaning="overdrive pedal after the Boss SD-1: asymmetric diode clipping, almost no memory",
    version=1,
    controls=(
        Control("drive", 0.5, 0.0, 1.0, "the drive pot, from little gain to most"),
        Control("tone", 0.5, 0.0, 1.0, "the tone pot, from dark to bright"),
        Control("level", 0.5, 0.0, 1.0, "the level pot, from silence to loudest"),
    ),
    dry_full_scale_v=0.5,
    wet_full_scale_v=0.8,
    model=Sd1,
)

BLACK65 = Circuit(
    name="black65",
    meaning="12AX7 triode gain stage after 1965 Fender amplifiers: grid conduction, memory",
    version=1,
    controls=(
        Control("gain", 0.4, 0.0, 1.0, "the fraction of the input that reaches the tube"),
        Control("level", 0.5, 0.0, 1.0, "the fraction of the output that is passed on"),
    ),
    dry_full_scale_v=10.0,
    wet_full_scale_v=120.0,
    model=Black65,
)

CIRCUITS: dict[str, Circuit] = {circuit.name: circuit for circuit in (SD1, BLACK65)}
