"""Audio files to mono float32 and back, and resampling.

Every signal in the project is a mono ``float32`` array of shape ``(samples,)``.
Files may have any rate and any number of channels when they come in.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from data.errors import InputError

# Programs that write to a pipe cannot know the length and put the largest one there.
_UNKNOWN_LENGTH = 0x7FFF_0000

Samples = npt.NDArray[np.float32]


class Audio(NamedTuple):
    """A signal with its rate.

    Attributes:
        samples: shape ``(samples,)``, float32, full scale at 1.
        sample_rate_hz: samples per second.
        channels: how many channels the file had before they were averaged.
        subtype: the coding in the file as libsndfile names it ("PCM_16", "FLOAT").
    """

    samples: Samples
    sample_rate_hz: int
    channels: int = 1
    subtype: str = "FLOAT"


def read(path: str | Path) -> Audio:
    """Read a WAV, FLAC or other libsndfile file as mono float32.

    Channels are averaged. Raises ``InputError`` for a missing, unreadable, empty or
    non-finite file.
    """
    path = Path(path)
    with opened(path) as file:
        try:
            frames = file.read(dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise undecodable(path, str(error)) from error
        rate, subtype = file.samplerate, file.subtype
        declared = declared_frames(file)
    if len(frames) == 0 or len(frames) < declared:
        raise cut_short(path, declared, len(frames))
    if not np.isfinite(frames).all():
        raise not_finite(path, int(np.argmin(np.isfinite(frames).all(axis=1))) / rate)
    mono = frames[:, 0] if frames.shape[1] == 1 else frames.mean(axis=1)
    return Audio(np.ascontiguousarray(mono, np.float32), rate, frames.shape[1], subtype)


def opened(path: Path) -> soundfile.SoundFile:
    """A file that libsndfile can decode, open for reading.

    Raises:
        InputError: it is missing, closed to us, an MP3, or nothing that libsndfile knows.
    """
    try:
        if not path.is_file():
            raise InputError(
                f"audio file {path}",
                expected="an existing WAV or FLAC file",
                found="a folder" if path.is_dir() else "no such file",
                remedy="Check the path; relative paths start at the folder the command runs in.",
            )
        with path.open("rb") as start:
            first = start.read(3)
    except OSError as error:
        raise InputError(
            f"audio file {path}",
            expected="a file that may be read",
            found=f"one that cannot be opened ({error.strerror or error})",
            remedy="Check its name, its permissions and the disk that it lies on.",
        ) from error
    # Told apart here, since the decoder of MP3 prints its own complaints.
    is_mpeg = first == b"ID3" or (first[:1] == b"\xff" and first[1:2] >= b"\xe0")
    if is_mpeg or path.suffix.lower() == ".mp3":
        raise undecodable(path, "an MP3 file, whose coding changes and delays the sound")
    try:
        return soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        found = f"{path.stat().st_size} bytes that it cannot ({error})"
        raise undecodable(path, found) from error


def undecodable(path: Path, found: str) -> InputError:
    """What to tell about a file whose samples cannot be had."""
    return InputError(
        f"audio file {path}",
        expected="a WAV or FLAC file that libsndfile can decode",
        found=found,
        remedy="Export the recording again as WAV (PCM or float) or FLAC.",
    )


def cut_short(path: Path, declared: int, found: int) -> InputError:
    """What to tell about a file that holds less than it promises, or nothing."""
    return InputError(
        f"audio file {path}",
        expected=f"{max(declared, 1)} samples a channel",
        found=f"{found}, so the file is empty or cut short",
        remedy="Copy or export the file again.",
    )


def not_finite(path: Path, at_s: float) -> InputError:
    """What to tell about samples that are not numbers."""
    return InputError(
        f"audio file {path}",
        expected="finite samples",
        found=f"NaN or infinity, first at {at_s:.3f} s",
        remedy="Export the recording again; a plugin in the chain produced invalid samples.",
    )


def declared_frames(file: soundfile.SoundFile) -> int:
    """Frames that a file's header promises; libsndfile silently reads what is there."""
    return max(file.frames, _declared_in_wav(file))


def _declared_in_wav(file: soundfile.SoundFile) -> int:
    noted = re.search(r"^data : (\d+) \(should be \d+\)", file.extra_info, re.MULTILINE)
    align = re.search(r"Block Align +: (\d+)", file.extra_info)
    if not noted or not align or int(noted[1]) >= _UNKNOWN_LENGTH:
        return 0
    return int(noted[1]) // int(align[1])


def write(path: str | Path, samples: Samples, sample_rate_hz: int, subtype: str = "FLOAT") -> None:
    """Write mono samples to a WAV or FLAC file (by suffix), whole or not at all.

    The file is written beside its destination and renamed, so a reader never sees
    half of it. Float WAV keeps samples beyond full scale; PCM clips them.

    Raises:
        OSError: the file cannot be written, for want of room for instance.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Encoded in memory, since libsndfile does not tell why a write to a file fails.
    encoded = io.BytesIO()
    soundfile.write(encoded, samples, sample_rate_hz, subtype=subtype, format=path.suffix[1:])
    aside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        aside.write_bytes(encoded.getbuffer())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Resample with soxr's very-high-quality linear-phase filter, without delay.

    Returns float32 of shape ``(ceil(samples * to_hz / from_hz),)`` give or take one
    sample; the input itself when the rates are equal.
    """
    if from_hz == to_hz:
        return samples
    return np.asarray(soxr.resample(samples, from_hz, to_hz, quality="VHQ"), np.float32)
