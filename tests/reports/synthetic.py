"""A study that never trained anything, written through the store's own interface."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from data import audio, files
from data.audio import Samples
from data.effects import Effect
from data.pairs import key
from models.architecture import multiply_accumulates, streaming_multiply_accumulates
from study.config.grid import Grid
from study.config.run import RunConfig, SignalConfig
from study.dataset import Dataset, Datasets
from study.measures import metrics
from study.measures.metrics import Signal
from study.store import tables
from study.store.folders import Store

RATE_HZ = 8_000
SECONDS = 20.0
NOTE_S = 0.75


def plucked(seconds: float = SECONDS, rate_hz: int = RATE_HZ, seed: int = 0) -> Samples:
    """Decaying harmonic notes, one every ``NOTE_S``."""
    random = np.random.default_rng(seed)
    time_s = np.arange(round(NOTE_S * rate_hz)) / rate_hz
    notes: list[Signal] = []
    while sum(len(note) for note in notes) < seconds * rate_hz:
        f0_hz = 110 * 2 ** (random.integers(0, 24) / 12)
        partials = sum(np.sin(2 * np.pi * k * f0_hz * time_s) / k for k in (1, 2, 3))
        notes.append(random.uniform(0.1, 0.3) * partials * np.exp(-4 * time_s))
    return np.concatenate(notes)[: round(seconds * rate_hz)].astype(np.float32)


def effect(name: str, drive: float = 4.0) -> Effect:
    """A recording, so that nothing but its stored pair can make it."""
    return Effect(name, "recording", content=f"{name}-{drive}", controls={"drive": drive})


def config(name: str = "fuzz", **settings: Any) -> RunConfig:
    """A small grid point."""
    return RunConfig(
        effect=effect(name, settings.pop("drive", 4.0)).to_dict(),
        signal=SignalConfig(seconds=SECONDS, segment_seconds=2.0),
        sample_rate_hz=RATE_HZ,
        **{"epochs": 6, "frame_size": 16, "units": 8, "training_frames": 1000, **settings},
    )


def write_study(root: Path, configs: Iterable[RunConfig], title: str = "Synthetic") -> Store:
    """A finished study of these runs; ESR falls with units, frames and epochs."""
    grid = Grid(root.name, title, tuple(configs), root.name)
    store = Store(root)
    store.write_grid(grid)
    datasets = Datasets(store.pairs)
    for run in grid.runs:
        _write_pair(store, run)
        write_run(store, run, datasets)
    return store


def write_run(store: Store, run: RunConfig, datasets: Datasets) -> None:
    """Everything that a worker leaves of a finished run."""
    folder = store.run(run.run_id)
    dataset = datasets.of(run)
    shared = {
        **tables.described(run),
        "status": "ok",
        **_baselines(dataset),
    }
    rows = [
        {**shared, **_judged(store, run, dataset.test_target, epoch)}
        for epoch in (*run.checkpoint_epochs, None)
    ]
    epochs, scale = range(1, run.epochs + 1), 1 / run.units
    losses = "".join(f"{n},{scale / n + 0.01:.6f},{1.1 * scale / n + 0.012:.6f}\n" for n in epochs)
    files.write_text(folder.history_file, "epoch,loss,validation_loss\n" + losses)
    files.write_json(folder.result_file, {"status": "ok", "rows": rows})


def _write_pair(store: Store, run: RunConfig) -> None:
    folder = store.pairs / key(run.made_by, run.signal.dry, run.sample_rate_hz)
    if not folder.exists():
        dry = plucked()
        wet = np.tanh(run.effect["controls"]["drive"] * dry).astype(np.float32)
        audio.write(folder / "dry.wav", dry, RATE_HZ)
        audio.write(folder / "wet.wav", wet, RATE_HZ)
        files.write_json(folder / "pair.json", {"name": run.effect["name"], "report": []})


def _judged(store: Store, run: RunConfig, target: Samples, epoch: int | None) -> dict[str, Any]:
    """A prediction that errs by as much as the run's size and seed say, and its metrics."""
    trained = epoch or run.epochs
    random = np.random.default_rng([*run.model_dump_json().encode(), trained])
    level = 6 * (run.units * run.training_frames * trained) ** -0.4 * random.uniform(0.8, 1.25)
    noise = random.standard_normal(len(target)) * np.std(target)
    prediction = (target + level * noise).astype(np.float32)
    audio.write(store.run(run.run_id).prediction_file(epoch), prediction, run.sample_rate_hz)
    return {
        **{name: getattr(metrics, name)(target, prediction) for name in ("mae", "r2", "esr")},
        "validation_esr": metrics.esr(target, prediction) * 1.1,
        "epoch": trained,
        "is_final": epoch is None,
        "rendering": "framed",
        "parameters": run.units * 50,
        "macs_per_sample": multiply_accumulates(run.architecture)
        if run.training == "framed"
        else streaming_multiply_accumulates(run.architecture),
        "training_seconds": 0.5 * trained,
        "inference_seconds_per_second": 0.02,
    }


def _baselines(dataset: Dataset) -> Mapping[str, float]:
    dry, target = dataset.test_dry, dataset.test_target
    return {
        f"{name}_{metric}": getattr(metrics, metric)(target, prediction)
        for name, prediction in (("dry", dry), ("fir", 0.8 * dry))
        for metric in ("mae", "r2", "esr")
    }
