"""Studies whose aliases, epochs and remedies have known answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data import audio
from data.audio import Samples
from reports.sources.cache import Cache
from reports.sources.results import Results, Row
from study.config.run import RunConfig
from study.evaluation import probing
from study.measures import aliasing
from study.measures.aliasing import Float64s
from study.store import tables
from study.store.folders import ProbeFolder, Store
from tests.reports.synthetic import RATE_HZ, config

Values = Mapping[str, float | None]


def clipper(drive: float) -> Callable[[Float64s], Float64s]:
    """A distortion without memory, so all that is no harmonic is an alias."""
    return lambda dry: np.tanh(drive * dry)


def write_probes(
    folder: ProbeFolder,
    process: Callable[[Float64s], Float64s],
    renderings: Sequence[str] = ("framed",),
    epoch: int = 6,
) -> None:
    """Everything that an evaluation keeps of the probes; also a checkpoint's rows."""
    found = probing.probed(aliasing.one_by_one(process), RATE_HZ, with_notes=True)
    checkpoint = [{"epoch": 2, "rendering": "framed", **row} for row in found.rows[:6]]
    rows = [
        {"epoch": epoch, "rendering": rendering, **row}
        for rendering in renderings
        for row in found.rows
    ]
    audio.write(folder.sweep_file, _swept(process), RATE_HZ)
    folder.write([*checkpoint, *rows], dict.fromkeys(renderings, found.spectra_db))


def write_effect_probes(folder: ProbeFolder, process: Callable[[Float64s], Float64s]) -> None:
    """What ``probing.probe_effect`` keeps of an effect."""
    found = probing.probed(aliasing.one_by_one(process), RATE_HZ, with_notes=True)
    audio.write(folder.sweep_file, _swept(process), RATE_HZ)
    folder.write(found.rows, {"effect": found.spectra_db})


def _swept(process: Callable[[Float64s], Float64s]) -> Samples:
    return process(probing.sweep(RATE_HZ).astype(np.float64)).astype(np.float32)


def results(tmp_path: Path, rows: Sequence[Row], configs: Sequence[RunConfig]) -> Results:
    """Rows as a report reads them, with nothing on the disk."""
    return Results(
        Store(tmp_path / "grid"),
        "Synthetic",
        {run.run_id: run for run in configs},
        tuple(rows),
        pd.DataFrame(columns=[*tables.HISTORY_COLUMNS]),
    )


def row(run: RunConfig, values: Values, **more: Any) -> Row:
    """A row of the table with every column."""
    known = {
        **dict.fromkeys(tables.COLUMNS),
        **tables.described(run),
        "status": "ok",
        "epoch": run.epochs,
        "is_final": True,
        "rendering": "framed",
        "macs_per_sample": 1000,
        "training_seconds": 10.0,
        "inference_seconds_per_second": 0.1,
        "validation_esr": values.get("esr", 0.1),
    }
    return {**known, **values, **more}


def by_epoch(tmp_path: Path, seeds: Sequence[Mapping[int, Values]], **settings: Any) -> Results:
    """One model whose seeds have these values at these epochs, the last of them the final."""
    rows, runs = [], []
    for seed, values in enumerate(seeds):
        epochs = sorted(values)
        run = config(seed=seed, epochs=epochs[-1], checkpoint_epochs=tuple(epochs[:-1]), **settings)
        runs.append(run)
        rows += [row(run, values[e], epoch=e, is_final=e == epochs[-1]) for e in epochs]
    return results(tmp_path, rows, runs)


def cache(tmp_path: Path) -> Cache:
    """Of a report."""
    return Cache(tmp_path / "report")
