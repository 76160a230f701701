"""Audio files there and back, whole or not at all; resampling against a sine."""

import errno
import os
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile
from scipy import signal

from data import audio
from data.audio import Samples
from data.errors import InputError


def noise(samples: int = 1000, peak: float = 0.9) -> Samples:
    return np.random.default_rng(0).uniform(-peak, peak, samples).astype(np.float32)


def test_float_wav_round_trip_is_exact_even_beyond_full_scale(tmp_path: Path) -> None:
    samples = noise(peak=3)
    audio.write(tmp_path / "a.wav", samples, 22_050)
    read = audio.read(tmp_path / "a.wav")
    assert read.samples.dtype == np.float32
    np.testing.assert_array_equal(read.samples, samples)
    assert (read.sample_rate_hz, read.channels, read.subtype) == (22_050, 1, "FLOAT")


@pytest.mark.parametrize(
    ("name", "subtype", "steps"),
    [("a.wav", "PCM_16", 2**15), ("a.flac", "PCM_16", 2**15), ("a.wav", "PCM_24", 2**23)],
)
def test_pcm_round_trip_is_within_one_step(
    name: str, subtype: str, steps: int, tmp_path: Path
) -> None:
    audio.write(tmp_path / name, noise(), 48_000, subtype)
    read = audio.read(tmp_path / name)
    assert np.abs(read.samples - noise()).max() <= 1 / steps
    assert (read.sample_rate_hz, read.subtype) == (48_000, subtype)


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = noise(), np.linspace(-1, 1, 1000, dtype=np.float32)
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], 1), 44_100, subtype="FLOAT")
    read = audio.read(tmp_path / "a.wav")
    np.testing.assert_allclose(read.samples, (left + right) / 2, atol=1e-7)
    assert read.channels == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.wav.*no such file"):
        audio.read(tmp_path / "nowhere.wav")
    with pytest.raises(InputError, match="a folder"):
        audio.read(tmp_path)


def test_a_file_that_may_not_be_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        audio.read(tmp_path / f"{'a' * 300}.wav")  # a name that no disk takes
    audio.write(tmp_path / "a.wav", noise(), 22_050)

    def closed(self: Path, *args: object, **named: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    # Nothing is closed to a superuser, as whom tests may run.
    monkeypatch.setattr(Path, "open", closed)
    with pytest.raises(InputError, match=r"a\.wav.*Permission denied"):
        audio.read(tmp_path / "a.wav")


@pytest.mark.parametrize("content", [b"", b"not audio at all" * 100])
def test_a_file_that_is_not_audio_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(InputError, match=rf"can decode; found {len(content)} bytes"):
        audio.read(tmp_path / "a.wav")


def test_a_file_without_samples_is_refused(tmp_path: Path) -> None:
    audio.write(tmp_path / "a.wav", noise(0), 44_100)
    with pytest.raises(InputError, match="empty or cut short"):
        audio.read(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("name", "subtype"), [("a.wav", "FLOAT"), ("a.wav", "PCM_16"), ("a.wav", "PCM_24")]
)
def test_a_truncated_wav_file_is_refused(name: str, subtype: str, tmp_path: Path) -> None:
    path = tmp_path / name
    audio.write(path, noise(10_000), 44_100, subtype)
    path.write_bytes(path.read_bytes()[:-6000])
    with pytest.raises(InputError, match=r"expected 10000 samples a channel; found \d+, so .* cut"):
        audio.read(path)


def test_a_truncated_flac_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    audio.write(path, noise(10_000), 44_100, "PCM_16")
    path.write_bytes(path.read_bytes()[:-6000])
    with pytest.raises(InputError, match=r"a\.flac"):
        audio.read(path)


def test_a_wav_file_from_a_pipe_that_declares_no_length_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    audio.write(path, noise(), 44_100, "PCM_16")
    whole = bytearray(path.read_bytes())
    place = whole.index(b"data") + 4
    whole[place : place + 4] = whole[4:8] = b"\xff\xff\xff\xff"
    path.write_bytes(whole)
    assert len(audio.read(path).samples) == 1000


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_numbers_are_refused_with_their_time(
    bad: float, tmp_path: Path
) -> None:
    samples = noise(44_100)
    samples[22_050] = bad
    audio.write(tmp_path / "a.wav", samples, 44_100)
    with pytest.raises(InputError, match=r"NaN or infinity, first at 0\.500 s"):
        audio.read(tmp_path / "a.wav")


def test_a_failing_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.wav"
    audio.write(path, noise(), 44_100)

    def full(aside: Path, content: bytes) -> int:
        with aside.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        audio.write(path, noise(5000), 44_100)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.wav"]
    np.testing.assert_array_equal(audio.read(path).samples, noise())


def test_an_unknown_coding_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="PCM_99"):
        audio.write(tmp_path / "new" / "a.wav", noise(), 44_100, "PCM_99")
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44_100, 22_050), (22_050, 48_000)])
def test_resampling_keeps_a_sine_in_time_and_level(from_hz: int, to_hz: int) -> None:
    f0_hz = 997.0

    def sine(rate_hz: int) -> Samples:
        return np.sin(2 * np.pi * f0_hz * np.arange(rate_hz) / rate_hz).astype(np.float32)

    resampled = audio.resample(sine(from_hz), from_hz, to_hz)
    assert resampled.dtype == np.float32
    assert abs(len(resampled) - to_hz) <= 1
    inside = slice(to_hz // 10, -to_hz // 10)  # away from the edges, where the filter rings
    np.testing.assert_allclose(resampled[inside], sine(to_hz)[inside], atol=1e-5)


def test_resampling_does_not_delay_an_impulse() -> None:
    impulse = np.zeros(44_100, np.float32)
    impulse[20_000] = 1
    resampled = audio.resample(impulse, 44_100, 22_050)
    assert int(np.argmax(np.abs(resampled))) == 10_000
    around = resampled[9_900:10_101]
    np.testing.assert_allclose(around, around[::-1], atol=1e-6)  # linear phase


def test_resampling_removes_what_would_alias() -> None:
    rate_hz = 44_100
    high = np.sin(2 * np.pi * 15_000 * np.arange(rate_hz) / rate_hz).astype(np.float32)
    down = audio.resample(high, rate_hz, 22_050)
    # Windowed, so that the sine's hard start and stop do not count.
    assert np.abs(down * signal.windows.hann(len(down)) ** 4).max() < 1e-5


def test_resampling_to_the_same_rate_changes_nothing() -> None:
    samples = noise()
    assert audio.resample(samples, 44_100, 44_100) is samples


@pytest.mark.slow
def test_resampling_agrees_with_librosa(librosa: ModuleType) -> None:
    noise = (0.1 * np.random.default_rng(0).standard_normal(4410)).astype(np.float32)
    expected = librosa.resample(noise, orig_sr=44_100, target_sr=22_050, res_type="soxr_vhq")
    np.testing.assert_allclose(audio.resample(noise, 44_100, 22_050), expected, atol=1e-6)
