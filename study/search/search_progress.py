"""What a running search shows: trials done and pruned, the best so far, time left."""

from __future__ import annotations

import time
from typing import Any

from optuna.trial import FrozenTrial, TrialState
from rich.console import Console

from study.execution.grid_progress import duration
from study.execution.live_view import LiveView
from study.search.trials import ENDED, Trials


class SearchProgress(LiveView):
    """Follows the events of a search.

    Args:
        trials: of the search; other commands' trials are counted too.
        console: where to draw.
    """

    def __init__(self, trials: Trials, console: Console) -> None:
        self._trials = trials
        self._text: dict[str, str] = {}
        self._share: dict[str, float] = {}
        self._seen = trials.all()
        self._before = self._ended
        super().__init__(console)  # draws

    def follow(self, event: dict[str, Any]) -> None:
        """Take in one event of the scheduler."""
        number = event["run"]
        if event["event"] == "start":
            self._text[number] = described(event["params"])
        elif event["event"] == "epoch":
            self._share[number] = event["epoch"] / self._trials.search.base.epochs
            self._text[number] = (
                f"{self._text.get(number, '').partition(';')[0]}; epoch {event['epoch']}, "
                f"validation loss {event['validation_loss']:.2e}"
            )
        elif event["event"] == "died":
            self._forget(number)
            self.death(event, f"trial {number}")
        elif event["event"] == "done":
            self._forget(number)
            self._seen = self._trials.all()
            self.line(f"{self._ended}/{self._wanted} {outcome(self._seen[int(number)])}")
        self.now_and_then()

    def summary(self) -> str:
        """Counts, the best so far and the time left, in one line."""
        states = [trial.state for trial in self._seen]
        parts = [
            f"{self._ended}/{self._wanted} trials",
            f"{states.count(TrialState.PRUNED)} pruned",
        ]
        if failed := states.count(TrialState.FAIL):
            parts.append(f"{failed} failed")
        best = self._trials.best()
        if best is not None:
            parts.append(f"best so far: trial {best.number}, validation loss {best.value:.2e}")
        parts.append(f"{self._time_left()} left")
        return ", ".join(parts)

    @property
    def _ended(self) -> int:
        return sum(trial.state in ENDED for trial in self._seen)

    @property
    def _wanted(self) -> int:
        return max(self._trials.search.trials, len(self._seen))

    def _forget(self, number: str | None) -> None:
        for kept in (self._text, self._share):
            kept.pop(str(number), None)

    def _time_left(self) -> str:
        """By the time that a trial has taken on average, pruned ones included."""
        done = self._ended - self._before + sum(self._share.values())
        if done <= 0:
            return "unknown time"
        elapsed = time.monotonic() - self._started
        return duration(elapsed * (self._wanted - self._before - done) / done)

    def share(self) -> float:
        """By the number of trials."""
        return min(1.0, (self._ended + sum(self._share.values())) / self._wanted)

    def details(self) -> list[str]:
        """What each worker tries."""
        by_number = sorted(self._text.items(), key=lambda item: int(item[0]))
        return [f"trial {number}: {text}" for number, text in by_number]


def outcome(trial: FrozenTrial) -> str:
    """How a trial ended, in a line."""
    reason = trial.user_attrs.get("reason", "")
    if trial.state == TrialState.COMPLETE:
        how = f"validation loss {trial.value:.2e}"
    elif trial.state == TrialState.PRUNED:
        how = f"pruned after {len(trial.intermediate_values)} epochs: {reason}"
    else:
        how = f"FAILED: {reason}"
    return f"trial {trial.number} ({described(trial.params)}): {how}"


def described(params: dict[str, Any]) -> str:
    """Settings as a line."""
    return ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in params.items()
    )
