"""Conditioned and faded models: what they learn from, what they answer, what is refused."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from data import files
from data.devices import lv2
from data.effects import Effect, resolve
from data.errors import InputError
from data.frames import with_controls
from models import sequence
from models.architecture import Architecture
from models.framed import build
from models.streaming import state_sizes
from study.config import grid
from study.config.grid import Grid
from study.config.run import RunConfig, SignalConfig
from study.dataset import Datasets
from study.evaluation import controls as evaluation
from study.execution import run_worker
from study.rendering.framed import render
from study.rendering.streaming import render_streaming
from study.store import knob_table
from study.store.folders import RunFolder, Store
from study.training import compiled, controls, input_pipeline, tbptt
from tests import tiny
from tests.data.devices.plugins import needs_plugins

SEEN, UNSEEN = [0.1, 0.5, 0.9], [0.2, 0.6]


def config(way: str = "conditioned", **changes: Any) -> RunConfig:
    values: dict[str, Any] = {
        "effect": resolve({"name": "sd1", "drive": 0.5}, Path()).to_dict(),
        "signal": SignalConfig(seconds=20, segment_seconds=1),
        "knobs": way,
        "controls": {"drive": SEEN},
        "unseen": {"drive": UNSEEN},
    }
    return tiny.config(**values | changes)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Both ways, of a small GRU, done as a worker does them."""
    runs = tuple(config(way, family="gru", epochs=3) for way in ("conditioned", "faded"))
    store = Store(tmp_path_factory.mktemp("runs") / "mine")
    store.write_grid(Grid("mine", "Mine", runs, "mine.toml"))
    events: list[dict[str, Any]] = []
    run_worker.work(store, events.append)
    assert [e["row"]["status"] for e in events if e["event"] == "done"] == ["ok", "ok"], events
    knob_table.write(store)
    return store


@pytest.fixture(scope="module")
def table(store: Store) -> pd.DataFrame:
    return pd.read_parquet(store.root / "settings.parquet")


@pytest.mark.slow
def test_every_setting_has_a_row_a_way_and_a_rendering(table: pd.DataFrame) -> None:
    ways = {"conditioned": SEEN + UNSEEN, "fixed": SEEN, "faded": UNSEEN, "nearest": UNSEEN}
    for rendering in ("framed", "streaming"):
        own = table[table["rendering"] == rendering]
        assert len(own) == 5 + 3 + 2 + 2
        for way, expected in ways.items():
            found = own[own["way"] == way]
            assert sorted(found["control_drive"]) == sorted(expected)
            assert list(found["is_seen"]) == [value in SEEN for value in found["control_drive"]]
    assert (table["esr"] > 0).all()
    assert (table["setting"] == "drive=" + table["control_drive"].map("{:g}".format)).all()


@pytest.mark.slow
def test_fading_costs_two_models_and_a_knob_one_input_more(table: pd.DataFrame) -> None:
    macs = table.groupby(["rendering", "way"])["macs_per_sample"].agg(set)
    assert macs["streaming", "faded"] == {2 * (3 * 4 * 5 + 4)}
    assert macs["streaming", "nearest"] == {3 * 4 * 5 + 4}
    assert macs["streaming", "conditioned"] == {3 * 4 * 6 + 4}
    assert macs["framed", "conditioned"] == {16 * 3 * 4 * 6 + 4}


@pytest.mark.slow
def test_the_main_row_is_of_the_effects_own_setting(store: Store, table: pd.DataFrame) -> None:
    for run in store.runs():
        result = run.result()
        assert result
        row = result["rows"][-1]
        own = table[(table["run_id"] == run.run_id) & (table["control_drive"] == 0.5)]
        assert row["esr"] == own[own["rendering"] == "framed"]["esr"].item()


@pytest.mark.slow
def test_a_finished_run_leaves_its_models_and_no_checkpoint(store: Store) -> None:
    faded = next(run for run in store.runs() if run.config().knobs == "faded")
    left = {path.relative_to(faded.path).as_posix() for path in faded.path.glob("settings/*/*")}
    assert left == {
        f"settings/drive={value}/{name}"
        for value in ("0.1", "0.9")
        for name in ("model.keras", "history.csv")
    }


