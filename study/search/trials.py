"""The trials of a search: proposed, shared by processes, taken over from dead ones.

    runs/<name>/search/search.json         what is searched
    runs/<name>/search/trials.db           Optuna's storage (SQLite), all processes write to it
    runs/<name>/search/lock                shared by the commands that work on the search
    runs/<name>/search/layout              held while a process opens the database
    runs/<name>/search/<digest>/claim      held while a process picks its next trial
    runs/<name>/search/<digest>/0007/      an unfinished trial: its checkpoint, and a lock
    runs/<name>/search/trials.parquet, epochs.parquet, importances.json    for the report

A trial belongs to whoever holds its lock, and the kernel frees the lock of a process that
dies; whoever comes next continues *that* trial from its checkpoint. Proposals are seeded by
the trial's number, so that neither an interrupt nor a second process repeats one: with one
worker, an interrupted search has the trials that an undisturbed one has.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, Trial, TrialState

from data import files
from study.search import search_file
from study.search.search_file import SEARCHABLE, STARTUP_TRIALS, Choices, Range, Search
from study.store.folders import RunFolder, Store

MEDIAN_OF_AT_LEAST = 4  # whole trials before any is pruned
UNPRUNED_EPOCHS = 3  # of every trial
BUSY_POLL_S = 0.5
DATABASE_WAIT_S = 60  # for another process that is writing

ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)

optuna.logging.set_verbosity(optuna.logging.WARNING)


class SeededByNumber(optuna.samplers.BaseSampler):
    """TPE (Bergstra et al., NeurIPS 2011) whose draws depend on the trial's number.

    Optuna's own sampler goes on with its random state, which a process that is started
    again, or a second one, would repeat from the beginning.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """None: every setting is drawn by itself."""
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """None: every setting is drawn by itself."""
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, name: str, distribution: BaseDistribution
    ) -> Any:
        """A value of one setting."""
        digest = hashlib.sha256(f"{self._seed}/{trial.number}/{name}".encode()).digest()
        sampler = optuna.samplers.TPESampler(
            n_startup_trials=STARTUP_TRIALS, seed=int.from_bytes(digest[:4], "big")
        )
        return sampler.sample_independent(study, trial, name, distribution)


@dataclass(frozen=True)
class Claimed:
    """A trial that this process works on.

    Attributes:
        trial: Optuna's.
        params: its settings.
        folder: of its checkpoint.
        reported: epochs whose loss has been told.
    """

    trial: Trial
    params: Mapping[str, Any]
    folder: RunFolder
    reported: set[int]

    @property
    def number(self) -> int:
        """Counted from 0."""
        return int(self.trial.number)

    def report(self, epoch: int, validation_loss: float) -> bool:
        """Tell the loss after an epoch (from 1); whether the trial is worth going on with.

        After a resumption an epoch may be told again, and is already known.
        """
        with _disk_errors():
            if epoch not in self.reported:
                self.trial.report(validation_loss, epoch)
                self.reported.add(epoch)
            return not self.trial.should_prune()


