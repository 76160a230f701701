"""A run is found by what people type, and loads only when it is whole."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from data.errors import InputError
from study.rendering.trained_model import find, load
from study.rendering.weights import ARCHIVE_BYTES, load_weights, save_model
from study.store.folders import Store
from study.training import compiled
from tests import tiny
from tests.study import finished


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("runs") / "mine"
    configs = [finished.config(seed=0), finished.config(seed=1), finished.config(family="dense")]
    return finished.grid(root, *configs)


def ids(store: Store) -> list[str]:
    return [folder.run_id for folder in store.runs()]


def test_an_id_its_beginning_and_a_folder_name_the_same_run(store: Store) -> None:
    lstm, _, dense = ids(store)
    assert find(lstm, store).run_id == lstm
    assert find(dense[:14], store).run_id == dense
    assert find(str(store.run(dense).path), Store(Path("nowhere"))).run_id == dense


def test_a_beginning_of_several_runs_names_them(store: Store) -> None:
    lstm, other, _ = ids(store)
    with pytest.raises(InputError, match="2 runs that begin so") as told:
        find("clipper-lstm", store)
    assert lstm in str(told.value) and other in str(told.value)


def test_a_misspelt_beginning_is_guessed(store: Store) -> None:
    with pytest.raises(InputError, match=f"Did you mean '{ids(store)[2]}'"):
        find("cliper-dense", store)


@pytest.mark.parametrize("name", ["", "xyz"])
def test_an_unknown_name_lists_the_runs(name: str, store: Store) -> None:
    with pytest.raises(InputError, match=ids(store)[0] if not name else "The runs: "):
        find(name, store)


def test_a_run_loads_as_it_was_trained_or_as_asked(store: Store) -> None:
    folder = store.run(ids(store)[0])
    framed, streaming = load(folder), load(folder, "streaming")
    assert (framed.mode, framed.rendering) == ("framed", "framed")
    assert (streaming.mode, streaming.rendering) == ("streaming", "streaming")
    kept = load_weights(folder.config(), folder.model_file())
    for one, other in zip(framed.weights, kept, strict=True):
        np.testing.assert_array_equal(one, other)


def test_streaming_takes_the_weights_that_were_tuned_for_it(tmp_path: Path) -> None:
    config = finished.config(streaming_epochs=1, **tiny.SEGMENTS)
    folder = next(finished.grid(tmp_path / "mine", config).runs())
    tuned = [2 * weight for weight in load_weights(config, folder.model_file())]
    save_model(config, tuned, folder.streaming_model_file, is_sequence=True)
    loaded = load(folder, "streaming")
    assert loaded.rendering == "streaming_tuned"
    np.testing.assert_array_equal(loaded.weights[0], tuned[0])
    assert load(folder).rendering == "framed"


def test_a_run_on_sequences_streams_and_nothing_else(tmp_path: Path) -> None:
    config = tiny.sequence_config()
    folder = next(finished.grid(tmp_path / "mine", config).runs())
    assert (load(folder).mode, load(folder).rendering) == ("streaming", "streaming")
    with pytest.raises(InputError, match="trained on sequences"):
        load(folder, "framed")


def test_a_model_without_state_cannot_stream(store: Store) -> None:
    with pytest.raises(InputError, match="a dense model"):
        load(store.run(ids(store)[2]), "streaming")


def test_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    config = finished.config()
    store = finished.grid(tmp_path / "mine", config)
    store.run(config.run_id).result_file.unlink()
    with pytest.raises(InputError, match="has not begun"):
        load(store.run(config.run_id))


def nan(file: Path) -> None:
    model = keras.saving.load_model(file, compile=False)
    model.trainable_variables[0].assign(np.nan * model.trainable_variables[0])
    model.save(file)


def of_another_size(file: Path) -> None:
    other = finished.config(units=7)
    weights = compiled.initial_state(other.architecture, 0).weights
    save_model(other, weights, file)


def far_too_large(file: Path) -> None:
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(2 * ARCHIVE_BYTES))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (Path.unlink, "no such file"),
        (nan, "NaN, infinity or too few"),
        (of_another_size, "a broken file, or the weights of another model"),
        (far_too_large, "bytes unpacked"),
        (lambda file: file.write_bytes(b""), "an empty or broken file"),
        (lambda file: file.write_bytes(b"PK\5\6" + bytes(18)), "a broken file, or"),
        (lambda file: file.write_bytes(file.read_bytes()[:-200]), "an empty or broken file"),
    ],
)
def test_weights_that_are_missing_broken_or_foreign_are_one_sentence(
    tmp_path: Path, damage: Callable[[Path], object], found: str
) -> None:
    folder = next(finished.grid(tmp_path / "mine", finished.config()).runs())
    damage(folder.model_file())
    with pytest.raises(InputError, match=f"found .*{found}") as told:
        load(folder)
    assert str(told.value).count("\n") == 0 and str(folder.model_file()) in str(told.value)
