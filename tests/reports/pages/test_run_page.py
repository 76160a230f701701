"""One page a run: complete, linked both ways, and drawn again only where its run changed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from data import files
from reports.audio import excerpts
from reports.audio.excerpts import Excerpt
from reports.pages import study_page
from reports.pages.run_page import WORTH_PROCESSES
from reports.sections.run_table import SETTINGS
from reports.sources.cache import Cache
from reports.sources.links import link_of
from reports.sources.numbers import significant
from reports.sources.results import Results, read
from study.store.tables import COLUMNS
from tests.reports.page_reader import read_page
from tests.reports.synthetic import config, plucked, write_study
from tests.study.commands import ROOT, until

HOSTILE = '"><script>alert(1)</script>../../$\\frac{&--><b>'


def run_page(page: Path, run_id: str) -> Path:
    return page.parent / link_of(run_id)


@pytest.mark.slow
def test_every_finished_run_has_a_page_and_no_other(page: Path, results: Results) -> None:
    made = {file.stem for file in (page.parent / "runs").glob("*.html")}
    assert made == {row["run_id"] for row in results.finals}


@pytest.mark.slow
def test_pages_link_both_ways_and_to_files_that_exist(page: Path, results: Results) -> None:
    linked = {link.partition("#")[0] for link in read_page(page).links()}
    report = page.parent.resolve()
    for row in results.finals:
        link = link_of(row["run_id"])
        assert link in linked
        parsed = read_page(page.parent / link)
        assert ("base", {"href": "../"}) in parsed.tags
        links = [one for one in parsed.links() if one not in ("../", "data:,")]
        assert "index.html#rows" in links
        for one in links:
            target = (report / one.partition("#")[0]).resolve()
            assert target.is_file() and target.is_relative_to(report), one


@pytest.mark.slow
def test_neighbours_are_the_next_better_and_the_next_worse(page: Path, results: Results) -> None:
    ordered = sorted(results.finals, key=lambda row: row["validation_esr"])
    for better, worse in pairwise(ordered):
        rel = {
            a["rel"]: a["href"]
            for _, a in read_page(run_page(page, better["run_id"])).tags
            if a.get("rel") in ("prev", "next")
        }
        assert rel["next"] == link_of(worse["run_id"])


@pytest.mark.slow
def test_a_page_has_all_rows_and_the_whole_configuration(page: Path, results: Results) -> None:
    row = results.finals[0]
    text = read_page(run_page(page, row["run_id"])).text
    for own in results.rows:
        if own["run_id"] == row["run_id"]:
            assert f"framed, epoch {own['epoch']}" in text
            assert significant(own["esr"]) in text
    for name in COLUMNS:
        measured = name not in (*SETTINGS, "run_id", "error", "epoch", "is_final", "role")
        assert name in text or not measured or row[name] is None
    for name in results.configs[row["run_id"]].model_dump():
        assert name == "signal" or name in text
    assert "signal.seconds" in text


@pytest.mark.slow
def test_what_is_said_of_gain_and_error_is_true_of_what_it_stands_beside(
    page: Path, results: Results
) -> None:
    text = read_page(run_page(page, results.finals[0]["run_id"])).text
    assert "Over the whole test split the error lies" in text
    assert "All players of an effect" not in text
    assert "Its players have a gain of their own" in text


@pytest.mark.slow
def test_a_page_says_what_could_not_be_shown(tmp_path: Path) -> None:
    store = write_study(tmp_path / "grid", [config(seed=0), config(seed=1)])
    broken = read(store).finals[0]
    store.run(broken["run_id"]).prediction_file().unlink()
    page = study_page.build(store)
    parsed = read_page(run_page(page, broken["run_id"]))
    assert "Not shown: run" in parsed.text and "prediction.wav" in parsed.text
    assert significant(broken["esr"]) in parsed.text
    assert not [tag for tag, _ in parsed.tags if tag == "audio"]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of cache folders, as they are filled."""
    made: list[str] = []
    fill: Callable[..., None] = Cache._make

    def noted(self: Cache, folder: Path, own: object) -> None:
        made.append(folder.name)
        fill(self, folder, own)

    monkeypatch.setattr(Cache, "_make", noted)
    return made


