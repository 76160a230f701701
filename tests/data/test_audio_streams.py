"""Streams of chunks are the signal, however it is cut; files come whole or with a reason."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from data import audio, audio_files, audio_streams
from data.audio_streams import Chunk, Form
from data.errors import InputError


def noise(samples: int, channels: int = 2) -> Chunk:
    rng = np.random.default_rng(samples)
    return (0.2 * rng.standard_normal((samples, channels))).astype(np.float32)


def cut(signal: Chunk, seed: int = 0) -> Iterator[Chunk]:
    """The signal in pieces of any length, empty ones among them."""
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.integers(0, len(signal) + 1, 12))
    return iter(np.split(signal, edges))


def joined(chunks: Iterator[Chunk]) -> Chunk:
    return np.concatenate(list(chunks))


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44_100, 22_050), (22_050, 48_000), (96_000, 8000)])
def test_resampling_chunks_equals_resampling_the_whole(from_hz: int, to_hz: int) -> None:
    signal = noise(30_011)
    streamed = joined(audio_streams.resampled(cut(signal), from_hz, to_hz, 2))
    for k in range(2):
        whole = audio.resample(signal[:, k].copy(), from_hz, to_hz)
        assert abs(len(streamed) - len(whole)) <= 1
        shared = min(len(streamed), len(whole))
        np.testing.assert_allclose(streamed[:shared, k], whole[:shared], atol=1e-6)


def test_resampling_there_and_back_delays_nothing() -> None:
    impulse = np.zeros((40_000, 1), np.float32)
    impulse[20_000] = 1
    there = audio_streams.resampled(cut(impulse), 44_100, 96_000, 1)
    back = joined(audio_streams.resampled(there, 96_000, 44_100, 1))[:, 0]
    assert int(np.argmax(np.abs(back))) == 20_000
    around = back[19_900:20_101]
    np.testing.assert_allclose(around, around[::-1], atol=1e-6)


def test_the_same_rate_changes_nothing() -> None:
    signal = noise(100)
    np.testing.assert_array_equal(
        joined(audio_streams.resampled(cut(signal), 48_000, 48_000, 2)), signal
    )


@pytest.mark.parametrize("samples", [0, 1, 99, 100, 101, 1000])
def test_blocks_are_the_signal_and_zeros_to_the_end_of_the_last(samples: int) -> None:
    signal = noise(samples)
    blocks = list(audio_streams.blocks(cut(signal), 100))
    assert all(block.shape == (100, 2) for block in blocks)
    assert len(blocks) == -(-samples // 100)
    if blocks:
        together = np.concatenate(blocks)
        np.testing.assert_array_equal(together[:samples], signal)
        assert not together[samples:].any()


@pytest.mark.parametrize("length", [1, 500, 1000, 1003])
def test_a_signal_gets_the_length_asked_for(length: int) -> None:
    signal = noise(1000)
    given = joined(audio_streams.of_length(cut(signal), length))
    assert given.shape == (length, 2)
    np.testing.assert_array_equal(given[:1000], signal[:length])
    assert not given[1000:].any()


@pytest.mark.parametrize(("name", "subtype"), [("a.wav", "PCM_16"), ("a.flac", "PCM_24")])
def test_a_file_is_read_in_chunks(name: str, subtype: str, tmp_path: Path) -> None:
    path, signal = tmp_path / name, noise(audio_files.CHUNK_SAMPLES + 10)
    soundfile.write(path, signal, 48_000, subtype=subtype)
    assert audio_streams.form(path) == Form(48_000, 2, len(signal))
    chunks = list(audio_streams.read(path))
    assert [len(chunk) for chunk in chunks] == [audio_files.CHUNK_SAMPLES, 10]
    np.testing.assert_allclose(np.concatenate(chunks), signal, atol=2**-15)


def test_numbers_that_are_none_are_told_with_their_time(tmp_path: Path) -> None:
    signal = noise(100_000, 1)
    signal[80_000] = np.nan
    soundfile.write(tmp_path / "a.wav", signal, 40_000, subtype="FLOAT")
    with pytest.raises(InputError, match=r"first at 2\.000 s"):
        list(audio_streams.read(tmp_path / "a.wav"))


def test_a_file_cut_short_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(1000), 48_000, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="cut short"):
        audio_streams.form(path)


@pytest.mark.parametrize("bits", ["24", "32f"])
def test_what_is_written_is_read_back(bits: Any, tmp_path: Path) -> None:
    path, signal = tmp_path / "a.wav", noise(5000)
    written = audio_streams.write(path, cut(signal), Form(44_100, 2, 5000), bits)
    assert written.samples == 5000
    assert written.clipped == 0
    assert written.peak == np.abs(signal).max()
    back, rate = soundfile.read(path, dtype="float32")
    assert rate == 44_100
    assert soundfile.info(path).subtype == {"24": "PCM_24", "32f": "FLOAT"}[bits]
    np.testing.assert_allclose(back, signal, atol=2**-23 if bits == "24" else 0)


def test_integers_clip_and_say_so_and_float_keeps_all(tmp_path: Path) -> None:
    signal = np.array([[0.5, 1.5], [-2.0, 1.0]], np.float32)
    form = Form(44_100, 2, 2)
    assert audio_streams.write(tmp_path / "a.wav", iter([signal]), form, "32f").clipped == 0
    np.testing.assert_array_equal(soundfile.read(tmp_path / "a.wav")[0], signal)
    written = audio_streams.write(tmp_path / "b.flac", iter([signal]), form, "24")
    assert (written.clipped, written.peak) == (2, 2.0)
    expected = np.array([[0.5, 1.0], [-1.0, 1.0]])
    np.testing.assert_allclose(soundfile.read(tmp_path / "b.flac")[0], expected, atol=2**-22)


def test_the_container_follows_the_name_and_the_length() -> None:
    short, hours = Form(48_000, 2, 1000), Form(96_000, 2, 8 * 3600 * 96_000)
    assert audio_streams.container_of(Path("a.WAV"), short, "32f") == "WAV"
    assert audio_streams.container_of(Path("a.wav"), hours, "32f") == "RF64"
    assert audio_streams.container_of(Path("a.flac"), short, "24") == "FLAC"
    with pytest.raises(InputError, match=r"\.wav or \.flac"):
        audio_streams.container_of(Path("a.mp3"), short, "24")
    with pytest.raises(InputError, match="--bits 24"):
        audio_streams.container_of(Path("a.flac"), short, "32f")


def test_a_long_file_is_read_back_though_it_is_rf64(tmp_path: Path) -> None:
    path, signal = tmp_path / "a.wav", noise(1000)
    audio_streams.write(path, cut(signal), Form(48_000, 2, 2**32), "32f")
    assert path.read_bytes()[:4] == b"RF64"
    np.testing.assert_array_equal(joined(audio_streams.read(path)), signal)


def test_a_folder_that_is_missing_and_a_disk_that_is_too_small_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="existing folder"):
        audio_streams.require_room(tmp_path / "no" / "a.wav", Form(48_000, 1, 1), "24")
    with pytest.raises(InputError, match="GB of room"):
        audio_streams.require_room(tmp_path / "a.wav", Form(48_000, 1, 2**50), "24")


def test_a_write_that_fails_says_why(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))  # bytes of any one file
    try:
        with pytest.raises(OSError, match="File too large"):
            chunks = (noise(10_000) for _ in range(10))
            audio_streams.write(tmp_path / "a.wav", chunks, Form(48_000, 2, 100_000), "24")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("content", [b"ID3" + bytes(5000), b"\xff\xfb\x90\x64" * 2000])
@pytest.mark.parametrize("name", ["a.wav", "a.mp3"])
def test_an_mp3_is_refused_without_a_word_of_its_decoder(
    content: bytes, name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    code = "import sys; from data import audio; audio.read(sys.argv[1])"
    told = subprocess.run(
        [sys.executable, "-c", code, tmp_path / name],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert "an MP3 file" in told.stderr.splitlines()[-1]
    assert "mpg123" not in told.stderr
