"""The page's sections on inputs, failures, the choice and how to repeat it."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data import files
from reports.pages import study_page
from reports.sections import failures
from reports.sections.choice import choice_section
from reports.sections.data import as_recorded, inputs
from reports.sections.provenance import provenance
from reports.sources.cache import Cache
from reports.sources.results import Model, Results, Row, read
from study.config.run import RunConfig
from study.dataset import Dataset, Datasets
from study.selection import choose
from study.selection.limits import Limits
from study.store import tables
from study.store.folders import Store
from tests import tiny
from tests.reports.page_reader import read_page
from tests.reports.synthetic import config, write_study

ROOT = Path(__file__).parents[3]


def test_inputs_are_told_in_seconds_and_levels(results: Results, tmp_path: Path) -> None:
    datasets = Datasets(results.store.pairs)
    found = inputs(results, "fuzz", Cache(tmp_path), datasets)
    dataset = datasets.of(results.configs[results.finals[0]["run_id"]])
    seconds = sum(span.samples for span in dataset.split.test) / 8000
    assert f"{seconds:.2f} s to judge by" in found.sentences[0]
    assert "8,000 Hz" in found.sentences[0]
    level_db = 10 * np.log10(np.mean(dataset.pair.wet.astype(float) ** 2))
    assert f"{level_db:.1f} dB".replace("-", "\N{MINUS SIGN}") in found.pictures[0].alt
    assert all((tmp_path / picture.source).is_file() for picture in found.pictures)


def test_inputs_that_are_gone_are_told(tmp_path: Path) -> None:
    store = write_study(tmp_path / "grid", [config()])
    for file in store.pairs.glob("*/*.wav"):
        file.unlink()
    found = inputs(read(store), "fuzz", Cache(tmp_path / "cache"), Datasets(store.pairs))
    assert found.problem and not found.pictures


def test_attacks_are_compared_within_each_seed() -> None:
    """Ranges that overlap say nothing where every seed errs twice as much on attacks."""
    rows: tuple[Row, ...] = tuple(
        {"family": "gru", "seed": n, "esr_transient": 2.0 * e, "esr_sustained": e, "onsets": 9}
        for n, e in enumerate((0.1, 0.2, 0.3))
    )
    lead, verdict = failures._sentences([Model("GRU", rows)])
    assert lead.startswith("GRU leaves an ESR of 0.400") and "overlap" not in lead
    assert "2.0 times that of the sustained part" in verdict
    assert "attacks are where it fails most" in verdict


def test_inputs_of_a_reversed_run_are_told_by_their_own_names(results: Results) -> None:
    config = results.configs[results.finals[0]["run_id"]]
    pair = tiny.pair()
    backwards = Dataset(replace(pair, dry=pair.wet, wet=pair.dry), tiny.parts())
    turned = config.model_copy(update={"direction": "reversed"})
    assert as_recorded(turned, backwards).pair == pair
    assert as_recorded(config, tiny.dataset()).pair == pair


def test_a_grid_without_notes_says_so(results: Results, tmp_path: Path) -> None:
    found = failures.failures(results, "fuzz", Cache(tmp_path), Datasets(results.store.pairs))
    assert found.attacks is None and "Too few notes" in found.sentences[0]
    assert found.worst is not None and len(found.worst.players) == 3


@pytest.mark.slow
def test_nobody_chose_so_the_rule_does(page: Path, results: Results) -> None:
    dense = [row for row in results.finals if row["family"] == "dense"]  # which a board renders
    best = min(dense, key=lambda row: row["validation_esr"])
    [own] = choice_section(results).effects
    assert own.choice is not None and own.choice.run_id == best["run_id"]
    assert own.lines[0].is_chosen and own.left_out
    text = read_page(page).text
    assert "Nobody has chosen yet" in text and own.choice.reason in text


@pytest.mark.slow
def test_a_stored_choice_is_shown_with_what_breaks_its_limits(tmp_path: Path) -> None:
    configs = [config(units=units, family="dense") for units in (4, 16)]
    store = write_study(tmp_path / "grid", configs)
    small, large = (run.run_id for run in configs)
    most = int(min(tables.collect(store)["macs_per_sample"]))
    choose.write(store, choose.choose(tables.collect(store), Limits(max_macs=most)).values())
    page = study_page.build(store)
    text = read_page(page).text
    assert "Nobody has chosen yet" not in text
    lines = {line.link: line for line in choice_section(read(store)).effects[0].lines}
    assert lines[f"runs/{small}.html"].is_chosen and not lines[f"runs/{small}.html"].broken
    assert "multiply-accumulates" in lines[f"runs/{large}.html"].broken
    assert "This is the chosen model" in read_page(page.parent / "runs" / f"{small}.html").text
    assert "This is the chosen model" not in read_page(page.parent / "runs" / f"{large}.html").text


@pytest.mark.slow
def test_the_lead_speaks_of_sequences_where_no_model_sees_frames(tmp_path: Path) -> None:
    framed = config(family="gru").model_dump(exclude={"frame_size", "training_frames"})
    run = RunConfig.model_validate({**framed, "training": "sequence"})
    store = write_study(tmp_path / "grid", [run])
    result_file = store.run(run.run_id).result_file
    [row] = files.read_json(result_file)["rows"]
    files.write_json(result_file, {"status": "ok", "rows": [{**row, "training_frames": 9000}]})
    text = read_page(study_page.build(store)).text
    assert "Each model hears the input sample by sample" in text
    assert "short frame" not in text and "before any frame" not in text and "None taps" not in text


@pytest.mark.slow
def test_a_page_of_reversed_runs_names_the_signals_that_they_hear(tmp_path: Path) -> None:
    store = write_study(tmp_path / "grid", [config(direction="reversed")])
    text = read_page(study_page.build(store)).text
    assert "wet as it is" in text and "dry as it is" not in text
    assert "where it says \N{LEFT DOUBLE QUOTATION MARK}wet to dry" in text
    assert "than the dry signal does" not in text


@pytest.mark.slow
def test_a_choice_that_left_the_grid_is_told_and_does_not_stop_the_report(tmp_path: Path) -> None:
    run = config()
    store = write_study(tmp_path / "grid", [run])
    choose.write(store, choose.choose(tables.collect(store)).values())
    text = choose.choice_file(store).read_text(encoding="utf-8")
    choose.choice_file(store).write_text(text.replace(run.run_id, "gone"), encoding="utf-8")
    assert "found run gone, framed" in read_page(study_page.build(store)).text


@pytest.mark.slow
def test_a_run_that_only_kept_more_on_its_way_can_be_chosen_too(tmp_path: Path) -> None:
    twins = [config(), config(checkpoint_epochs=(2,))]
    store = write_study(tmp_path / "grid", twins)
    assert len(read(store).models) == 1
    page = study_page.build(store)
    for run in twins:
        choose.write(store, [choose.by_user(tables.collect(store), run.run_id)])
        [own] = choice_section(read(store)).effects
        assert own.model.startswith("LSTM") and (page.parent / own.link).is_file()


def test_the_date_is_that_of_the_latest_result(store: Store, results: Results) -> None:
    found = provenance(results)
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]+ 20\d\d", found.date)
    assert found.date in found.citation and found.day[:4] in found.citation
    assert results.title in found.citation


def test_the_citation_file_names_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert re.search(r"^version: (.+)$", text, re.M).group(1) == project["version"]  # type: ignore[union-attr]
    assert re.search(r"^cff-version: 1\.2\.0$", text, re.M)
