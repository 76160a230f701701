"""Training goes on where it was killed, to the last bit; patience, divergence, checkpoints."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import jax
import keras
import numpy as np
import pytest

from data.errors import InputError
from data.pairs import Pair
from study.config.run import RunConfig
from study.dataset import Dataset
from study.rendering.weights import load_weights, save_model
from study.store.folders import RunFolder
from study.training import compiled, loop
from study.training.loop import EpochReport, TrainingDivergedError, TrainState
from tests import tiny

NEVER_S = 1e9


class KilledError(Exception):
    """Stands for the end of the process."""


def run(
    config: RunConfig,
    folder: Path,
    die_after: int | None = None,
    dataset: Callable[[], Dataset] = tiny.dataset,
) -> TrainState:
    def after_epoch(report: EpochReport) -> None:
        if report.epoch == die_after:
            raise KilledError

    return loop.train(config, dataset(), RunFolder(folder), after_epoch, checkpoint_every_s=0)


def assert_same_bits(a: list[jax.Array], b: list[jax.Array]) -> None:
    assert len(a) == len(b) > 0
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)


CASES = {
    "cosine with checkpoints": (
        tiny.config(schedule="cosine", checkpoint_epochs=(2, 5)),
        tiny.dataset,
    ),
    "patience, the first weights are best": (
        tiny.config(patience=6, learning_rate=0.03, seed=1),
        tiny.contrary_dataset,
    ),
    "recurrent, two frames a target": (
        tiny.config(family="gru", loss="esr_preemph_dc"),
        tiny.dataset,
    ),
    "sequences": (
        tiny.sequence_config(patience=6, schedule="cosine", checkpoint_epochs=(2, 5)),
        tiny.dataset,
    ),
    "sequences, waveform and spectrum": (
        tiny.sequence_config(loss="esr_preemph_dc_stft", window_samples=256),
        tiny.dataset,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("config", "dataset"), CASES.values(), ids=CASES.keys())
def test_a_killed_training_ends_bit_identical_to_an_undisturbed_one(
    config: RunConfig, dataset: Callable[[], Dataset], tmp_path: Path
) -> None:
    whole = run(config, tmp_path / "whole", dataset=dataset)
    for epoch in (1, 2, 5):  # killed again and again in one folder
        with pytest.raises(KilledError):
            run(config, tmp_path / "killed", epoch, dataset)
    resumed = run(config, tmp_path / "killed", dataset=dataset)

    assert resumed.epoch == whole.epoch == config.epochs
    assert resumed.losses == whole.losses
    assert resumed.validation_losses == whole.validation_losses
    assert resumed.best_epoch == whole.best_epoch
    assert_same_bits(resumed.variables.weights, whole.variables.weights)
    assert_same_bits(resumed.variables.optimiser, whole.variables.optimiser)
    assert_same_bits(resumed.best_weights, whole.best_weights)
    folders = [RunFolder(tmp_path / name) for name in ("whole", "killed")]
    assert folders[0].history_file.read_bytes() == folders[1].history_file.read_bytes()
    for kept_at in (*config.checkpoint_epochs, None):
        kept = [load_weights(config, folder.model_file(kept_at)) for folder in folders]
        assert_same_bits(*kept)


@pytest.mark.slow
def test_a_killed_fine_tuning_ends_bit_identical_to_an_undisturbed_one(tmp_path: Path) -> None:
    config = tiny.config(family="gru", streaming_epochs=4, epochs=3, **tiny.SEGMENTS)
    run(config, tmp_path / "whole")
    for death in (2, 3):  # killed again and again in one folder

        def after_epoch(report: EpochReport, death: int = death) -> None:
            if report.stage == "streaming" and report.epoch == death:
                raise KilledError

        folder = RunFolder(tmp_path / "killed")
        with pytest.raises(KilledError):
            loop.train(config, tiny.dataset(), folder, after_epoch, checkpoint_every_s=0)
    seen: list[tuple[str, int]] = []
    loop.train(
        config,
        tiny.dataset(),
        RunFolder(tmp_path / "killed"),
        lambda report: seen.append((report.stage, report.epoch)),
    )
    assert seen == [("streaming", 4)]
    folders = [RunFolder(tmp_path / name) for name in ("whole", "killed")]
    tuned_twice = [load_weights(config, f.streaming_model_file, is_sequence=True) for f in folders]
    framed_twice = [load_weights(config, f.model_file()) for f in folders]
    assert_same_bits(*tuned_twice)
    assert_same_bits(*framed_twice)
    tuned, framed = tuned_twice[0], framed_twice[0]
    assert not np.array_equal(tuned[0], framed[0])


@pytest.mark.slow
def test_a_sequence_model_is_saved_as_one_that_takes_sequences(tmp_path: Path) -> None:
    config = tiny.sequence_config(epochs=40, learning_rate=1e-2)
    run(config, tmp_path)
    model = keras.saving.load_model(RunFolder(tmp_path).model_file())
    pair, test = tiny.pair(), tiny.parts().test[0]
    dry, target = (s[test.start : test.stop] for s in (pair.dry, pair.wet))
    predicted = np.asarray(model.predict(dry[None, :, None], verbose=0))[0, :, 0]
    assert np.sum((target - predicted) ** 2) / np.sum(target**2) < 0.1


def test_a_killed_training_does_not_begin_again(tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        run(tiny.config(), tmp_path, die_after=4)
    seen: list[int] = []
    loop.train(
        tiny.config(),
        tiny.dataset(),
        RunFolder(tmp_path),
        lambda report: seen.append(report.epoch),
    )
    assert seen == [5, 6]


def test_without_time_for_a_checkpoint_training_begins_again(tmp_path: Path) -> None:
    seen: list[int] = []

    def stop_after_three(report: EpochReport) -> None:
        seen.append(report.epoch)
        if report.epoch == 3:
            raise KilledError

    for _ in range(2):
        with pytest.raises(KilledError):
            loop.train(
                tiny.config(), tiny.dataset(), RunFolder(tmp_path), stop_after_three, NEVER_S
            )
    assert seen == [1, 2, 3, 1, 2, 3]


def test_patience_stops_and_keeps_the_best_weights(tmp_path: Path) -> None:
    config = tiny.config(patience=3, epochs=40, learning_rate=0.03, seed=1)
    train_state = run(config, tmp_path, dataset=tiny.contrary_dataset)
    best = int(np.argmin(train_state.validation_losses)) + 1
    assert train_state.epoch == best + 3 < 40
    assert train_state.best_epoch == loop.final_epoch(config, train_state) == best
    saved = load_weights(config, RunFolder(tmp_path).model_file())
    assert_same_bits(saved, train_state.best_weights)
    assert not np.array_equal(train_state.variables.weights[0], train_state.best_weights[0])


def test_without_patience_the_last_weights_are_kept(tmp_path: Path) -> None:
    config = tiny.config(learning_rate=0.03, seed=1)
    train_state = run(config, tmp_path, dataset=tiny.contrary_dataset)
    assert train_state.best_epoch < loop.final_epoch(config, train_state) == config.epochs
    saved = load_weights(config, RunFolder(tmp_path).model_file())
    assert_same_bits(saved, train_state.variables.weights)


def test_checkpoint_epochs_keep_the_weights_of_their_epoch(tmp_path: Path) -> None:
    config = tiny.config(checkpoint_epochs=(2, 4), schedule="constant")
    run(config, tmp_path / "long")
    run(tiny.config(epochs=2, schedule="constant"), tmp_path / "short")
    long, short = RunFolder(tmp_path / "long"), RunFolder(tmp_path / "short")
    assert_same_bits(
        load_weights(config, long.model_file(2)),
        load_weights(config, short.model_file()),
    )
    assert sorted(p.name for p in (tmp_path / "long/epochs").iterdir()) == [
        "0002.keras",
        "0004.keras",
    ]


@pytest.mark.slow
def test_model_file_is_a_keras_model_that_predicts_the_wet_signal(tmp_path: Path) -> None:
    run(tiny.config(epochs=60, learning_rate=1e-2, training_frames=800), tmp_path)
    model = keras.saving.load_model(RunFolder(tmp_path).model_file())
    pair, test = tiny.pair(), tiny.parts().test[0]
    windows = np.lib.stride_tricks.sliding_window_view(pair.dry[test.start : test.stop], 16)
    predicted = np.asarray(model.predict(windows[..., None], verbose=0))[:, 0]
    target = pair.wet[test.start + 15 : test.stop]
    assert np.sum((target - predicted) ** 2) / np.sum(target**2) < 0.1


@pytest.mark.parametrize("year", [1969, 1971, 1979, 2026, 2200])
def test_a_model_is_saved_and_loaded_whatever_the_clock_says(
    year: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(year, 7, 1, tzinfo=UTC).timestamp()
    monkeypatch.setattr(time, "time", lambda: now)
    config, file = tiny.config(), tmp_path / "model.keras"
    weights = compiled.initial_state(config.architecture, 1).weights
    save_model(config, weights, file)
    os.utime(file, (now, now))
    assert_same_bits(load_weights(config, file), weights)
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]


def test_history_has_a_line_an_epoch(tmp_path: Path) -> None:
    train_state = run(tiny.config(), tmp_path)
    lines = RunFolder(tmp_path).history_file.read_text().splitlines()
    assert lines[0] == "epoch,loss,validation_loss"
    rows = [[float(value) for value in line.split(",")] for line in lines[1:]]
    assert rows == [
        [epoch, train_state.losses[epoch - 1], train_state.validation_losses[epoch - 1]]
        for epoch in range(1, 7)
    ]


def test_the_seed_decides_the_result(tmp_path: Path) -> None:
    one, same, other = (
        run(tiny.config(seed=seed, epochs=2), tmp_path / str(k)) for k, seed in enumerate((1, 1, 2))
    )
    assert one.losses == same.losses != other.losses


@pytest.mark.slow
def test_an_infinite_loss_is_divergence(tmp_path: Path) -> None:
    pair = tiny.pair()
    huge = Pair(pair.dry, (pair.wet * 1e30).astype(np.float32), pair.sample_rate_hz, "huge")
    with pytest.raises(
        TrainingDivergedError, match=r"diverged: the loss is (inf|nan) after epoch 1"
    ):
        loop.train(tiny.config(loss="mse"), Dataset(huge, tiny.parts()), RunFolder(tmp_path))
    assert not RunFolder(tmp_path).model_file().exists()


def test_more_frames_than_the_split_holds_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"training_frames: expected at most \d+ frames of 16"):
        run(tiny.config(training_frames=10**6), tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_an_unreadable_checkpoint_is_as_good_as_none(share: float, tmp_path: Path) -> None:
    config = tiny.config()
    with pytest.raises(KilledError):
        run(config, tmp_path, die_after=3)
    checkpoint = RunFolder(tmp_path).checkpoint_file
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[: int(share * len(content))])
    assert run(config, tmp_path).losses == run(config, tmp_path / "whole").losses
