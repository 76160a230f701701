"""Audio files as strangers bring them: which are read, and what is told of the others.

libsndfile opens more than can be trusted: sound without a header by its name alone, files
that end before their header says, lengths that are unknown or absurd. Here a file is
opened only if its length can be checked, and read from its beginning to its end in
chunks, so that memory follows what is there and not what a header claims.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from data.errors import InputError

CHUNK_SAMPLES = 65_536
CONTAINERS = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "AU", "FLAC", "OGG")
"""Whose headers say how much sound follows, or whose coding ends by itself."""
LOWEST_RATE_HZ = 1_000
HIGHEST_RATE_HZ = 1_000_000
LOUDEST = 1_000.0
"""60 dB over full scale: no gain brings sound there, but integers written as float do."""

_UNKNOWN_FRAMES = 0x7FFF_FFFF_FFFF_FFFF  # libsndfile's, for a FLAC that was written to a pipe
# Programs that write to a pipe cannot know the length and put the largest one there.
_UNKNOWN_BYTES = {32: 0x7FFF_0000, 64: 0x3FFF_0000_0000_0000}
# The densest coding, a constant in FLAC, makes 65,535 samples of about ten bytes.
_MOST_SAMPLES_A_BYTE = 8_192
_LARGEST_CHUNK_BYTES = 0xFFFF_FFFF
_COUNTS_IN_32_BITS = (b"RIFF", b"RIFX", b"FORM")
_LENGTH_NOTED = re.compile(
    r"^ *(data|SSND|Data Size|riff|Riff size) *: (\d+) \(should be (\d+)\)", re.MULTILINE
)


class OpenFile(soundfile.SoundFile):
    """A file that is read forwards only, since a FLAC of unknown length cannot be searched."""

    def seekable(self) -> bool:
        """Never: ``read`` then does without."""
        return False


def opened(path: Path) -> OpenFile:
    """A file that can be read with ``chunks``.

    Raises:
        InputError: it is missing, closed to us, too long for its header, cut short, an
            MP3, or nothing that libsndfile knows.
    """
    first, size = _beginning(path)
    _refuse_mpeg(path, first)
    if first in _COUNTS_IN_32_BITS and size > _LARGEST_CHUNK_BYTES + 8:
        raise InputError(
            f"audio file {path}",
            expected="a file below 4 GiB, since its header counts bytes in 32 bits",
            found=f"{size / 2**30:.1f} GiB, so its length cannot be known",
            remedy="Export it again as FLAC, RF64 or W64, or in shorter pieces.",
        )
    if path.suffix.lower() == ".raw":
        raise undecodable(path, "a .raw file, sound without a header")
    try:
        file = OpenFile(path)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise undecodable(path, f"{size} bytes that it cannot ({_reason(error)})") from error
    try:
        _refuse_odd_form(path, file)
        _refuse_wrong_length(path, file, size)
    except InputError:
        file.close()
        raise
    return file


def chunks(path: Path, file: OpenFile) -> Iterator[npt.NDArray[np.float32]]:
    """The samples of a file just opened, each chunk of shape ``(samples, channels)``.

    Raises:
        InputError: undecodable, cut short, empty, or not sound.
    """
    at = 0
    while True:
        try:
            chunk = file.read(CHUNK_SAMPLES, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise undecodable(path, _reason(error)) from error
        if len(chunk) == 0:
            break
        _refuse_odd_samples(path, chunk, at, file.samplerate)
        at += len(chunk)
        yield chunk
    promised = 1 if file.frames == _UNKNOWN_FRAMES else max(file.frames, 1)
    if at < promised:
        raise _cut_short(path, promised, at)


def length(path: Path, file: OpenFile) -> int:
    """Samples a channel of a file just opened; decodes all of it if the header does not say."""
    if file.frames != _UNKNOWN_FRAMES:
        return int(file.frames)
    return sum(len(chunk) for chunk in chunks(path, file))


def undecodable(path: Path, found: str) -> InputError:
    """What to tell about a file whose samples cannot be had."""
    return InputError(
        f"audio file {path}",
        expected="a WAV or FLAC file that libsndfile can decode",
        found=found,
        remedy="Export the recording again as WAV (PCM or float) or FLAC.",
    )


def _beginning(path: Path) -> tuple[bytes, int]:
    """First four bytes and size."""
    try:
        # Asked before it is opened, since to open a pipe is to wait for its writer.
        if not path.is_file():
            raise InputError(
                f"audio file {path}",
                expected="an existing WAV or FLAC file",
                found=_instead_of_a_file(path),
                remedy="Check the path; relative paths start at the folder the command runs in.",
            )
        with path.open("rb") as start:
            return start.read(4), path.stat().st_size
    except OSError as error:
        raise InputError(
            f"audio file {path}",
            expected="a file that may be read",
            found=f"one that cannot be opened ({error.strerror or error})",
            remedy="Check its name, its permissions and the disk that it lies on.",
        ) from error


def _instead_of_a_file(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    return "a pipe or device" if path.exists() else "no such file"


def _refuse_mpeg(path: Path, first: bytes) -> None:
    # Told apart before it is opened, since the decoder of MP3 prints its own complaints.
    is_mpeg = first[:3] == b"ID3" or (first[:1] == b"\xff" and first[1:2] >= b"\xe0")
    if is_mpeg or path.suffix.lower() == ".mp3":
        raise undecodable(path, "an MP3 file, whose coding changes and delays the sound")


def _refuse_odd_form(path: Path, file: OpenFile) -> None:
    if file.format not in CONTAINERS:
        raise undecodable(path, f"{file.format_info}, whose length cannot be checked")
    if not LOWEST_RATE_HZ <= file.samplerate <= HIGHEST_RATE_HZ:
        raise InputError(
            f"audio file {path}",
            expected=f"a sample rate from {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz",
            found=f"{file.samplerate} Hz",
            remedy="Export the recording again; its header is wrong.",
        )


def _refuse_wrong_length(path: Path, file: OpenFile, size: int) -> None:
    frames = int(file.frames)
    promised = max(frames, _promised_frames(file))
    if frames == _UNKNOWN_FRAMES:
        return
    if frames == 0 or frames < promised:
        raise _cut_short(path, promised, frames)
    if frames > _MOST_SAMPLES_A_BYTE * size:
        raise undecodable(path, f"a header that claims {frames} samples in {size} bytes")


def _promised_frames(file: OpenFile) -> int:
    """Frames that the bytes which the header promises would hold, 0 if none are missing.

    libsndfile silently reads what is there, and notes the difference in its log.
    """
    for name, told, there in _LENGTH_NOTED.findall(file.extra_info):
        bits = 64 if file.format in ("W64", "RF64") and name != "data" else 32
        if int(told) < _UNKNOWN_BYTES[bits] and int(told) > int(there) > 0:
            return round(file.frames * int(told) / int(there))
    return 0


def _refuse_odd_samples(
    path: Path, chunk: npt.NDArray[np.float32], at: int, sample_rate_hz: int
) -> None:
    finite = np.isfinite(chunk).all(axis=1)
    if not finite.all():
        at_s = (at + int(np.argmin(finite))) / sample_rate_hz
        raise InputError(
            f"audio file {path}",
            expected="finite samples",
            found=f"NaN or infinity, first at {at_s:.3f} s",
            remedy="Export the recording again; a plugin in the chain produced invalid samples.",
        )
    peak = float(np.abs(chunk).max())
    if peak > LOUDEST:
        raise InputError(
            f"audio file {path}",
            expected="samples with their full scale at 1",
            found=f"one of {peak:.3g}",
            remedy="Export the recording again; it looks like integers written as float.",
        )


def _cut_short(path: Path, promised: int, found: int) -> InputError:
    return InputError(
        f"audio file {path}",
        expected=f"{max(promised, 1)} samples a channel",
        found=f"{found}, so the file is empty or cut short",
        remedy="Copy or export the file again.",
    )


def _reason(error: RuntimeError) -> str:
    """The words of libsndfile, without the path, which the message names already."""
    return str(getattr(error, "error_string", error)).rstrip(".")
