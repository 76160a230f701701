"""Locks that die with their process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from data.locks import lock

ROOT = Path(__file__).parents[2]


def test_a_lock_is_held_by_one_and_free_again_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with lock(path) as mine:
        assert mine
        with lock(path) as second:
            assert not second
    with lock(path) as mine:
        assert mine


def test_a_killed_process_frees_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time, pathlib\nfrom data.locks import lock\n"
            "with lock(pathlib.Path(sys.argv[1])) as mine:\n"
            "    print(mine, flush=True)\n    time.sleep(60)",
            str(path),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    with lock(path) as mine:
        assert not mine
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    with lock(path) as mine:
        assert mine