@pytest.mark.slow
def test_another_run_draws_only_its_own_page_and_what_it_changes(
    tmp_path: Path, drawn: list[str]
) -> None:
    configs = [config(seed=seed) for seed in range(4)]
    store = write_study(tmp_path / "grid", configs)
    last = store.run(configs[3].run_id)
    shutil.copy(last.result_file, tmp_path / "kept.json")
    last.result_file.unlink()
    page = study_page.build(store)
    before = {p: p.stat().st_mtime_ns for p in page.parent.glob("run-*/*")}
    drawn.clear()
    shutil.copy(tmp_path / "kept.json", last.result_file)
    study_page.build(store)
    own = [name for name in drawn if name.startswith(("run-", "power-", "spectra-", "sweep-"))]
    assert len(own) == 2 and {name.partition("-")[0] for name in own} == {"run", "power"}
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert run_page(page, configs[3].run_id).is_file()


@pytest.mark.slow
def test_the_page_of_a_run_that_left_goes(tmp_path: Path) -> None:
    configs = [config(seed=seed) for seed in range(2)]
    store = write_study(tmp_path / "grid", configs)
    page = study_page.build(store)
    manifest = store.manifest()
    files.write_json(store.manifest_file, {**manifest, "runs": manifest["runs"][:1]})
    study_page.build(store)
    assert [file.stem for file in (page.parent / "runs").iterdir()] == [configs[0].run_id]


@pytest.mark.slow
def test_several_processes_draw_the_same_as_one(tmp_path: Path) -> None:
    configs = [config(seed=seed, family=f) for seed in range(3) for f in ("lstm", "dense")]
    store = write_study(tmp_path / "grid", configs)
    assert len(configs) >= WORTH_PROCESSES
    one = study_page.build(store, processes=1).parent
    kept = {p.relative_to(one): p.read_bytes() for p in one.rglob("*") if p.is_file()}
    shutil.rmtree(one)
    two = study_page.build(store, processes=2).parent
    assert kept == {p.relative_to(two): p.read_bytes() for p in two.rglob("*") if p.is_file()}


DRAWING = """
import sys
from pathlib import Path
from reports.pages import study_page
from study.store.folders import Store

study_page.build(Store(Path(sys.argv[1])), processes=2)
"""


@pytest.mark.slow
def test_the_processes_of_a_killed_report_end_with_it(tmp_path: Path) -> None:
    configs = [config(seed=seed, family=f) for seed in range(6) for f in ("lstm", "dense")]
    store = write_study(tmp_path / "grid", configs)
    mark = f"PEDALFRAME_DRAWING={tmp_path}"

    def at_work() -> int:
        found = 0
        for entry in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                found += mark.encode() in entry.read_bytes().split(b"\0")
        return found

    command = [sys.executable, "-c", DRAWING, str(store.root)]
    report = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **dict([mark.split("=")])})
    # The tracker of resources, two that draw, and something drawn by them.
    assert until(lambda: at_work() == 4 and any(store.report_folder.glob("*/facts.json")), 100)
    report.kill()
    report.wait()
    assert until(lambda: at_work() == 0, 5)


@pytest.mark.slow
def test_hostile_names_stay_text(tmp_path: Path) -> None:
    run = config(HOSTILE)
    store = write_study(tmp_path / "runs" / "a'b", [run], title=HOSTILE)
    page = run_page(study_page.build(store), run.run_id)
    parsed = read_page(page)
    assert all("src" in a for tag, a in parsed.tags if tag == "script")
    assert HOSTILE in parsed.text


def test_the_worst_window_is_the_one_with_the_highest_esr_that_sounds() -> None:
    target = plucked(20.0)
    prediction = target.copy()
    prediction[9 * 8000 : 10 * 8000] *= 0.5
    found = excerpts.worst(
        target, prediction, 2.0, 8000, [Excerpt(0, 80_000), Excerpt(80_000, 160_000)]
    )
    assert found.samples == 16_000
    assert found.start <= 9 * 8000 and found.stop == 80_000
    silent = target.copy()
    silent[:40_000] *= 1e-3
    noisy = silent.copy()
    noisy[:40_000] *= 5
    noisy[100_000] += 1
    found = excerpts.worst(silent, noisy, 2.0, 8000, [Excerpt(0, 160_000)])
    assert found.start <= 100_000 < found.stop
    assert excerpts.worst(target, prediction, 60.0, 8000, [Excerpt(0, 160_000)]).samples == 160_000
