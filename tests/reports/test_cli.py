"""The command: no Keras, one message for bad input."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reports.cli import app
from study.store import Store

HEAVY = ("keras", "jax", "tensorflow", "torch")


def test_a_report_needs_no_keras(store: Store, page: Path) -> None:
    code = (
        "import sys\n"
        "from reports.cli import app\n"
        "app(sys.argv[1:], standalone_mode=False)\n"
        f"print([m for m in sys.modules if m.split('.')[0] in {HEAVY}])\n"
    )
    command = [sys.executable, "-c", code, "grid", "--runs", str(store.root.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"Report: {page}", "[]"]


@pytest.mark.parametrize("grid", ["nowhere", "..", "[red]"])
def test_bad_input_is_one_message_and_status_2(grid: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [grid, "--runs", str(tmp_path)])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert grid in done.stderr and "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_help_tells_what_is_written() -> None:
    done = CliRunner().invoke(app, ["--help"])
    assert done.exit_code == 0
    assert "index.html" in done.output
