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
import numpy as np

from data import files
from study.config.run import RunConfig
from study.dataset import Material
from study.rendering.weights import save_model
from study.store.folders import CHECKPOINT_EVERY_S, RunFolder
from study.training import antialias_finetuning, compiled, input_pipeline
from study.training.compiled import TrainingState
from study.training.input_pipeline import Course, Exam

# Fine-tuning for streaming: of the training's own highest rate, segments a step, and loss.
STREAMING_RATE_SHARE = 0.3
STREAMING_BATCH = 16
STREAMING_LOSS = "esr_preemph_dc"


class TrainingDivergedError(Exception):
    """The loss is no longer a number; the same run would fail the same way again."""


class EpochReport(NamedTuple):
    """What is known after an epoch, for whoever follows the training.

    Attributes:
        epoch: of the stage.
        loss, validation_loss: of the stage's loss.
        frames_per_second: samples with a loss.
        stage: ``training``, or ``streaming`` for the fine-tuning after it.
        model: how many models of the run were trained before this one.
    """

    epoch: int
    loss: float
    validation_loss: float
    frames_per_second: float
    stage: str = "training"
    model: int = 0


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
        streaming_seconds: spent in the epochs of fine-tuning for streaming.
    """

    state: TrainingState
    epoch: int = 0
    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    best_epoch: int = 0
    best_weights: list[jax.Array] = field(default_factory=list)
    seconds: float = 0.0
    fine_tuning_seconds: float = 0.0
    streaming_seconds: float = 0.0


class Plan(NamedTuple):
    """How long a training goes on, and at which rates.

    Attributes:
        epochs: at most.
        learning_rate, schedule: ``engine.learning_rate_at`` has them.
        patience: epochs without a better validation loss before it stops; 0 for none.
        salt: closes the seed of an epoch's order, so that stages do not share orders.
        stage: what it is called.
    """

    epochs: int
    learning_rate: float
    schedule: str
    patience: int = 0
    salt: tuple[int, ...] = ()
    stage: str = "training"

    def is_over(self, progress: Progress) -> bool:
        """Whether training has ended, by its length or by its patience."""
        waited = progress.epoch - progress.best_epoch
        return progress.epoch >= self.epochs or bool(self.patience and waited >= self.patience)


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
    asks for it) and ``history.csv``; then ``streaming.keras`` if it asks for that.

    Raises:
        InputError: too few frames in a split.
        TrainingDivergedError: the loss became infinite or NaN.
    """
    plan = Plan(config.epochs, config.learning_rate, config.schedule, config.patience)
    if config.training == "sequence":
        course, exam = input_pipeline.sequences(config, material, config.loss, config.batch_size)
    else:
        course, exam = input_pipeline.framed(config, material)
    watch = _Watch(after_epoch, checkpoint_every_s)

    def keep(progress: Progress) -> None:
        if progress.epoch in config.checkpoint_epochs:
            save_model(config, progress.state.weights, folder.model_file(progress.epoch))

    progress = _resumed(folder.checkpoint_file) or Progress(
        compiled.initial_state(config.architecture, config.seed)
    )
    _learn(config, plan, course, exam, progress, folder.checkpoint_file, watch, keep)
    weights = progress.best_weights if config.patience else progress.state.weights
    if config.antialias_epochs:
        # Not checkpointed: seconds, and decided by the weights and the seed alone.
        started = time.perf_counter()
        weights = antialias_finetuning.fine_tune(config, material, weights)
        progress.fine_tuning_seconds = time.perf_counter() - started
    _finish(config, progress, weights, folder)
    if config.streaming_epochs:
        tuned = _tune_for_streaming(config, material, weights, folder, watch)
        progress.streaming_seconds = tuned.seconds
    return progress


class _Watch(NamedTuple):
    """Who follows a training, and how often it is saved."""

    after_epoch: Callable[[EpochReport], None]
    checkpoint_every_s: float


def _learn(
    config: RunConfig,
    plan: Plan,
    course: Course,
    exam: Exam,
    progress: Progress,
    checkpoint_file: Path,
    watch: _Watch,
    keep: Callable[[Progress], None] = lambda progress: None,
) -> None:
    """Go through a plan's epochs from wherever ``progress`` is, and save its end.

    Raises:
        TrainingDivergedError: the loss became infinite or NaN.
    """
    saved = time.monotonic()
    while not plan.is_over(progress):
        rate = compiled.learning_rate_at(
            progress.epoch, plan.epochs, plan.learning_rate, plan.schedule
        )
        started = time.perf_counter()
        seed = [config.seed, progress.epoch, *plan.salt]
        state, loss = course.epoch(progress.state, seed, rate)
        elapsed = time.perf_counter() - started
        validation_loss = exam.loss(state.weights)
        _advance(progress, state, loss, validation_loss, elapsed)
        _refuse_divergence(progress, plan.stage)
        keep(progress)
        if time.monotonic() - saved >= watch.checkpoint_every_s:
            _save(progress, checkpoint_file)
            saved = time.monotonic()
        watch.after_epoch(
            EpochReport(progress.epoch, loss, validation_loss, course.targets / elapsed, plan.stage)
        )
    _save(progress, checkpoint_file)


def _tune_for_streaming(
    config: RunConfig,
    material: Material,
    weights: list[jax.Array],
    folder: RunFolder,
    watch: _Watch,
) -> Progress:
    """Train framed weights on with the state carried, as a board would run them.

    Keeps the epoch of the lowest validation loss, as ``streaming.keras``.
    """
    rate = STREAMING_RATE_SHARE * config.learning_rate
    # Two is no stage of the others, so that no order of theirs comes again.
    plan = Plan(config.streaming_epochs, rate, "cosine", salt=(2,), stage="streaming")
    course, exam = input_pipeline.sequences(config, material, STREAMING_LOSS, STREAMING_BATCH)
    fresh = compiled.initial_state(config.architecture, config.seed)._replace(weights=weights)
    file = folder.streaming_checkpoint_file
    progress = _resumed(file) or Progress(fresh)
    _learn(config, plan, course, exam, progress, file, watch)
    save_model(config, progress.best_weights, folder.streaming_model_file, is_sequence=True)
    return progress


def final_epoch(config: RunConfig, progress: Progress) -> int:
    """The epoch whose weights ``model.keras`` holds."""
    return progress.best_epoch if config.patience else progress.epoch


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


def _refuse_divergence(progress: Progress, stage: str) -> None:
    if not np.isfinite([progress.losses[-1], progress.validation_losses[-1]]).all():
        raise TrainingDivergedError(
            f"{stage} diverged: the loss is {progress.losses[-1]} after epoch {progress.epoch} "
            f"(validation: {progress.validation_losses[-1]}); lower the learning rate"
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
    progress = _resumed(folder.checkpoint_file)
    return progress.validation_losses if progress else []


def _resumed(checkpoint_file: Path) -> Progress | None:
    """A training as its checkpoint has it, or None if there is no whole one."""
    try:
        return _restored(checkpoint_file)
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