@pytest.mark.slow
def test_faded_answers_are_the_blend_of_their_neighbours(store: Store) -> None:
    faded = next(run for run in store.runs() if run.config().knobs == "faded")
    datasets = Datasets(store.pairs)
    answers = evaluation._faded_answers(faded.config(), datasets, faded, "framed")
    low, high = (answers({"drive": value})["fixed"][0] for value in (0.1, 0.5))
    between = answers({"drive": 0.2})
    np.testing.assert_allclose(between["faded"][0], 0.75 * low + 0.25 * high, atol=1e-6)
    np.testing.assert_array_equal(between["nearest"][0], low)
    assert np.abs(high - low).max() > 1e-3


def test_neighbours_share_by_their_distance() -> None:
    assert evaluation.blend(0.2, SEEN) == pytest.approx({0.1: 0.75, 0.5: 0.25})
    assert evaluation.blend(0.6, SEEN) == pytest.approx({0.5: 0.75, 0.9: 0.25})
    assert evaluation.blend(0.0, SEEN) == {0.1: 1.0}
    assert evaluation.blend(1.0, SEEN) == {0.9: 1.0}


@pytest.mark.slow
def test_a_conditioned_model_learns_from_all_seen_settings_and_no_other(store: Store) -> None:
    datasets = Datasets(store.pairs)
    own = config()
    dataset = controls.conditioned(own, datasets)
    samples = len(dataset.pair.wet) // 3
    assert dataset.pair.dry.shape == (3 * samples, 2)
    for number, value in enumerate(SEEN):
        part = slice(number * samples, (number + 1) * samples)
        plain = datasets.of(own.at({"drive": value}))
        np.testing.assert_array_equal(dataset.pair.wet[part], plain.pair.wet)
        np.testing.assert_array_equal(dataset.pair.dry[part, 0], plain.pair.dry)
        assert set(dataset.pair.dry[part, 1]) == {np.float32(value)}
        inside = [s for s in dataset.split.train if part.start <= s.start < part.stop]
        moved = [(s.start - part.start, s.stop - part.start) for s in inside]
        assert moved == [tuple(s) for s in plain.split.train]


@pytest.mark.slow
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_controls_enter_every_model_and_change_its_answer(family: Any) -> None:
    a = Architecture(family, 1, 4, 16, residual=True, controls=2)
    weights = compiled.initial_state(a, seed=1).weights
    dry = tiny.pair().dry[:3000]
    answer = render(a, weights, dry, (0.1, 0.7)).samples
    assert np.abs(answer - render(a, weights, dry, (0.1, 0.2)).samples).max() > 1e-3
    # Block by block, from the definition: frames of the signal with constant channels.
    padded = with_controls(np.concatenate([np.zeros(15, np.float32), dry]), (0.1, 0.7))
    assert padded.shape == (3015, 3)
    model = build(a, seed=1)
    frames = np.stack([padded[n : n + 16] for n in range(0, 3000, 500)])
    expected = np.asarray(model(frames))[:, 0]
    np.testing.assert_allclose(answer[::500], expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["lstm", "gru"])
def test_the_streaming_twin_takes_the_same_controls_and_weights(family: Any) -> None:
    # A frame as long as the signal starts where the stream does.
    a = Architecture(family, 2, 4, 64, residual=True, controls=1)
    weights = compiled.initial_state(a, seed=1).weights
    dry = tiny.pair().dry[:64]
    framed = render(a, weights, np.concatenate([dry]), (0.3,)).samples[-1]
    streamed = render_streaming(a, weights, dry, (0.3,)).samples[-1]
    assert streamed == pytest.approx(framed, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["lstm", "gru", "rnn"])
def test_windows_of_sequences_take_controls_as_the_plain_model_does(family: Any) -> None:
    a = Architecture(family, 2, 4, 64, residual=True, controls=1)
    weights = compiled.initial_state(a, seed=1).weights
    model = sequence.build(a, seed=1)
    dry = with_controls(tiny.pair().dry[:128], (0.3,))
    states = [jnp.zeros((1, size)) for size in state_sizes(a)]
    found, _ = sequence.Window(a)(weights, jnp.asarray(dry[:, None]), states)
    np.testing.assert_allclose(found[:, 0], np.asarray(model(dry[None]))[0, :, 0], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["conditioned", "faded"])
