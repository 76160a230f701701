"""What is added to its list alone appears everywhere: a toy member of each kind, from outside."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from reports.pages import study_page
from reports.sections.order import SECTIONS
from reports.sections.section import Section
from study.measures.metrics import METRICS
from tests.reports.page_reader import read_page
from tests.reports.synthetic import config, write_study

# Tables are laid out as modules are read, so the toy is there before any of them is.
METRIC = """
import sys
from pathlib import Path

import numpy as np

from study.measures import metrics

metrics.METRICS = (
    *metrics.METRICS,
    metrics.Metric(
        "peak_error", lambda y, p, _: float(np.abs(y - p).max()), "max |y - p|", "V", "higher"
    ),
)

from data import audio, files
from reports.pages import study_page
from study.dataset import Datasets
from study.store import tables
from tests.reports.synthetic import config, write_study

run = config()
store = write_study(Path(sys.argv[1]), [run])
folder = store.run(run.run_id)
target = Datasets(store.pairs).of(run).test_target
prediction = audio.read(folder.prediction_file(None)).samples
stored = folder.stored_result()
stored["rows"][-1] |= metrics.evaluate(target, prediction, run.sample_rate_hz)
files.write_json(folder.result_file, stored)
tables.write(store)
study_page.build(store)
print(float(np.abs(target - prediction).max()))
"""

BOARD = """
import sys
from dataclasses import replace
from pathlib import Path

from study.selection import boards

boards.BOARDS["toy"] = replace(
    boards.BOARDS["daisy"], name="toy", title="Toy 7", kind="teensy", clock_hz=700_000_000
)

from typer.testing import CliRunner

from embedded import cli as embedded_cli
from embedded.budget import budget
from embedded.firmware import sources
from reports.sections.boards import boards_section
from reports.sources.cache import Cache
from reports.sources.results import read
from study import cli as study_cli
from tests.reports.synthetic import config, write_study

for app, command in ((embedded_cli.app, "deploy"), (study_cli.app, "choose")):
    told = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert "teensy41, teensy40, daisy, daisy_sram or toy" in told.output, told.output

run = config(family="dense").model_copy(update={"sample_rate_hz": 48_000})
store = write_study(Path(sys.argv[1]), [run])
table = budget.write(store)
own = table[table["board"] == "toy"]
assert len(own) == len(budget.ROUTES)
assert set(own["budget_cycles"]) == {700e6 / 48_000}
assert budget.told(table)[-1].startswith("Toy 7: 1 yes")

section = boards_section(read(store), Cache(store.report_folder))
assert section.boards[-1] == "Toy 7"
assert section.sentences[-1].startswith("Toy 7: 1 of 1 model surely keeps up")

toy, folder = boards.board("toy"), Path(sys.argv[1]) / "firmware"
sources.copy_sources(toy.kind, folder)
sources.write_build_files(folder, toy)
assert "board = toy" in (folder / "platformio.ini").read_text()
assert "PEDAL_BOARD_RATE_HZ 48000u" in sources.config_header(toy, 48_000)
"""


@pytest.mark.slow
def test_a_metric_of_the_list_is_computed_stored_explained_and_shown(tmp_path: Path) -> None:
    root = tmp_path / "toy"
    words = [sys.executable, "-c", METRIC, str(root)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(root / "results.csv")
    names = [*(metric.name for metric in METRICS), "peak_error", "onsets"]
    start = list(table).index("mae")
    assert list(table)[start : start + len(names)] == names
    assert table["peak_error"].iloc[-1] == pytest.approx(float(done.stdout), rel=1e-6)
    told = "test: max |y - p|, V; higher is better"
    dictionary = (root / "columns.md").read_text()
    escaped = told.replace("|", "\\|")
    of_each = dictionary.split("## ")
    for name in ("results", "settings"):
        [own] = [part for part in of_each if part.startswith(f"{name}.parquet")]
        assert f"| `peak_error` | Float64 | {escaped} |" in own
    page = read_page(root / "report" / "index.html")
    [heading] = [a for tag, a in page.tags if tag == "th" and a.get("data-name") == "peak_error"]
    assert heading["title"] == told
    assert f"{told} (float64)" in page.text


@pytest.mark.slow
def test_a_section_of_the_list_is_on_the_page_and_in_the_navigation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(study_page.TEMPLATES, templates)
    (templates / "toy.html").write_text(
        '<section id="{{ section.anchor }}">\n<h2>A toy</h2>\n<p>{{ content }}</p>\n</section>\n'
    )
    toy = Section("toy", "Toys", "toy.html", lambda own: f"{len(own.results.finals)} < 2")
    empty = Section("nothing", "Nothing", "toy.html", lambda _: ())
    place = [section.anchor for section in SECTIONS].index("learning")
    monkeypatch.setattr(study_page, "TEMPLATES", templates)
    monkeypatch.setattr(study_page, "SECTIONS", (*SECTIONS[:place], toy, empty, *SECTIONS[place:]))
    store = write_study(tmp_path / "toy", [config()])
    page = read_page(study_page.build(store))
    anchors = [a["id"] for tag, a in page.tags if tag == "section"]
    assert anchors[anchors.index("learning") - 1] == "toy" and "nothing" not in anchors
    links = [link for link in page.links() if link.startswith("#")]
    assert links[: len(anchors)] == [f"#{anchor}" for anchor in anchors]
    assert "Toys" in page.text and "1 < 2" in page.text


@pytest.mark.slow
def test_a_board_of_the_list_is_in_budget_firmware_report_and_help(tmp_path: Path) -> None:
    words = [sys.executable, "-c", BOARD, str(tmp_path / "toy")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
