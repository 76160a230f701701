"""Whatever the system refuses is one sentence, and a command that is stopped tidies up."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from data.errors import InputError
from embedded.cli import app as embedded
from reports.cli import app as reports
from reports.listening_cli.commands import app as listening
from study.cli import app as study
from study.config.grid import Grid
from study.execution.worker_pool import Scheduler
from study.store.folders import Store
from tests import tiny
from tests.study.commands import ROOT, until

COMMANDS = {
    "study table": (study, ["table", "mine"]),
    "study choose": (study, ["choose", "mine"]),
    "study render": (study, ["render", "run", "in.wav", "out.wav", "--grid", "mine"]),
    "study grid": (study, ["grid", "smoke"]),
    "study search": (study, ["search"]),
    "reports": (reports, ["mine"]),
    "embedded budget": (embedded, ["budget", "mine"]),
    "embedded deploy": (embedded, ["deploy", "mine"]),
    "listening build": (listening, ["build", "mine"]),
    "listening results": (listening, ["results", "mine"]),
}


def one_sentence(app: typer.Typer, *arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 2, result.exception
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("error: ")
    return line


def a_file(folder: Path) -> Path:
    path = folder / "file"
    path.write_text("")
    return path


def a_loop(folder: Path) -> Path:
    path = folder / "loop"
    path.symlink_to(path)
    return path


def too_long(folder: Path) -> Path:
    return folder / ("long" * 100)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("broken", [a_file, a_loop, too_long], ids=["a_file", "a_loop", "too_long"])
def test_a_folder_of_results_that_cannot_be_used_is_one_sentence(
    command: str, broken: Callable[[Path], Path], tmp_path: Path
) -> None:
    app, arguments = COMMANDS[command]
    runs = broken(tmp_path)
    told = one_sentence(app, *arguments, "--runs", str(runs))
    assert str(runs) in told and "expected" in told and "found" in told


def test_a_grid_file_with_too_long_a_name_is_one_sentence(tmp_path: Path) -> None:
    assert "File name too long" in one_sentence(study, "grid", f"{too_long(tmp_path)}.toml")


def test_a_folder_where_a_file_belongs_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "smoke" / "grid.json").mkdir(parents=True)
    told = one_sentence(study, "grid", "smoke", "--runs", str(tmp_path))
    assert f"path {tmp_path}/smoke/grid.json: expected a file; found Is a directory." in told


def test_a_folder_that_may_not_be_written_to_is_one_sentence() -> None:
    if not Path("/sys/kernel").is_dir():
        pytest.skip("no /sys here")
    told = one_sentence(study, "grid", "smoke", "--runs", "/sys/kernel/pedalframe")
    assert "/sys/kernel/pedalframe" in told and "permissions" in told


@pytest.mark.slow
def test_a_worker_that_the_system_refuses_a_file_is_one_sentence(tmp_path: Path) -> None:
    store = Store(tmp_path / "mine")
    store.write_grid(Grid("mine", "Mine", (tiny.config(),), "mine.toml"))
    [run] = store.runs()
    (run.path / "lock").mkdir()
    scheduler = Scheduler(store, [min(os.sched_getaffinity(0))])
    with pytest.raises(InputError, match=rf"{run.path}/lock: expected a file; found Is a dir"):
        list(scheduler.events())


@pytest.mark.parametrize("program", ["study", "reports", "embedded", "reports.listening_cli"])
def test_an_interrupt_while_a_program_is_loaded_ends_it_without_a_traceback(program: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", program, "--help"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    maps = Path(f"/proc/{process.pid}/maps")
    # Of what is imported first, so that seconds are left to the end.
    assert until(lambda: "pydantic_core" in maps.read_text() or "numpy" in maps.read_text())
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told == b""


MISTAKEN = """
import os, signal, typer
from study.command_line.errors import explained

@explained
def command():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        pass
    raise ImportError("To use Keras, you need to have optree installed.")

typer.run(command)
"""


@pytest.mark.slow
def test_an_interrupt_that_a_library_takes_for_another_error_is_told_as_one() -> None:
    """As Keras does, which takes an import that was interrupted for a package that is missing."""
    told = subprocess.run(
        [sys.executable, "-c", MISTAKEN], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 130
    assert told.stderr == "Interrupted. The same command continues where it stopped.\n"


WRITER = """
import sys, time, typer
from pathlib import Path
from data import files
from study.command_line.errors import explained

@explained
def command(path: Path):
    def write(aside):
        aside.write_text("half")
        print("half", flush=True)
        time.sleep(60)
    files.write_whole(path, write)

typer.run(command)
"""


def writing(path: Path, *before: str) -> subprocess.Popen[str]:
    """A command that has half written a file."""
    process = subprocess.Popen(
        [*before, sys.executable, "-c", WRITER, str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "half\n"
    return process


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_stopped_command_tidies_up_and_says_so(number: int, code: int, tmp_path: Path) -> None:
    process = writing(tmp_path / "a.txt")
    assert len(list(tmp_path.iterdir())) == 1
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    assert process.returncode == code
    assert told == "Interrupted. The same command continues where it stopped.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_command_under_nohup_outlives_its_terminal(tmp_path: Path) -> None:
    process = writing(tmp_path / "a.txt", "nohup")
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 143
    assert list(tmp_path.iterdir()) == []
