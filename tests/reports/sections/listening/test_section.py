"""What the report tells of the listening tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from data import files
from reports.listening import database
from reports.listening.blinding import hidden_sides
from reports.sections.listening.section import listening_section
from reports.sections.order import EVIDENCE
from reports.sources import results
from reports.sources.cache import Cache
from study.store.folders import Store
from tests.reports.listening.samples import abx, mushra, small_key, token
from tests.reports.page_reader import Page
from tests.reports.synthetic import config, write_study

TEMPLATES = Path(__file__).parents[4] / "reports" / "templates"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def heard(tmp_path: Path) -> Store:
    """Five runs whose scores fall as their ESR rises, and one ABX session."""
    families = ("lstm", "gru", "rnn", "dense", "conv")
    store = write_study(tmp_path / "grid", [config(family=family) for family in families])
    ids = tuple(run.run_id for run in store.runs())
    _set_esr(store, {run_id: 0.1 * (1 + n) for n, run_id in enumerate(ids)})
    database.register(store, small_key(ids))
    scores = (100, 10, 40, 90, 80, 60, 70, 50)
    for number, name in ((8, "Ada"), (9, HOSTILE)):
        session = mushra(scores, scores, session=token(number), participant=name)
        database.save(store, session, "file")
    spoiled = mushra((50, 10, 40, 90, 80, 60, 70, 50), scores, session=token(10), participant="Eve")
    database.save(store, spoiled, "file")
    truth = "".join(hidden_sides(token(5), 4))
    database.save(store, abx(truth, participant=HOSTILE), "server")
    database.save(store, abx(truth[:1], session=token(17)), "server")
    return store


def _set_esr(store: Store, esr: Mapping[str, float]) -> None:
    """Give each run an ESR, and no MR-STFT."""
    for run in store.runs():
        result = run.result()
        assert result is not None
        for row in result["rows"]:
            row |= {"esr": esr[run.run_id], "mr_stft": None}
        files.write_json(run.result_file, result)


def shown(store: Store) -> Page:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    section = listening_section(store, Cache(store.report_folder))
    page = Page()
    [own] = [own for own in EVIDENCE if own.anchor == "listening"]
    page.feed(environment.get_template(own.template).render(section=own, content=section))
    assert page.open == []
    return page


def test_nobody_has_listened(tmp_path: Path) -> None:
    store = write_study(tmp_path / "grid", [config()])
    assert listening_section(store) is None
    database.register(store, small_key())
    database.save(store, abx(""), "server")
    assert listening_section(store) is None


def test_sentences_tell_numbers_and_their_uncertainty(heard: Store) -> None:
    section = listening_section(heard)
    assert section is not None and section.picture is None
    said = "\n".join(section.sentences)
    assert "in 4 of 4 trials (100 %, 95 % interval 40 to 100 %; one-sided p = 0.062)" in said
    assert "guessing explains it, which does not show that no difference can be heard" in said
    assert "1 session not finished, and therefore not tested." in said
    assert "3 assessors rated 2 items; 1 excluded by the post-screening of BS.1534-3." in said
    assert [(own.assessor, own.reason) for own in section.excluded] == [
        ("eve", "rated the hidden reference below 90 in 1 of 2 items")
    ]
    # Ranks of scores 5 4 2 3 1 against ESR 1 2 3 4 5: squared differences 16 + 4 + 1 + 1 + 16.
    assert (
        "with ESR is \N{MINUS SIGN}0.90 over 5 models (95 % interval \N{MINUS SIGN}1.00 to +0.17"
        in said
    )
    assert list(section.metric_names) == ["ESR"]
    assert [line.median for line in section.scores] == [
        "100", "90", "80", "70", "60", "50", "40", "10",
    ]  # fmt: skip


def test_the_page_shows_them_with_a_figure_and_names_as_text(heard: Store) -> None:
    page = shown(heard)
    assert not any(tag == "script" for tag, _ in page.tags)
    assert HOSTILE in page.text and "Hidden reference" in page.text
    sources = [link for link in page.links() if link.endswith(".svg")]
    assert len(sources) == 2 and all((heard.report_folder / s).is_file() for s in sources)


def test_an_aliasing_column_is_compared_where_there_is_one(
    heard: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = results.read(heard)
    for n, row in enumerate(read.rows):
        row["asr_1249hz_db"] = -40.0 - n
    monkeypatch.setattr(results, "read", lambda _: read)
    section = listening_section(heard)
    assert section is not None and list(section.metric_names) == ["ESR", "ASR 1249 Hz, dB"]
    assert any("median score with ASR 1249 Hz, dB is +0.90" in said for said in section.sentences)
    for n, row in enumerate(read.rows):
        row["asr_worst_db"] = -30.0 - n
    section = listening_section(heard)
    assert section is not None and list(section.metric_names) == ["ESR", "ASR worst, dB"]


def test_many_sessions_are_counted_and_few_are_told_one_by_one(heard: Store) -> None:
    section = listening_section(heard)
    assert section is not None and section.abx_sentences[0].startswith(HOSTILE)
    truth = "".join(hidden_sides(token(5), 4))
    for number in range(20, 23):
        database.save(heard, abx(truth, session=token(number)), "file")
    section = listening_section(heard)
    assert section is not None and len(section.abx) == 5
    assert section.abx_sentences[0].startswith("In 0 of 4 finished sessions p is below 0.05.")


def test_too_few_models_are_told(tmp_path: Path) -> None:
    store = write_study(tmp_path / "grid", [config(family="lstm"), config(family="gru")])
    database.register(store, small_key(tuple(run.run_id for run in store.runs())))
    database.save(store, mushra((100, 10, 40, 90, 80), (100, 10, 40, 90, 80)), "file")
    section = listening_section(store)
    assert section is not None
    assert any("2 models are too few to compare scores with ESR" in s for s in section.sentences)


@pytest.mark.slow
def test_effects_are_told_apart_and_not_pooled(tmp_path: Path) -> None:
    # Within an effect, scores go against ESR; over both, crunch would turn that round.
    families, effects = ("lstm", "gru", "rnn", "dense"), ("fuzz", "crunch")
    configs = [config(effect, family=family) for effect in effects for family in families]
    store = write_study(tmp_path / "grid", configs)
    _set_esr(
        store, {run.run_id: 0.1 * (1 + n % 4 + 10 * (n // 4)) for n, run in enumerate(configs)}
    )
    ids = tuple(run.run_id for run in configs)
    truth = "".join(hidden_sides(token(5), 4))
    for number, (effect, own, base) in enumerate(
        (("fuzz", ids[:4], 10), ("crunch", ids[4:], 60)), 1
    ):
        database.register(store, small_key(own, build=number, effect=effect))
        given = {"build": token(number)}
        scores = (100, 0, 5, base + 30, base + 20, base + 10, base)
        database.save(store, mushra(scores, scores, session=token(number), **given), "file")
        database.save(store, abx(truth, session=token(10 + number), **given), "file")
    section = listening_section(store)
    assert section is not None
    said = "\n".join(section.sentences)
    for effect, best, second in (("fuzz", 40, 30), ("crunch", 90, 80)):
        assert f"{effect}: Ada told Target from " in said
        assert f"{effect}: Of the models, " in said
        assert f"has the highest median score: {best} (quartiles {best} to {best})" in said
        assert f"with {second} (" in said
        assert (
            f"{effect}: Spearman's rank correlation of the median score with ESR is "
            "\N{MINUS SIGN}1.00 over 4 models" in said
        )
    assert said.count("All of these metrics fall") == 1
    assert [line.compared.partition(":")[0] for line in section.abx] == [*effects]
    assert [(line.label.partition(":")[0], line.median) for line in section.scores] == [
        *(("fuzz", score) for score in ("100", "40", "30", "20", "10", "5", "0")),
        *(("crunch", score) for score in ("100", "90", "80", "70", "60", "5", "0")),
    ]
    assert {line.ratings for line in section.scores} == {"2"}
