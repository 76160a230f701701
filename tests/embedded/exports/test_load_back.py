"""What a host reads from a file is what the run computes: within 1e-5 on 5 s of audio."""

import json
import subprocess
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data import dry as dry_signal
from data.audio import Samples
from embedded.exports import exporting
from embedded.exports.model import SNAPSHOT_SAMPLES, Model, snapshot_dry
from models.architecture import Architecture
from models.families import FAMILIES
from study.rendering.streaming import stream
from study.rendering.trained_model import load
from study.store.folders import Store
from tests import tiny
from tests.embedded.exports import readers
from tests.study import finished

SECONDS = 5
TOLERANCE = 1e-5
READERS: dict[str, Callable[..., Any]] = {
    "nam": readers.nam,
    "aidax": readers.aidax,
    "proteus": readers.proteus,
    "neuralseed": readers.neuralseed,
}
TCN = {"training": "sequence", "family": "tcn", "sample_rate_hz": 44_100}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("nam", {"units": 16, "sample_rate_hz": 22_050}),
    ("nam", {"units": 5, "layers": 2, "sample_rate_hz": 48_000}),
    ("nam", {**TCN, "units": 3, "layers": 4, "dilations": [1, 16]}),
    ("nam", {**TCN, "units": 4, "layers": 2, "kernel_sizes": [2, 6], "dilations": [1, 500]}),
    ("aidax", {"units": 16, "sample_rate_hz": 44_100}),
    ("aidax", {"units": 8, "sample_rate_hz": 48_000, "residual": True}),
    ("aidax", {"family": "gru", "units": 12, "sample_rate_hz": 44_100}),
    ("proteus", {"units": 40, "sample_rate_hz": 44_100, "residual": True}),
    ("neuralseed", {"family": "gru", "units": 10, "sample_rate_hz": 48_000, "residual": True}),
]


@lru_cache
def guitar(rate_hz: int) -> Samples:
    """Five seconds of the built-in dry signal, its loudest."""
    whole = dry_signal.generate(40, 0, rate_hz)
    windows = whole[: len(whole) // (SECONDS * rate_hz) * SECONDS * rate_hz].reshape(
        -1, SECONDS * rate_hz
    )
    return windows[np.square(windows).sum(axis=1).argmax()].copy()


def exported(form: str, settings: dict[str, Any], root: Path) -> tuple[Store, str]:
    is_sequence = settings.get("training") == "sequence"
    config = tiny.sequence_config(**settings) if is_sequence else finished.config(**settings)
    store = finished.grid(root / "mine", config, esr=0.01, validation_esr=0.01)
    return store, exporting.export(store, form).path.read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(("form", "settings"), CASES)
def test_a_reader_of_the_format_computes_what_the_run_does(
    form: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    store, text = exported(form, settings, tmp_path)
    model = load(next(iter(store.runs())), "streaming")
    dry = guitar(model.sample_rate_hz)
    assert len(dry) == SECONDS * model.sample_rate_hz
    silence = FAMILIES[model.config.family].reach(model.architecture)  # that hosts begin with
    heard = np.pad(dry, (silence, 0))[None]
    expected = stream(model.architecture, model.weights, heard)[0, silence:]
    wet = READERS[form](text, dry.astype(np.float64))
    assert np.abs(expected - dry).max() > 0.1  # it does something
    assert np.abs(wet - expected).max() < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize(("form", "settings"), [CASES[n] for n in (0, 2, 3, 5, 7, 8)])
def test_its_snapshot_checks_a_reader(form: str, settings: dict[str, Any], tmp_path: Path) -> None:
    _, text = exported(form, settings, tmp_path)
    if form == "neuralseed":
        snapshot = json.loads(text[text.index("{") : text.index("*/")])
    elif form == "aidax":
        file = json.loads(text)
        snapshot = {"input": file["input_batch"], "output": file["output_batch"]}
    else:
        metadata = json.loads(text)["metadata"]
        snapshot = metadata.get("pedalframe", metadata)["snapshot"]
    assert len(snapshot["input"]) == SNAPSHOT_SAMPLES
    wet = READERS[form](text, np.array(snapshot["input"]))
    np.testing.assert_allclose(wet, snapshot["output"], atol=TOLERANCE)


def test_a_reader_notices_a_single_wrong_weight(tmp_path: Path) -> None:
    """Else agreement would prove nothing."""
    _, text = exported("nam", CASES[0][1], tmp_path)
    file = json.loads(text)
    dry = guitar(22_050).astype(np.float64)[:4000]
    right = readers.nam(text, dry)
    file["weights"][3] += 0.01
    assert np.abs(readers.nam(json.dumps(file), dry) - right).max() > 10 * TOLERANCE


def test_the_neuralseed_statements_compile_against_the_firmwares_structure(tmp_path: Path) -> None:
    """The structure as the firmware's header declares it."""
    _, text = exported("neuralseed", CASES[8][1], tmp_path)
    (tmp_path / "model.cpp").write_text(
        "#include <vector>\n"
        "struct modelData { std::vector<std::vector<float>> rec_weight_ih_l0, rec_weight_hh_l0,"
        " lin_weight; std::vector<float> lin_bias; std::vector<std::vector<float>> rec_bias; };\n"
        f"modelData Model1;\nvoid setupWeights() {{\n{text}\n}}\n"
    )
    try:
        compiled = subprocess.run(
            ["g++", "-std=c++14", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "model.cpp"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
        )
    except FileNotFoundError:
        pytest.skip("g++ is not installed")
    assert compiled.returncode == 0, compiled.stderr


def test_numbers_keep_every_bit_of_a_float32(tmp_path: Path) -> None:
    store, text = exported("nam", CASES[0][1], tmp_path)
    weights = load(next(iter(store.runs())), "streaming").weights
    kept = set(np.array(json.loads(text)["weights"], np.float32).tolist())
    assert {float(v) for w in weights for v in np.asarray(w).ravel()} <= kept


def test_the_snapshot_begins_with_silence_and_swells() -> None:
    dry = snapshot_dry()
    assert dry.dtype == np.float32
    assert not dry[: SNAPSHOT_SAMPLES // 4].any()
    assert 0.8 < np.abs(dry).max() <= 1


def test_an_effects_name_cannot_end_the_headers_comment() -> None:
    model = Model(
        Architecture("gru", 1, 10, 64, residual=True),
        [np.zeros(s, np.float32) for s in [(1, 30), (10, 30), (2, 30), (10, 1), (1,)]],
        48_000,
        "x",
        "streaming",
        "*/ int x; /*",
        0.1,
        "Pedalframe",
        snapshot_dry(),
    )
    text = exporting.FORMATS["neuralseed"].text(model)
    assert text.count("*/") == 1
