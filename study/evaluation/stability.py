"""Does a model that carries its state come to rest, and stay there?

A state can hold a model away from rest for good, let it howl, or make it forget a loud burst
too slowly. Errors on music seldom show it: an amplifier that is switched on and left alone does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from data.audio import Samples
from models.architecture import Architecture
from models.families import FAMILIES
from study.rendering.streaming import BLOCK_SAMPLES, compiled_step, stream, zero_states

SETTLING_S, BURST_S, RECOVERY_S = 2.0, 0.5, 1.0
LISTENED_S = 0.5

MOST_IDLE_NOISE_DB = -80.0
MOST_RECOVERY_DB = -80.0
MOST_IDLE_DC_DB = -40.0  # converters are coupled by capacitors; more would eat into their range

# What cannot be told as a number: no sound at all, and a model that left all bounds.
_FLOOR_DB, _CEILING_DB, _NO_RADIUS = -240.0, 240.0, 1e6


class Stability(NamedTuple):
    """What was found of a model.

    Attributes:
        rest_radius: largest modulus of the eigenvalues of the state's step, linearised where
            silence leaves it; 1 or more does not return from a small disturbance. 0 of a model
            whose state holds the past alone: it has forgotten a disturbance after its reach.
        idle_dc_db: mean output in silence, dB of full scale.
        idle_noise_db: what of the output in silence is not its mean, root mean square.
        recovery_db: largest distance from the idle output from one second after a burst at
            full scale on.
    """

    rest_radius: float
    idle_dc_db: float
    idle_noise_db: float
    recovery_db: float

    def objections(self) -> list[str]:
        """Why the model must not be played; nothing where it is stable."""
        found = []
        if not self.rest_radius < 1:
            found.append(f"its state leaves rest (radius {self.rest_radius:.4f})")
        if not self.idle_noise_db <= MOST_IDLE_NOISE_DB:
            found.append(f"it sounds in silence ({self.idle_noise_db:.0f} dB of full scale)")
        if not self.idle_dc_db <= MOST_IDLE_DC_DB:
            found.append(f"silence comes out as an offset of {self.idle_dc_db:.0f} dB")
        if not self.recovery_db <= MOST_RECOVERY_DB:
            found.append(
                f"{RECOVERY_S:g} s after a loud burst it is {self.recovery_db:.0f} dB off its rest"
            )
        return found


def measure(
    architecture: Architecture,
    weights: list[jax.Array],
    sample_rate_hz: int,
    controls: Sequence[float] = (),
) -> Stability:
    """Let a model settle, hit it with a burst, and listen to the silence before and after.

    Args:
        architecture: of a family with a state.
        weights: as it streams.
        sample_rate_hz: of the model.
        controls: setting of the effect.
    """
    rate_hz = sample_rate_hz
    has_feedback = FAMILIES[architecture.family].has_feedback
    settling, burst = _silence(SETTLING_S, rate_hz), _burst(rate_hz)
    dry = np.concatenate([settling, burst, _silence(RECOVERY_S + LISTENED_S, rate_hz)])
    wet = stream(architecture, weights, dry[None], controls)[0].astype(np.float64)
    listened = round(LISTENED_S * rate_hz)
    idle = wet[len(settling) - listened : len(settling)]
    return Stability(
        _rest_radius(architecture, weights, rate_hz, controls) if has_feedback else 0.0,
        _db(abs(idle.mean())),
        _db(idle.std()),
        _db(np.abs(wet[-listened:] - idle.mean()).max()),
    )


def _silence(seconds: float, rate_hz: int) -> Samples:
    return np.zeros(round(seconds * rate_hz), np.float32)


def _burst(rate_hz: int) -> Samples:
    """Noise, then a low square wave, both at full scale."""
    samples = round(BURST_S * rate_hz) // 2
    noise = np.random.default_rng(0).uniform(-1, 1, samples)
    square = np.sign(np.sin(2 * np.pi * 82.4 * np.arange(samples) / rate_hz))
    return np.concatenate([noise, square]).astype(np.float32)


def _rest_radius(
    architecture: Architecture, weights: list[jax.Array], rate_hz: int, controls: Sequence[float]
) -> float:
    def silence(samples: int) -> jax.Array:
        channels = jnp.asarray([0.0, *controls], jnp.float32)
        return jnp.broadcast_to(channels, (1, samples, len(channels)))

    states = zero_states(architecture, 1)
    settle = compiled_step(architecture, 1, BLOCK_SAMPLES)
    for _ in range(round(SETTLING_S * rate_hz) // BLOCK_SAMPLES):
        _, *states = settle(weights, silence(BLOCK_SAMPLES), states)
    sizes = np.cumsum([state.size for state in states])[:-1]
    one = compiled_step(architecture, 1, 1)

    # Central differences: the step is compiled as it plays, and has some dozen numbers.
    rest = np.concatenate([np.asarray(state, np.float64).ravel() for state in states])
    width = 1e-3

    def after(flat: np.ndarray) -> np.ndarray:
        parts = [jnp.asarray(part[None], jnp.float32) for part in np.split(flat, sizes)]
        _, *next_states = one(weights, silence(1), parts)
        return np.concatenate([np.asarray(state, np.float64).ravel() for state in next_states])

    slopes = [
        (after(rest + width * unit) - after(rest - width * unit)) / (2 * width)
        for unit in np.eye(len(rest))
    ]
    if not np.isfinite(slopes).all():
        return _NO_RADIUS
    return float(np.abs(np.linalg.eigvals(np.array(slopes).T)).max())


def _db(level: float) -> float:
    """Of full scale; NaN and infinity are as loud as can be."""
    if not np.isfinite(level):
        return _CEILING_DB
    return float(max(_FLOOR_DB, 20 * np.log10(max(level, 1e-30))))
