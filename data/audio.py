"""Audio files to mono float32 and back, and resampling.

Every signal in the project is a mono ``float32`` array of shape ``(samples,)``.
Files may have any rate and any number of channels when they come in.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from data import audio_files, partial_files

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

    Channels are averaged.

    Raises:
        InputError: missing, unreadable, empty, cut short, or not sound.
    """
    path = Path(path)
    with audio_files.opened(path) as file:
        mono = [_mono(chunk) for chunk in audio_files.chunks(path, file)]
        return Audio(np.concatenate(mono), file.samplerate, file.channels, file.subtype)


def write(path: str | Path, samples: Samples, sample_rate_hz: int, subtype: str = "FLOAT") -> None:
    """Write mono samples to a WAV or FLAC file (by suffix), whole or not at all.

    The file is written beside its destination and renamed, so a reader never sees
    half of it. Float WAV keeps samples beyond full scale; PCM clips them.

    Raises:
        OSError: the file cannot be written, for want of room for instance.
    """
    path = Path(path)
    # Encoded in memory, since libsndfile does not tell why a write to a file fails.
    encoded = io.BytesIO()
    soundfile.write(encoded, samples, sample_rate_hz, subtype=subtype, format=path.suffix[1:])
    with partial_files.file(path) as aside:
        aside.write_bytes(encoded.getbuffer())
        aside.replace(path)


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Resample with soxr's very-high-quality linear-phase filter, without delay.

    Returns float32 of shape ``(ceil(samples * to_hz / from_hz),)`` give or take one
    sample; the input itself when the rates are equal.
    """
    if from_hz == to_hz:
        return samples
    return np.asarray(soxr.resample(samples, from_hz, to_hz, quality="VHQ"), np.float32)


def _mono(chunk: npt.NDArray[np.float32]) -> Samples:
    return chunk[:, 0] if chunk.shape[1] == 1 else chunk.mean(axis=1, dtype=np.float32)
