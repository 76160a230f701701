"""One run's training: epochs, validation, early stopping, checkpoints, resumption.

The order of frames in an epoch depends on the seed and the epoch's number alone, and
the checkpoint holds weights and optimiser to the last bit, so a run that was killed
and goes on ends exactly where an undisturbed one does.
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np

from data import frames
from data.frames import Indices
from models.framed import build
from study import antialiasing, engine, files
from study.engine import TrainingState
from study.grid import RunConfig
from study.material import Material
from study.store import CHECKPOINT_EVERY_S, RunFolder


class TrainingDivergedError(Exception):
    """The loss is no longer a number; the same run would fail the same way again."""


class EpochReport(NamedTuple):
    """What is known after an epoch, for whoever follows the training."""

    epoch: int
    loss: float
    validation_loss: float
    frames_per_second: float


@dataclass
class Progress:
    """Where a training is: the state, its history, and the best weights so far.

    Attributes:
        state: weights and optimiser after ``epoch`` epochs.
        epoch: epochs done.
        losses, validation_losses: one number an epoch.
        best_epoch, best_weights: those of the lowest validation loss.
        seconds: spent in training epochs, compilation apart.
        fine_tuning_seconds: spent in fine-tuning against aliases, compilation included.
    """

    state: TrainingState
    epoch: int = 0
    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    best_epoch: int = 0
    best_weights: list[jax.Array] = field(default_factory=list)
    seconds: float = 0.0
    fine_tuning_seconds: float = 0.0

    def is_stopped(self, config: RunConfig) -> bool:
        """Whether training is over, by its length or by its patience."""
        impatient = config.patience and self.epoch - self.best_epoch >= config.patience
        return self.epoch >= config.epochs or bool(impatient)


def train(
    config: RunConfig,
    material: Material,
    folder: RunFolder,
    after_epoch: Callable[[EpochReport], None] = lambda report: None,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> Progress:
    """Train a run to its end, from its last checkpoint if it has one.

    Args:
        config: the run.
        material: its pair and split.
        folder: where its files go.
        after_epoch: called with a report after every epoch.
        checkpoint_every_s: seconds of training between two checkpoints.

    Keeps the weights at the run's checkpoint epochs and, at the end, ``model.keras``
    (best weights with patience, else the last; fine-tuned against aliases if the run
    asks for it) and ``history.csv``.

    Raises:
        InputError: too few frames in a split.
        TrainingDivergedError: the loss became infinite or NaN.
    """
    progress = _resumed(folder) or Progress(engine.initial_state(config.architecture, config.seed))
    targets = _drawn(config, material, "train")
    validation = _validation_batches(_drawn(config, material, "validation"))
    dry, wet = jax.device_put(material.pair.dry), jax.device_put(material.pair.wet)
    compiled = engine.compiled_epoch(
        config.architecture,
        config.loss,
        len(material.pair.dry),
        len(targets),
        config.batch_size,
        config.weight_decay,
    )
    functions = engine.program(config.architecture, config.loss, config.weight_decay)
    saved = time.monotonic()
    while not progress.is_stopped(config):
        started = time.perf_counter()
        order = np.random.default_rng([config.seed, progress.epoch]).permutation(len(targets))
        rate = engine.learning_rate_at(
            progress.epoch, config.epochs, config.learning_rate, config.schedule
        )
        state, losses = compiled(
            engine.with_learning_rate(progress.state, rate),
            dry,
            wet,
            *engine.batches_of(targets[order], config.batch_size),
        )
        loss = float(losses.mean())
        elapsed = time.perf_counter() - started
        validation_loss = float(functions.loss(state.weights, dry, wet, validation))
        _advance(progress, state, loss, validation_loss, elapsed)
        _refuse_divergence(progress)
        if progress.epoch in config.checkpoint_epochs:
            save_model(config, state.weights, folder.model_file(progress.epoch))
        if time.monotonic() - saved >= checkpoint_every_s:
            _save(progress, folder.checkpoint_file)
            saved = time.monotonic()
        after_epoch(EpochReport(progress.epoch, loss, validation_loss, len(targets) / elapsed))
    _save(progress, folder.checkpoint_file)
    weights = progress.best_weights if config.patience else progress.state.weights
    if config.antialias_epochs:
        # Not checkpointed: seconds, and decided by the weights and the seed alone.
        started = time.perf_counter()
        weights = antialiasing.fine_tune(config, material, weights, targets)
        progress.fine_tuning_seconds = time.perf_counter() - started
    _finish(config, progress, weights, folder)
    return progress


def final_epoch(config: RunConfig, progress: Progress) -> int:
    """The epoch whose weights ``model.keras`` holds."""
    return progress.best_epoch if config.patience else progress.epoch


def save_model(config: RunConfig, weights: list[jax.Array], path: Path) -> None:
    """Write a Keras model of plain layers with these weights, whole."""
    model = build(config.architecture, config.seed)
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    files.write_whole(path, model.save)


def load_weights(path: Path) -> list[jax.Array]:
    """The weights of a saved model, in the order the engine takes them."""
    model = keras.saving.load_model(path, compile=False)
    return [jnp.asarray(v.value) for v in model.trainable_variables]


def _drawn(config: RunConfig, material: Material, part: str) -> Indices:
    """Targets of the frames that this run trains or validates on."""
    reach = engine.reach(config.architecture, config.loss)
    if part == "train":
        return frames.draw(material.split.train, reach, config.training_frames, config.seed)
    # The same validation frames for all seeds, so that their losses compare.
    count = min(config.validation_frames, frames.frames_in(material.split.validation, reach))
    return frames.draw(material.split.validation, reach, count, seed=0)


def _validation_batches(targets: Indices) -> Indices:
    size = min(256, len(targets))
    return engine.batches_of(targets, size)[0]


def _advance(
    progress: Progress, state: TrainingState, loss: float, validation_loss: float, seconds: float
) -> None:
    progress.state = state
    progress.epoch += 1
    progress.seconds += seconds
    progress.losses.append(loss)
    if not progress.validation_losses or validation_loss < min(progress.validation_losses):
        progress.best_epoch, progress.best_weights = progress.epoch, state.weights
    progress.validation_losses.append(validation_loss)


def _refuse_divergence(progress: Progress) -> None:
    if not np.isfinite([progress.losses[-1], progress.validation_losses[-1]]).all():
        raise TrainingDivergedError(
            f"training diverged: the loss is {progress.losses[-1]} after epoch "
            f"{progress.epoch}; lower the learning rate"
        )


def _save(progress: Progress, path: Path) -> None:
    arrays: dict[str, Any] = {
        "epoch": progress.epoch,
        "losses": progress.losses,
        "validation_losses": progress.validation_losses,
        "best_epoch": progress.best_epoch,
        "seconds": progress.seconds,
    }
    for name, values in (
        ("weights", progress.state.weights),
        ("optimiser", progress.state.optimiser),
        ("best_weights", progress.best_weights),
    ):
        arrays |= {f"{name}_{k:03d}": np.asarray(value) for k, value in enumerate(values)}
    files.write_whole(path, lambda aside: np.savez(aside, **arrays))


def losses_so_far(folder: RunFolder) -> list[float]:
    """Validation losses of the epochs that an unfinished training has behind it."""
    progress = _resumed(folder)
    return progress.validation_losses if progress else []


def _resumed(folder: RunFolder) -> Progress | None:
    """The training as its checkpoint has it, or None if there is no whole one."""
    try:
        return _restored(folder.checkpoint_file)
    except (FileNotFoundError, zipfile.BadZipFile, EOFError, ValueError, KeyError):
        return None


def _restored(path: Path) -> Progress:
    with np.load(path) as kept:

        def numbered(name: str) -> list[jax.Array]:
            return [jnp.asarray(kept[key]) for key in sorted(kept) if key.startswith(f"{name}_")]

        return Progress(
            TrainingState(numbered("weights"), numbered("optimiser")),
            int(kept["epoch"]),
            kept["losses"].tolist(),
            kept["validation_losses"].tolist(),
            int(kept["best_epoch"]),
            numbered("best_weights"),
            float(kept["seconds"]),
        )


def _finish(
    config: RunConfig, progress: Progress, weights: list[jax.Array], folder: RunFolder
) -> None:
    save_model(config, weights, folder.model_file())
    rows = ["epoch,loss,validation_loss"] + [
        f"{epoch},{loss!r},{validation!r}"
        for epoch, (loss, validation) in enumerate(
            zip(progress.losses, progress.validation_losses, strict=True), 1
        )
    ]
    files.write_text(folder.history_file, "\n".join(rows) + "\n")
