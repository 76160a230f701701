"""Fine-tuning against aliases: targets hold none, and the tuned model has fewer."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.audio import Samples
from study.dataset import Dataset
from study.measures import aliasing, metrics
from study.measures.aliasing import Probe
from study.rendering.framed import render, render_spans
from study.rendering.weights import load_weights
from study.store.folders import RunFolder
from study.training import antialias_finetuning, compiled, loop
from study.training.antialias_finetuning import PERIOD_SAMPLES, tones, without_aliases
from tests import tiny

CONFIG = tiny.config(layers=2, units=16, epochs=20, training_frames=4000, learning_rate=0.01)


def tone(cycles: int = 397) -> Probe:
    return Probe(tiny.RATE_HZ, PERIOD_SAMPLES, cycles, 0.8)


def test_a_target_keeps_the_harmonics_and_loses_the_aliases() -> None:
    asked = tone()
    answer = np.tanh(8 * asked.signal(2 * PERIOD_SAMPLES)) + 0.1
    target = without_aliases(answer[:PERIOD_SAMPLES].astype(np.float32), asked)
    before, after = (
        aliasing.analyse(np.tile(x, 2), asked) for x in (answer[:PERIOD_SAMPLES], target)
    )
    assert (before.asr_db or 0) > -30
    assert (after.asr_db or 0) < -130
    assert after.dc_db == pytest.approx(before.dc_db, abs=1e-3)


def test_a_target_keeps_what_a_boards_filter_will_take_away() -> None:
    asked = Probe(88_200, PERIOD_SAMPLES, 397, 0.8)
    order = PERIOD_SAMPLES // (2 * 397) - 1
    phase = order * 397 * np.arange(PERIOD_SAMPLES) / PERIOD_SAMPLES
    answer = asked.signal(PERIOD_SAMPLES) + 0.1 * np.sin(2 * np.pi * phase)
    assert 22_050 < order * asked.f0_hz < 44_100
    kept = without_aliases(answer.astype(np.float32), asked)
    assert kept == pytest.approx(answer, abs=1e-6)


def test_a_lesson_is_tones_with_the_models_own_answers() -> None:
    weights = compiled.initial_state(CONFIG.architecture, seed=3).weights
    taught = tones(CONFIG.architecture, weights, tiny.RATE_HZ, seed=0)
    assert len(taught.dry) == len(taught.wet) == taught.spans[-1].stop
    assert len(taught.spans) == antialias_finetuning.TONES
    first = taught.spans[0]
    lead_in = CONFIG.frame_size - 1
    answer = render(CONFIG.architecture, weights, taught.dry[first.start : first.stop]).samples
    kept = taught.wet[first.start + lead_in : first.stop]
    # A fresh model is nearly linear, so hardly anything was left out.
    assert metrics.esr(answer[lead_in:], kept) < 0.01
    again = tones(CONFIG.architecture, weights, tiny.RATE_HZ, seed=0)
    np.testing.assert_array_equal(taught.dry, again.dry)
    other = tones(CONFIG.architecture, weights, tiny.RATE_HZ, seed=1)
    assert not np.array_equal(taught.dry, other.dry)


def clipped_hard() -> Dataset:
    dataset = tiny.dataset()
    wet = np.tanh(4 * dataset.pair.wet)
    return dataclasses.replace(dataset, pair=dataclasses.replace(dataset.pair, wet=wet))


def asr_db(weights: list[Any]) -> float:
    def process(x: aliasing.Float64s) -> Samples:
        return render(CONFIG.architecture, weights, x.astype(np.float32)).samples

    probe = aliasing.probe(tiny.RATE_HZ, 1249, 0.5)
    answer = aliasing.responses(aliasing.one_by_one(process), [probe], CONFIG.frame_size - 1)[0]
    return aliasing.analyse(answer, probe).asr_db or 0.0


@pytest.mark.slow
def test_tones_lower_aliases_and_music_keeps_the_accuracy(tmp_path: Path) -> None:
    dataset = clipped_hard()
    loop.train(CONFIG, dataset, RunFolder(tmp_path))
    plain = load_weights(CONFIG, RunFolder(tmp_path).model_file())
    longer = CONFIG.model_copy(update={"antialias_epochs": 30})
    both = antialias_finetuning.fine_tune(longer, dataset, plain)
    assert asr_db(both) < asr_db(plain)

    def esr(weights: list[Any]) -> float:
        rendered = render_spans(
            lambda dry: render(CONFIG.architecture, weights, dry),
            dataset.pair.dry,
            dataset.split.test,
        )
        return metrics.esr(dataset.test_target, rendered.samples)

    assert esr(both) < 1.1 * esr(plain)


@pytest.mark.slow
def test_it_is_repeatable_to_the_last_bit(tmp_path: Path) -> None:
    config = tiny.config(antialias_epochs=2)
    for name in ("a", "b"):
        loop.train(config, tiny.dataset(), RunFolder(tmp_path / name))
    folders = [RunFolder(tmp_path / name) for name in ("a", "b")]
    a, b = (load_weights(config, folder.model_file()) for folder in folders)
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)
