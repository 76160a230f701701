"""The real command line in processes of its own, and what is left of them in /proc."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass
class Command:
    """``python -m study grid`` or ``search`` at work.

    Attributes:
        runs: its ``--runs`` folder.
        process: of the command, which starts the workers.
        log: what it printed.
    """

    runs: Path
    process: subprocess.Popen[bytes]
    log: Path

    def wait(self, seconds: float = 100) -> int:
        return self.process.wait(seconds)

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def printed(self) -> str:
        return self.log.read_text()

    def workers(self) -> list[int]:
        return workers(self.runs)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def start(grid: Path, runs: Path, *options: str, command: str = "grid") -> Command:
    runs.mkdir(parents=True, exist_ok=True)
    log = grid.parent / f"printed-{time.monotonic_ns()}.log"
    arguments = [command, str(grid), "--runs", str(runs), "--checkpoint-seconds", "0", *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "study", *arguments],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Command(runs, process, log)


def study(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Any command, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "study", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
    )


def workers(runs: Path) -> list[int]:
    """Process numbers of all living workers on grids in a folder, whoever started them."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = entry.read_bytes().decode(errors="replace").split("\0")
            if "study.execution.worker_process" in words and any(
                word.startswith(f"{runs}/") for word in words
            ):
                found.append(int(entry.parent.name))
    return sorted(found)


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether the condition came true in time."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
