"""A finished run to be used: found by name, its weights loaded, its ways of rendering known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jax

from data.errors import InputError
from models.architecture import Architecture
from study.config.rendering import FRAMED, STREAMING, STREAMING_TUNED, Mode, Rendering
from study.config.run import RunConfig
from study.rendering.weights import load_weights
from study.store import run_ids
from study.store.folders import RunFolder, Store


@dataclass(frozen=True)
class Trained:
    """A model with its weights.

    Attributes:
        config: of the run.
        mode: how it renders.
        rendering: of the row of the results table that describes it so.
        weights: in the order of the architecture's trainable variables.
    """

    config: RunConfig
    mode: Mode
    rendering: str
    weights: list[jax.Array]

    @property
    def architecture(self) -> Architecture:
        """What fixes the model's shape."""
        return self.config.architecture

    @property
    def sample_rate_hz(self) -> int:
        """The rate that the model works at."""
        return self.config.sample_rate_hz


def find(name: str, store: Store) -> RunFolder:
    """The run that a name stands for.

    Args:
        name: a run's id, or a beginning that no other run has; or the path of a run's folder.
        store: the grid whose runs are searched.

    Raises:
        InputError: no run or several runs are called so.
    """
    if (Path(name) / "config.json").is_file():
        return RunFolder(Path(name).resolve())
    ids = [str(run_id) for run_id in store.manifest()["runs"]]
    expected = f"a run of {store.root} (its id or the beginning of it), or a run's folder"
    return store.run(run_ids.known(name, ids, expected))


def load(folder: RunFolder, mode: Mode | None = None, *, tuned: bool | None = None) -> Trained:
    """The model of a finished run.

    Args:
        folder: of the run.
        mode: ``framed`` or ``streaming``; as the run was trained if None.
        tuned: whether streaming is by the weights that were tuned for it; if None, where there
            are such.

    Raises:
        InputError: the run is not finished, or cannot render so.
    """
    config = folder.config()
    if folder.state() != "finished":
        raise InputError(
            f"run {folder.run_id}",
            expected="a finished run",
            found=f"one that {_STATES[folder.state()]}",
            remedy="`make grid` with the same GRID finishes it.",
        )
    is_sequence = config.training == "sequence"
    mode = mode or ("streaming" if is_sequence else "framed")
    if mode == "framed" and is_sequence:
        raise InputError(
            f"run {folder.run_id}",
            expected="a model that was trained on frames",
            found="one that was trained on sequences",
            remedy="Use --rendering streaming.",
        )
    if mode == "streaming" and not config.architecture.streams:
        raise InputError(
            f"run {folder.run_id}",
            expected="a recurrent model, which has a state to carry",
            found=f"a {config.family} model",
            remedy="Use --rendering framed.",
        )
    if tuned and not config.streaming_epochs:
        raise InputError(
            f"run {folder.run_id}",
            expected="a model that was fine-tuned for streaming",
            found="streaming_epochs = 0",
            remedy="Use --rendering streaming.",
        )
    if mode == "streaming" and config.streaming_epochs and tuned is not False:
        weights = load_weights(config, folder.streaming_model_file, is_sequence=True)
        return Trained(config, mode, STREAMING_TUNED, weights)
    weights = load_weights(config, folder.model_file())
    return Trained(config, mode, mode, weights)


def load_as(folder: RunFolder, rendering: str) -> Trained:
    """The model of a finished run in a way of rendering, by its name in the results.

    Raises:
        InputError: there is no such way, the run cannot render so, or it takes oversampling.
    """
    try:
        way = Rendering.parse(rendering)
    except ValueError:
        way = None
    if way is None or way.factor > 1:
        raise InputError(
            f"rendering {rendering!r}",
            expected=f"{FRAMED}, {STREAMING} or {STREAMING_TUNED}",
            found="a way that is for research only" if way else "none of them",
            remedy="Name one of these, or none for the run's own.",
        )
    return load(folder, way.mode, tuned=way.tuned)


_STATES = {"failed": "failed", "begun": "is in training", "pending": "has not begun"}
