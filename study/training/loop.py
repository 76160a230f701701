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
from study.dataset import Dataset
from study.rendering.weights import save_model
from study.store.folders import CHECKPOINT_EVERY_S, RunFolder
from study.training import antialias_finetuning, compiled, input_pipeline
from study.training.compiled import Variables
from study.training.input_pipeline import TrainingSet, ValidationSet

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
class TrainState:
    """Where a training is: its variables, its history, and the best weights so far.

    Attributes:
        variables: weights and optimiser after ``epoch`` epochs.
        epoch: epochs done.
        losses, validation_losses: one number an epoch.
        best_epoch, best_weights: those of the lowest validation loss.
        seconds: spent in training epochs, compilation apart.
        fine_tuning_seconds: spent in fine-tuning against aliases, compilation included.
        streaming_seconds: spent in the epochs of fine-tuning for streaming.
    """

    variables: Variables
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

    def is_over(self, train_state: TrainState) -> bool:
        """Whether training has ended, by its length or by its patience."""
        waited = train_state.epoch - train_state.best_epoch
        return train_state.epoch >= self.epochs or bool(self.patience and waited >= self.patience)


def train(
    config: RunConfig,
    dataset: Dataset,
    folder: RunFolder,
    after_epoch: Callable[[EpochReport], None] = lambda report: None,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> TrainState:
    """Train a run to its end, from its last checkpoint if it has one.

    Args:
        config: the run.
        dataset: its pair and split.
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
        training, validation = input_pipeline.sequences(
            config, dataset, config.loss, config.batch_size
        )
    else:
        training, validation = input_pipeline.framed(config, dataset)
    watch = _Watch(after_epoch, checkpoint_every_s)

    def keep(train_state: TrainState) -> None:
        if train_state.epoch in config.checkpoint_epochs:
            save_model(config, train_state.variables.weights, folder.model_file(train_state.epoch))

    train_state = _resumed(folder.checkpoint_file) or TrainState(
        compiled.initial_state(config.architecture, config.seed)
    )
    _learn(config, plan, training, validation, train_state, folder.checkpoint_file, watch, keep)
    weights = train_state.best_weights if config.patience else train_state.variables.weights
    if config.antialias_epochs:
        # Not checkpointed: seconds, and decided by the weights and the seed alone.
        started = time.perf_counter()
        weights = antialias_finetuning.fine_tune(config, dataset, weights)
        train_state.fine_tuning_seconds = time.perf_counter() - started
    _finish(config, train_state, weights, folder)
    if config.streaming_epochs:
        tuned = _tune_for_streaming(config, dataset, weights, folder, watch)
        train_state.streaming_seconds = tuned.seconds
    return train_state


class _Watch(NamedTuple):
    """Who follows a training, and how often it is saved."""

    after_epoch: Callable[[EpochReport], None]
    checkpoint_every_s: float


def _learn(
    config: RunConfig,
    plan: Plan,
    training: TrainingSet,
    validation: ValidationSet,
    train_state: TrainState,
    checkpoint_file: Path,
    watch: _Watch,
    keep: Callable[[TrainState], None] = lambda train_state: None,
) -> None:
    """Go through a plan's epochs from wherever ``train_state`` is, and save its end.

    Raises:
        TrainingDivergedError: the loss became infinite or NaN.
    """
    saved = time.monotonic()
    while not plan.is_over(train_state):
        rate = compiled.learning_rate_at(
            train_state.epoch, plan.epochs, plan.learning_rate, plan.schedule
        )
        started = time.perf_counter()
        seed = [config.seed, train_state.epoch, *plan.salt]
        state, loss = training.epoch(train_state.variables, seed, rate)
        elapsed = time.perf_counter() - started
        validation_loss = validation.loss(state.weights)
        _advance(train_state, state, loss, validation_loss, elapsed)
        _refuse_divergence(train_state, plan.stage)
        keep(train_state)
        if time.monotonic() - saved >= watch.checkpoint_every_s:
            _save(train_state, checkpoint_file)
            saved = time.monotonic()
        watch.after_epoch(
            EpochReport(
                train_state.epoch, loss, validation_loss, training.targets / elapsed, plan.stage
            )
        )
    _save(train_state, checkpoint_file)


def _tune_for_streaming(
    config: RunConfig,
    dataset: Dataset,
    weights: list[jax.Array],
    folder: RunFolder,
    watch: _Watch,
) -> TrainState:
    """Train framed weights on with the state carried, as a board would run them.

    Keeps the epoch of the lowest validation loss, as ``streaming.keras``.
    """
    rate = STREAMING_RATE_SHARE * config.learning_rate
    # Two is no stage of the others, so that no order of theirs comes again.
    plan = Plan(config.streaming_epochs, rate, "cosine", salt=(2,), stage="streaming")
    training, validation = input_pipeline.sequences(
        config, dataset, STREAMING_LOSS, STREAMING_BATCH
    )
    fresh = compiled.initial_state(config.architecture, config.seed)._replace(weights=weights)
    file = folder.streaming_checkpoint_file
    train_state = _resumed(file) or TrainState(fresh)
    _learn(config, plan, training, validation, train_state, file, watch)
    save_model(config, train_state.best_weights, folder.streaming_model_file, is_sequence=True)
    return train_state


def final_epoch(config: RunConfig, train_state: TrainState) -> int:
    """The epoch whose weights ``model.keras`` holds."""
    return train_state.best_epoch if config.patience else train_state.epoch


def _advance(
    train_state: TrainState, state: Variables, loss: float, validation_loss: float, seconds: float
) -> None:
    train_state.variables = state
    train_state.epoch += 1
    train_state.seconds += seconds
    train_state.losses.append(loss)
    if not train_state.validation_losses or validation_loss < min(train_state.validation_losses):
        train_state.best_epoch, train_state.best_weights = train_state.epoch, state.weights
    train_state.validation_losses.append(validation_loss)


def _refuse_divergence(train_state: TrainState, stage: str) -> None:
    if not np.isfinite([train_state.losses[-1], train_state.validation_losses[-1]]).all():
        raise TrainingDivergedError(
            f"{stage} diverged: the loss is {train_state.losses[-1]} "
            f"after epoch {train_state.epoch} (validation: {train_state.validation_losses[-1]}); "
            "lower the learning rate"
        )


def _save(train_state: TrainState, path: Path) -> None:
    arrays: dict[str, Any] = {
        "epoch": train_state.epoch,
        "losses": train_state.losses,
        "validation_losses": train_state.validation_losses,
        "best_epoch": train_state.best_epoch,
        "seconds": train_state.seconds,
    }
    for name, values in (
        ("weights", train_state.variables.weights),
        ("optimiser", train_state.variables.optimiser),
        ("best_weights", train_state.best_weights),
    ):
        arrays |= {f"{name}_{k:03d}": np.asarray(value) for k, value in enumerate(values)}
    files.write_whole(path, lambda aside: np.savez(aside, **arrays))


def losses_so_far(folder: RunFolder) -> list[float]:
    """Validation losses of the epochs that an unfinished training has behind it."""
    train_state = _resumed(folder.checkpoint_file)
    return train_state.validation_losses if train_state else []


def _resumed(checkpoint_file: Path) -> TrainState | None:
    """A training as its checkpoint has it, or None if there is no whole one."""
    try:
        return _restored(checkpoint_file)
    except (FileNotFoundError, zipfile.BadZipFile, EOFError, ValueError, KeyError):
        return None


def _restored(path: Path) -> TrainState:
    with np.load(path) as kept:

        def numbered(name: str) -> list[jax.Array]:
            return [jnp.asarray(kept[key]) for key in sorted(kept) if key.startswith(f"{name}_")]

        return TrainState(
            Variables(numbered("weights"), numbered("optimiser")),
            int(kept["epoch"]),
            kept["losses"].tolist(),
            kept["validation_losses"].tolist(),
            int(kept["best_epoch"]),
            numbered("best_weights"),
            float(kept["seconds"]),
        )


def _finish(
    config: RunConfig, train_state: TrainState, weights: list[jax.Array], folder: RunFolder
) -> None:
    save_model(config, weights, folder.model_file())
    rows = ["epoch,loss,validation_loss"] + [
        f"{epoch},{loss!r},{validation!r}"
        for epoch, (loss, validation) in enumerate(
            zip(train_state.losses, train_state.validation_losses, strict=True), 1
        )
    ]
    files.write_text(folder.history_file, "\n".join(rows) + "\n")
