"""Runs done in this process: events, rows and what is on disk afterwards."""

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data import audio, audio_files, files, pairs, splits
from data.audio import Samples
from models.architecture import multiply_accumulates
from study.config.grid import Grid
from study.config.run import SignalConfig
from study.dataset import Datasets
from study.execution.run_worker import work
from study.measures import linear_baseline, metrics
from study.rendering.framed import Prediction, render, render_spans
from study.rendering.weights import load_weights
from study.store.folders import Store
from tests import tiny

pytestmark = pytest.mark.slow

SIGNAL = SignalConfig(segment_seconds=0.5)
FINE = tiny.config(signal=SIGNAL, checkpoint_epochs=(2,))
FAILING = tiny.config(signal=SIGNAL, training_frames=10**6)
DIVERGING = tiny.config(signal=SIGNAL, effect=tiny.config().effect | {"name": "huge"}, loss="mse")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A grid whose pairs lie in the cache already."""
    made = Store(tmp_path_factory.mktemp("runs") / "mine")
    made.write_grid(Grid("mine", "Mine", (FINE, FAILING, DIVERGING), "mine"))
    pair = tiny.pair()
    huge = pairs.Pair(pair.dry, pair.wet * np.float32(1e30), pair.sample_rate_hz, "huge")
    for config, content in ((FINE, pair), (DIVERGING, huge)):
        key = pairs.key(config.made_by, config.signal.dry, config.sample_rate_hz)
        pairs._store(content, made.pairs / key)
    return made


@pytest.fixture(scope="module")
def events(store: Store) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audio_files, "LOUDEST", np.inf)  # no sound that may be read diverges
        work(store, sent.append)
    return sent


def rows(store: Store) -> list[dict[str, Any]]:
    result = store.run(FINE.run_id).result()
    assert result is not None
    return list(result["rows"])


def test_a_run_tells_its_start_its_epochs_its_evaluation_and_its_end(
    events: list[dict[str, Any]],
) -> None:
    told = [event for event in events if event["run"] == FINE.run_id]
    kinds = [event["event"] for event in told]
    assert kinds == ["start", *["epoch"] * FINE.epochs, "evaluate", "done"]
    assert [event["epoch"] for event in told[1:-2]] == list(range(1, 7))
    assert told[-1]["row"]["status"] == "ok"


def test_failures_carry_their_reason_and_stop_nothing(
    store: Store, events: list[dict[str, Any]]
) -> None:
    ends = {event["run"]: event["row"] for event in events if event["event"] == "done"}
    assert len(ends) == 3
    assert ends[FAILING.run_id]["error"].startswith("training_frames: expected at most")
    assert ends[DIVERGING.run_id]["error"].startswith("training diverged")
    finals = [store.run(c.run_id).result() for c in (FAILING, DIVERGING)]
    assert [result and result["is_final"] for result in finals] == [False, True]


def test_what_is_done_is_not_done_again(store: Store, events: list[dict[str, Any]]) -> None:
    assert events
    again: list[dict[str, Any]] = []
    work(store, again.append)
    assert [event["event"] for event in again] == ["found"] * 3
    assert {event["row"]["run_id"]: event["row"]["status"] for event in again} == {
        FINE.run_id: "ok",
        FAILING.run_id: "failed",
        DIVERGING.run_id: "failed",
    }


def test_a_finished_run_keeps_models_predictions_and_no_checkpoint(
    store: Store, events: list[dict[str, Any]]
) -> None:
    assert events
    folder = store.run(FINE.run_id).path
    assert {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} == {
        *("config.json", "history.csv", "lock", "model.keras", "prediction.wav", "result.json"),
        *("epochs/0002.keras", "epochs/0002.wav"),
        *("probes/aliasing.json", "probes/spectra.npz", "probes/sweep.wav"),
    }


@pytest.mark.parametrize("place", [0, 1])
def test_rows_hold_the_metrics_of_the_stored_prediction(
    place: int, store: Store, events: list[dict[str, Any]]
) -> None:
    assert events
    epoch = (2, None)[place]
    row, run = rows(store)[place], store.run(FINE.run_id)
    pair, split = tiny.pair(), tiny.parts()
    prediction = audio.read(run.prediction_file(epoch)).samples
    target = splits.scored(pair.wet, split.test)
    expected = metrics.evaluate(target, prediction, tiny.RATE_HZ)
    assert {name: row[name] for name in expected} == expected

    weights = load_weights(FINE, run.model_file(epoch))

    def framed(dry: Samples) -> Prediction:
        return render(FINE.architecture, weights, dry)

    rendered = render_spans(framed, pair.dry, split.test).samples
    np.testing.assert_array_equal(prediction, rendered)
    validation = render_spans(framed, pair.dry, split.validation).samples
    assert row["validation_esr"] == metrics.esr(
        splits.scored(pair.wet, split.validation), validation
    )
    assert (row["epoch"], row["is_final"]) == ((2, False), (6, True))[place]


def test_rows_hold_costs_and_baselines(store: Store, events: list[dict[str, Any]]) -> None:
    assert events
    pair, split = tiny.pair(), tiny.parts()
    target = splits.scored(pair.wet, split.test)
    fir = linear_baseline.best_fir(pair.dry, pair.wet, split.train, FINE.frame_size)
    linear = splits.scored(linear_baseline.filtered(pair.dry, fir), split.test)
    for row in rows(store):
        assert row["macs_per_sample"] == multiply_accumulates(FINE.architecture)
        assert row["parameters"] == (16 + 1) * 4 + 5
        assert row["dry_esr"] == metrics.esr(target, splits.scored(pair.dry, split.test))
        assert row["fir_esr"] == metrics.esr(target, linear)
        assert row["fir_esr"] < row["dry_esr"]
        assert row["training_seconds"] > 0


def test_the_share_of_training_time_follows_the_epoch(
    store: Store, events: list[dict[str, Any]]
) -> None:
    assert events
    early, final = rows(store)
    assert early["training_seconds"] == pytest.approx(final["training_seconds"] * 2 / 6)


def test_a_run_with_a_broken_result_is_done_again(store: Store) -> None:
    broken = Store(store.root.with_name("broken"))
    broken.write_grid(Grid("broken", "Broken", (FAILING,), "broken"))
    files.write_text(broken.run(FAILING.run_id).result_file, "")
    work(broken, lambda event: None)
    assert broken.run(FAILING.run_id).state() == "failed"


def test_a_run_whose_listener_is_gone_is_not_marked_failed(store: Store) -> None:
    unheard = FINE.model_copy(update={"seed": 7})
    orphaned = Store(store.root.with_name("orphaned"))
    orphaned.write_grid(Grid("orphaned", "Orphaned", (unheard,), "orphaned"))

    def send(event: dict[str, Any]) -> None:
        if event["event"] == "epoch":
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        work(orphaned, send)
    assert orphaned.run(unheard.run_id).state() == "pending"


def test_a_checkpoint_left_by_a_kill_after_the_result_is_removed(
    store: Store, events: list[dict[str, Any]]
) -> None:
    assert events
    checkpoint = store.run(FINE.run_id).checkpoint_file
    checkpoint.write_bytes(b"old")
    work(store, lambda event: None)
    assert not checkpoint.exists()


def test_material_is_loaded_once_and_shared(store: Store) -> None:
    datasets = Datasets(store.pairs)
    other = FINE.model_copy(update={"seed": 5, "units": 8})
    assert datasets.of(FINE) is datasets.of(other)
    assert datasets.test_fir(FINE) is datasets.test_fir(other)
    resplit = FINE.model_copy(update={"signal": SIGNAL.model_copy(update={"split_seed": 1})})
    assert datasets.of(resplit).split != datasets.of(FINE).split


def test_the_material_of_a_run_is_its_pair_and_its_split(store: Store) -> None:
    dataset = Datasets(store.pairs).of(FINE)
    np.testing.assert_array_equal(dataset.pair.wet, tiny.pair().wet)
    assert dataset.split == tiny.parts()


def test_the_folder_of_runs_may_be_moved(store: Store, tmp_path: Path) -> None:
    store.root.parent.rename(tmp_path / "moved")
    moved = Store(tmp_path / "moved" / store.root.name)
    assert [run.state() for run in moved.runs()] == ["finished", "failed", "failed"]
    (tmp_path / "moved").rename(store.root.parent)
