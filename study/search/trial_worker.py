"""Trials done one after the other, by any number of processes, each a ``worker_process``.

A trial is trained on the training split and judged on the validation split: nothing here
looks at the test split.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from data import files
from data.errors import InputError
from study.dataset import Dataset, Datasets
from study.search import trials
from study.search.trials import Claimed, Trials
from study.store.folders import CHECKPOINT_EVERY_S, Store
from study.training import loop

Send = Callable[[dict[str, Any]], None]


class _NotWorthwhileError(Exception):
    """The trial is worse than the median of the others at its age."""


def work(store: Store, send: Send, checkpoint_every_s: float = CHECKPOINT_EVERY_S) -> None:
    """Do the search's trials until all are over."""
    own = trials.of(store)
    datasets = Datasets(store.pairs)
    while True:
        with own.claimed() as claimed:
            if claimed is None:
                return
            perform(own, claimed, datasets, send, checkpoint_every_s)


def perform(
    own: Trials,
    claimed: Claimed,
    datasets: Datasets,
    send: Send,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> None:
    """One trial from its start (or checkpoint) to its end, whatever happens."""
    label = {"run": str(claimed.number)}
    claimed.folder.remove_leftovers()
    send({"event": "start", **label, "params": dict(claimed.params)})

    def tell(epoch: int, validation_loss: float) -> None:
        if not claimed.report(epoch, validation_loss):
            raise _NotWorthwhileError

    def after_epoch(report: loop.EpochReport) -> None:
        send({"event": "epoch", **label, **report._asdict()})
        tell(report.epoch, report.validation_loss)

    try:
        # Its last process may have died between a checkpoint and the telling.
        for epoch, validation_loss in enumerate(loop.losses_so_far(claimed.folder), 1):
            tell(epoch, validation_loss)
        config = own.search.trial_config(claimed.params)
        dataset = _without_test(datasets.of(config))
        progress = loop.train(config, dataset, claimed.folder, after_epoch, checkpoint_every_s)
        own.complete(claimed, min(progress.validation_losses), progress.seconds)
    except _NotWorthwhileError:
        own.prune(claimed, "above the median")
    except loop.TrainingDivergedError as error:
        own.prune(claimed, str(error))
    except OSError as error:
        if error.errno in files.DISK_FULL or isinstance(error, BrokenPipeError):
            raise  # not this trial's fault: it stays to be continued
        own.fail(claimed.number, f"{type(error).__name__}: {error}")
    except InputError as error:
        own.fail(claimed.number, str(error))
    except Exception as error:
        own.fail(claimed.number, f"{type(error).__name__}: {error}")
        traceback.print_exc()
    send({"event": "done", **label})


def _without_test(dataset: Dataset) -> Dataset:
    """The dataset with no test split, so that no trial can look at it."""
    return Dataset(dataset.pair, replace(dataset.split, test=()))
