"""The firmware's folder, from a finished run to its proof."""

import importlib.util
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from data.errors import InputError
from embedded.budget import budget
from embedded.cli import app
from embedded.firmware import deploy
from embedded.tflite import runtimes
from models.architecture import Architecture
from study.dataset import Dataset, Datasets
from study.selection import boards, choose
from study.store import tables
from study.store.folders import Store
from tests import tiny
from tests.study import finished

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(shutil.which(tool) is None for tool in ("make", "gcc", "g++")),
        reason="needs gcc and make: make system",
    ),
]


@pytest.fixture(autouse=True)
def tiny_material(monkeypatch: pytest.MonkeyPatch) -> None:
    def of(self: Datasets, config: object) -> Dataset:
        return tiny.dataset()

    monkeypatch.setattr(Datasets, "of", of)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A small GRU, a small dense model and an LSTM that no board carries, all at 22.05 kHz."""
    shapes = [("gru", 8), ("dense", 8), ("lstm", 120)]
    configs = [
        finished.config(family=family, units=units, sample_rate_hz=22_050)
        for family, units in shapes
    ]
    return finished.grid(tmp_path / "grid", *configs, validation_esr=0.1, esr=0.1)


def run_id(store: Store, family: str) -> str:
    return next(run.run_id for run in store.runs() if f"-{family}-" in run.run_id)


@pytest.mark.parametrize("family", ["gru", "dense"])
def test_the_folder_is_whole_and_proved(store: Store, family: str) -> None:
    done = deploy.deploy(store, "teensy41", run_id(store, family))
    assert done.folder == store.root / "firmware" / "teensy41"
    assert done.rendering == ("streaming" if family == "gru" else "framed")
    assert done.line.verdict == "yes"
    for name in [
        "README.md", "Makefile", "platformio.ini", "deploy.json", "core/pedal.cpp",
        "boards/teensy/main.cpp", "boards/host/main.cpp", "model/pedal_model.c",
        "model/pedal_tflite.cpp", "model/pedal_operators.h", "model/golden.h",
    ]:  # fmt: skip
        assert (done.folder / name).is_file(), name
    assert "board = teensy41" in (done.folder / "platformio.ini").read_text()
    assert "{{" not in (done.folder / "README.md").read_text()
    told = " ".join(done.told)
    assert "TFLite Micro (float32) against Keras" in told
    assert "golden vectors: largest error" in told
    assert json.loads((done.folder / "deploy.json").read_text())["run_id"] == done.run_id
    assert list(done.folder.parent.iterdir()) == [done.folder]  # nothing half done beside it


def test_a_family_without_a_tflite_graph_is_built_as_c_alone(tmp_path: Path) -> None:
    config = tiny.sequence_config(family="tcn", layers=3, units=3, sample_rate_hz=22_050)
    store = finished.grid(tmp_path / "grid", config, validation_esr=0.1, esr=0.1)
    done = deploy.deploy(store, "teensy41")
    assert (done.rendering, done.line.verdict) == ("streaming", "yes")
    assert (done.folder / "model" / "pedal_model.c").is_file()
    assert not list((done.folder / "model").glob("*tflite*"))
    told = " ".join(done.told)
    assert "golden vectors: largest error" in told and "TFLite" not in told
    with pytest.raises(InputError, match="no TFLite graph is written for the family tcn"):
        deploy.deploy(store, "teensy41", route="tflite_float32")


@pytest.fixture
def featured(tmp_path: Path) -> Store:
    """A small GRU that takes features of a frame, which a board carries on beside its state."""
    config = tiny.sequence_config(units=8, frame_size=32, features=4, sample_rate_hz=22_050)
    return finished.grid(tmp_path / "featured", config, validation_esr=0.1, esr=0.1)


@pytest.mark.parametrize("route", budget.ROUTES)
def test_a_model_of_features_is_proved_by_every_route(featured: Store, route: str) -> None:
    words = ["featured", "--runs", str(featured.root.parent), "--board", "teensy41"]
    words += ["--route", route, "--force"]
    done = CliRunner().invoke(app, ["deploy", *words])
    assert done.exit_code == 0, done.output
    folder = featured.root / "firmware" / "teensy41"
    text, header = ((folder / name).read_text() for name in ("README.md", "model/pedal_tflite.h"))
    kind = route.removeprefix("tflite_") if route != "c" else "float32"
    width = {"float32": 4, "int8": 1, "int16x8": 2}[kind]
    assert "STATES = 2;" in header  # the newest 31 dry samples, and what 8 units remember
    assert f"STATE_BYTES = {width * (31 + 8)};" in header
    assert "CONV_2D" in text and "operators.AddConv2D()" in (
        (folder / "model" / "pedal_operators.h").read_text()
    )
    assert f"TFLite Micro ({kind}) against Keras" in text
    assert "Firmware core with generated C on this host: golden vectors" in text
    esr_c = float(re.findall(r"The same against Keras .* ESR (\S+)", text)[0])
    esr_tflite = float(re.findall(r"TFLite Micro \(.*: ESR ([^;]+);", text)[0])
    assert esr_c < 1e-10
    assert esr_tflite < {"float32": 1e-10, "int8": 0.1, "int16x8": 1e-3}[kind]
    subprocess.run(["make", "-s"], cwd=folder, check=True, timeout=200)
    subprocess.run(["./pedal", "--golden"], cwd=folder, check=True, timeout=60)


def test_firmware_that_is_not_what_was_chosen_says_so(store: Store) -> None:
    name = run_id(store, "gru")
    for rendering in ("framed", "streaming"):
        choose.write(store, [choose.by_user(tables.collect(store), name, rendering)])
        told = " ".join(deploy.deploy(store, "teensy41").told)
        assert told.startswith("This is the user's choice for clipper ")
        assert "Against the target, streaming, over the test split: ESR 0.1" in told
        differs = "The choice names framed (validation ESR 0.1), which no board does" in told
        assert differs == (rendering == "framed")


def test_without_tflite_micro_only_its_own_route_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec

    def without(name: str) -> object:
        return None if name == "tflite_micro" else found(name)

    def respond(*words: object) -> None:
        raise RuntimeError("no such module")

    monkeypatch.setattr(importlib.util, "find_spec", without)
    monkeypatch.setattr(runtimes, "respond", respond)
    name = run_id(store, "gru")
    with pytest.raises(InputError, match="tflite-micro wheel is not installed"):
        deploy.deploy(store, "teensy41", name, route="tflite_float32")
    done = deploy.deploy(store, "teensy41", name)
    assert "TFLite" not in " ".join(done.told) + (done.folder / "README.md").read_text()
    assert not (done.folder / "model" / "pedal_tflite.cpp").exists()


@pytest.mark.parametrize(
    ("route", "first"),
    [("c", "make\n./pedal --golden"), ("tflite_float32", "make ENGINE=tflite\n./pedal --golden")],
)
def test_every_route_builds_c_unless_told_and_leads_with_its_own_commands(
    store: Store, route: str, first: str
) -> None:
    done = deploy.deploy(store, "teensy41", run_id(store, "gru"), route=route, force=True)
    text = (done.folder / "README.md").read_text()
    assert text.index(first) < text.index("## TFLite Micro")
    upload = "pio run -t" if route == "c" else "pio run -e teensy41_tflite -t"
    assert upload in text[: text.index("## TFLite Micro")]
    subprocess.run(["make", "-s"], cwd=done.folder, check=True, timeout=200)
    subprocess.run(["./pedal", "--golden"], cwd=done.folder, check=True, timeout=60)


def test_it_builds_where_it_lies(store: Store) -> None:
    done = deploy.deploy(store, "teensy40", run_id(store, "gru"))
    subprocess.run(["make", "-s"], cwd=done.folder, check=True, timeout=200)
    replayed = subprocess.run(["./pedal", "--golden"], cwd=done.folder, timeout=60)
    assert replayed.returncode == 0


def test_a_model_that_cannot_keep_up_is_refused_with_the_largest_that_can(store: Store) -> None:
    with pytest.raises(InputError, match=r"time: .*largest that keeps up is .*FORCE=1"):
        deploy.deploy(store, "teensy41", run_id(store, "lstm"))
    assert not (store.root / "firmware").exists()


def test_a_reversed_run_is_called_so(tmp_path: Path) -> None:
    configs = [
        finished.config(family=family, units=units, sample_rate_hz=22_050, direction="reversed")
        for family, units in [("gru", 8), ("lstm", 120)]
    ]
    store = finished.grid(tmp_path / "grid", *configs, validation_esr=0.1, esr=0.1)
    with pytest.raises(InputError, match=r"largest that keeps up is .*-gru-"):
        deploy.deploy(store, "teensy41", configs[1].run_id)
    done = deploy.deploy(store, "teensy41", configs[0].run_id)
    assert json.loads((done.folder / "deploy.json").read_text())["effect"] == "clipper (wet to dry)"
    assert "clipper (wet to dry)" in (done.folder / "model" / "pedal_model.h").read_text()


def test_an_error_that_was_never_tried_is_called_a_guess() -> None:
    def told(family: str) -> str:
        shape = Architecture(family, 1, 10, 64)
        line = budget.line(shape, 44_100, boards.board("teensy41"), "tflite_float32")
        return deploy._basis(line)

    assert "30 % wrong is a guess" in told("gru")
    assert "an LSTM and a dense model that were not fitted to" in told("lstm")


def test_another_rate_cannot_be_forced(store: Store) -> None:
    with pytest.raises(InputError, match="rate: the board runs at 48000 Hz") as told:
        deploy.deploy(store, "daisy", run_id(store, "gru"), force=True)
    assert "FORCE" not in str(told.value)


def test_wrong_names_are_refused(store: Store) -> None:
    with pytest.raises(InputError, match="teensy41, teensy40, daisy"):
        deploy.deploy(store, "arduino")
    with pytest.raises(InputError, match="route"):
        deploy.deploy(store, "teensy41", route="rust")
    with pytest.raises(InputError, match="run 'nothing'"):
        deploy.deploy(store, "teensy41", "nothing")


@pytest.mark.parametrize(("kind", "tolerance"), [("float32", 1e-5), ("int8", None)])
def test_a_wrong_tflite_model_is_refused_on_its_own_route(
    store: Store, monkeypatch: pytest.MonkeyPatch, kind: str, tolerance: float | None
) -> None:
    right = runtimes.respond

    def wrong(*words: Any) -> runtimes.Answer:
        answer = right(*words)
        return replace(answer, wet=[answer.wet[0], np.ones_like(answer.wet[1])])

    monkeypatch.setattr(runtimes, "respond", wrong)
    name, route = run_id(store, "dense"), f"tflite_{kind}"
    told = "the answer of Keras" if kind == "float32" else r"at most 2 times .*FORCE=1"
    with pytest.raises(InputError, match=told):
        deploy.deploy(store, "teensy41", name, route=route, force=kind == "float32")
    assert list((store.root / "firmware").iterdir()) == []
    forced = kind if kind != "float32" else None
    done = deploy.deploy(store, "teensy41", name, route=route if forced else "c", force=True)
    golden = (done.folder / "model" / "golden.h").read_text()
    found = float(re.findall(r"TOLERANCE = ([\d.e-]+)f;", golden)[0])
    if tolerance is None:
        manifest = json.loads((done.folder / "model" / "pedal_model.json").read_text())
        tolerance = 1.5 * manifest["outputs"][0]["scale"]
    assert found == pytest.approx(tolerance, rel=0.25)  # floats: times the peak


def test_a_model_that_does_not_come_to_rest_is_built_only_when_forced(tmp_path: Path) -> None:
    config = finished.config(family="gru", units=8, sample_rate_hz=22_050)
    made = finished.grid(tmp_path / "mine", config)
    howls = "it sounds in silence (-20 dB of full scale)"
    finished.finish(made.run(config.run_id), config, instability=howls)
    with pytest.raises(InputError, match="comes to rest in silence; found it sounds in silence"):
        deploy.deploy(made, "teensy41", config.run_id)
    assert not (made.root / "firmware" / "teensy41").exists()
    deploy.deploy(made, "teensy41", config.run_id, force=True)


def test_a_wrong_model_is_not_left_behind(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    right = deploy.Chosen.respond

    def wrong(self: deploy.Chosen, dry: np.ndarray) -> np.ndarray:
        return right(self, dry) + (0.1 if len(dry) > deploy.GOLDEN_SAMPLES else 0)

    monkeypatch.setattr(deploy.Chosen, "respond", wrong)
    with pytest.raises(InputError, match="the answer of Keras"):
        deploy.deploy(store, "teensy41", run_id(store, "gru"))
    assert not (store.root / "firmware" / "teensy41").exists()
    assert list((store.root / "firmware").iterdir()) == []
