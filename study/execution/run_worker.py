"""Runs done one after the other, by any number of processes that know nothing of each other.

A run belongs to whoever holds its lock, and the kernel frees the lock of a process
that dies.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from typing import Any

from data import files
from data.errors import InputError
from study.config.run import RunConfig
from study.dataset import Datasets
from study.evaluation import controls as controls_evaluation
from study.evaluation import evaluate
from study.store import tables
from study.store.environment import environment
from study.store.folders import CHECKPOINT_EVERY_S, RunFolder, Store
from study.training import controls, loop

BUSY_POLL_S = 0.5

Send = Callable[[dict[str, Any]], None]


def work(store: Store, send: Send, checkpoint_every_s: float = CHECKPOINT_EVERY_S) -> None:
    """Do every run of the grid that is not finished and not in other hands.

    Long runs first, so that the last worker to finish does not finish much later
    than the others.
    """
    datasets = Datasets(store.pairs)
    configs = {run.run_id: run.config() for run in store.runs()}
    waiting = sorted(configs, key=lambda run_id: -configs[run_id].training_cost)
    while waiting:
        still_waiting = []
        for run_id in waiting:
            folder = store.run(run_id)
            with folder.lock() as mine:
                if not mine:
                    still_waiting.append(run_id)
                elif result := folder.result():
                    _pass_over(folder, result, send)
                else:
                    _perform(configs[run_id], datasets, store, send, checkpoint_every_s)
        if still_waiting == waiting:
            time.sleep(BUSY_POLL_S)
        waiting = still_waiting


def _pass_over(folder: RunFolder, result: dict[str, Any], send: Send) -> None:
    """Tell of a run that is over, and finish what a kill after its result left undone."""
    if result["status"] == "ok":
        folder.remove_checkpoints()
    send({"event": "found", "run": folder.run_id, "row": result["rows"][-1]})


def _perform(
    config: RunConfig,
    datasets: Datasets,
    store: Store,
    send: Send,
    checkpoint_every_s: float,
) -> None:
    """One run from start (or checkpoint) to ``result.json``, whatever happens."""
    folder = store.run(config.run_id)
    folder.remove_leftovers()
    send({"event": "start", "run": config.run_id})

    def after_epoch(report: loop.EpochReport) -> None:
        send({"event": "epoch", "run": config.run_id, **report._asdict()})

    try:
        progress = controls.train(config, datasets, folder, after_epoch, checkpoint_every_s)
        send({"event": "evaluate", "run": config.run_id})
        controls_evaluation.evaluate(config, datasets, folder)
        rows = evaluate.evaluate_run(config, datasets, store, progress)
        result = {"status": "ok", "rows": rows, "environment": environment()}
        files.write_json(folder.result_file, result)
        folder.remove_checkpoints()
    except OSError as error:
        if error.errno in files.DISK_FULL or isinstance(error, BrokenPipeError):
            raise  # not this run's fault (nobody listens any more): nothing is marked
        tables.write_failure(config, folder, _reason(error))
    except Exception as error:
        diverged = isinstance(error, loop.TrainingDivergedError)
        tables.write_failure(config, folder, _reason(error), is_final=diverged)
        traceback.print_exc()
    written = folder.result()
    send({"event": "done", "run": config.run_id, "row": written["rows"][-1] if written else None})


def _reason(error: Exception) -> str:
    told = isinstance(error, InputError | loop.TrainingDivergedError)
    return str(error) if told else f"{type(error).__name__}: {error}"
