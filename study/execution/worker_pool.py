"""Worker processes, one a core, and what they report.

The scheduler hands out no work (workers take runs by lock); it starts workers,
replaces those that die, gives up on a run that keeps killing them, and passes their
events on.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data import system_errors
from data.errors import InputError
from study.execution import worker_death
from study.store import tables
from study.store.folders import CHECKPOINT_EVERY_S, Store

DEATHS_A_RUN = 3
RUN_IS_OVER = ("done", "found")

# One thread a worker: two one-core processes beat one two-core process on small models.
ONE_THREAD = {
    "KERAS_BACKEND": "jax",  # the engine's, whatever the user's shell says
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}

Event = dict[str, Any]


def cores() -> list[int]:
    """The processors that this process may use."""
    return sorted(os.sched_getaffinity(0))


@dataclass
class Worker:
    """A worker process, the core it is bound to, where in its log it began, the run it is on."""

    process: subprocess.Popen[str]
    core: int
    log: Path
    log_start: int
    run_id: str | None = None


@dataclass
class Scheduler:
    """Runs a grid's workers and yields their events.

    Attributes:
        store: of the grid; its pairs should be made already.
        core_list: one worker is bound to each.
        checkpoint_every_s: seconds of training between two checkpoints of a run.
        job: module whose ``work`` function the workers call.
    """

    store: Store
    core_list: list[int]
    checkpoint_every_s: float = CHECKPOINT_EVERY_S
    job: str = "study.execution.run_worker"
    _events: queue.Queue[tuple[Worker, Event | None]] = field(default_factory=queue.Queue)
    _deaths: Counter[str] = field(default_factory=Counter)
    _workers: list[Worker] = field(default_factory=list)

    def events(self) -> Iterator[Event]:
        """Start the workers and yield what they say until all have ended.

        Adds an event ``died`` (run, cause, given_up) for a worker that was killed.

        Raises:
            InputError: the system refuses a file, as on a full disk. Nothing finished is lost.
        """
        try:
            for core in self.core_list:
                self._start(core)
            while self._workers:
                source, event = self._events.get()
                if event is None:
                    yield from self._ended(source)
                    continue
                if event["event"] == "fatal":
                    raise system_errors.told(OSError(*event["error"]), self.store.root)
                source.run_id = event["run"] if event["event"] not in RUN_IS_OVER else None
                yield event
        finally:
            self.stop()

    def stop(self) -> None:
        """End all workers; what they had finished or checkpointed stays."""
        for each in self._workers:
            each.process.kill()
            each.process.wait()
        self._workers.clear()

    def _start(self, core: int) -> None:
        log = self.store.root / f"worker-{core}.log"
        arguments = [str(self.store.root), str(self.checkpoint_every_s), self.job]
        with log.open("a", encoding="utf-8") as errors:
            log_start = errors.tell()
            process = subprocess.Popen(
                [sys.executable, "-m", "study.execution.worker_process", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(Path(__file__).parents[2])},
                start_new_session=True,  # Ctrl-C is for the scheduler, which then ends them
            )
        # Long before JAX starts and counts its processors.
        os.sched_setaffinity(process.pid, {core})
        started = Worker(process, core, log, log_start)
        self._workers.append(started)
        threading.Thread(target=self._read, args=(started,), daemon=True).start()

    def _read(self, source: Worker) -> None:
        assert source.process.stdout is not None
        for line in source.process.stdout:
            try:
                self._events.put((source, json.loads(line)))
            except json.JSONDecodeError:
                continue  # the last line of a worker that was killed while writing it
        self._events.put((source, None))

    def _ended(self, source: Worker) -> Iterator[Event]:
        self._workers.remove(source)
        code = source.process.wait()
        if code == 0:
            return
        cause = worker_death.explain(code, source.log, source.log_start)
        run_id = source.run_id
        given_up = False
        if run_id is not None:
            self._deaths[run_id] += 1
            given_up = self._deaths[run_id] >= DEATHS_A_RUN and self.give_up(
                run_id, f"its worker process died {DEATHS_A_RUN} times ({cause})"
            )
        else:
            self._note_failed_start(source, cause)
        yield {"event": "died", "run": run_id, "cause": cause, "given_up": given_up}
        self._start(source.core)

    def _note_failed_start(self, source: Worker, cause: str) -> None:
        """A worker that died before its first run may start again, but not for ever."""
        start = f"start on core {source.core}"
        self._deaths[start] += 1
        if self._deaths[start] >= DEATHS_A_RUN:
            raise InputError(
                "worker process",
                expected="it to start",
                found=f"{DEATHS_A_RUN} deaths ({cause})",
                remedy=f"Read the end of {source.log}.",
            )

    def give_up(self, run_id: str, reason: str) -> bool:
        """Mark a run as failed; whether it was not in other hands."""
        folder = self.store.run(run_id)
        with folder.lock() as mine:
            if mine:
                tables.write_failure(folder.config(), folder, reason)
        return mine
