"""How long a grid would take on this machine, from a short measurement."""

from __future__ import annotations

import time
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from data import audio
from models.architecture import Architecture
from study import engine
from study.grid import Grid, RunConfig
from study.rendering import BLOCK_SAMPLES, render

BATCHES = 40


@dataclass(frozen=True)
class Estimate:
    """What a dry run tells.

    Attributes:
        runs: how many there are.
        hours: wall time of training and evaluation with one worker a core.
        frames_per_second: measured for each architecture, one core.
    """

    runs: int
    hours: float
    frames_per_second: dict[Architecture, float]


def estimate(grid: Grid, workers: int) -> Estimate:
    """Train and render with each distinct architecture for a moment and scale up.

    The process should be bound to one core, as a worker is. Compilation is left out,
    as it is paid once an architecture.
    """
    training: dict[tuple[Architecture, str, int], float] = {}
    rendering: dict[Architecture, float] = {}
    core_seconds = 0.0
    for config in grid.runs:
        key = (config.architecture, config.loss, config.batch_size)
        if key not in training:
            training[key] = _training_rate(*key)
        if config.architecture not in rendering:
            rendering[config.architecture] = _rendering_rate(config.architecture)
        core_seconds += config.training_frames * config.epochs / training[key]
        core_seconds += _frames_predicted(config) / rendering[config.architecture]
    by_architecture = {architecture: rate for (architecture, _, _), rate in training.items()}
    return Estimate(len(grid.runs), core_seconds / workers / 3600, by_architecture)


def _frames_predicted(config: RunConfig) -> float:
    """Frames of validation after each epoch, and of evaluation at the end."""
    effect = config.made_by
    seconds = config.signal.seconds
    if effect.kind == "recording":
        recording = audio.read(effect.dry_file)
        seconds = len(recording.samples) / recording.sample_rate_hz
    held_out = 0.2 * seconds * config.sample_rate_hz  # validation and test split
    models = 1 + len(config.checkpoint_epochs)
    return config.epochs * config.validation_frames + models * held_out


def _rendering_rate(architecture: Architecture) -> float:
    """Samples a second."""
    weights = engine.initial_state(architecture, seed=0).weights
    dry = np.zeros(4 * BLOCK_SAMPLES, np.float32)
    return len(dry) / render(architecture, weights, dry).seconds


def _training_rate(architecture: Architecture, loss: str, batch_size: int) -> float:
    """Frames a second."""
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
