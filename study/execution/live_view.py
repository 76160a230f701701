"""Long work as it goes: a live display on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

PLAIN_EVERY_S = 15.0


class LiveView(ABC):
    """A bar with a summary, and a line for each thing that is being worked on.

    Drawn once when it is made, so a subclass calls this constructor last.

    Args:
        console: where to draw.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = self._last_line = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.completed:.0%}"),
            BarColumn(20),
            TextColumn("{task.description}", markup=False),
        )
        self._task = self._bar.add_task("", total=1.0)
        self._live = Live(console=console, refresh_per_second=4, get_renderable=self._renderable)

    @abstractmethod
    def share(self) -> float:
        """How much of the work is done, 0 to 1."""

    @abstractmethod
    def summary(self) -> str:
        """Where the whole stands, in one line beside the bar."""

    @abstractmethod
    def details(self) -> list[str]:
        """A line for each thing under way or found, below the bar."""

    def plain(self) -> str:
        """What is told now and then where no terminal is."""
        return self.summary()

    def __enter__(self) -> Self:
        """Start drawing."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop drawing."""
        if self._console.is_terminal:
            self._live.stop()

    def line(self, text: str) -> None:
        """Tell what has happened, for good."""
        self._last_line = time.monotonic()
        self._console.print(text, soft_wrap=True)

    def death(self, event: Mapping[str, Any], on: str) -> None:
        """Tell of a dead worker; one that died as it started was on nothing."""
        where = "as it started: started again"
        if event["run"] is not None:
            what = "given up" if event["given_up"] else "restarted, it continues"
            where = f"on {on}: {what}"
        self.line(f"a worker died ({event['cause']}) {where}")

    def now_and_then(self) -> None:
        """Tell where the whole stands, if nothing has been told for a while."""
        quiet_for = time.monotonic() - self._last_line
        if not self._console.is_terminal and quiet_for > PLAIN_EVERY_S:
            self.line(self.plain())

    def _renderable(self) -> Table:
        self._bar.update(self._task, completed=self.share(), description=self.summary())
        view = Table.grid()
        view.add_column(no_wrap=True, overflow="ellipsis")
        view.add_row(self._bar)
        for text in self.details():
            view.add_row(f"  {text}")
        return view
