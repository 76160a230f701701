"""The command: no Keras, one message for bad input."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data import files
from reports.cli import app
from study.store.folders import Store
from tests.reports.page_reader import read_page
from tests.reports.synthetic import config, write_study

HEAVY = ("keras", "jax", "tensorflow", "torch")


@pytest.mark.slow
def test_a_report_needs_no_keras(store: Store, page: Path) -> None:
    code = (
        "import sys\n"
        "from reports.cli import app\n"
        "app(sys.argv[1:], standalone_mode=False)\n"
        f"print([m for m in sys.modules if m.split('.')[0] in {HEAVY}])\n"
    )
    command = [sys.executable, "-c", code, "grid", "--runs", str(store.root.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *told, report, heavy = done.stdout.splitlines()
    assert (report, heavy) == (f"Report: {page}", "[]")
    assert told[0].startswith("fuzz: build Dense, 8 units; error ")
    assert told[1] == "Next:" and "  make listen GRID=grid" in told


@pytest.mark.parametrize("grid", ["nowhere", "..", "[red]"])
def test_bad_input_is_one_message_and_status_2(grid: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [grid, "--runs", str(tmp_path)])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert grid in done.stderr and "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_full_disk_is_one_message_and_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(tmp_path / "grid", [config()])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "write_text", full)
    done = CliRunner().invoke(app, ["grid", "--runs", str(tmp_path)])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: folder {tmp_path}: expected room on the disk")
    assert "Traceback" not in done.output


@pytest.mark.slow
def test_a_damaged_result_is_a_run_without_one(tmp_path: Path) -> None:
    whole, damaged = config(seed=0), config(seed=1)
    store = write_study(tmp_path / "grid", [whole, damaged])
    store.run(damaged.run_id).result_file.write_text('{"status": "ok", "ro')
    done = CliRunner().invoke(app, ["grid", "--runs", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert damaged.run_id in (store.report_folder / "index.html").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("content", ["", "{", '{"reverb": 1}'])
def test_a_run_without_a_configuration_is_listed_and_told(tmp_path: Path, content: str) -> None:
    whole, broken = config(seed=0), config(seed=1)
    store = write_study(tmp_path / "grid", [whole, broken])
    store.run(broken.run_id).config_file.write_text(content)
    done = CliRunner().invoke(app, ["grid", "--runs", str(tmp_path)])
    assert done.exit_code == 0, done.output
    text = read_page(store.report_folder / "index.html").text
    assert "1 of 2 runs finished, 1 pending" in text
    assert f"run {broken.run_id}: expected a configuration of this version" in text


@pytest.mark.parametrize("content", ["", "{", '{"reverb": 1}'])
def test_nothing_but_such_runs_is_one_message(tmp_path: Path, content: str) -> None:
    run = config()
    store = write_study(tmp_path / "grid", [run])
    store.run(run.run_id).config_file.write_text(content)
    done = CliRunner().invoke(app, ["grid", "--runs", str(tmp_path)])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: study {store.root}: expected at least one finished run")
    assert "expected a configuration of this version" in done.stderr
    assert "Traceback" not in done.output


def test_a_broken_manifest_is_one_message(tmp_path: Path) -> None:
    store = write_study(tmp_path / "grid", [config()])
    store.manifest_file.write_text("")
    done = CliRunner().invoke(app, ["grid", "--runs", str(tmp_path)])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: study {store.root}: expected results of a grid")


@pytest.mark.slow
def test_figures_whose_facts_a_power_cut_broke_are_drawn_again(tmp_path: Path) -> None:
    store = write_study(tmp_path / "grid", [config()])
    assert CliRunner().invoke(app, ["grid", "--runs", str(tmp_path)]).exit_code == 0
    facts = sorted(store.report_folder.glob("*/facts.json"))
    whole = [path.read_bytes() for path in facts]
    for path in facts:
        path.write_text("")
    assert CliRunner().invoke(app, ["grid", "--runs", str(tmp_path)]).exit_code == 0
    assert [path.read_bytes() for path in facts] == whole


def test_help_tells_what_is_written() -> None:
    done = CliRunner().invoke(app, ["--help"])
    assert done.exit_code == 0
    assert "index.html" in done.output


@pytest.mark.slow
def test_a_received_row_leads_to_no_file_elsewhere_and_its_run_is_left_out(tmp_path: Path) -> None:
    whole, hostile = config(seed=0), config(seed=1)
    store = write_study(tmp_path / "runs" / "grid", [whole, hostile])
    file = store.run(hostile.run_id).result_file
    stored = files.read_json(file)
    rows = [{**row, "rendering": "../../../../../evil/x"} for row in stored["rows"]]
    files.write_json(file, {**stored, "rows": rows})
    (tmp_path / "evil").mkdir()
    prediction = store.run(hostile.run_id).prediction_file()
    (tmp_path / "evil" / "x.wav").write_bytes(prediction.read_bytes())
    before = {path for path in tmp_path.rglob("*") if store.root not in path.parents}
    done = CliRunner().invoke(app, ["grid", "--runs", str(tmp_path / "runs")])
    assert done.exit_code == 0, done.output
    assert {path for path in tmp_path.rglob("*") if store.root not in path.parents} == before
    page = (store.report_folder / "index.html").read_text("utf-8")
    assert "1</strong> of 2 runs finished" in page
    assert "found &#39;rendering&#39;: Value error, no way of rendering" in page


def test_a_link_in_a_received_report_is_not_followed(tmp_path: Path) -> None:
    store = write_study(tmp_path / "runs" / "grid", [config()])
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "kept.html").write_text("mine")
    store.report_folder.mkdir()
    (store.report_folder / "runs").symlink_to(mine)
    done = CliRunner().invoke(app, ["grid", "--runs", str(tmp_path / "runs")])
    assert done.exit_code == 2
    assert "found a link" in done.stderr and "Traceback" not in done.output
    assert [path.name for path in mine.iterdir()] == ["kept.html"]


@pytest.mark.slow
@pytest.mark.parametrize("gone", ["esr", "epoch", "fir_esr", "macs_per_sample"])
def test_a_run_without_a_measurement_is_left_out_and_told(tmp_path: Path, gone: str) -> None:
    whole, lacking = config(seed=0), config(seed=1)
    store = write_study(tmp_path / "grid", [whole, lacking])
    file = store.run(lacking.run_id).result_file
    stored = files.read_json(file)
    files.write_json(file, {**stored, "rows": [row | {gone: None} for row in stored["rows"]]})
    done = CliRunner().invoke(app, ["grid", "--runs", str(tmp_path)])
    assert done.exit_code == 0, done.output
    page = (store.report_folder / "index.html").read_text("utf-8")
    assert f"its result holds no {gone}" in page and "1</strong> of 2 runs finished" in page
