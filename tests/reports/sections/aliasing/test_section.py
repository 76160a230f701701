"""The section as a page shows it, and what it says where something is missing."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from data import effects, files
from data.errors import InputError
from reports.pages import study_page
from reports.sections.aliasing import probes
from reports.sections.aliasing.section import EffectAliasing, aliasing_section
from reports.sections.order import EVIDENCE
from reports.sections.section import Sources
from reports.sources.cache import Cache
from reports.sources.results import read
from study.config.run import RunConfig
from study.dataset import Datasets
from study.store.folders import Store
from tests.reports.page_reader import read_page
from tests.reports.sections.aliasing.studies import (
    cache,
    clipper,
    write_effect_probes,
    write_probes,
)
from tests.reports.synthetic import config, write_study

RUNS = [
    config(family=family, seed=seed, checkpoint_epochs=(2,))
    for family in ("lstm", "dense")
    for seed in (0, 1)
]


@pytest.fixture
def probed(tmp_path: Path) -> Store:
    """Two families, two seeds; the effect distorts less than its models."""
    store = write_study(tmp_path / "runs" / "grid", RUNS)
    for run in RUNS:
        renderings = ["streaming", "framed"] if run.family == "lstm" else ["framed"]
        write_probes(store.run(run.run_id).probes, clipper(12.0 + run.seed), renderings)
        write_streaming_row(store, run, renderings)
    write_effect_probes(store.target(RUNS[0].pair_key), clipper(4.0))
    return store


def write_streaming_row(store: Store, run: RunConfig, renderings: list[str]) -> None:
    if "streaming" not in renderings:
        return
    folder = store.run(run.run_id)
    result = folder.result()
    assert result is not None
    *checkpoints, final = result["rows"]
    streamed = {**final, "rendering": "streaming", "is_final": False}
    files.write_json(folder.result_file, {**result, "rows": [*checkpoints, streamed, final]})


def section(store: Store, to: Cache) -> tuple[EffectAliasing, ...]:
    return aliasing_section(read(store), to, Datasets(store.pairs))


def only(store: Store, to: Cache) -> EffectAliasing:
    [effect] = section(store, to)
    return effect


def best_run(store: Store) -> RunConfig:
    results = read(store)
    return results.configs[results.models_of("fuzz")[0].best_run["run_id"]]


@pytest.mark.slow
def test_everything_is_there_and_stands_on_the_page(probed: Store) -> None:
    page = read_page(study_page.build(probed))
    ids = {a["id"] for _, a in page.tags if "id" in a}
    assert {"aliasing", "epochs"} <= ids and "remedies" not in ids
    assert {"#aliasing", "#epochs"} <= set(page.links())
    for words in (
        "fuzz itself: sines at 0.5 of full scale",
        "fuzz itself: sweep",
        "fuzz: ASR over the notes of a piano",
        "power spectra of the test split",
        "the effect itself",
        "LSTM 1\N{MULTIPLICATION SIGN}8, streaming",
        "Dense 1\N{MULTIPLICATION SIGN}8, framed",
        "The same sines, quieter",
        "fuzz: accuracy, aliases and high frequencies by epoch",
    ):
        assert words in page.text, words
    assert "problem" not in [a.get("class") for _, a in page.tags]


@pytest.mark.slow
def test_numbers_of_the_table_are_those_of_the_probes(probed: Store, tmp_path: Path) -> None:
    own, framed, *_ = (line for line in only(probed, cache(tmp_path)).lines if line.name != "")
    assert own.name == "the effect itself"
    answers = probes.answers_of_effect(probed, RUNS[0])
    worst = max(answers.standard, key=lambda row: row["asr_db"])
    assert own == probes.line("the effect itself", answers)
    assert own.worst == f"{worst['asr_db']:+.1f}".replace("-", "\N{MINUS SIGN}")
    assert float(framed.worst.replace("\N{MINUS SIGN}", "-")) > worst["asr_db"]
    assert own.residue == "none"


def test_the_final_answers_count_and_not_those_of_a_checkpoint(probed: Store) -> None:
    run = probed.run(RUNS[0].run_id)
    rows = run.probes.rows()
    assert rows is not None and rows[0]["epoch"] == 2
    found = probes.answers_of_run(run, RUNS[0], "streaming")
    assert {row["epoch"] for row in found.standard} == {6}
    assert {row["rendering"] for row in (*found.standard, *found.notes)} == {"streaming"}


def test_a_checkpoint_after_the_best_epoch_does_not_answer_for_it(probed: Store) -> None:
    folder = probed.run(RUNS[0].run_id).probes
    rows = [row for row in folder.rows() or [] if row["rendering"] == "framed"]
    final = [{**row, "epoch": 4} for row in rows if row["epoch"] == 6]
    later = [{**row, "epoch": 5, "asr_db": 99.0} for row in final]
    folder.write([*later, *final], {})
    found = probes.answers_of_run(probed.run(RUNS[0].run_id), RUNS[0])
    assert {row["epoch"] for row in found.standard} == {4}


def test_a_run_without_probes_is_said_to_have_none(probed: Store, tmp_path: Path) -> None:
    best = best_run(probed)
    shutil.rmtree(probed.run(best.run_id).probes.path)
    effect = only(probed, cache(tmp_path))
    [problem] = effect.problems
    assert f"probes of run {best.run_id}" in problem and "Remove the run's result.json" in problem
    assert any("itself: sweep" in picture.title for picture in effect.pictures)
    assert any("power spectra" in picture.title for picture in effect.pictures)


@pytest.mark.slow
def test_a_recording_cannot_be_asked(probed: Store, tmp_path: Path) -> None:
    shutil.rmtree(probed.root / "targets")
    effect = only(probed, cache(tmp_path))
    [problem] = effect.problems
    assert "a recording, which answers no probes" in problem
    assert "the effect itself" not in [line.name for line in effect.lines]
    assert len(effect.lines) == 3


def test_an_inverse_cannot_be_asked(tmp_path: Path) -> None:
    back = RunConfig(effect=effects.resolve("sd1", Path()).to_dict(), direction="reversed")
    with pytest.raises(
        InputError, match=r"sd1 \(wet to dry\).*an inverse, which answers no probes"
    ):
        probes.answers_of_effect(Store(tmp_path), back)


@pytest.mark.slow
def test_no_probes_at_all_leave_the_rest_of_the_report(tmp_path: Path) -> None:
    store = write_study(tmp_path / "runs" / "grid", RUNS)
    page = read_page(study_page.build(store))
    assert "expected its stored answers to sine probes" in page.text
    assert "on music, best of each family" in page.text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["spectra.npz", "sweep.wav", "aliasing.json"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more"])
def test_broken_files_are_sentences(
    probed: Store, tmp_path: Path, name: str, content: bytes
) -> None:
    (probed.run(best_run(probed).run_id).probes.path / name).write_bytes(content)
    effect = only(probed, cache(tmp_path))
    assert len(effect.problems) == 1 and effect.problems[0]


def test_spectra_of_another_shape_are_refused(probed: Store, tmp_path: Path) -> None:
    folder = probed.run(best_run(probed).run_id).probes
    np.savez_compressed(folder.path / "spectra.npz", framed=np.zeros((6, 10), np.float16))
    np.savez_compressed(folder.path / "spectra.npz", streaming=np.zeros((6, 10), np.float16))
    [problem] = only(probed, cache(tmp_path)).problems
    assert "spectra" in problem


@pytest.mark.slow
def test_a_missing_rendering_leaves_the_probes(probed: Store, tmp_path: Path) -> None:
    probed.run(best_run(probed).run_id).prediction_file().unlink()
    effect = only(probed, cache(tmp_path))
    assert "prediction.wav" in effect.problems[0]
    assert not any("power spectra" in picture.title for picture in effect.pictures)
    assert any("sines at 0.5" in picture.title for picture in effect.pictures)


@pytest.mark.slow
def test_only_what_changed_is_drawn_again(
    probed: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    made = Cache._make

    def noting(self: Cache, folder: Path, fill: object) -> None:
        drawn.append(folder.name.rsplit("-", 1)[0])
        made(self, folder, fill)  # type: ignore[arg-type]

    monkeypatch.setattr(Cache, "_make", noting)

    def all_sections() -> list[object]:
        sources = Sources(read(probed), cache(tmp_path), Datasets(probed.pairs))
        anchors = ("aliasing", "epochs", "remedies")
        return [own.build(sources) for own in EVIDENCE if own.anchor in anchors]

    first = all_sections()
    assert {name.split("-")[0] for name in drawn} == {
        "spectra",
        "sweep",
        "notes",
        "power",
        "epochs",
    }
    drawn.clear()
    assert all_sections() == first
    assert drawn == []
    best = best_run(probed)
    write_probes(probed.run(best.run_id).probes, clipper(20.0), ["streaming", "framed"])
    all_sections()
    assert {name.split("-")[0] for name in drawn} == {"spectra", "sweep", "notes"}
    assert len(drawn) == 3


def test_any_run_can_be_drawn_alone(probed: Store, tmp_path: Path) -> None:
    run = probed.run(RUNS[1].run_id)
    drawn = probes.of_run(probed, run, cache(tmp_path), "This run", "streaming", with_sweep=False)
    assert [picture.title for picture in drawn.spectra] == [
        "This run: sines at 0.5 of full scale",
        "This run: sines at 0.1 of full scale",
    ]
    assert drawn.sweep is None
    assert all((tmp_path / "report" / p.source).is_file() for p in drawn.spectra)
