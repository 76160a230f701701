"""The estimate of a grid: it measures every kind of run, and counts all that one trains."""

from pathlib import Path
from typing import Any

import pytest

from data.effects import resolve
from study.config.grid import Grid
from study.config.run import RunConfig, SignalConfig
from study.execution import estimate as estimates
from tests import tiny

CONTROLS = {"drive": [0.1, 0.5, 0.9]}


def config(way: str, **changes: Any) -> RunConfig:
    values: dict[str, Any] = {
        "effect": resolve({"name": "sd1", "drive": 0.5}, Path()).to_dict(),
        "signal": SignalConfig(seconds=20, segment_seconds=1),
        "knobs": way,
        "controls": {} if way == "none" else CONTROLS,
        "family": "gru",
        "units": 2,
        "batch_size": 4,
    }
    make = tiny.sequence_config if changes.get("training") == "sequence" else tiny.config
    return make(**values | changes)


def estimate(*configs: RunConfig) -> estimates.Estimate:
    return estimates.estimate(Grid("mine", "Mine", configs, "mine.toml"), workers=1)


@pytest.mark.slow
def test_runs_with_knobs_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "BATCHES", 2)
    both = [config("conditioned", training=way) for way in ("framed", "sequence")]
    found = estimate(*both)
    assert found.hours > 0
    assert {way for _, way in found.frames_per_second} == {"framed", "sequence"}


def test_every_model_and_setting_of_a_run_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for measure in ("_training_rate", "_sequence_rate"):
        monkeypatch.setattr(estimates, measure, lambda config: 1.0)
    monkeypatch.setattr(estimates, "_rendering_rate", lambda architecture: 1e12)

    def seconds(way: str, **changes: Any) -> float:
        return 3600 * estimate(config(way, **changes)).hours

    plain = config("none")
    frames = plain.training_frames * plain.epochs
    assert seconds("none") == pytest.approx(frames)
    assert seconds("conditioned") == pytest.approx(frames)
    assert seconds("faded") == pytest.approx(3 * frames)
    one = seconds("none", training="sequence")
    for way in ("conditioned", "faded"):
        assert seconds(way, training="sequence") == pytest.approx(3 * one)


@pytest.mark.parametrize("way", ["conditioned", "faded"])
def test_training_on_sequences_costs_as_much_as_it_has_settings(way: str) -> None:
    plain, own = (config(knobs, training="sequence") for knobs in ("none", way))
    assert own.training_cost == pytest.approx(3 * plain.training_cost, rel=0.35)
    assert own.training_cost >= 3 * plain.training_cost
