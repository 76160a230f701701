"""A finished run to be used: found by name, its weights loaded, its ways of rendering known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jax

from data.errors import InputError
from models.architecture import Architecture
from study.config.rendering import STREAMING_TUNED, Mode
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


def load(folder: RunFolder, mode: Mode | None = None) -> Trained:
    """The model of a finished run.

    Args:
        folder: of the run.
        mode: ``framed`` or ``streaming``, with the weights tuned for it where there are
            such; as the run was trained if None.

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
            remedy="Use --mode streaming.",
        )
    if mode == "streaming" and not config.architecture.streams:
        raise InputError(
            f"run {folder.run_id}",
            expected="a recurrent model, which has a state to carry",
            found=f"a {config.family} model",
            remedy="Use --mode framed.",
        )
    if mode == "streaming" and config.streaming_epochs:
        tuned = load_weights(config, folder.streaming_model_file, is_sequence=True)
        return Trained(config, mode, STREAMING_TUNED, tuned)
    weights = load_weights(config, folder.model_file())
    return Trained(config, mode, mode, weights)


_STATES = {"failed": "failed", "begun": "is in training", "pending": "has not begun"}
