"""Ctrl-C in the first seconds of a command, while it imports: it ends, and shows no traceback."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fuzz.fuzzing import rounds
from tests.study.commands import ROOT, until

pytestmark = pytest.mark.slow

# Each imports for seconds: some before the command begins, some once it is at work.
COMMANDS = [
    ["study", "grid", "smoke", "--dry-run"],
    ["study", "render", "run", "in.wav", "out.wav", "--grid", "none"],
    ["reports", "none"],
    ["embedded", "convert", "none"],
    ["embedded", "deploy", "none"],
    ["embedded", "export", "none"],
    ["reports.listening_cli", "results", "none"],
]


def test_an_interrupt_in_the_first_seconds_shows_no_traceback() -> None:
    for random in rounds(10):
        command = COMMANDS[random.integers(len(COMMANDS))]
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        await_imports(Path(f"/proc/{process.pid}/maps"))
        moment_s = random.uniform(0, 3)
        time.sleep(moment_s)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
        # An interrupt inside exec("..."), as dataclasses use it, has Python end itself by SIGINT
        # in the end, which a shell calls 130 too.
        assert process.returncode in (130, 2, -signal.SIGINT), (command, moment_s, told)
        assert "Traceback" not in told and "Exception ignored" not in told, (command, moment_s)
        assert told.count("\n") <= 1, (command, moment_s, told)


def await_imports(maps: Path) -> None:
    """Until the first large package is loaded; what comes before is Python's own start."""
    assert until(lambda: any(name in maps.read_text() for name in ("pydantic_core", "numpy")))
