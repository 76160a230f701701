"""The page as a whole: complete, self-contained, honest about runs without results."""

import base64
import io
import re
import shutil
from pathlib import Path

import pytest
import soundfile

from data.errors import InputError
from reports.audio import players
from reports.drawing import figures
from reports.pages import study_page
from reports.sources.cache import Cache
from reports.sources.numbers import significant
from reports.sources.results import Results
from study.store.folders import Store
from study.store.tables import COLUMNS
from tests.reports.conftest import REASON
from tests.reports.page_reader import read_page
from tests.reports.synthetic import RATE_HZ, config, write_study

HOSTILE = '"><script>alert(1)</script>../../$\\frac{&--><b>'


@pytest.mark.slow
def test_every_link_leads_to_a_file_of_the_report(page: Path) -> None:
    parsed = read_page(page)
    anchors = {a["id"] for _, a in parsed.tags if "id" in a}
    for link in parsed.links():
        if link.startswith("#"):
            assert link[1:] in anchors
        elif link != "data:,":
            target = (page.parent / link).resolve()
            assert target.is_file() and target.is_relative_to(page.parent.resolve()), link


@pytest.mark.slow
def test_the_navigation_leads_to_every_section_in_the_page_s_order(page: Path) -> None:
    tags = read_page(page).tags
    sections = [f"#{a['id']}" for tag, a in tags if tag == "section"]
    led_to = [a["href"] for tag, a in tags if tag == "a" and a["href"].startswith("#")]
    first = sections.index("#best")
    assert led_to[: first + 1] == [*sections[:first], "#evidence"]
    beside = led_to.index("#best")
    assert led_to[beside : beside + len(sections) - first] == sections[first:]


@pytest.mark.slow
def test_nothing_comes_from_the_network(page: Path) -> None:
    assert "://" not in page.read_text(encoding="utf-8")
    for picture in page.parent.glob("*/*.svg"):
        text = picture.read_text(encoding="utf-8")
        assert 'href="http' not in text and "@import" not in text


@pytest.mark.slow
def test_every_picture_says_what_it_shows(page: Path) -> None:
    alts = [a["alt"] for tag, a in read_page(page).tags if tag == "img"]
    assert len(alts) >= 9
    assert all(len(alt) > 40 for alt in alts)
    assert len(set(alts)) == len(alts)


@pytest.mark.slow
def test_figures_carry_no_name_and_both_variants_differ_in_colour_only(page: Path) -> None:
    for dark in page.parent.glob("*/*-dark.svg"):
        light = dark.with_name(dark.name.replace("-dark", ""))
        assert dark.stat().st_size == light.stat().st_size
        assert "fuzz" not in light.read_text(encoding="utf-8")


@pytest.mark.slow
def test_numbers_equal_those_of_the_table(page: Path, results: Results) -> None:
    lines = {
        (a["data-run"], a["class"], cells[header.index("epoch")]): cells
        for header in [read_page(page).rows[0][1]]
        for a, cells in read_page(page).rows[1:]
    }
    header = read_page(page).rows[0][1]
    for row in results.rows:
        if row["status"] != "ok":
            continue
        kind = "final" if row["is_final"] else "checkpoint"
        cells = lines[row["run_id"], kind, str(row["epoch"])]
        for name in ("esr", "mae", "validation_esr", "fir_esr"):
            assert cells[header.index(name)] == significant(row[name])
        assert cells[header.index("r2")] == significant(row["r2"], 4)


@pytest.mark.slow
def test_final_rows_come_first_best_validation_first(page: Path, results: Results) -> None:
    kinds = [a["class"] for a, _ in read_page(page).rows[1:]]
    assert kinds == ["final"] * 12 + ["failed", "pending"] + ["checkpoint"] * 24
    listed = [a["data-run"] for a, _ in read_page(page).rows[1:13]]
    best_first = sorted(results.finals, key=lambda row: row["validation_esr"])
    assert listed == [row["run_id"] for row in best_first]


@pytest.mark.slow
def test_failed_and_pending_runs_are_listed(page: Path) -> None:
    parsed = read_page(page)
    assert REASON in parsed.text
    assert "12 of 14 runs finished, 1 failed, 1 pending" in parsed.text
    assert config(family="rnn").run_id in parsed.text


@pytest.mark.slow
def test_every_column_is_explained(page: Path) -> None:
    text = read_page(page).text
    for name, (_, meaning) in COLUMNS.items():
        assert name in text and meaning in text


