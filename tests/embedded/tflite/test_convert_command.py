"""A run becomes TFLite files with one command."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data.errors import InputError
from embedded.cli import app
from embedded.tflite import convert_command
from embedded.tflite.convert import Converted
from study.dataset import Dataset, Datasets
from study.store.folders import Store
from tests import tiny
from tests.study import finished


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    def of(self: Datasets, config: object) -> Dataset:
        return tiny.dataset()

    monkeypatch.setattr(Datasets, "of", of)
    configs = [finished.config(family="dense", validation_frames=300), finished.config()]
    return finished.grid(tmp_path / "mine", *configs, validation_esr=0.1)


def run(store: Store, *words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["convert", "mine", "--runs", str(store.root.parent), *words])
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.slow
def test_a_run_is_converted_measured_and_told(store: Store) -> None:
    code, told, complaint = run(store, "--run", "clipper-dense", "--block", "8")
    assert (code, complaint) == (0, "")
    [folder] = (store.root / "tflite").iterdir()
    for kind in ("float32", "int8", "int16x8"):
        model = Converted.read(folder / f"framed-{kind}-b8.tflite")
        assert (model.kind, model.block, model.form) == (kind, 8, "framed")
        assert model.origin.run_id == folder.name
        assert kind in told
    parity = json.loads((folder / "parity.json").read_text())
    assert len(parity) == 3
    assert "float32 keeps within 1e-05 of Keras" in told.replace("\n", " ")
    assert "FULLY_CONNECTED" in told


@pytest.mark.slow
def test_a_recurrent_run_streams(store: Store) -> None:
    model, found = convert_command.prove(store, "clipper-lstm", ["float32"], 4)[0]
    assert (model.form, model.origin.rendering) == ("streaming", "streaming")
    assert found.is_faithful


def test_a_run_of_features_streams_in_every_kind(store: Store) -> None:
    config = tiny.sequence_config(units=6, frame_size=16, features=4)
    featured = finished.grid(store.root.parent / "featured", config, validation_esr=0.1)
    for model, found in convert_command.prove(featured, config.run_id, [], 8):
        assert (model.form, model.inputs[1].name) == ("streaming", "history")
        limit = {"float32": 1e-10, "int8": 0.1, "int16x8": 1e-3}[model.kind]
        for agreement in found.runtimes.values():
            assert agreement.esr_against_keras < limit
        assert found.is_faithful == (model.kind == "float32")
    with pytest.raises(InputError, match="trained on sequences"):
        convert_command.prove(featured, config.run_id, [], 8, "framed")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--kind", "int4"], "one of float32, int16x8, int8"),
        (["--form", "looped"], "one of framed, streaming"),
        (["--run", "clipper-dense", "--block", "200"], "block of 1 to 128"),
        (["--run", "clipper-dense", "--form", "streaming"], "a recurrent"),
        (["--run", "nobody"], "no such run"),
    ],
)
def test_bad_input_is_told_with_what_to_do(store: Store, words: list[str], told: str) -> None:
    code, _, complaint = run(store, *words)
    assert code == 2
    assert told in complaint
    assert "Traceback" not in complaint
