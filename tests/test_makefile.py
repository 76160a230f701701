"""Make takes no variable that does not exist, and hands on every value as it was typed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VARIABLES = re.findall(r"^([A-Z]+) \?=", (ROOT / "Makefile").read_text(), re.MULTILINE)
# Stands in for the environment's Python: notes the arguments it is called with, but splits ARGS.
RECORDER = f"""#!/bin/sh
case $1 in -ISc) exec '{sys.executable}' "$@";; esac
printf '%s\\0' "$#" "$@" >> calls
"""
NAMES = (
    "a`touch x`.wav",
    "a$(touch x).wav",
    "a$(shell touch x).wav",
    "take $1.wav",
    "$$ ${HOME} $HOME.wav",
    'it\'s "loud".wav',
    "two words .wav",
    "a;touch x;.wav",
    "a&touch x|cat>x<y.wav",
    "-n.wav",
    "--dry-run",
    "a\nb.wav",
    "a\\b.wav",
    "#1, 50%.wav",
    "*.txt",
)
ALL = "-" + "".join(NAMES)

Make = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """``make`` in a folder that is set up, but whose Python only takes notes."""
    for file in (*ROOT.glob("requirements*"), ROOT / "Makefile"):
        shutil.copy(file, tmp_path)
    shutil.copytree(ROOT / "reports/audio/npm", tmp_path / "reports/audio/npm")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(RECORDER)
    python.chmod(0o755)
    for stamp in re.findall(r"^(\.venv/\.[\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE):
        (tmp_path / stamp).touch()
    for file in tmp_path.rglob("*"):
        os.utime(file, (1e9, 1e9))  # all of one age, so nothing is set up anew

    def made(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *words],
            cwd=tmp_path,
            env={**without_makes(), **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return made


def without_makes() -> dict[str, str]:
    """The environment without what a ``make test`` around this one left in it."""
    makes = {*VARIABLES, "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "MAKELEVEL"}
    return {name: value for name, value in os.environ.items() if name not in makes}


def calls(folder: Path) -> list[list[str]]:
    """The arguments that Python was called with, a list a call, less ``-m``."""
    words = (folder / "calls").read_text().split("\0")[:-1]
    found = []
    while words:
        count = int(words.pop(0))
        found.append(words[1:count])
        words = words[count:]
    return found


def test_a_misspelt_variable_is_refused(make: Make) -> None:
    told = make("help", "GIRD=paper")
    assert told.returncode == 2
    assert "unknown variable GIRD" in told.stderr


def test_every_variable_is_taken_with_any_value(make: Make) -> None:
    assert "GRID" in VARIABLES
    told = make("-n", "help", *(f"{name}=-m 'not slow' GRID=x" for name in VARIABLES))
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("target", ["grid", "search", "budget"])
def test_whatever_choose_can_read_gets_a_budget(make: Make, target: str, tmp_path: Path) -> None:
    told = make(target, "GRID=mine", "SEARCH=mine")
    assert told.returncode == 0, told.stderr
    assert ["embedded", "budget", "--", "mine"] in calls(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_files_name_arrives_whole_and_nothing_in_it_is_run(
    make: Make, name: str, tmp_path: Path
) -> None:
    kept = set(tmp_path.iterdir())
    for told in (make("data", f"DRY={name}", f"WET={name}"), make("data", DRY=name, WET=name)):
        assert told.returncode == 0, told.stderr
    whole = ["study", "data", f"--dry={name}", f"--wet={name}", "--", "quick"]
    assert calls(tmp_path) == [whole, whole]
    assert set(tmp_path.iterdir()) == {*kept, tmp_path / "calls"}


RECORDING = [f"--dry={ALL}", f"--wet={ALL}"]
PASSED_ON = {
    "grid": ["study", "grid", *RECORDING, "--", ALL],
    "search": ["study", "search", *RECORDING, "--", ALL],
    "estimate": ["study", "grid", *RECORDING, "--dry-run", "--", ALL],
    "report": ["embedded", "browser", "--", ALL],
    "open": ["embedded", "browser", "--", ALL],
    "choose": ["study", "choose", f"--run={ALL}", f"--effect={ALL}", f"--board={ALL}", "--", ALL],
    "listen": ["reports.listening_cli", "serve", f"--compare={ALL}", f"--effect={ALL}", "--", ALL],
    "listen-import": ["reports.listening_cli", "import", "--", ALL, ALL],
    "render": ["study", "render", f"--grid={ALL}", f"--effect={ALL}", "--", ALL, ALL, ALL],
    "play": ["study", "play", f"--grid={ALL}", f"--effect={ALL}", "--", ALL],
    "deploy": [
        "embedded",
        "deploy",
        f"--board={ALL}",
        f"--run={ALL}",
        f"--effect={ALL}",
        "--force",
        "--",
        ALL,
    ],
    "budget": ["embedded", "budget", "--", ALL],
    "convert": ["embedded", "convert", f"--run={ALL}", f"--effect={ALL}", "--", ALL],
    "timing": ["embedded", "timing", "--", ALL],
    "export": [
        "embedded",
        "export",
        f"--format={ALL}",
        f"--run={ALL}",
        f"--effect={ALL}",
        "--force",
        "--",
        ALL,
    ],
    "data": ["study", "data", *RECORDING, "--", ALL],
}


@pytest.mark.parametrize("target", PASSED_ON)
def test_every_command_takes_every_value_whole(make: Make, target: str, tmp_path: Path) -> None:
    kept = set(tmp_path.iterdir())
    told = make(target, *(f"{name}={ALL}" for name in VARIABLES if name != "ARGS"))
    assert told.returncode == 0, told.stderr
    assert calls(tmp_path)[0] == PASSED_ON[target]
    assert set(tmp_path.iterdir()) == {*kept, tmp_path / "calls"}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ("", []),
        ("--block 64", ["--block", "64"]),
        ("-m 'not slow'", ["-m", "not slow"]),
        ('--name "a b"c \\"', ["--name", "a bc", '"']),
        ("$(touch x) `touch x` $HOME *", ["$(touch", "x)", "`touch", "x`", "$HOME", "*"]),
        ("; touch x & >x", [";", "touch", "x", "&", ">x"]),
        ("'$1\n'", ["$1\n"]),
    ],
)
@pytest.mark.parametrize("target", ["test", "fuzz", "timing"])
def test_args_are_split_into_words_and_not_run(
    make: Make, args: str, words: list[str], target: str, tmp_path: Path
) -> None:
    kept = set(tmp_path.iterdir())
    told = make(target, f"ARGS={args}")
    assert told.returncode == 0, told.stderr
    end = {"test": [], "fuzz": [], "timing": ["--", "quick"]}[target]
    (called,) = calls(tmp_path)
    assert called[len(called) - len(words) - len(end) :] == words + end
    assert set(tmp_path.iterdir()) == {*kept, tmp_path / "calls"}


def test_args_with_an_open_quote_are_refused_in_one_sentence(make: Make, tmp_path: Path) -> None:
    told = make("budget", "ARGS=--runs 'my runs")
    assert told.returncode == 2
    said = [line for line in told.stderr.splitlines() if not line.startswith("make: ")]
    assert said == ["error: expected words in ARGS, found a quote without its end: --runs 'my runs"]
    assert not (tmp_path / "calls").exists()
