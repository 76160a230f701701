"""Audio files of any length, chunk by chunk: reading, resampling and writing in constant memory.

A *chunk* is a float32 array of shape ``(samples, channels)``; consecutive chunks are a
signal, however it is cut. Every function takes and gives an iterator of chunks, so that
they join into a chain through which hours of audio flow.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from data import audio_files
from data.errors import InputError

Chunk: TypeAlias = npt.NDArray[np.float32]
Bits = Literal["24", "32f"]

_SUBTYPES = {"24": "PCM_24", "32f": "FLOAT"}
_BYTES = {"24": 3, "32f": 4}
_LARGEST_WAV_BYTES = 0xFFFF_0000
"""A WAV header counts in 32 bits; beyond it stands RF64, which DAWs read under the same name."""


class Form(NamedTuple):
    """What is known of a file before its samples are read.

    Attributes:
        sample_rate_hz: samples per second.
        channels: how many.
        samples: of each channel.
    """

    sample_rate_hz: int
    channels: int
    samples: int

    @property
    def seconds(self) -> float:
        """Its length in time."""
        return self.samples / self.sample_rate_hz


class Written(NamedTuple):
    """What was written.

    Attributes:
        samples: of each channel.
        peak: largest magnitude, before any clipping.
        clipped: samples of all channels that were cut off at full scale.
    """

    samples: int
    peak: float
    clipped: int


def form(path: Path) -> Form:
    """Rate, channels and length of a file.

    Raises:
        InputError: missing, undecodable, empty or cut short.
    """
    with audio_files.opened(path) as file:
        return Form(file.samplerate, file.channels, audio_files.length(path, file))


def read(path: Path) -> Iterator[Chunk]:
    """The samples of a file, from its beginning to its end.

    Raises:
        InputError: undecodable, cut short, or not sound.
    """
    with audio_files.opened(path) as file:
        yield from audio_files.chunks(path, file)


def resampled(chunks: Iterable[Chunk], from_hz: int, to_hz: int, channels: int) -> Iterator[Chunk]:
    """The signal at another rate, as ``data.audio.resample`` gives it, without delay."""
    if from_hz == to_hz:
        yield from chunks
        return
    stream = soxr.ResampleStream(from_hz, to_hz, channels, dtype="float32", quality="VHQ")
    for chunk in chunks:
        yield _columns(stream.resample_chunk(np.ascontiguousarray(chunk)), channels)
    rest = np.zeros((0, channels), np.float32)
    yield _columns(stream.resample_chunk(rest, last=True), channels)


def _columns(samples: npt.NDArray[np.float32], channels: int) -> Chunk:
    return np.asarray(samples, np.float32).reshape(-1, channels)


def blocks(chunks: Iterable[Chunk], size: int) -> Iterator[Chunk]:
    """The signal cut into blocks of one size, the last filled up with zeros."""
    held: list[Chunk] = []
    count = 0
    for chunk in chunks:
        held.append(chunk)
        count += len(chunk)
        if count < size:
            continue
        joined = np.concatenate(held)
        whole = count // size * size
        yield from np.split(joined[:whole], whole // size)
        held, count = [joined[whole:]], count - whole
    if count:
        rest = np.concatenate(held)
        yield np.pad(rest, ((0, size - count), (0, 0)))


def of_length(chunks: Iterable[Chunk], samples: int) -> Iterator[Chunk]:
    """The signal, exactly so long: cut off, or filled up with silence."""
    left = samples
    channels = 1
    for chunk in chunks:
        channels = chunk.shape[1]
        yield chunk[:left]
        left -= min(left, len(chunk))
    if left:
        yield np.zeros((left, channels), np.float32)


def write(path: Path, chunks: Iterable[Chunk], form: Form, bits: Bits) -> Written:
    """Write a signal to a new file.

    Args:
        path: where, ``.wav`` or ``.flac``; the caller renames it when it is whole.
        chunks: the signal.
        form: its rate and channels, and the length that the container is chosen by.
        bits: ``24`` (integers, clipped at full scale) or ``32f`` (float).

    Raises:
        InputError: a suffix other than ``.wav`` and ``.flac``, or float in a FLAC.
        OSError: the file cannot be written, for want of room for instance.
    """
    container = container_of(path, form, bits)
    samples, peak, clipped = 0, 0.0, 0
    with path.open("wb") as raw:
        told = _Told(raw)
        with soundfile.SoundFile(
            told, "w", form.sample_rate_hz, form.channels, _SUBTYPES[bits], format=container
        ) as file:
            for chunk in chunks:
                magnitude = np.abs(chunk)
                peak = max(peak, float(magnitude.max(initial=0.0)))
                if bits != "32f":
                    clipped += int((magnitude > 1).sum())
                    chunk = np.clip(chunk, -1, 1)
                try:
                    file.write(chunk)
                finally:
                    told.raise_error()
                samples += len(chunk)
        told.raise_error()  # of the header, which is written last
    return Written(samples, peak, clipped)


def container_of(path: Path, form: Form, bits: Bits) -> str:
    """The container that a file name asks for: ``WAV``, ``RF64`` when it is long, or ``FLAC``.

    Raises:
        InputError: another suffix, or float in a FLAC.
    """
    suffix = path.suffix.lower()
    if suffix not in (".wav", ".flac"):
        raise InputError(
            f"output {path}",
            expected="a name that ends with .wav or .flac",
            found=repr(path.suffix) if path.suffix else "no ending",
            remedy="Choose one of the two.",
        )
    if suffix == ".flac":
        if bits == "32f":
            raise InputError(
                f"output {path}",
                expected="24 bits, since FLAC holds integers only",
                found="32f",
                remedy="Use --bits 24, or a name that ends with .wav.",
            )
        return "FLAC"
    size = form.samples * form.channels * _BYTES[bits]
    return "WAV" if size < _LARGEST_WAV_BYTES else "RF64"


def require_room(path: Path, form: Form, bits: Bits) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises:
        InputError: a WAV file of that length would not fit, or its folder is missing.
    """
    folder = path.resolve().parent
    if not folder.is_dir():
        raise InputError(
            f"output {path}",
            expected="an existing folder",
            found=f"no folder {folder}",
            remedy="Make it, or check the path.",
        )
    size, free = form.samples * form.channels * _BYTES[bits], shutil.disk_usage(folder).free
    if path.suffix.lower() == ".wav" and size > free:
        raise InputError(
            f"output {path}",
            expected=f"{size / 1e9:.2f} GB of room on the disk",
            found=f"{free / 1e9:.2f} GB",
            remedy="Free some space, or write elsewhere.",
        )


class _Told:
    """A file that keeps the error of a failed write, which libsndfile would lose."""

    def __init__(self, raw: io.BufferedWriter) -> None:
        self._raw = raw
        self._error: OSError | None = None

    def write(self, data: bytes) -> int:
        """As a file does, but errors are kept."""
        try:
            return self._raw.write(data)
        except OSError as error:
            self._error = self._error or error
            return 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As a file does, but errors are kept."""
        try:
            return self._raw.seek(offset, whence)
        except OSError as error:  # what was buffered cannot be written
            self._error = self._error or error
            return 0

    def tell(self) -> int:
        """As a file does."""
        return self._raw.tell()

    def raise_error(self) -> None:
        """Raise what a write has met."""
        if self._error is not None:
            raise self._error
