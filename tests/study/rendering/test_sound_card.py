"""What plays live is the rendering; what cannot keep up, or has no card, is told first."""

import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from data.audio_streams import Chunk
from data.errors import InputError
from study.cli import app
from study.rendering import sound_card, streaming
from study.rendering.trained_model import load
from study.store.folders import Store
from tests import tiny
from tests.study import finished

BLOCK = 64


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    configs = [finished.config(residual=True), finished.config(family="dense")]
    return finished.grid(tmp_path_factory.mktemp("runs") / "mine", *configs)


def blocks(count: int) -> Chunk:
    rng = np.random.default_rng(0)
    return rng.uniform(-2, 2, (count * BLOCK, 1)).astype(np.float32)


@pytest.mark.slow
def test_blocks_played_are_the_streaming_rendering_within_full_scale(store: Store) -> None:
    model = load(next(iter(store.runs())), "streaming")
    player = sound_card.player(model, BLOCK)
    dry = blocks(20)
    wet = np.concatenate([player.process(block) for block in np.split(dry, 20)])
    whole = streaming.stream(model.architecture, model.weights, dry.T.copy())[0]
    assert np.abs(whole).max() > 1
    np.testing.assert_allclose(wet[:, 0], np.clip(whole, -1, 1), atol=1e-6)


class Slow:
    """Takes twice as long as the block sounds in every other block."""

    block_samples = BLOCK

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, dry: Chunk) -> Chunk:
        self.calls += 1
        time.sleep((self.calls % 2) * 2 * BLOCK / tiny.RATE_HZ)
        return dry


def test_the_load_is_computing_time_over_sounding_time() -> None:
    player = sound_card.Player(Slow(), tiny.RATE_HZ)
    assert player.load() == (0, 0)
    for block in np.split(blocks(10), 10):
        player.process(block)
    load = player.load()
    assert load.mean >= 1
    assert load.worst >= max(2, load.mean)


def test_the_load_is_that_of_the_last_two_seconds() -> None:
    player = sound_card.Player(Slow(), BLOCK)  # a block sounds for a second
    for block in np.split(blocks(5), 5):
        player.process(block)
    assert len(player._shares) == 2


def test_a_model_slower_than_real_time_is_refused_with_its_load(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(next(iter(store.runs())), "streaming")
    sleepy = Slow()
    monkeypatch.setattr(sound_card, "live_model", lambda *_: sleepy)
    with pytest.raises(InputError, match=r"found \d{3,} % of it, measured"):
        sound_card.player(model, BLOCK)


def test_a_framed_model_says_which_blocks_it_takes(store: Store) -> None:
    dense = load([*store.runs()][1])
    with pytest.raises(InputError, match="multiple of 128 for a dense model"):
        sound_card.player(dense, BLOCK)


def call(store: Store, *arguments: str) -> Any:
    words = ["play", *arguments, "--grid", "mine.toml", "--runs", str(store.root.parent)]
    return CliRunner().invoke(app, words, env={"COLUMNS": "200"})


def test_without_the_package_the_command_says_what_to_install(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    told = call(store, "clipper-lstm")
    assert told.exit_code == 2
    assert "pip install sounddevice" in told.stderr


def test_without_portaudio_the_command_says_what_to_install(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sounddevice.py").write_text('raise OSError("PortAudio library not found")\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    told = call(store, "clipper-lstm")
    assert told.exit_code == 2
    assert "PortAudio library not found" in told.stderr and "libportaudio2" in told.stderr


def test_a_card_that_is_not_there_is_one_line(store: Store) -> None:
    try:
        sound_card.sounddevice()
    except InputError as error:
        pytest.skip(str(error))
    model = load(next(iter(store.runs())), "streaming")
    with pytest.raises(InputError, match="`python -m sounddevice` lists the cards"):
        sound_card.play(sound_card.player(model, BLOCK), "no such card", math.inf, lambda *_: None)