@pytest.mark.slow
def test_sounds_of_a_player_share_a_gain_and_do_not_clip(page: Path) -> None:
    [folder] = [a["data-folder"] for _, a in read_page(page).tags if "data-folder" in a]
    tokens = [a["data-sound"] for _, a in read_page(page).tags if "data-gain" in a]
    names = [token.rpartition("-")[0] for token in tokens]
    assert names == ["dry", "target", "candidate-1", "candidate-2", "error"]
    sounds = {}
    for name, token in zip(names, tokens, strict=True):
        script = (page.parent / folder / f"{token}.js").read_text()
        [text] = re.findall(rf'deliver\("{token}", "(.*)"\)', script)
        sounds[name], rate_hz = soundfile.read(io.BytesIO(base64.b64decode(text)))
        assert rate_hz == RATE_HZ
    peaks = [abs(samples).max() for samples in sounds.values()]
    assert max(peaks) == pytest.approx(players.CEILING, abs=1e-3)
    difference = sounds["candidate-1"] - sounds["target"]
    assert difference == pytest.approx(sounds["error"], abs=1e-4)


@pytest.mark.slow
def test_a_second_build_draws_nothing_and_changes_nothing(
    page: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in page.parent.glob("*/*")}
    html = page.read_bytes()

    def refuse(*_: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(Cache, "_make", refuse)
    assert study_page.build(store).read_bytes() == html
    after = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in page.parent.glob("*/*")}
    assert after == before


@pytest.mark.slow
def test_equal_results_give_equal_files(page: Path, store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "grid"
    shutil.copytree(store.root, copy, ignore=shutil.ignore_patterns("report"))
    shutil.copytree(store.pairs, tmp_path / "pairs")
    made = study_page.build(Store(copy)).parent
    files = [p.relative_to(page.parent) for p in page.parent.rglob("*") if p.is_file()]
    assert files == [p for p in files if (made / p).read_bytes() == (page.parent / p).read_bytes()]


@pytest.mark.slow
def test_folders_of_former_reports_go(page: Path) -> None:
    every = [page, *page.parent.glob("runs/*.html")]
    links = [link for one in every for link in read_page(one).links()]
    linked = {link.split("/")[0] for link in links if "/" in link} - {".."}
    linked |= {a["data-folder"] for _, a in read_page(page).tags if "data-folder" in a}
    assert {p.name for p in page.parent.iterdir() if p.is_dir()} == linked


@pytest.mark.slow
def test_hostile_names_stay_text(tmp_path: Path) -> None:
    store = write_study(tmp_path / "runs" / "a'b", [config(HOSTILE)], title=HOSTILE)
    page = study_page.build(store)
    parsed = read_page(page)
    assert "<script>alert" not in page.read_text(encoding="utf-8")
    assert all("src" in a for tag, a in parsed.tags if tag == "script")
    assert parsed.text.count(HOSTILE) >= 3
    assert all(path.is_relative_to(store.root) for path in store.root.rglob("*"))
    assert {p.name for p in tmp_path.iterdir()} == {"runs"}
    assert {p.name for p in (tmp_path / "runs").iterdir()} == {"a'b", "pairs"}


@pytest.mark.slow
def test_two_settings_of_an_effect_are_two_effects(tmp_path: Path) -> None:
    store = write_study(tmp_path / "grid", [config(drive=2.0), config(drive=8.0)])
    page = read_page(study_page.build(store))
    assert "fuzz (drive=2)" in page.text and "fuzz (drive=8)" in page.text
    assert "Which size is enough?" not in page.text  # each has but one
    assert "#size" not in page.links()


@pytest.mark.slow
def test_one_size_gives_dots_instead_of_a_map(tmp_path: Path) -> None:
    store = write_study(tmp_path / "grid", [config(family="lstm"), config(family="gru")])
    page = study_page.build(store)
    assert list(page.parent.glob("*/dots.svg")) and not list(page.parent.glob("*/heat-map.svg"))
    text = read_page(page).text
    assert "no map to draw" in text and "Which size is enough?" in text


@pytest.mark.slow
def test_numbers_survive_a_missing_rendering(tmp_path: Path) -> None:
    run = config()
    store = write_study(tmp_path / "grid", [run])
    store.run(run.run_id).prediction_file().unlink()
    text = read_page(study_page.build(store)).text
    assert "No sound: run" in text and "prediction.wav" in text


@pytest.mark.slow
def test_nothing_finished_is_an_error_with_the_first_reason(tmp_path: Path) -> None:
    run = config()
    store = write_study(tmp_path / "grid", [run])
    store.run(run.run_id).result_file.unlink()
    with pytest.raises(InputError, match="1 runs, none finished, 0 failed"):
        study_page.build(store)
    with pytest.raises(InputError, match="results of a grid"):
        study_page.build(Store(tmp_path / "nowhere"))
    assert not store.report_folder.exists()


@pytest.mark.slow
def test_an_interrupted_drawing_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = write_study(tmp_path / "grid", [config()])

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(figures, "standing", interrupted)
        study_page.build(store)
    left = {p.name for p in store.report_folder.iterdir()}
    assert not [name for name in left if name.startswith("fuzz-scores") or name == "index.html"]
    assert {name for name in left if name.startswith(".")} == {".lock", ".cache-lock"}
    assert study_page.build(store).is_file()
