"""The ``runs/`` folder: atomic, resumable, readable.

    runs/pairs/<effect>-<hash>/{dry.wav, wet.wav, pair.json}     shared by all grids
    runs/<grid>/grid.json                      title, run ids in order, how it was asked for
    runs/<grid>/results.csv, results.parquet   the table
    runs/<grid>/history.parquet                loss by epoch of every run
    runs/<grid>/chosen.json                    the model to build, and why
    runs/<grid>/report/index.html
    runs/<grid>/targets/<effect>-<hash>/       answers of the effects to the same probes
    runs/<grid>/lock                           shared by the commands that work on the grid
    runs/<name>/search/                        trials of a search (study.search.trials)
    runs/<grid>/runs/<run id>/
        config.json         the whole configuration
        checkpoint.npz      where an unfinished run goes on; gone when it is finished;
                            checkpoint-streaming.npz where its fine-tuning does
        epochs/0020.keras   weights at a checkpoint epoch
        model.keras         the model that the last row of the run describes
        history.csv         loss by epoch
        prediction.wav, epochs/0020.wav    test split as the model renders it
        streaming.wav, framed_x4.wav       the same with the state carried (of a run on
                            sequences the only one), or oversampled
        streaming.keras     the weights fine-tuned for streaming, and streaming_tuned.wav
        probes/             answers to sine probes: aliasing.json, spectra.npz, sweep.wav
        settings.json       rows of a run with knobs, one a setting and way
        settings/<setting>/ a faded run's models of the other settings
        result.json         rows and timings; its presence says "finished"
        lock                held by the process that works on the run

Every file is written aside and renamed, so none is ever half there.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from data import files, partial_files
from data.errors import InputError, nearest
from study.config.grid import Grid
from study.config.rendering import FRAMED
from study.config.run import RunConfig
from study.store import received

RUNS = Path("runs")
CHECKPOINT_EVERY_S = 5.0

State = Literal["finished", "failed", "begun", "pending"]


@dataclass(frozen=True)
class ProbeFolder:
    """What an effect or a run answered to sine probes and a sweep."""

    path: Path

    @property
    def sweep_file(self) -> Path:
        """The answer to a logarithmic sweep."""
        return self.path / "sweep.wav"

    def rows(self) -> list[dict[str, Any]] | None:
        """A row a probe, or None where nothing (whole) was kept."""
        try:
            return received.probes(self.path / "aliasing.json")
        except (FileNotFoundError, InputError):
            return None

    def spectra_db(self) -> dict[str, npt.NDArray[np.float16]]:
        """Spectra of the standard probes by what answered, ``(probes, bins)`` each."""
        return received.arrays(self.path / "spectra.npz")

    def write(
        self, rows: list[dict[str, Any]], spectra_db: dict[str, npt.NDArray[np.float16]]
    ) -> None:
        """Keep both; the rows last, since their presence says that all is there."""
        arrays: dict[str, Any] = {**spectra_db}
        files.write_whole(
            self.path / "spectra.npz", lambda aside: np.savez_compressed(aside, **arrays)
        )
        files.write_json(self.path / "aliasing.json", rows)

    def lock(self) -> AbstractContextManager[bool]:
        """Wait to become the one process that fills the folder."""
        return files.lock(self.path / "lock", wait=True)


@dataclass(frozen=True)
class RunFolder:
    """The files of one run."""

    path: Path

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def config_file(self) -> Path:
        """Configuration."""
        return self.path / "config.json"

    @property
    def checkpoint_file(self) -> Path:
        """Where training goes on."""
        return self.path / "checkpoint.npz"

    @property
    def streaming_checkpoint_file(self) -> Path:
        """Where fine-tuning for streaming goes on."""
        return self.path / "checkpoint-streaming.npz"

    def remove_checkpoints(self) -> None:
        """Remove what a finished run no longer needs."""
        self.streaming_checkpoint_file.unlink(missing_ok=True)
        for setting in self.path.glob("settings/*"):
            RunFolder(setting).remove_checkpoints()
        self.checkpoint_file.unlink(missing_ok=True)

    @property
    def streaming_model_file(self) -> Path:
        """The model fine-tuned for streaming, where the run asks for one."""
        return self.path / "streaming.keras"

    @property
    def history_file(self) -> Path:
        """Loss by epoch."""
        return self.path / "history.csv"

    @property
    def result_file(self) -> Path:
        """Rows and timings."""
        return self.path / "result.json"

    def model_file(self, epoch: int | None = None) -> Path:
        """The final model, or the one kept at an epoch."""
        return self.path / ("model.keras" if epoch is None else f"epochs/{epoch:04d}.keras")

    def prediction_file(self, epoch: int | None = None, rendering: str = FRAMED) -> Path:
        """The test split as the final model renders it so, or the one kept at an epoch."""
        if epoch is not None:
            return self.path / f"epochs/{epoch:04d}.wav"
        return self.path / ("prediction.wav" if rendering == FRAMED else f"{rendering}.wav")

    @property
    def probes(self) -> ProbeFolder:
        """Answers to sine probes."""
        return ProbeFolder(self.path / "probes")

    def config(self) -> RunConfig:
        """The configuration that the run was made with.

        Raises:
            InputError: it is missing, broken, or that of another version of the program; or
                the folder holds a link.
        """
        self.require_plain()
        try:
            config = received.config(self.config_file)
        except FileNotFoundError:
            raise self._without_config("none") from None
        except InputError as error:
            raise self._without_config(error.found) from None
        if config.run_id != self.run_id:  # settings that came or went
            raise self._without_config(received.ANOTHER_VERSION)
        return config

    def _without_config(self, found: str) -> InputError:
        return InputError(
            f"run {self.run_id}",
            expected="a configuration of this version in config.json",
            found=found,
            remedy="`make grid` trains its like anew.",
        )

    def write_config(self, config: RunConfig) -> None:
        """Write the configuration, unless it is there.

        A broken one is the work of a power cut, which may have broken the run's other
        files as well: the run begins anew.
        """
        self.require_plain()
        if self.config_file.exists():
            with suppress(InputError):
                self.config()
                return
            self.result_file.unlink(missing_ok=True)
            self.remove_checkpoints()
        files.write_json(self.config_file, config.model_dump(mode="json"))

    def result(self) -> dict[str, Any] | None:
        """``{"status", "rows", ...}`` of a finished or failed run, else None.

        A file that a power cut left empty or broken says nothing: the run is not finished.
        """
        try:
            return self.stored_result()
        except (FileNotFoundError, InputError):  # another command may just have removed it
            return None

    def stored_result(self) -> dict[str, Any]:
        """The same, if it is there.

        Raises:
            FileNotFoundError: it is not.
            InputError: it is broken.
        """
        return received.result(self.result_file)

    def require_plain(self) -> None:
        """Raise ``InputError`` if the folder is a link or holds one."""
        received.require_plain(self.path)

    def state(self) -> State:
        """How far the run is."""
        result = self.result()
        if result is not None:
            return "failed" if result["status"] == "failed" else "finished"
        return "begun" if self.checkpoint_file.exists() else "pending"

    def remove_leftovers(self) -> None:
        """Remove half-written files of a killed process, and nothing that is not ours."""
        for folder, _, _ in os.walk(self.path):
            partial_files.sweep(Path(folder))

    def lock(self) -> AbstractContextManager[bool]:
        """Try to become the one process that works on the run."""
        return files.lock(self.path / "lock")


@dataclass(frozen=True)
class Store:
    """Everything that a grid has produced.

    Attributes:
        root: ``runs/<grid>``.
    """

    root: Path

    @property
    def pairs(self) -> Path:
        """The dry/wet pairs, shared with the other grids."""
        return self.root.parent / "pairs"

    @property
    def manifest_file(self) -> Path:
        """Title, run ids and how the grid was asked for."""
        return self.root / "grid.json"

    @property
    def table_file(self) -> Path:
        """The results table; a Parquet twin lies beside it."""
        return self.root / "results.csv"

    @property
    def report_folder(self) -> Path:
        """The HTML report."""
        return self.root / "report"

    def target(self, pair_key: str) -> ProbeFolder:
        """Answers of the effect of a pair to the probes that the models get."""
        return ProbeFolder(self.root / "targets" / pair_key)

    def run(self, run_id: str) -> RunFolder:
        """The folder of a run."""
        return RunFolder(self.root / "runs" / run_id)

    def write_grid(self, grid: Grid) -> None:
        """Lay out the folders of a grid; whatever is finished stays."""
        self._require_plain()
        for config in grid.runs:
            self.run(config.run_id).write_config(config)
        dry, wet = grid.recording or ("", "")
        manifest = {
            "name": grid.name,
            "title": grid.title,
            "source": grid.source,
            "target": grid.target,
            "dry": dry,
            "wet": wet,
            "runs": [config.run_id for config in grid.runs],
            "published": [entry.model_dump() for entry in grid.published],
        }
        files.write_json(self.manifest_file, manifest)

    def at_work(self, grid: Grid) -> AbstractContextManager[None]:
        """Lay out a grid to work on it; nobody lays out another one here meanwhile.

        Commands with the same runs may work together.

        Raises:
            InputError: a command with other runs is at work here.
        """

        def enter(is_alone: bool) -> None:
            if not is_alone:
                self._require_same_runs(grid)
            self.write_grid(grid)

        return files.company(self.root / "lock", enter)

    def _require_same_runs(self, grid: Grid) -> None:
        if set(self.manifest()["runs"]) != {config.run_id for config in grid.runs}:
            raise InputError(
                f"study {self.root}",
                expected="no other grid of this name at work",
                found="a command that works on one",
                remedy="Wait for it, or copy the grid file under another name.",
            )

    def manifest(self) -> dict[str, Any]:
        """``{"name", "title", "source", "target", "dry", "wet", "runs"}`` of the grid laid out.

        Raises:
            InputError: there is none, it is broken, or the folder holds a link.
        """
        self._require_plain()
        try:
            return received.manifest(self.manifest_file)
        except FileNotFoundError:
            found = "none" if not self.root.exists() else "a folder without grid.json"
        except InputError as error:
            if error.found != received.BROKEN:
                raise
            found = "an empty or broken grid.json"
        raise InputError(
            f"study {self.root}",
            expected="results of a grid",
            found=found,
            remedy=self._meant() + "Run `make grid` with the same GRID first.",
        )

    def _meant(self) -> str:
        """The grid that a misspelt name might stand for, as a question; nothing if none is near."""
        laid_out = {path.parent.name for path in self.root.parent.glob("*/grid.json")}
        near = nearest(self.root.name, laid_out - {self.root.name})
        return f"Did you mean {near!r}? " if near else ""

    def _require_plain(self) -> None:
        """Refuse links in what is the grid's; its runs answer for their own."""
        received.require_plain(self.root, self.root / "runs")

    def source(self) -> str:
        """What ``make`` calls the grid: as it was named when it was laid out here."""
        return str(self.manifest()["source"])

    def grid_command(self) -> str:
        """The ``make`` command, for a shell, that fills this folder."""
        manifest = self.manifest()
        target = str(manifest.get("target", "grid"))
        values = {
            target.upper(): manifest["source"],
            "DRY": manifest["dry"],
            "WET": manifest["wet"],
        }
        given = [f"{name}={shlex.quote(value)}" for name, value in values.items() if value]
        return " ".join(["make", target, *given])

    def runs(self) -> Iterator[RunFolder]:
        """The runs of the grid, in its order."""
        return (self.run(run_id) for run_id in self.manifest()["runs"])

    def configs(self) -> dict[str, RunConfig]:
        """Configurations by run id, in order; the table tells why one is missing."""
        found = {}
        for run in self.runs():
            with suppress(InputError):
                found[run.run_id] = run.config()
        return found
