"""Make takes no variable that does not exist."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def made(*words: str, target: str = "help") -> subprocess.CompletedProcess[str]:
    command = ["make", "-n", target, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_a_misspelt_variable_is_refused() -> None:
    told = made("GIRD=paper")
    assert told.returncode == 2
    assert "unknown variable GIRD" in told.stderr


def test_every_variable_is_taken_with_any_value() -> None:
    variables = re.findall(r"^([A-Z]+) \?=", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert "GRID" in variables
    told = made(*(f"{name}=-m 'not slow' GIRD=x" for name in variables))
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("target", ["grid", "search", "budget"])
def test_whatever_choose_can_read_gets_a_budget(target: str) -> None:
    told = made("GRID=mine", "SEARCH=mine", target=target)
    assert told.returncode == 0, told.stderr
    assert '-m embedded budget "mine"' in told.stdout
