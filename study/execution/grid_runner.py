"""From a grid to its finished table: pairs first, then workers, then the table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from rich.console import Console

from data.errors import InputError
from study.config.grid import Grid
from study.config.run import RunConfig
from study.dataset import Datasets
from study.execution.grid_progress import GridProgress
from study.execution.worker_pool import Scheduler
from study.store import tables
from study.store.folders import CHECKPOINT_EVERY_S, Store


def run_grid(
    grid: Grid,
    root: Path,
    cores: list[int],
    console: Console,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> pd.DataFrame:
    """Train and evaluate what is not finished yet and return the whole table.

    Interrupted at any moment, the same call continues. Writes the table after every
    finished run, so that it can be read while the grid runs.

    Raises:
        InputError: no effect at all can be made, the disk is full, or another grid of
            this name is at work.
    """
    store = Store(root / grid.name)
    _tell_of_others(store, grid, console)
    with store.at_work(grid):
        return _run_grid(grid, store, cores, console, checkpoint_every_s)


def _tell_of_others(store: Store, grid: Grid, console: Console) -> None:
    """Say so when the folder shows other finished runs, as of another recording."""
    if not store.manifest_file.exists():
        return
    wanted = {config.run_id for config in grid.runs}
    others = [r for r in store.runs() if r.run_id not in wanted and r.state() == "finished"]
    if others:
        console.print(
            f"{store.root} showed {len(others)} other finished runs. They stay on disk, and "
            f"`{store.grid_command()}` shows them again; to see both, copy the grid file under "
            "another name.",
            soft_wrap=True,
        )


def _run_grid(
    grid: Grid, store: Store, cores: list[int], console: Console, checkpoint_every_s: float
) -> pd.DataFrame:
    _forget_failures(store)
    _remove_old_checkpoints(store)
    _prepare_what_can_be(grid.runs, store.pairs, console)
    finished = [r["rows"][-1] for r in (run.result() for run in store.runs()) if r]
    if len(finished) < len(grid.runs):
        console.print(
            f"{grid.title}: {len(grid.runs)} runs, {len(finished)} of them finished before, "
            f"{len(cores)} workers",
        )
        scheduler = Scheduler(store, cores[: len(grid.runs) - len(finished)], checkpoint_every_s)
        with GridProgress(grid, finished, console) as progress:
            for event in scheduler.events():
                progress.follow(event)
                if event["event"] == "done":
                    tables.write(store)
    return tables.write(store)


def prepare_pairs(runs: Iterable[RunConfig], cache: Path, console: Console) -> None:
    """Make every dry/wet pair of the runs, and print what importing a recording found."""
    datasets = Datasets(cache)
    for config in _one_a_pair(runs):
        _prepare_pair(config, datasets, console)


def _prepare_what_can_be(runs: Iterable[RunConfig], cache: Path, console: Console) -> None:
    """Make the pairs, bar those that cannot be made; their runs will fail, each by itself.

    Raises:
        InputError: none can be made; the first reason.
    """
    datasets = Datasets(cache)
    configs = _one_a_pair(runs)
    reasons: list[InputError] = []
    for config in configs:
        try:
            _prepare_pair(config, datasets, console)
        except InputError as error:
            reasons.append(error)
    if len(reasons) == len(configs):
        raise reasons[0]
    for reason in reasons:
        console.print(f"these runs will fail: {reason}", soft_wrap=True)


def _one_a_pair(runs: Iterable[RunConfig]) -> list[RunConfig]:
    """The first run of every pair and split, in order."""
    first: dict[object, RunConfig] = {}
    for config in (own for run in runs for own in _every_setting(run)):
        first.setdefault((config.pair_key, config.signal), config)
    return list(first.values())


def _every_setting(config: RunConfig) -> list[RunConfig]:
    """The run at every setting that it is trained or judged at."""
    return [config, *map(config.at, (*config.seen_settings, *config.unseen_settings))]


def _prepare_pair(config: RunConfig, datasets: Datasets, console: Console) -> None:
    pair = datasets.of(config).pair
    console.print(
        f"{pair.name}: {len(pair.dry) / pair.sample_rate_hz:.0f} s at {pair.sample_rate_hz} Hz",
    )
    for line in pair.report:
        console.print(f"  {line}", soft_wrap=True)


def _forget_failures(store: Store) -> None:
    """Let failed runs be tried again, except those that would fail the same way."""
    for run in store.runs():
        result = run.result()
        if result and result["status"] == "failed" and not result["is_final"]:
            with run.lock() as mine:
                if mine:
                    run.result_file.unlink(missing_ok=True)


def _remove_old_checkpoints(store: Store) -> None:
    """Remove the checkpoints of runs whose process was killed right after their result."""
    for run in store.runs():
        if run.checkpoint_file.exists() and run.state() == "finished":
            with run.lock() as mine:
                if mine:
                    run.remove_checkpoints()


def summary(results: pd.DataFrame) -> pd.DataFrame:
    """The final rows, best validation ESR first, in the columns people look at first."""
    final = results[results["is_final"].fillna(False) & (results["status"] == "ok")]
    final = final.sort_values(["effect", "validation_esr"])
    layers, units = final["layers"].astype(str), final["units"].astype(str)
    frame = ("f" + final["frame_size"].astype("string")).fillna("sequence").astype(str)
    return pd.DataFrame(
        {
            "effect": final["effect"],
            "model": final["family"] + " " + layers + "x" + units + " " + frame,
            "frames": final["training_frames"],
            "seed": final["seed"],
            "MAE": final["mae"],
            "R2": final["r2"],
            "ESR": final["esr"],
            "FIR ESR": final["fir_esr"],
        }
    )


def unfinished(results: pd.DataFrame) -> list[tuple[str, str]]:
    """Run id and reason of every run that failed, or whose files went away as it was done."""
    left = results[results["status"] != "ok"]
    reasons = left["error"].fillna("its files went away; the same command begins it anew")
    return list(zip(left["run_id"], reasons, strict=True))
