"""What a running grid shows: runs done, frames per second, time left, best so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console

from study.config.grid import Grid
from study.config.run import RunConfig, effect_names
from study.execution.live_view import LiveView

EVALUATING = "evaluating"


class GridProgress(LiveView):
    """Follows the events of a grid.

    Args:
        grid: what is being run.
        finished: final rows of the runs that were finished before.
        console: where to draw.
    """

    def __init__(self, grid: Grid, finished: list[dict[str, Any]], console: Console) -> None:
        self._configs = {config.run_id: config for config in grid.runs}
        self._effects = effect_names(self._configs)
        self._share: dict[str, float] = {}
        self._rate: dict[str, float] = {}
        self._text: dict[str, str] = {}
        self._best: dict[str, dict[str, Any]] = {}
        self._ended: dict[str, bool] = {}  # by run id, whether it failed
        for row in finished:
            self._note_result(row)
        self._already = self._work_done()
        super().__init__(console)  # draws

    def follow(self, event: dict[str, Any]) -> None:
        """Take in one event of the scheduler."""
        handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "start": self._on_start,
            "epoch": self._on_epoch,
            "evaluate": self._on_evaluate,
            "done": self._on_done,
            "found": self._on_found,
            "died": self._on_died,
        }
        handlers[event["event"]](event)
        self.now_and_then()

    def _on_start(self, event: dict[str, Any]) -> None:
        self._text[event["run"]] = "starting"

    def _on_epoch(self, event: dict[str, Any]) -> None:
        config = self._configs[event["run"]]
        if event["run"] not in self._share and event["epoch"] > 1:
            self.line(f"{event['run']} goes on from epoch {event['epoch'] - 1}")
        is_tuning = event["stage"] == "streaming"
        before, epochs = (
            (config.epochs, config.streaming_epochs) if is_tuning else (0, config.epochs)
        )
        done = (before + event["epoch"]) / (config.epochs + config.streaming_epochs)
        self._share[event["run"]] = (event["model"] + done) / config.trained_models
        self._rate[event["run"]] = event["frames_per_second"]
        self._text[event["run"]] = (
            f"{'streaming ' if is_tuning else ''}epoch {event['epoch']}/{epochs}, validation loss "
            f"{event['validation_loss']:.2e}"
        )

    def _on_evaluate(self, event: dict[str, Any]) -> None:
        self._text[event["run"]] = EVALUATING
        self._rate.pop(event["run"], None)

    def _on_done(self, event: dict[str, Any]) -> None:
        run_id, row = event["run"], event["row"]
        self._forget(run_id)
        self._note_result(row)
        outcome = f"ESR {row['esr']:.4f}" if row["status"] == "ok" else f"FAILED: {row['error']}"
        self.line(f"{len(self._ended)}/{len(self._configs)} {run_id}: {outcome}")

    def _on_found(self, event: dict[str, Any]) -> None:
        """Somebody else has finished the run, or it was finished before."""
        self._note_result(event["row"])

    def _on_died(self, event: dict[str, Any]) -> None:
        self._forget(event["run"])
        self._share.pop(event["run"], None)
        if event["given_up"]:
            self._note_end(event["run"], failed=True)
        self.death(event, event["run"])

    def _forget(self, run_id: str) -> None:
        self._text.pop(run_id, None)
        self._rate.pop(run_id, None)

    def _note_end(self, run_id: str, *, failed: bool) -> None:
        self._share[run_id] = 1.0
        self._ended[run_id] = failed

    def _note_result(self, row: dict[str, Any]) -> None:
        self._note_end(row["run_id"], failed=row["status"] != "ok")
        if row["status"] != "ok":
            return
        effect = self._effects[row["run_id"]]
        best = self._best.get(effect)
        if best is None or row["validation_esr"] < best["validation_esr"]:
            self._best[effect] = row

    def _work_done(self) -> float:
        return sum(self._configs[run].training_cost * share for run, share in self._share.items())

    def share(self) -> float:
        """By the cost of what is trained."""
        total = sum(config.training_cost for config in self._configs.values())
        return self._work_done() / total

    def summary(self) -> str:
        """Runs done, frames per second, time left."""
        parts = [f"{len(self._ended)}/{len(self._configs)} runs"]
        if failed := sum(self._ended.values()):
            parts.append(f"{failed} failed")
        if self._rate:
            parts.append(f"{sum(self._rate.values()):,.0f} frames/s")
        if evaluating := list(self._text.values()).count(EVALUATING):
            parts.append(f"{evaluating} evaluating")
        parts.append(f"{self._time_left()} left")
        return ", ".join(parts)

    def _best_so_far(self) -> list[str]:
        """The best run of each effect by its validation ESR."""
        return [
            f"best {effect} so far: {_shape(self._configs[row['run_id']])}, ESR {row['esr']:.4f}"
            for effect, row in sorted(self._best.items())
        ]

    def _time_left(self) -> str:
        total = sum(config.training_cost for config in self._configs.values())
        now = self._work_done()
        elapsed = time.monotonic() - self._started
        if now <= self._already:
            return "unknown time"
        return duration(elapsed * (total - now) / (now - self._already))

    def details(self) -> list[str]:
        """What each worker does, and the best so far."""
        working = [f"{run_id}: {text}" for run_id, text in sorted(self._text.items())]
        return [*working, *self._best_so_far()]

    def plain(self) -> str:
        """The summary and the best so far."""
        return "; ".join([self.summary(), *self._best_so_far()])


def _shape(config: RunConfig) -> str:
    shape = f"{config.family} {config.layers}x{config.units}"
    if config.training == "sequence":
        front = f", frame {config.frame_size} to {config.features}" if config.features else ""
        return f"{shape}{front}, sequences"
    return f"{shape}, frame {config.frame_size}, {config.training_frames:,} frames"


def duration(seconds: float) -> str:
    """A length of time for people: ``42 s``, ``7 min``, ``3.4 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
