"""Pairs on disk: made once, never stale, never seen half, never left damaged."""

import dataclasses
import multiprocessing
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data import audio, dry, effects, pairs
from data.audio import Samples
from data.devices.circuits import CIRCUITS
from data.effects import Effect
from data.pairs import DrySignal

SIGNAL = DrySignal(seconds=20, seed=3)
RATE_HZ = 16_000


@pytest.fixture(autouse=True, scope="module")
def quick_dry_signal() -> Any:
    """Noise for the dry signal, whose generation has its own tests."""
    kept = dry.generate
    dry.generate = noise
    yield
    dry.generate = kept


def noise(seconds: float = 20, seed: int = 0, sample_rate_hz: int = 44_100) -> Samples:
    samples = round(seconds * sample_rate_hz / 10)
    return (0.1 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


def sd1(**controls: float) -> Effect:
    return effects.resolve({"name": "sd1", **controls}, Path())


@pytest.fixture
def renders(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for every time that an effect is rendered."""
    calls: list[str] = []
    render: Callable[..., Samples] = Effect.render

    def counted(effect: Effect, *args: Any) -> Samples:
        calls.append(effect.name)
        return render(effect, *args)

    monkeypatch.setattr(Effect, "render", counted)
    return calls


def test_a_pair_is_the_dry_signal_and_what_the_effect_makes_of_it(tmp_path: Path) -> None:
    made = pairs.pair(sd1(), SIGNAL, pairs.SOURCE_RATE_HZ, tmp_path)
    source = noise(20, 3, pairs.SOURCE_RATE_HZ)
    np.testing.assert_array_equal(made.dry, source)
    wet = CIRCUITS["sd1"].render(source, pairs.SOURCE_RATE_HZ)
    np.testing.assert_array_equal(made.wet, wet)
    assert (made.name, made.sample_rate_hz, made.report) == ("sd1", pairs.SOURCE_RATE_HZ, ())


def test_effects_run_at_the_source_rate_and_are_resampled(tmp_path: Path) -> None:
    made = pairs.pair(sd1(), SIGNAL, RATE_HZ, tmp_path)
    source = noise(20, 3, pairs.SOURCE_RATE_HZ)
    wet = audio.resample(CIRCUITS["sd1"].render(source, 44_100), 44_100, RATE_HZ)
    np.testing.assert_array_equal(made.wet, wet)
    assert made.dry.shape == made.wet.shape
    assert made.sample_rate_hz == RATE_HZ


def test_a_pair_is_rendered_once(tmp_path: Path, renders: list[str]) -> None:
    first = pairs.pair(sd1(), SIGNAL, RATE_HZ, tmp_path)
    second = pairs.pair(sd1(), SIGNAL, RATE_HZ, tmp_path)
    assert renders == ["sd1"]
    np.testing.assert_array_equal(first.wet, second.wet)
    pairs.pair(sd1(drive=0.9), SIGNAL, RATE_HZ, tmp_path)
    assert renders == ["sd1", "sd1"]


def test_the_key_changes_with_all_that_the_pair_depends_on() -> None:
    keys = {
        pairs.key(sd1(), SIGNAL, RATE_HZ),
        pairs.key(sd1(drive=0.9), SIGNAL, RATE_HZ),
        pairs.key(dataclasses.replace(sd1(), version=99), SIGNAL, RATE_HZ),
        pairs.key(sd1(), DrySignal(21, 3), RATE_HZ),
        pairs.key(sd1(), DrySignal(20, 4), RATE_HZ),
        pairs.key(sd1(), SIGNAL, 22_050),
    }
    assert len(keys) == 6
    assert all(key.startswith("sd1-") for key in keys)


def test_the_key_of_a_recording_follows_its_content_alone() -> None:
    here = Effect("x", "recording", dry_file="a.wav", wet_file="b.wav", content="1")
    moved = dataclasses.replace(here, dry_file="c.wav", wet_file="d.wav")
    other = dataclasses.replace(here, content="2")
    assert pairs.key(here, SIGNAL, RATE_HZ) == pairs.key(moved, DrySignal(99, 9), RATE_HZ)
    assert pairs.key(here, SIGNAL, RATE_HZ) != pairs.key(other, SIGNAL, RATE_HZ)


def test_a_recording_is_imported_and_its_report_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    source = (0.2 * rng.standard_normal(12 * RATE_HZ)).astype(np.float32)
    late = np.concatenate([np.zeros(40, np.float32), np.tanh(3 * source)])[: len(source)]
    audio.write(tmp_path / "a.wav", source, RATE_HZ)
    audio.write(tmp_path / "b.wav", late, RATE_HZ)
    effect = effects.resolve({"name": "mine", "dry": "a.wav", "wet": "b.wav"}, tmp_path)
    made = pairs.pair(effect, SIGNAL, RATE_HZ, tmp_path / "pairs")
    assert np.corrcoef(made.wet, np.tanh(3 * made.dry))[0, 1] > 0.999  # aligned
    assert any("40 samples" in line for line in made.report)

    (tmp_path / "a.wav").unlink()  # the cache does not need the files again
    again = pairs.pair(effect, SIGNAL, RATE_HZ, tmp_path / "pairs")
    assert again.report == made.report
    np.testing.assert_array_equal(again.wet, made.wet)


def visible(cache: Path) -> list[str]:
    """What the cache holds besides its locks."""
    return [path.name for path in cache.iterdir() if path.suffix != ".lock"]


def _make(cache: Path, barrier: Any, made: Any) -> None:
    dry.generate = noise
    render: Callable[..., Samples] = Effect.render

    def counted(*args: Any) -> Samples:
        with made.get_lock():
            made.value += 1
        return render(*args)

    Effect.render = counted  # type: ignore[method-assign, assignment]
    barrier.wait(60)
    pairs.pair(sd1(), SIGNAL, RATE_HZ, cache)


@pytest.mark.slow
def test_two_processes_that_want_the_same_pair_make_it_once(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier, made = spawn.Barrier(2), spawn.Value("i", 0)
    makers = [spawn.Process(target=_make, args=(tmp_path, barrier, made)) for _ in range(2)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join(60)
    assert [maker.exitcode for maker in makers] == [0, 0]
    assert made.value == 1
    assert visible(tmp_path) == [pairs.key(sd1(), SIGNAL, RATE_HZ)]
    assert len(pairs.pair(sd1(), SIGNAL, RATE_HZ, tmp_path).wet) > 0


def _stop_half_way(cache: Path, half_way: Any) -> None:
    dry.generate = noise
    write = audio.write

    def stopping(path: Path, *args: Any) -> None:
        write(path, *args)
        half_way.set()
        time.sleep(60)

    audio.write = stopping  # type: ignore[assignment]
    pairs.pair(sd1(), SIGNAL, RATE_HZ, cache)


@pytest.mark.slow
def test_a_pair_whose_maker_was_killed_is_made_again(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    half_way = spawn.Event()
    maker = spawn.Process(target=_stop_half_way, args=(tmp_path, half_way))
    maker.start()
    assert half_way.wait(60)
    maker.kill()
    maker.join(60)
    assert maker.exitcode == -signal.SIGKILL
    assert len(visible(tmp_path)) == 1  # what it left aside
    made = pairs.pair(sd1(), SIGNAL, RATE_HZ, tmp_path)
    assert len(made.wet) == len(made.dry) > 0
    assert visible(tmp_path) == [pairs.key(sd1(), SIGNAL, RATE_HZ)]


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no pair.json": lambda folder: (folder / "pair.json").unlink(),
    "empty pair.json": lambda folder: (folder / "pair.json").write_text(""),
    "pair.json of something else": lambda folder: (folder / "pair.json").write_text("{}"),
    "no wet.wav": lambda folder: (folder / "wet.wav").unlink(),
    "wet.wav cut short": lambda folder: cut_short(folder / "wet.wav"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_pair_is_made_again(damage: str, tmp_path: Path, renders: list[str]) -> None:
    whole = pairs.pair(sd1(), SIGNAL, RATE_HZ, tmp_path)
    DAMAGES[damage](tmp_path / pairs.key(sd1(), SIGNAL, RATE_HZ))
    healed = pairs.pair(sd1(), SIGNAL, RATE_HZ, tmp_path)
    np.testing.assert_array_equal(healed.wet, whole.wet)
    pairs.pair(sd1(), SIGNAL, RATE_HZ, tmp_path)
    assert renders == ["sd1", "sd1"]
    assert visible(tmp_path) == [pairs.key(sd1(), SIGNAL, RATE_HZ)]


def test_a_pair_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *_: object, **__: object) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)  # the last file of the three
    with pytest.raises(OSError, match="No space left"):
        pairs.pair(sd1(), SIGNAL, RATE_HZ, tmp_path)
    assert visible(tmp_path) == []
