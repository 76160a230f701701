"""Files as strangers bring them: taken if what is read is right, else one message."""

import os
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data import audio, audio_streams
from data.audio import Samples
from data.errors import InputError

RATE_HZ = 44_100
GIB_4 = 2**32


def both(path: Path) -> Samples:
    """The samples, as import and rendering read them."""
    whole = audio.read(path)
    form = audio_streams.form(path)
    chunks = np.concatenate(list(audio_streams.read(path)))
    assert form == (whole.sample_rate_hz, whole.channels, len(whole.samples))
    np.testing.assert_array_equal(chunks.mean(axis=1, dtype=np.float32), whole.samples)
    return whole.samples


def refused(path: Path, match: str) -> None:
    for read in (audio.read, audio_streams.form):
        with pytest.raises(InputError, match=match):
            read(path)


def sine(samples: int = 8000) -> Samples:
    return (0.5 * np.sin(0.05 * np.arange(samples))).astype(np.float32)


def wav(
    data: bytes,
    *,
    coding: int = 1,
    channels: int = 1,
    rate_hz: int = RATE_HZ,
    align: int = 2,
    bits: int = 16,
    told: int | None = None,
) -> bytes:
    """A WAV file by hand; ``told`` is the number of bytes that its header claims."""
    size = (len(data) if told is None else told) % GIB_4
    form = struct.pack("<HHIIHH", coding, channels, rate_hz, rate_hz * align % GIB_4, align, bits)
    head = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", (len(head) + size) % GIB_4) + head + data


def flac(path: Path, claimed: int) -> bytes:
    """A FLAC file whose STREAMINFO claims so many samples, 0 for unknown."""
    soundfile.write(path, sine(), RATE_HZ, subtype="PCM_16")
    whole = bytearray(path.read_bytes())
    whole[21] = whole[21] & 0xF0 | claimed >> 32
    whole[22:26] = struct.pack(">I", claimed & 0xFFFF_FFFF)
    return bytes(whole)


def test_a_flac_of_unknown_length_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(flac(path, claimed=0))
    np.testing.assert_allclose(both(path), sine(), atol=2**-15)


def test_a_flac_of_unknown_length_that_is_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(flac(path, claimed=0)[:-500])
    for read in (audio.read, audio_streams.form):
        with pytest.raises(InputError, match="lost sync"):
            read(path)


@pytest.mark.parametrize(
    ("name", "subtype", "error"),
    [
        ("a.wav", "GSM610", 0.1),
        ("a.wav", "G721_32", 0.02),
        ("a.au", "G723_40", 0.02),
        ("a.wav", "NMS_ADPCM_32", 0.1),
        ("a.wav", "ALAW", 0.02),
        ("a.wav", "IMA_ADPCM", 0.02),
        ("a.aiff", "DWVW_16", 1e-4),
        ("a.caf", "ALAC_16", 1e-4),
        ("a.ogg", "VORBIS", 0.02),
    ],
)
def test_old_codings_are_read_as_they_sound(
    name: str, subtype: str, error: float, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / name, sine(), RATE_HZ, subtype=subtype)
    read = both(tmp_path / name)
    assert len(read) >= 8000  # blocks are filled up with silence
    difference = read[:8000] - sine()
    assert np.sqrt(np.mean(difference**2)) < error


@pytest.mark.parametrize("name", ["a.raw", "a.RAW", "a.gsm", "a.vox", "a.au", "a.snd"])
def test_sound_without_a_header_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"no header at all" * 100)
    refused(tmp_path / name, "expected a WAV or FLAC file")


@pytest.mark.parametrize("container", ["XI", "VOC", "NIST", "MAT5", "SVX"])
def test_containers_whose_length_cannot_be_checked_are_refused(
    container: str, tmp_path: Path
) -> None:
    subtype = "DPCM_16" if container == "XI" else "PCM_16"
    soundfile.write(tmp_path / "a", sine(), RATE_HZ, format=container, subtype=subtype)
    refused(tmp_path / "a", "length cannot be checked")