def test_sequences_have_knobs_too(way: Any, store: Store, tmp_path: Path) -> None:
    own = RunConfig(
        **{name: getattr(config(way), name) for name in ("effect", "signal", "controls", "unseen")},
        knobs=way,
        family="gru",
        units=4,
        training="sequence",
        sample_rate_hz=tiny.RATE_HZ,
        epochs=2,
        window_samples=512,
        sequence_seconds=0.25,
        warmup_samples=100,
    )
    folder = RunFolder(tmp_path / "run")
    datasets = Datasets(store.pairs)
    train_state = controls.train(own, datasets, folder, lambda _: None)
    assert train_state.losses[-1] < train_state.losses[0]
    plain = datasets.of(own)
    passed_over = controls.conditioned(own, datasets) if way == "conditioned" else plain
    count = len(tbptt.starts(passed_over.split.train, own.segment))
    assert input_pipeline.training_targets(own, plain) == count * own.segment.counted_samples
    evaluation.evaluate(own, datasets, folder)
    rows = files.read_json(folder.path / knob_table.SETTINGS_FILE)
    assert {row["rendering"] for row in rows} == {"streaming"}
    assert len(rows) == (5 if way == "conditioned" else 3 + 2 * 2)
    assert all(0 < row["esr"] < 1 for row in rows)


def test_close_settings_have_names_of_their_own() -> None:
    close = [{"drive": 0.5}, {"drive": 0.5000001}, {"drive": 1.0}]
    names = [knob_table.setting_name(own) for own in close]
    assert names == ["drive=0.5", "drive=0.5000001", "drive=1"]


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"knobs": "none"}, "controls and unseen need knobs"),
    ({"controls": {}}, "needs two or more values of each control"),
    ({"controls": {"drive": [0.5]}}, "needs two or more values of each control"),
    ({"unseen": {"tone": [0.2]}}, "unseen needs values of the same controls"),
    ({"unseen": {"drive": [0.1]}}, "unseen holds a setting that controls trains on"),
    ({"controls": {"drive": [0.1, 0.9]}}, "the effect's own setting, {'drive': 0.5}"),
    ({"antialias_epochs": 2}, "knobs do not go with antialias_epochs"),
    (
        {
            "knobs": "faded",
            "controls": {"drive": SEEN, "tone": [0.4, 0.5]},
            "unseen": {},
        },
        "fading blends two neighbours, so it takes one control",
    ),
]


@pytest.mark.parametrize(("changes", "message"), MISTAKES)
def test_knobs_that_cannot_turn_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="(?s)" + message):
        config(**changes)


def test_controls_that_the_effect_has_not_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="volume"):
        config(controls={"drive": SEEN, "volume": [0.1, 0.2]}, unseen={})
    with pytest.raises(InputError, match="drive"):
        config(unseen={"drive": [7.0]})
    recording = Effect("mine", "recording", content="x", controls={"drive": 0.5}).to_dict()
    with pytest.raises(InputError, match="recording"):
        config(effect=recording)


def test_every_setting_has_its_controls_in_the_order_that_the_model_is_told() -> None:
    run = config(
        controls={"drive": SEEN, "tone": [0.4, 0.5]}, unseen={"tone": [0.45], "drive": [0.3]}
    )
    told = [tuple(own) for own in (*run.seen_settings, *run.unseen_settings, run.own_setting)]
    assert set(told) == {("drive", "tone")}
    assert run.unseen_settings == [{"drive": 0.3, "tone": 0.45}]


def test_a_plugin_is_played_at_its_usual_setting_unless_told(tmp_path: Path) -> None:
    plugin = resolve("ds1", tmp_path).to_dict()
    usual = lv2.EFFECTS["ds1"].defaults["drive"]
    run = config(effect=plugin, controls={"drive": [0.1, usual]}, unseen={})
    assert run.own_setting == {"drive": usual}


@pytest.mark.system
@needs_plugins
def test_a_plugins_controls_keep_to_their_ranges(tmp_path: Path) -> None:
    plugin = resolve("ds1", tmp_path).to_dict()
    usual = lv2.EFFECTS["ds1"].defaults["drive"]
    with pytest.raises(InputError, match="drive"):
        config(effect=plugin, controls={"drive": [usual, 7.0]}, unseen={})


def test_a_grid_file_sweeps_a_control(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[[runs]]\neffect = {name = "sd1", drive = 0.5}\nknobs = ["conditioned", "faded"]\n'
        "controls = {drive = [0.1, 0.5]}\nunseen = {drive = [0.3]}\n"
    )
    one, other = grid.load(str(path)).runs
    assert (one.knobs, one.architecture.controls) == ("conditioned", 1)
    assert (other.knobs, other.architecture.controls) == ("faded", 0)
    assert one.seen_settings == [{"drive": 0.1}, {"drive": 0.5}]
    assert other.training_cost == pytest.approx(2 * one.training_cost * 68 / 72, rel=0.1)
