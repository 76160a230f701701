"""From a search to the table of its final training: trials first, then the best as a grid."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from optuna.trial import TrialState
from rich.console import Console

from data import files
from data.errors import InputError
from study.execution import grid_runner
from study.execution.worker_pool import Scheduler
from study.search import history, search_file, trials
from study.search.search_file import Search
from study.search.search_progress import SearchProgress, described
from study.search.trials import Trials
from study.store.folders import CHECKPOINT_EVERY_S, Store


@dataclass
class SearchScheduler(Scheduler):
    """Workers that do trials."""

    job: str = "study.search.trial_worker"

    def give_up(self, run_id: str, reason: str) -> bool:
        """Mark a trial as failed."""
        trials.of(self.store).fail(int(run_id), reason)
        return True


def run_search(
    search: Search,
    root: Path,
    cores: list[int],
    console: Console,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> pd.DataFrame:
    """Do what trials are missing, train the best to its end and return the final table.

    Interrupted at any moment, the same call continues; several calls share the trials.

    Raises:
        InputError: the effect cannot be made, no trial was whole, the disk is full, or
            another search of this name is at work.
    """
    store = Store(root / search.name)
    with _at_work(search, store):
        own = Trials(search, search_file.folder(store))
        own.tidy()
        grid_runner.prepare_pairs([search.base], store.pairs, console)
        _run_trials(own, store, cores, console, checkpoint_every_s)
        best = own.best()
        if best is None:
            raise _nothing_found(own)
        console.print(
            f"Best: trial {best.number} ({described(best.params)}), validation loss "
            f"{best.value:.2e}. Now trained to its end.",
            soft_wrap=True,
        )
        history.write(own, store)
    return grid_runner.run_grid(
        search.final_grid(best.params), root, cores, console, checkpoint_every_s
    )


def _at_work(search: Search, store: Store) -> AbstractContextManager[None]:
    """Begin a search, or join commands that work on the same one."""
    path = search_file.search_file(store)

    def enter(is_alone: bool) -> None:
        if not is_alone and search_file.stored(store).digest != search.digest:
            raise InputError(
                f"study {store.root}",
                expected="no other search of this name at work",
                found="a command that works on one",
                remedy="Wait for it, or copy the file under another name.",
            )
        files.write_json(path, search.to_dict())

    return files.company(search_file.folder(store) / "lock", enter)


def _run_trials(
    own: Trials, store: Store, cores: list[int], console: Console, checkpoint_every_s: float
) -> None:
    missing = own.missing()
    if missing <= 0:
        return
    before = len([trial for trial in own.all() if trial.state in trials.ENDED])
    console.print(
        f"{own.search.title}: {own.search.trials} trials, {before} of them done before, "
        f"{min(missing, len(cores))} workers",
    )
    scheduler = SearchScheduler(store, cores[:missing], checkpoint_every_s)
    with SearchProgress(own, console) as progress:
        for event in scheduler.events():
            progress.follow(event)


def _nothing_found(own: Trials) -> InputError:
    ended = own.all()
    reasons = [str(t.user_attrs["reason"]) for t in ended if t.state != TrialState.COMPLETE]
    return InputError(
        f"search {own.search.source}",
        expected="at least one trial that trains to its end",
        found=f"{len(ended)} trials, none whole (first reason: {reasons[0]})",
        remedy="Change [space], or raise trials and run it again.",
    )