@pytest.mark.parametrize("container", ["WAV", "W64", "RF64", "AIFF", "AU", "CAF", "FLAC"])
def test_any_container_cut_short_is_refused(container: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    soundfile.write(path, sine(), RATE_HZ, format=container, subtype="PCM_16")
    both(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"cut short|cannot|lost sync"):
        audio.read(path)


@pytest.mark.parametrize("coding", [6, 7])
def test_a_block_align_of_zero_does_not_matter(coding: int, tmp_path: Path) -> None:
    path, codes = tmp_path / "a.wav", bytes(range(256)) * 4
    path.write_bytes(wav(codes, coding=coding, align=1, bits=8))
    right = both(path)
    path.write_bytes(wav(codes, coding=coding, align=0, bits=8))
    np.testing.assert_array_equal(both(path), right)
    path.write_bytes(wav(codes, coding=coding, align=0, bits=8, told=9000))
    refused(path, "expected 9000 samples a channel; found 1024, so the file is empty or cut short")


def sparse(path: Path, head: bytes, size: int) -> None:
    """A file of that size that takes no room on the disk."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)


@pytest.mark.parametrize("told", [GIB_4 + 2**20, GIB_4 - 1, 0], ids=["wrapped", "pipe", "none"])
def test_a_wav_file_beyond_what_its_header_can_count_is_refused(told: int, tmp_path: Path) -> None:
    sparse(tmp_path / "a.wav", wav(b"", told=told), GIB_4 + 2**20 + 44)
    refused(tmp_path / "a.wav", r"below 4 GiB.*found 4\.0 GiB.*RF64 or W64")


def test_a_w64_file_may_be_longer(tmp_path: Path) -> None:
    path = tmp_path / "a.w64"
    soundfile.write(path, sine(100), RATE_HZ, subtype="PCM_16")
    head, more = bytearray(path.read_bytes()), GIB_4
    for at in (16, head.index(b"data") + 16):
        told = struct.unpack("<q", head[at : at + 8])[0]
        head[at : at + 8] = struct.pack("<q", told + more)
    sparse(path, bytes(head), len(head) + more)
    assert audio_streams.form(path).samples == 100 + more // 2


def absurd_caf(path: Path) -> None:
    soundfile.write(path, sine(), RATE_HZ, format="CAF", subtype="PCM_16")
    whole = bytearray(path.read_bytes())
    at = whole.index(b"data") + 4
    whole[at : at + 8] = struct.pack(">q", 2**61)
    path.write_bytes(whole)


@pytest.mark.parametrize(
    "make",
    [
        absurd_caf,
        lambda path: path.write_bytes(flac(path.with_suffix(".flac"), claimed=2**36 - 1)),
        lambda path: path.write_bytes(wav(b"\0\1" * 50, told=0x7FFE_0000)),
    ],
    ids=["2^60 in CAF", "2^36 in FLAC", "2^30 in WAV"],
)
def test_a_header_that_claims_too_much_takes_no_memory(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    make(tmp_path / "a")
    tracemalloc.start()
    try:
        refused(tmp_path / "a", r"claims|malformed|cut short")
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (wav(b"\0\1" * 50, channels=0), "Channel count is zero"),
        (wav(b"\0\1" * 50, channels=65_535), "Too many channels"),
        (wav(b"\0\1" * 50, rate_hz=0), "that it cannot"),
        (wav(b"\0\1" * 50, rate_hz=1), "1000 to 1000000 Hz; found 1 Hz"),
        (wav(b"\0\1" * 50, rate_hz=2**31 - 1), "found 2147483647 Hz"),
        (wav(b"\0\1" * 50, rate_hz=2**31), "that it cannot"),
        (wav(b"\0\1" * 50, bits=0), "unimplemented format"),
        (wav(b""), "empty or cut short"),
        (wav(b"\0\1")[:30], "No 'data' chunk"),
        (wav(np.full(9, 1e300).tobytes(), coding=3, align=8, bits=64), "NaN or infinity"),
        (wav(np.full(9, 2e4, "<f4").tobytes(), coding=3, align=4, bits=32), r"found one of 2e\+04"),
    ],
)
def test_headers_and_samples_that_make_no_sense_are_refused(
    content: bytes, match: str, tmp_path: Path
) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(InputError, match=match) as caught:
        audio.read(tmp_path / "a.wav")
    assert str(caught.value).count("a.wav") == 1  # libsndfile would name it once more


def test_what_is_odd_but_right_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(bytes([128, 255, 0]), align=1, bits=8))
    np.testing.assert_array_equal(both(path), np.array([0, 127 / 128, -1], np.float32))
    path.write_bytes(wav(np.array([0.25]).tobytes(), coding=3, align=8, bits=64))
    np.testing.assert_array_equal(both(path), np.array([0.25], np.float32))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wav")
    refused(tmp_path / "a.wav", "a pipe or device")
    refused(Path("/dev/zero"), "a pipe or device")
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    refused(tmp_path / "loop.wav", "audio file")
