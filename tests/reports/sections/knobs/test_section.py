"""The section of knobs: ways compared at unseen settings, seed by seed."""

from pathlib import Path
from typing import Any

import pytest

from data import files
from data.effects import resolve
from reports.pages import study_page
from reports.sections.knobs.section import KnobSection, knob_section
from reports.sources.cache import Cache
from study.config.run import RunConfig
from study.store.folders import Store
from study.store.knob_table import SETTINGS_FILE, setting_name
from tests.reports.page_reader import read_page
from tests.reports.synthetic import config, write_study

SEEN, UNSEEN = (2.0, 6.0), (3.0, 5.0)
WAYS = {"conditioned": 0.02, "fixed": 0.02, "faded": 0.04, "nearest": 0.08}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two seeds; conditioned errs least, faded half as much as nearest."""
    runs = [config(seed=seed) for seed in (0, 1)]
    store = write_study(tmp_path / "runs" / "mine", runs)
    for run in runs:
        rows = [
            row(run.run_id, value, way, esr * (1 + 0.1 * run.seed))
            for way, esr in WAYS.items()
            for value in (*SEEN, *UNSEEN)
            if (way == "conditioned") or ((way == "fixed") == (value in SEEN))
        ]
        files.write_json(store.run(run.run_id).path / SETTINGS_FILE, rows)
    return store


def row(run_id: str, value: float, way: str, esr: float) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "setting": setting_name({"drive": value}),
        "control_drive": value,
        "is_seen": value in SEEN,
        "way": way,
        "rendering": "framed",
        "mae": 0.1,
        "r2": 1 - esr,
        "esr": esr,
        "esr_preemph": esr,
        "mr_stft": 1.0,
        "dry_esr": 0.5,
        "macs_per_sample": 200 if way == "faded" else 100,
    }


def test_ways_are_compared_at_unseen_settings(store: Store) -> None:
    section = knob_section(store, Cache(store.report_folder))
    assert section
    first, *others = section.sentences
    assert first.startswith("fuzz, LSTM 1\N{MULTIPLICATION SIGN}8: mean ESR at unseen settings")
    assert "framed, 2 seeds" in first
    for told in ("conditioned 0.0210", "faded 0.0420", "nearest 0.0840"):
        assert told in first
    assert others == [
        "In all 2 seeds conditioned errs less than faded, by 3.0 dB.",
        "In all 2 seeds faded errs less than nearest, by 3.0 dB.",
    ]
    lines = {line.way: line for line in section.lines}
    assert lines["conditioned"].seen == lines["conditioned"].unseen != ""
    assert lines["fixed"].unseen == "" and lines["faded"].seen == ""
    assert lines["faded"].macs == "200"
    [picture] = section.pictures
    assert "2, 6 (dashed)" in picture.alt


def test_where_seeds_disagree_nothing_is_claimed(store: Store) -> None:
    run = next(store.runs())
    rows = files.read_json(run.path / SETTINGS_FILE)
    for own in rows:
        if own["way"] == "conditioned":
            own["esr"] *= 8
    files.write_json(run.path / SETTINGS_FILE, rows)
    section = knob_section(store, Cache(store.report_folder))
    assert section
    assert section.sentences[1].startswith("The seeds do not agree between conditioned and faded")


@pytest.mark.slow
def test_models_that_differ_in_a_setting_are_not_averaged(tmp_path: Path) -> None:
    runs = [config(drive=2.0), config(drive=2.0, frame_size=32), config(drive=2.0, epochs=9)]
    section = judged(tmp_path, runs, [{"conditioned": esr} for esr in (0.02, 0.04, 0.08)])
    assert [(line.model.partition(", frame")[2], line.unseen) for line in section.lines] == [
        (" size 16, epochs 6", "0.0200"),
        (" size 32, epochs 6", "0.0400"),
        (" size 16, epochs 9", "0.0800"),
    ]


FRAMED: dict[str, Any] = {}
SEQUENCE = {"training": "sequence", "training_frames": 40_000, "frame_size": 64}
VARIED: list[tuple[dict[str, Any], str, Any, Any]] = [
    (FRAMED, "training_frames", 1000, 2000),
    (FRAMED, "learning_rate", 0.01, 0.001),
    (FRAMED, "batch_size", 64, 32),
    (FRAMED, "schedule", "cosine", "constant"),
    (FRAMED, "weight_decay", 0.0, 0.1),
    (FRAMED, "patience", 0, 3),
    (FRAMED, "validation_frames", 4096, 64),
    (SEQUENCE, "window_samples", 256, 512),
    (SEQUENCE, "sequence_seconds", 0.5, 0.25),
    (SEQUENCE, "warmup_samples", 1000, 100),
]


@pytest.mark.slow
@pytest.mark.parametrize(("given", "name", "usual", "other"), VARIED)
def test_a_setting_that_varies_within_a_way_is_named_and_not_averaged(
    given: dict[str, Any], name: str, usual: Any, other: Any, tmp_path: Path
) -> None:
    runs = [config(**given), config(**{**given, name: other})]
    section = judged(tmp_path, runs, [{"conditioned": 0.02}, {"conditioned": 0.04}])
    assert [(line.model.split(", ")[2:], line.unseen) for line in section.lines] == [
        ([f"{name.replace('_', ' ')} {usual}"], "0.0200"),
        ([f"{name.replace('_', ' ')} {other}"], "0.0400"),
    ]
    assert all(", 1 seed: " in sentence for sentence in section.sentences)


def test_frames_that_differ_between_ways_alone_do_not_keep_them_from_comparison(
    tmp_path: Path,
) -> None:
    runs = [config(seed=seed, training_frames=frames) for frames in (3000, 1000) for seed in (0, 1)]
    conditioned, others = {"conditioned": 0.02}, {"faded": 0.04, "nearest": 0.08}
    section = judged(tmp_path, runs, [conditioned, conditioned, others, others])
    assert {line.model for line in section.lines} == {"fuzz, LSTM 1\N{MULTIPLICATION SIGN}8"}
    assert section.sentences[1:] == (
        "In all 2 seeds conditioned errs less than faded, by 3.0 dB.",
        "In all 2 seeds faded errs less than nearest, by 3.0 dB.",
    )


@pytest.mark.slow
def test_models_of_other_trained_settings_are_not_averaged(tmp_path: Path) -> None:
    seen = ([0.1, 0.9, 0.5], [0.1, 0.5])
    sd1 = resolve({"name": "sd1", "drive": 0.5}, Path()).to_dict()
    plain = config().model_dump(exclude={"effect", "knobs", "controls", "unseen"})
    runs = [
        RunConfig(**plain, effect=sd1, knobs="conditioned", controls={"drive": own}) for own in seen
    ]
    section = judged(tmp_path, runs, [{"conditioned": 0.02}, {"conditioned": 0.04}])
    assert [line.model.split(", ")[2:] for line in section.lines] == [
        ["controls drive=0.1/0.5/0.9"],
        ["controls drive=0.1/0.5"],
    ]


def judged(tmp_path: Path, runs: list[RunConfig], errors: list[dict[str, float]]) -> KnobSection:
    """The section of runs that err by so much, whatever the setting, by way."""
    store = write_study(tmp_path / "runs" / "mine", runs)
    for run, by_way in zip(runs, errors, strict=True):
        rows = [
            row(run.run_id, value, way, esr)
            for way, esr in by_way.items()
            for value in (*SEEN, *UNSEEN)
        ]
        files.write_json(store.run(run.run_id).path / SETTINGS_FILE, rows)
    section = knob_section(store, Cache(store.report_folder))
    assert section
    return section


def test_without_knobs_there_is_no_section(tmp_path: Path) -> None:
    plain = write_study(tmp_path / "runs" / "plain", [config()])
    assert knob_section(plain, Cache(plain.report_folder)) is None


@pytest.mark.slow
def test_the_page_shows_it(store: Store) -> None:
    page = study_page.build(store)
    parsed = read_page(page)
    assert "never trained at" in parsed.text and "conditioned errs less" in parsed.text
    [source] = [
        a["src"] for tag, a in parsed.tags if tag == "img" and a["src"].endswith("/knob.svg")
    ]
    assert (page.parent / source).is_file()
