"""How long a grid would take on this machine, from a short measurement."""

from __future__ import annotations

import time
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from models.architecture import Architecture
from study import engine
from study.grid import Grid

BATCHES = 40


@dataclass(frozen=True)
class Estimate:
    """What a dry run tells.

    Attributes:
        runs: how many there are.
        hours: wall time, training only, with one worker a core.
        frames_per_second: measured for each architecture, one core.
    """

    runs: int
    hours: float
    frames_per_second: dict[Architecture, float]


def estimate(grid: Grid, workers: int) -> Estimate:
    """Train each distinct architecture for a moment and scale up.

    The measurement runs on one thread of this process; compilation is left out, as it
    is paid once an architecture.
    """
    speeds: dict[tuple[Architecture, str, int], float] = {}
    core_seconds = 0.0
    for config in grid.runs:
        key = (config.architecture, config.loss, config.batch_size)
        if key not in speeds:
            speeds[key] = _frames_per_second(*key)
        core_seconds += config.training_frames * config.epochs / speeds[key]
    by_architecture = {architecture: rate for (architecture, _, _), rate in speeds.items()}
    return Estimate(len(grid.runs), core_seconds / workers / 3600, by_architecture)


def _frames_per_second(architecture: Architecture, loss: str, batch_size: int) -> float:
    samples = architecture.frame_size + 20_000
    rng = np.random.default_rng(0)
    signal = jnp.asarray(0.1 * rng.standard_normal(samples), jnp.float32)
    count = BATCHES * batch_size
    targets = rng.integers(architecture.frame_size, samples, count).astype(np.int32)
    epoch = engine.compiled_epoch(architecture, loss, samples, count, batch_size)
    state = engine.initial_state(architecture, seed=0)
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        _, losses = epoch(state, signal, signal, *engine.batches_of(targets, batch_size))
        losses.block_until_ready()
        seconds.append(time.perf_counter() - started)
    return count / min(seconds)
