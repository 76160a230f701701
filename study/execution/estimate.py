"""How long a grid would take on this machine, from a short measurement."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from data import audio_streams
from data.frames import Indices, with_controls
from models.architecture import Architecture
from study.config.grid import Grid
from study.config.run import RunConfig
from study.measures import aliasing
from study.rendering.framed import BLOCK_SAMPLES, render
from study.training import compiled, tbptt
from study.training.compiled import Epoch
from study.training.loop import STREAMING_BATCH, STREAMING_LOSS

BATCHES = 40


@dataclass(frozen=True)
class Estimate:
    """What a dry run tells.

    Attributes:
        runs: how many there are.
        hours: wall time of training and evaluation with one worker a core.
        frames_per_second: measured for each architecture and way of training, one core.
    """

    runs: int
    hours: float
    frames_per_second: dict[tuple[Architecture, str], float]


def estimate(grid: Grid, workers: int) -> Estimate:
    """Train and render with each distinct architecture for a moment and scale up.

    The process should be bound to one core, as a worker is. Compilation is left out,
    as it is paid once an architecture.
    """
    rates = _Rates()
    core_seconds = sum(_seconds(config, rates) for config in grid.runs)
    return Estimate(len(grid.runs), core_seconds / workers / 3600, rates.of_training)


class _Rates:
    """Samples a second, measured once for each way of training and rendering."""

    def __init__(self) -> None:
        self.of_training: dict[tuple[Architecture, str], float] = {}
        self._known: dict[object, float] = {}

    def training(self, config: RunConfig) -> float:
        """Of the run's own kind of training."""
        key = (config.architecture, config.training, config.loss, config.batch_size, config.segment)
        if key not in self._known:
            measure = _sequence_rate if config.training == "sequence" else _training_rate
            self._known[key] = measure(config)
            self.of_training[config.architecture, config.training] = self._known[key]
        return self._known[key]

    def tuning(self, config: RunConfig) -> float:
        """Of a framed run's fine-tuning for streaming."""
        own = {"training": "sequence", "loss": STREAMING_LOSS, "batch_size": STREAMING_BATCH}
        return self.training(config.model_copy(update=own))

    def rendering(self, architecture: Architecture) -> float:
        if architecture not in self._known:
            self._known[architecture] = _rendering_rate(architecture)
        return self._known[architecture]


def _seconds(config: RunConfig, rates: _Rates) -> float:
    """Of one core. Streaming renderings are left out: they take a hundredth of framed ones."""
    samples = config.settings_played * 0.8 * _signal_seconds(config) * config.sample_rate_hz
    if config.training == "sequence":
        return config.epochs * samples / rates.training(config)
    # Fine-tuning against aliases has as many frames of sines as of music.
    epochs = config.trained_models * config.epochs + 2 * config.antialias_epochs
    total = epochs * config.training_frames / rates.training(config)
    total += _frames_predicted(config) / rates.rendering(config.architecture)
    if config.streaming_epochs:
        total += config.streaming_epochs * samples / rates.tuning(config)
    return total


def _frames_predicted(config: RunConfig) -> float:
    """Frames of validation after each epoch, and of evaluation at the end."""
    held_out = 0.2 * _signal_seconds(config) * config.sample_rate_hz  # validation and test
    models = 1.0 + len(config.checkpoint_epochs) + sum(config.oversampling)
    standard, notes = (
        sum(probe.period for probe in probes(config.sample_rate_hz))
        for probes in (aliasing.standard_probes, aliasing.note_probes)
    )
    asked = models * standard + notes
    if config.knobs == "faded":  # every model plays the test split
        models += len(config.seen_settings) / 2
    elif config.knobs == "conditioned":  # at every setting
        models += (len(config.seen_settings) + len(config.unseen_settings)) / 2
    validated = config.trained_models * config.epochs * config.validation_frames
    return validated + asked + models * held_out


def _signal_seconds(config: RunConfig) -> float:
    effect = config.made_by
    if effect.kind != "recording":
        return config.signal.seconds
    return audio_streams.form(Path(effect.dry_file)).seconds


def _rendering_rate(architecture: Architecture) -> float:
    """Samples a second."""
    weights = compiled.initial_state(architecture, seed=0).weights
    dry = np.zeros(4 * BLOCK_SAMPLES, np.float32)
    told = [0.0] * architecture.controls
    return len(dry) / render(architecture, weights, dry, told).seconds


def _training_rate(config: RunConfig) -> float:
    """Frames a second."""
    samples = config.frame_size + 20_000
    count = BATCHES * config.batch_size
    targets = np.random.default_rng(0).integers(config.frame_size, samples, count)
    epoch = compiled.compiled_epoch(
        config.architecture, config.loss, samples, count, config.batch_size
    )
    return count / _epoch_seconds(config, epoch, samples, targets.astype(np.int32))


def _sequence_rate(config: RunConfig) -> float:
    """Samples with a loss a second."""
    segment = config.segment
    samples = segment.warmup_samples + 4 * segment.counted_samples
    first = np.full(config.batch_size, segment.warmup_samples, np.int32)
    epoch = tbptt.compiled_epoch(
        config.architecture,
        config.loss,
        compiled.Adam(),
        segment,
        (samples, len(first), len(first)),
    )
    return len(first) * segment.counted_samples / _epoch_seconds(config, epoch, samples, first)


def _epoch_seconds(config: RunConfig, epoch: Epoch, samples: int, examples: Indices) -> float:
    """The least of three epochs on noise."""
    noise = np.float32(0.1) * np.random.default_rng(0).standard_normal(samples, np.float32)
    dry = jnp.asarray(with_controls(noise, [0.0] * config.architecture.controls))
    wet = jnp.asarray(noise)
    state = compiled.initial_state(config.architecture, seed=0)
    batches = compiled.batches_of(examples, config.batch_size)
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        _, losses = epoch(state, dry, wet, *batches)
        losses.block_until_ready()
        seconds.append(time.perf_counter() - started)
    return min(seconds)
