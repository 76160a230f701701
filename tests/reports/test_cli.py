"""The command: no Keras, one message for bad input."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reports.cli import app
from study import files
from study.store import Store
from tests.reports.synthetic import config, write_study

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


def test_a_full_disk_is_one_message_and_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = write_study(tmp_path / "grid", [config()])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "write_text", full)
    done = CliRunner().invoke(app, ["grid", "--runs", str(tmp_path)])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: folder {store.root}: expected room on the disk")
    assert "Traceback" not in done.output


def test_a_damaged_result_is_a_run_without_one(tmp_path: Path) -> None:
    whole, damaged = config(seed=0), config(seed=1)
    store = write_study(tmp_path / "grid", [whole, damaged])
    store.run(damaged.run_id).result_file.write_text('{"status": "ok", "ro')
    done = CliRunner().invoke(app, ["grid", "--runs", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert damaged.run_id in (store.report_folder / "index.html").read_text("utf-8")


def test_help_tells_what_is_written() -> None:
    done = CliRunner().invoke(app, ["--help"])
    assert done.exit_code == 0
    assert "index.html" in done.output
