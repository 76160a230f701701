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
    if not path.is_file():
        raise InputError(
            f"audio file {path}",
            expected="an existing WAV or FLAC file",
            found="a folder" if path.is_dir() else "no such file",
            remedy="Check the path; relative paths start at the folder the command runs in.",
        )
    try:
        with soundfile.SoundFile(path) as file:
            frames = file.read(dtype="float32", always_2d=True)
            rate, subtype = file.samplerate, file.subtype
            declared = max(file.frames, _declared_frames(file))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise InputError(
            f"audio file {path}",
            expected="a WAV or FLAC file that libsndfile can decode",
            found=f"{path.stat().st_size} bytes that it cannot ({error})",
            remedy="Export the recording again as WAV (PCM or float) or FLAC.",
        ) from error
    if len(frames) == 0 or len(frames) < declared:
        raise InputError(
            f"audio file {path}",
            expected=f"{max(declared, 1)} samples a channel",
            found=f"{len(frames)}, so the file is empty or cut short",
            remedy="Copy or export the file again.",
        )
    if not np.isfinite(frames).all():
        bad = int(np.argmin(np.isfinite(frames).all(axis=1)))
        raise InputError(
            f"audio file {path}",
            expected="finite samples",
            found=f"NaN or infinity, first at {bad / rate:.3f} s",
            remedy="Export the recording again; a plugin in the chain produced invalid samples.",
        )
    mono = frames[:, 0] if frames.shape[1] == 1 else frames.mean(axis=1)
    return Audio(np.ascontiguousarray(mono, np.float32), rate, frames.shape[1], subtype)


def _declared_frames(file: soundfile.SoundFile) -> int:
    """Frames that a WAV file's header promises; libsndfile silently reads what is there."""
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
