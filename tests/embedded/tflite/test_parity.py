"""Keras against the runtimes, and what is said of it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from data.frames import Span
from embedded.tflite import parity, runtimes
from embedded.tflite.convert import Converted
from embedded.tflite.parity import Agreement, Difference, Parity
from models.architecture import Architecture
from study.measures import metrics
from study.rendering.framed import render
from study.rendering.streaming import render_streaming
from tests.embedded.tflite import models

TIMEOUT_S = 300
SECONDS = 10

FOUND = Parity(
    kind="int8",
    form="streaming",
    block=16,
    model_bytes=1,
    arena_needed_bytes=1,
    model_sha256="",
    carried_seconds=10.0,
    keras_change=1e-7,
    test_seconds=20.0,
    keras_esr=0.01,
    runtimes={"litert": Agreement(2e-5, 0.5, 0.6), "micro": Agreement(3e-6, 0.02, 0.0105)},
    litert_and_micro=Difference(0.25, 3.0),
)


def test_differences_are_counted_and_measured_in_steps() -> None:
    one = np.array([1, 2, 3, -128], np.int8)
    other = np.array([1, 2, 5, 127], np.int8)
    assert parity.difference(one, other) == Difference(0.5, 255.0)


def test_of_costly_models_the_beginning_is_rendered() -> None:
    test = [Span(0, 3000), Span(5000, 8000)]
    assert parity.affordable(test, 10_000) == test
    assert parity.affordable(test, 4000) == [Span(0, 3000), Span(5000, 6000)]
    assert parity.affordable(test, 3100) == [Span(0, 3000)]  # the rest would not be scored
    assert parity.affordable(test, 1) == [Span(0, 1022)]


def test_what_is_said_follows_the_figures() -> None:
    told = parity.sentences(FOUND)
    assert "ESR 0.01050 against the target, where Keras has 0.01000 (1.05 times)" in told[0]
    assert "no loss that matters" in told[0]
    assert "differ in 25.0% of the samples, by at most 3 steps" in told[1]
    bad = replace(FOUND, runtimes={"litert": Agreement(0.1, 0.4, 0.5)}, litert_and_micro=None)
    [sentence] = parity.sentences(bad)
    assert "50.00 times" in sentence and "no longer this model" in sentence


def test_a_float_model_keeps_within_the_tolerance_in_every_runtime_or_does_not() -> None:
    wide = replace(FOUND, kind="float32")
    assert not wide.is_faithful
    assert "does NOT keep within 1e-05" in parity.sentences(wide)[0]
    assert "one rounding" not in parity.sentences(wide)[0]
    touchy = replace(wide, keras_change=1e-2)
    assert touchy.is_faithful
    assert (
        "changes by up to 1.0e-02 when its input changes by one rounding"
        in (parity.sentences(touchy)[0])
    )
    narrow = replace(wide, runtimes={"litert": Agreement(2e-6, 0, 0)})
    assert narrow.is_faithful
    assert "float32 keeps within" in parity.sentences(narrow)[0]
    equal = replace(narrow, litert_and_micro=Difference(0.0, 0.0))
    assert "agree bit for bit" in parity.sentences(equal)[1]


def test_figures_of_several_models_lie_in_one_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        model = models.converted(models.FEED_FORWARD[0], tmp_path / f"{name}.tflite")
        parity.write(model, FOUND)
    stored = json.loads((tmp_path / "parity.json").read_text())
    assert set(stored) == {"one.tflite", "two.tflite"}
    assert stored["two.tflite"]["runtimes"]["micro"]["esr_against_target"] == 0.0105
    (tmp_path / "parity.json").write_text("{")
    parity.write(model, FOUND)
    assert set(json.loads((tmp_path / "parity.json").read_text())) == {"two.tflite"}


@pytest.mark.parametrize("kind", ["float32", "int16x8"])
def test_a_model_is_measured_on_the_test_split(kind: str, tmp_path: Path) -> None:
    a = models.FEED_FORWARD[0]
    model = models.converted(a, tmp_path / "model.tflite", kind)  # type: ignore[arg-type]
    dataset = models.dataset()
    found = parity.measure(model, a, models.weights_of(a), dataset)
    weights = [jnp.asarray(w) for w in models.weights_of(a)]
    [test] = dataset.split.test
    wet = dataset.pair.wet[test.start + 511 : test.stop]
    exact = render(a, weights, dataset.pair.dry[test.start : test.stop]).samples[511:]
    assert found.keras_esr == pytest.approx(metrics.esr(wet, exact), rel=1e-9)
    assert found.test_seconds == pytest.approx(len(wet) / models.RATE_HZ)
    assert set(found.runtimes) == set(parity.installed())
    for agreement in found.runtimes.values():
        assert agreement.esr_against_target == pytest.approx(found.keras_esr, rel=0.1)
        assert agreement.esr_against_keras < (1e-10 if kind == "float32" else 1e-3)
    if kind == "float32":
        assert found.is_faithful
        assert 0 < found.keras_change < 1e-6


def long_model(a: Architecture, folder: Path, kind: str) -> Converted:
    return models.converted(a, folder / f"{kind}.tflite", kind, 32)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(
    "a", [Architecture("lstm", 1, 16, 64), Architecture("gru", 2, 8, 64, True)], ids=models.name
)
def test_ten_seconds_with_the_state_carried_stay_within_1e_5(
    a: Architecture, tmp_path: Path
) -> None:
    dry = models.noise(SECONDS * models.RATE_HZ, seed=9)
    weights = [jnp.asarray(w) for w in models.weights_of(a)]
    exact = render_streaming(a, weights, dry).samples
    model = long_model(a, tmp_path, "float32")
    for runtime in parity.installed():
        wet = runtimes.respond(model, [dry], runtime, timeout_s=TIMEOUT_S).wet[0]
        assert np.abs(wet - exact).max() <= parity.FLOAT_TOLERANCE


@pytest.fixture(scope="module")
def small_board_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python with tflite-runtime, as small Linux boards have it, in a venv of its own."""
    if sys.version_info >= (3, 12):
        pytest.skip("tflite-runtime has no wheel for Python 3.12 or later")
    folder = tmp_path_factory.mktemp("tflite-runtime")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=TIMEOUT_S)
    python = str(folder / "bin" / "python")
    packages = ["tflite-runtime>=2.14,<3", "numpy<2"]
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]
    done = subprocess.run(install, capture_output=True, text=True, timeout=TIMEOUT_S)
    if done.returncode != 0:
        pytest.skip(f"tflite-runtime cannot be installed here: {done.stderr[-300:]}")
    return python