class Trials:
    """The trials of one search.

    Args:
        search: what is searched.
        root: ``runs/<name>/search``.
    """

    def __init__(self, search: Search, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.search = search
        self._folder = root / search.digest
        with files.lock(root / "layout", wait=True), _disk_errors():
            self._study = _laid_out(search, root / "trials.db")

    def all(self) -> list[FrozenTrial]:
        """Every trial so far, by number."""
        with _disk_errors():
            return self._study.get_trials()

    def missing(self) -> int:
        """How many are not over yet."""
        return self.search.trials - sum(trial.state in ENDED for trial in self.all())

    def best(self) -> FrozenTrial | None:
        """The whole trial of the lowest validation loss."""
        whole = [trial for trial in self.all() if trial.state == TrialState.COMPLETE]
        return min(whole, key=lambda trial: (trial.value, trial.number), default=None)

    @contextmanager
    def claimed(self) -> Iterator[Claimed | None]:
        """The next trial, for this process alone; None when all are over.

        Waits while the last ones are in other hands, which may die.
        """
        with ExitStack() as held:
            while True:
                with files.lock(self._folder / "claim", wait=True):
                    found, is_over = self._next(held)
                if found or is_over:
                    break
                time.sleep(BUSY_POLL_S)
            yield self._proposed(found) if found else None

    def complete(self, claimed: Claimed, value: float, seconds: float) -> None:
        """End a trial that was trained to its end."""
        self._end(claimed.trial, TrialState.COMPLETE, value, seconds=seconds)

    def prune(self, claimed: Claimed, reason: str) -> None:
        """End a trial that is not worth going on with."""
        self._end(claimed.trial, TrialState.PRUNED, reason=reason)

    def fail(self, number: int, reason: str) -> None:
        """End a trial that cannot be done, of this process or of a dead one."""
        trial = self.all()[number]
        if trial.state == TrialState.RUNNING:
            self._end(Trial(self._study, trial._trial_id), TrialState.FAIL, reason=reason)

    def tidy(self) -> None:
        """Remove folders of ended trials, whose processes died before they could."""
        for trial in self.all():
            if trial.state in ENDED:
                self._remove_folder(trial.number)

    def _next(self, held: ExitStack) -> tuple[Trial | None, bool]:
        """A trial whose lock is now held, or whether there will be none any more."""
        with _disk_errors():
            trials = self._study.get_trials()
            running = [trial for trial in trials if trial.state == TrialState.RUNNING]
            for trial in running:
                with ExitStack() as attempt:
                    mine = attempt.enter_context(self._run_folder(trial.number).lock())
                    # Its owner may have ended it since it was listed.
                    if mine and self.all()[trial.number].state == TrialState.RUNNING:
                        held.enter_context(attempt.pop_all())
                        return Trial(self._study, trial._trial_id), False
            if len(trials) < self.search.trials:
                new = self._study.ask()
                held.enter_context(self._run_folder(new.number).lock())
                return new, False
            return None, not running

    def _proposed(self, trial: Trial) -> Claimed:
        """The settings of a trial; those that a dead process had drawn stay."""
        with _disk_errors():
            params = {name: _drawn(trial, name, axis) for name, axis in self.search.space.items()}
            reported = set(self.all()[trial.number].intermediate_values)
        return Claimed(trial, params, self._run_folder(trial.number), reported)

    def _run_folder(self, number: int) -> RunFolder:
        return RunFolder(self._folder / f"{number:04d}")

    def _end(
        self, trial: Trial, state: TrialState, value: float | None = None, **known: Any
    ) -> None:
        with _disk_errors():
            for name, said in known.items():
                trial.set_user_attr(name, said)
            self._study.tell(trial, value, state)
        self._remove_folder(trial.number)

    def _remove_folder(self, number: int) -> None:
        shutil.rmtree(self._run_folder(number).path, ignore_errors=True)


def of(store: Store) -> Trials:
    """The trials of the search last begun in a store, or an ``InputError`` if there is none."""
    return Trials(search_file.stored(store), search_file.folder(store))


def _drawn(trial: Trial, name: str, axis: Choices | Range) -> Any:
    if isinstance(axis, Choices):
        return trial.suggest_categorical(name, axis.values)
    if SEARCHABLE[name] is int:
        step = int(axis.step or 1)
        return trial.suggest_int(name, int(axis.low), int(axis.high), step=step, log=axis.is_log)
    return trial.suggest_float(name, axis.low, axis.high, step=axis.step, log=axis.is_log)


def _laid_out(search: Search, database: Path) -> optuna.Study:
    """Open the database, or make it; one process at a time."""
    storage = optuna.storages.RDBStorage(
        f"sqlite:///{database}",
        engine_kwargs={"connect_args": {"timeout": DATABASE_WAIT_S}},
    )
    return optuna.create_study(
        storage=storage,
        study_name=search.digest,
        direction="minimize",
        load_if_exists=True,
        sampler=SeededByNumber(search.seed),
        pruner=optuna.pruners.MedianPruner(
            n_startup_trials=MEDIAN_OF_AT_LEAST, n_warmup_steps=UNPRUNED_EPOCHS
        ),
    )


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Tell of the disk as the rest of the program does."""
    try:
        yield
    except optuna.exceptions.StorageInternalError as error:
        number = errno.ENOSPC if "full" in str(error.__cause__) else errno.EIO
        raise OSError(number, str(error.__cause__)) from error
