"""A file through a model: as long as the input, undelayed, each channel on its own."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from data import audio
from data.audio_streams import Form
from data.errors import InputError
from study.cli import app
from study.rendering import files, framed, streaming
from study.rendering.trained_model import Trained, load
from study.store.folders import Store
from tests import tiny
from tests.study import finished

MODES = ["framed", "streaming"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return finished.grid(tmp_path_factory.mktemp("runs") / "mine", finished.config())


@pytest.fixture(params=MODES)
def trained(request: pytest.FixtureRequest, store: Store) -> Trained:
    return load(next(iter(store.runs())), request.param)


def whole(trained: Trained, dry: audio.Samples) -> audio.Samples:
    render: Any = streaming.render_streaming if trained.mode == "streaming" else framed.render
    return np.asarray(render(trained.architecture, trained.weights, dry).samples)


def music(rate_hz: int, samples: int) -> Any:
    """Two channels that have nothing above 2 kHz, so that no rate loses anything."""
    t = np.arange(samples) / rate_hz
    tones = [[110, 331, 1250], [82, 440, 1999]]
    left, right = (sum(0.2 * np.sin(2 * np.pi * f * t + f) for f in chord) for chord in tones)
    fade = np.minimum(1, np.minimum(t, t[::-1]) / 0.05)
    return np.stack([fade * left, fade * right], axis=1).astype(np.float32)


@pytest.mark.slow
def test_at_the_models_own_rate_a_file_is_the_rendering_of_the_whole(
    trained: Trained, tmp_path: Path
) -> None:
    dry = music(tiny.RATE_HZ, 9001)
    soundfile.write(tmp_path / "in.wav", dry, tiny.RATE_HZ, subtype="FLOAT")
    advanced: list[int] = []
    told = files.render_file(
        trained, tmp_path / "in.wav", tmp_path / "out.wav", "32f", advanced.append
    )
    wet, rate_hz = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert rate_hz == tiny.RATE_HZ
    assert wet.shape == dry.shape
    assert sum(advanced) == 9001
    assert told.peak == np.abs(wet).max()
    for k in range(2):
        np.testing.assert_allclose(wet[:, k], whole(trained, dry[:, k].copy()), atol=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.wav", "out.wav"]


@pytest.mark.parametrize("rate_hz", [44_100, 6000])
def test_at_another_rate_it_is_resampled_both_ways_as_the_whole_would_be(
    rate_hz: int, trained: Trained, tmp_path: Path
) -> None:
    dry = music(rate_hz, 3 * rate_hz + 17)
    soundfile.write(tmp_path / "in.wav", dry, rate_hz, subtype="FLOAT")
    files.render_file(trained, tmp_path / "in.wav", tmp_path / "out.wav", "32f")
    wet, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert wet.shape == dry.shape
    for k in range(2):
        inside = whole(trained, audio.resample(dry[:, k].copy(), rate_hz, tiny.RATE_HZ))
        expected = audio.resample(inside, tiny.RATE_HZ, rate_hz)[: len(dry)]
        # But for the end, where the model goes on with silence or stops.
        end = len(expected) - rate_hz // 10
        np.testing.assert_allclose(wet[:end, k], expected[:end], atol=2e-6)


@pytest.mark.parametrize("samples", [1, 100, 2049])
def test_the_shortest_files_keep_their_length(
    samples: int, trained: Trained, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "in.wav", music(48_000, samples), 48_000, subtype="FLOAT")
    files.render_file(trained, tmp_path / "in.wav", tmp_path / "out.flac", "24")
    assert soundfile.info(tmp_path / "out.flac").frames == samples


def test_memory_does_not_grow_with_the_length(trained: Trained) -> None:
    seconds, held, most = 60, 0, 0

    def source() -> Iterator[Any]:
        nonlocal held, most
        for _ in range(seconds):
            held += tiny.RATE_HZ
            most = max(most, held)
            yield np.zeros((tiny.RATE_HZ, 1), np.float32)

    form = Form(tiny.RATE_HZ, 1, seconds * tiny.RATE_HZ)
    for chunk in files.rendered(trained, source(), form):
        held -= len(chunk)
    assert held == 0
    assert most <= 3 * tiny.RATE_HZ


def test_a_failure_leaves_the_old_output_and_nothing_else(trained: Trained, tmp_path: Path) -> None:
    dry = music(tiny.RATE_HZ, 200_000)
    dry[150_000] = math.nan
    soundfile.write(tmp_path / "in.wav", dry, tiny.RATE_HZ, subtype="FLOAT")
    (tmp_path / "out.wav").write_text("mine")
    with pytest.raises(InputError, match="NaN"):
        files.render_file(trained, tmp_path / "in.wav", tmp_path / "out.wav", "24")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.wav", "out.wav"]
    assert (tmp_path / "out.wav").read_text() == "mine"


def test_the_input_is_never_written_over(trained: Trained, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", music(8000, 100), 8000)
    (tmp_path / "same.wav").symlink_to(tmp_path / "in.wav")
    with pytest.raises(InputError, match="another file than the input"):
        files.render_file(trained, tmp_path / "in.wav", tmp_path / "same.wav", "24")


def test_a_model_with_knobs_is_refused(store: Store) -> None:
    model = load(next(iter(store.runs())))
    turned = model.config.model_copy(update={"knobs": "conditioned"})
    with pytest.raises(InputError, match="one with knobs"):
        files.block_model(replace(model, config=turned), 1, 128)


def call(store: Store, *arguments: Any) -> Result:
    words = ["render", *map(str, arguments), "--grid", "mine.toml"]
    return CliRunner().invoke(
        app, [*words, "--runs", str(store.root.parent)], env={"COLUMNS": "200"}
    )


@pytest.mark.slow
def test_the_command_tells_what_it_wrote_and_what_it_clipped(tmp_path: Path) -> None:
    config = finished.config(residual=True)  # so that what comes in loud goes out loud
    store = finished.grid(tmp_path / "mine", config)
    soundfile.write(tmp_path / "in.wav", 30 * music(44_100, 4410), 44_100, subtype="FLOAT")
    words = ["clipper", tmp_path / "in.wav"]
    told = call(store, *words, tmp_path / "out.wav", "--rendering", "streaming")
    assert told.exit_code == 0, told.output
    assert "out.wav: 0.1 s, 2 x 44100 Hz, peak 2" in told.output
    assert config.run_id in told.output and ", streaming" in told.output
    assert told.stderr == ""
    wet, _ = soundfile.read(tmp_path / "out.wav")
    clipped = call(store, *words, tmp_path / "out.flac", "--rendering", "streaming")
    assert f"{(np.abs(wet) > 1).sum()} samples were cut off" in clipped.stderr


@pytest.mark.slow
def test_without_a_run_the_choice_is_played_as_it_was_chosen(tmp_path: Path) -> None:
    config = finished.config()
    store = finished.grid(tmp_path / "mine", config, validation_esr=0.1, esr=0.1)
    soundfile.write(tmp_path / "in.wav", music(8000, 900), 8000)
    told = call(store, "", tmp_path / "in.wav", tmp_path / "out.wav")
    assert told.exit_code == 0, told.output
    assert told.stderr == f"{config.run_id}, streaming: the rule's choice for clipper\n"
    named = call(
        store, "clipper", tmp_path / "in.wav", tmp_path / "named.wav", "--rendering", "streaming"
    )
    assert named.exit_code == 0, named.output
    heard, expected = (soundfile.read(tmp_path / name)[0] for name in ("out.wav", "named.wav"))
    assert np.array_equal(heard, expected)
    for wrong in ("framed_x4", "tuned", "streaming_tuned"):
        told = call(store, "", tmp_path / "in.wav", tmp_path / "no.wav", "--rendering", wrong)
        assert told.exit_code == 2 and not (tmp_path / "no.wav").exists()


def test_a_wrong_run_and_a_wrong_name_are_one_line(store: Store, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", music(8000, 100), 8000)
    for words in (["clippr", tmp_path / "out.wav"], ["clipper", tmp_path / "out.ogg"]):
        told = call(store, words[0], tmp_path / "in.wav", words[1])
        assert told.exit_code == 2
        assert told.stderr.startswith("error: ")
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]