@pytest.mark.slow
@pytest.mark.parametrize(
    "a",
    [Architecture("lstm", 1, 16, 64), models.RECURRENT[3], *models.FEED_FORWARD[1:4:2]],
    ids=models.name,
)
def test_the_runtime_of_small_linux_boards_computes_the_same(
    a: Architecture, small_board_python: str, tmp_path: Path
) -> None:
    """Bit for bit in int8, unless a tie was rounded otherwise, which a GRU here meets."""
    dry = models.noise(2 * models.RATE_HZ, seed=9)
    for kind in ("float32", "int8", "int16x8"):
        model = long_model(a, tmp_path, kind)
        old = runtimes.respond(
            model, [dry], "tflite_runtime", small_board_python, timeout_s=TIMEOUT_S
        )
        micro = runtimes.respond(model, [dry], "micro", timeout_s=TIMEOUT_S)
        if kind == "float32":
            assert np.abs(old.wet[0] - micro.wet[0]).max() <= 1e-6
        elif kind == "int8" and a.family != "gru":
            assert np.array_equal(old.raw[0], micro.raw[0])
            assert all(map(np.array_equal, old.states, micro.states))
        else:  # ties in products and in the table of tanh, see test_kernels
            assert metrics.esr(old.wet[0], micro.wet[0]) < (1e-2 if kind == "int8" else 1e-4)
