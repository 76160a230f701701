"""Sentences on aliases and bands say no more than the numbers allow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.sections.aliasing import findings, probes
from reports.sections.aliasing.figures import NoteCurve
from reports.sources.results import Model
from study.store.folders import RunFolder
from tests.reports.sections.aliasing.studies import clipper, results, row, write_probes
from tests.reports.synthetic import config

MINUS = "\N{MINUS SIGN}"


def model(*seeds: Mapping[str, Any], name: str = "LSTM 1x8") -> Model:
    base = {
        "effect": "fuzz", "family": "lstm", "training": "framed", "training_frames": 1000,
        "sample_rate_hz": 22_050, "esr": 0.01, "effect_asr_worst_db": -60.0,
    }  # fmt: skip
    return Model(name, tuple({**base, "seed": n, **own} for n, own in enumerate(seeds)))


def asr(*levels: float, **more: Any) -> Model:
    return model(*({"asr_worst_db": level} for level in levels), **more)


def test_the_worst_aliasing_stands_beside_the_effects_own() -> None:
    [text] = findings.worst_aliasing(asr(-18.0, -20.0, -22.0))
    assert f"a worst ASR of {MINUS}20.0 dB ({MINUS}22.0 to {MINUS}18.0 over 3 seeds)" in text
    assert "carry 1.0 % of the energy" in text and "40 dB more aliasing" in text
    [single] = findings.worst_aliasing(asr(-70.0))
    assert "(one seed)" in single and "10 dB less aliasing" in single
    [unasked] = findings.worst_aliasing(model({"asr_worst_db": -20.0, "effect_asr_worst_db": None}))
    assert "was not probed" in unasked
    assert findings.worst_aliasing(model({})) == []


def test_the_order_by_aliasing_is_as_sure_as_the_seeds() -> None:
    best = asr(-20.0, -21.0)
    [clear] = findings.least_aliasing([best, asr(-30.0, -31.0, name="GRU")])
    assert "the ranges over their seeds do not overlap" in clear
    [close] = findings.least_aliasing([best, asr(-20.5, -25.0, name="GRU")])
    assert "though the ranges over their seeds overlap" in close
    [single] = findings.least_aliasing([best, asr(-30.0, name="GRU")])
    assert "which other seeds may reverse" in single
    [same] = findings.least_aliasing([best, asr(-10.0, name="GRU")])
    assert "It also has the lowest worst ASR of 2 models" in same and "may reverse" in same
    [surely] = findings.least_aliasing([best, asr(-10.0, -12.0, name="GRU")])
    assert f"it is {MINUS}11.0 dB, and the ranges over their seeds do not overlap" in surely
    assert findings.least_aliasing([best]) == []


def test_models_at_other_rates_are_left_out_and_counted(tmp_path: Path) -> None:
    runs = [config(), config(family="gru"), config(units=16)]
    runs[1] = runs[1].model_copy(update={"sample_rate_hz": 44_100})
    levels = (-20.0, -60.0, -10.0)
    rows = [
        row(run, {"esr": 0.1 * n, "asr_worst_db": level})
        for n, (run, level) in enumerate(zip(runs, levels, strict=True), 1)
    ]
    found = results(tmp_path, rows, runs)
    models = findings.at_one_rate(found.models_of("fuzz"))
    assert [model.rows[0]["run_id"] for model in models] == [runs[0].run_id, runs[2].run_id]
    told = findings.of_effect(found, models)
    assert "1 model at others is left out" in told[0]
    assert any("the lowest worst ASR of 2 models; of" in text for text in told)
    alone = results(tmp_path, rows[::2], runs[::2])
    assert findings.other_rates(alone, alone.models_of("fuzz")[0]) == []


def test_worse_than_silence_is_counted() -> None:
    best = model({"esr_above_8khz": 0.5}, {"esr_above_8khz": 1.5})
    other = model({"esr_above_8khz": 2.0}, name="GRU")
    [text] = findings.high_band([best, other])
    assert "Above 8 kHz its ESR is 1.00 (0.500 to 1.50)" in text
    assert "In 2 of 3 runs it exceeds 1: there the model is worse than silence" in text
    [quiet] = findings.high_band([model({"esr_above_8khz": 0.5})])
    assert "silence" not in quiet
    [narrow] = findings.high_band([model({"sample_rate_hz": 16_000})])
    assert "16,000 Hz holds nothing above 8 kHz" in narrow


def notes(*ratios: float) -> Model:
    return model(*({"esr_transient": 0.01 * r, "esr_sustained": 0.01} for r in ratios))


@pytest.mark.parametrize(
    ("ratios", "words"),
    [
        ((2.0, 2.1, 1.9), "attacks are where it fails most"),
        ((0.5, 0.52, 0.48), "attacks come out better"),
        ((2.0, 0.5, 1.1), "a difference within the spread of the seeds"),
        ((2.0,), "a difference that other seeds may reverse"),
    ],
)
def test_attacks_against_the_rest(ratios: tuple[float, ...], words: str) -> None:
    [text] = findings.attacks(notes(*ratios))
    assert words in text


def test_attacks_that_were_not_measured_are_not_told() -> None:
    assert findings.attacks(model({"esr_transient": None, "esr_sustained": None})) == []


def test_streaming_is_paired_with_framed(tmp_path: Path) -> None:
    rows, runs = [], []
    for seed in range(3):
        run = config(seed=seed)
        runs.append(run)
        level = -20.0 - 5 * seed
        rows.append(row(run, {"esr": 0.1, "asr_worst_db": level}))
        streamed = {"esr": 0.1, "asr_worst_db": level + 4 + 0.1 * seed}
        rows.append(row(run, streamed, rendering="streaming", is_final=False))
    found = results(tmp_path, rows, runs)
    [text] = findings.streaming(found, found.models_of("fuzz")[0])
    assert "its worst ASR rose by 4.1 dB (+3." in text
    tuned = [{**own, "rendering": "streaming_tuned"} for own in rows[1::2]]
    both = results(tmp_path, [*rows, *tuned], runs)
    assert len(findings.streaming(both, both.models_of("fuzz")[0])) == 2
    framed_only = results(tmp_path, rows[::2], runs)
    assert findings.streaming(framed_only, framed_only.models_of("fuzz")[0]) == []


def test_a_model_that_hums_by_itself_is_told_from_one_that_aliases(tmp_path: Path) -> None:
    def humming(dry: Any) -> Any:
        hum = 0.05 * np.sin(0.9 * np.pi * np.arange(len(dry)) ** 1.01 / 7)
        return np.tanh(2 * dry) + hum

    run = config()
    told = {}
    for name, process in (("quiet", clipper(8)), ("humming", humming)):
        folder = RunFolder(tmp_path / name)
        write_probes(folder.probes, process)
        told[name] = findings.restless(name, probes.answers_of_run(folder, run))
    assert told["quiet"] == []
    [text] = told["humming"]
    assert text.startswith("Humming: at ") and "drift, noise or self-oscillation" in text


def test_notes_name_the_effect_and_the_extremes() -> None:
    hz = [100.0, 4000.0]
    curves = {
        "the effect itself": NoteCurve(None, False, hz, [-90, -70], [False, False]),
        "LSTM": NoteCurve("lstm", False, hz, [-60, -20], [False, False]),
        "GRU": NoteCurve("gru", False, hz, [-60, -30], [False, False]),
        "RNN": NoteCurve("rnn", True, hz, [-60, -25], [True, False]),
    }
    text = findings.notes(curves)
    assert f"the effect's own {MINUS}70.0 dB at 4,000 Hz" in text
    assert f"GRU {MINUS}30.0 dB" in text and f"LSTM {MINUS}20.0 dB" in text and "RNN" not in text
    assert "Crosses mark" in text
    assert "Crosses" not in findings.notes({"GRU": curves["GRU"]})
