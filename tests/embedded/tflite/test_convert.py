"""Converted models against Keras, and what their manifests say."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray

from data.errors import InputError
from embedded.network import reference
from embedded.tflite import runtimes
from embedded.tflite.convert import Converted, form_of
from embedded.tflite.manifest import manifest_of
from embedded.tflite.quantization import Kind
from models.architecture import Architecture
from models.streaming import state_sizes
from study.measures import metrics
from study.rendering.framed import render
from study.rendering.streaming import render_streaming
from tests.embedded.tflite import models

TIMEOUT_S = 120
Convert = Callable[..., Converted]


@pytest.fixture(scope="module")
def convert(tmp_path_factory: pytest.TempPathFactory) -> Convert:
    """``models.converted`` without a path, each model made once."""

    @cache
    def made(a: Architecture, kind: Kind = "float32", block: int = 4, form: str = "") -> Converted:
        path = tmp_path_factory.mktemp("models") / "model.tflite"
        return models.converted(a, path, kind, block, form or None)  # type: ignore[arg-type]

    return made


def respond(model: Converted, dry: NDArray[np.float32]) -> NDArray[np.float32]:
    return runtimes.respond(model, [dry], "litert", timeout_s=TIMEOUT_S).wet[0]


@pytest.mark.parametrize("a", models.SHAPES, ids=models.name)
def test_a_float_model_computes_the_equations(a: Architecture, convert: Convert) -> None:
    dry = models.noise(99)
    wet = respond(convert(a), dry)
    assert wet.shape == dry.shape
    assert np.abs(wet - reference.respond(a, models.weights_of(a), dry)).max() < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("a", models.SHAPES, ids=models.name)
def test_a_float_model_computes_what_keras_computes(a: Architecture, convert: Convert) -> None:
    dry = models.noise(700)
    assert np.abs(respond(convert(a), dry) - keras(a, dry)).max() < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("a", models.RECURRENT[:4], ids=models.name)
def test_a_framed_recurrent_model_begins_every_frame_from_zero(
    a: Architecture, convert: Convert
) -> None:
    dry = models.noise(200)
    model = convert(a, "float32", 3, "framed")
    assert not model.states
    assert np.abs(respond(model, dry) - keras(a, dry, "framed")).max() < 1e-6


def keras(a: Architecture, dry: NDArray[np.float32], form: str = "") -> NDArray[np.float32]:
    weights = [jnp.asarray(w) for w in models.weights_of(a)]
    is_streamed = (form or form_of(a)) == "streaming"
    return (render_streaming if is_streamed else render)(a, weights, dry).samples


@pytest.mark.parametrize("kind", ["int8", "int16x8"])
@pytest.mark.parametrize("a", models.SHAPES, ids=models.name)
def test_an_integer_model_is_close_to_its_float_one(
    a: Architecture, kind: Kind, convert: Convert
) -> None:
    dry = models.noise(1000, seed=5)
    model = convert(a, kind)
    # Sixteen bits leave the error of 8-bit weights; eight bits, that of everything.
    limit = {"int8": 0.1, "int16x8": 1e-3}[kind]
    assert metrics.esr(reference.respond(a, models.weights_of(a), dry), respond(model, dry)) < limit
    assert model.outputs[0].dtype == kind.removesuffix("x8")


@pytest.mark.slow
def test_a_framed_recurrent_model_can_be_integer(convert: Convert) -> None:
    a, dry = models.RECURRENT[0], models.noise(200)
    exact, whole = (convert(a, kind, 4, "framed") for kind in ("float32", "int16x8"))
    assert metrics.esr(respond(exact, dry), respond(whole, dry)) < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("a", "kind"),
    [
        (models.RECURRENT[1], "float32"),
        (models.RECURRENT[2], "int8"),
        (models.RECURRENT[1], "int16x8"),
        (models.FEATURED[0], "float32"),
        (models.FEATURED[1], "int8"),
        (models.FEATURED[2], "int16x8"),
    ],
)
def test_the_block_does_not_change_a_bit(a: Architecture, kind: Kind, convert: Convert) -> None:
    dry = models.noise(300)
    one, *longer = (respond(convert(a, kind, block), dry) for block in (1, 7, 20, 128))
    for wet in longer:
        assert np.array_equal(one, wet)


@pytest.mark.parametrize("kind", ["float32", "int8", "int16x8"])
@pytest.mark.parametrize("runtime", ["litert", "micro"])
@pytest.mark.parametrize("block", [4, 50])  # shorter and longer than the history
def test_the_history_is_the_newest_samples_bit_for_bit(
    kind: Kind, runtime: runtimes.Runtime, block: int, convert: Convert
) -> None:
    a, dry = models.FEATURED[1], models.noise(100)
    model = convert(a, kind, block)
    history = runtimes.respond(model, [dry], runtime, timeout_s=TIMEOUT_S).states[0]
    assert np.array_equal(history[0], model.inputs[0].encoded(dry[-a.history :]))


@pytest.mark.parametrize("kind", ["float32", "int8", "int16x8"])
@pytest.mark.parametrize("a", models.RECURRENT, ids=models.name)
def test_a_state_comes_out_as_it_goes_in(a: Architecture, kind: Kind, convert: Convert) -> None:
    model = convert(a, kind)
    sizes = [model.inputs[state.before].shape for state in model.states]
    assert sizes == [(1, size) for size in state_sizes(a)]
    for state in model.states:
        before, after = model.inputs[state.before], model.outputs[state.after]
        assert after.name == f"{before.name}.next"
        assert (before.shape, before.dtype) == (after.shape, after.dtype)
        assert (before.scale, before.zero_point) == (after.scale, after.zero_point)


@pytest.mark.parametrize("runtime", ["litert", "micro"])
@pytest.mark.parametrize("a", [models.RECURRENT[0], models.FEATURED[0]], ids=models.name)
def test_the_state_is_carried_within_a_signal_and_reset_between(
    a: Architecture, runtime: runtimes.Runtime, convert: Convert
) -> None:
    model = convert(a, "float32", 8)
    dry = models.noise(160)
    quiet = np.zeros(160, np.float32)
    together = runtimes.respond(model, [dry, quiet, dry], runtime, timeout_s=TIMEOUT_S)
    assert np.array_equal(together.wet[0], together.wet[2])
    # Half of the signal leaves a state that the other half needs.
    halves = runtimes.respond(model, [dry[:80], dry[80:]], runtime, timeout_s=TIMEOUT_S)
    assert np.array_equal(together.wet[0][:80], halves.wet[0])
    assert not np.allclose(together.wet[0][80:88], halves.wet[1][:8], atol=1e-4)


def test_framed_use_needs_no_state(convert: Convert) -> None:
    model = convert(models.FEED_FORWARD[0])
    dry = models.noise(64)
    twice = runtimes.respond(model, [dry, dry], "micro", timeout_s=TIMEOUT_S)
    assert np.array_equal(twice.wet[0], twice.wet[1])


def test_a_model_that_hangs_is_stopped(convert: Convert) -> None:
    model = convert(models.FEED_FORWARD[0])
    with pytest.raises(InputError, match=r"within 0\.01 s"):
        runtimes.respond(model, [models.noise(8)], "litert", timeout_s=0.01)


def test_the_manifest_says_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    written = models.converted(models.RECURRENT[1], path, kind="int16x8")
    assert Converted.read(path) == written
    assert written.model_bytes == path.stat().st_size
    assert written.arena_bytes and written.arena_needed_bytes
    assert written.arena_bytes <= written.arena_needed_bytes <= 40_000
    assert "WHILE" not in written.operators
    assert {"FULLY_CONNECTED", "LOGISTIC", "TANH"} <= set(written.operators)
    stored = json.loads(manifest_of(path).read_text())
    spans = stored["calibration"]["spans"]
    train = models.dataset().split.train
    assert all(train[0].start <= a < b <= train[0].stop for a, b in spans)


def test_the_arena_that_a_model_needs_is_the_smallest_that_does(tmp_path: Path) -> None:
    micro = pytest.importorskip("tflite_micro", reason="its wheel exists for x86-64 alone")
    model = models.converted(models.RECURRENT[0], tmp_path / "model.tflite", block=8)
    assert model.arena_needed_bytes

    def run(size: int) -> None:
        micro.runtime.Interpreter.from_file(str(model.path), arena_size=size).invoke()

    run(model.arena_needed_bytes)
    with pytest.raises(RuntimeError):
        run(model.arena_needed_bytes - 64)


@pytest.mark.slow
def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    a = models.RECURRENT[2]
    one = models.converted(a, tmp_path / "one.tflite", kind="int8")
    two = models.converted(a, tmp_path / "two.tflite", kind="int8")
    assert one.model_sha256 == two.model_sha256
    assert one.path.read_bytes() == two.path.read_bytes()


@pytest.mark.parametrize("block", [0, 129])
def test_a_block_out_of_range_is_refused(block: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="block of 1 to 128"):
        models.converted(models.RECURRENT[0], tmp_path / "model.tflite", block=block)


def test_a_model_without_state_cannot_stream(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="recurrent"):
        models.converted(models.FEED_FORWARD[0], tmp_path / "model.tflite", form="streaming")


def test_a_model_of_features_has_no_framed_form(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="4 features of 16 samples, on sequences"):
        models.converted(models.FEATURED[0], tmp_path / "model.tflite", form="framed")


def test_a_missing_manifest_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found none"):
        Converted.read(tmp_path / "model.tflite")
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(InputError, match="broken"):
        Converted.read(tmp_path / "model.tflite")


def test_boards_stream_what_has_a_state() -> None:
    assert [form_of(a) for a in (models.RECURRENT[0], models.FEED_FORWARD[0])] == [
        "streaming",
        "framed",
    ]
