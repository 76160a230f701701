"""Equal loudness for everything that is compared, after ITU-R BS.1770-4 (pyloudnorm)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyloudnorm

from data.audio import Samples
from data.errors import InputError
from reports.sources.numbers import decibels

LOUDNESS_LUFS = -23.0
CEILING = 10 ** (-1 / 20)  # -1 dBFS
BLOCK_S = 0.4  # the shortest signal whose loudness is defined
_PASSES = 2  # gating blocks may change with the first gain


def loudness_lufs(samples: Samples, sample_rate_hz: int) -> float:
    """Integrated loudness; minus infinity where everything is below the gate of -70 LUFS.

    Raises:
        InputError: the signal is shorter than one gating block.
    """
    if len(samples) < BLOCK_S * sample_rate_hz:
        raise InputError(
            "listening item",
            expected=f"at least {BLOCK_S} s, the block of a loudness measurement",
            found=f"{len(samples) / sample_rate_hz:.3f} s",
            remedy="Ask for longer items, or use a study with a longer test split.",
        )
    meter = pyloudnorm.Meter(sample_rate_hz)
    return float(meter.integrated_loudness(samples.astype(np.float64)))


def matched(
    signals: Mapping[str, Samples], reference: str, sample_rate_hz: int
) -> tuple[dict[str, Samples], dict[str, float]]:
    """All signals as loud as the reference, and the reference at ``LOUDNESS_LUFS``.

    Where a peak would pass -1 dBFS, all of them are equally much quieter instead.

    Returns:
        The signals, and by name the gain in dB that each got beyond the reference's.

    Raises:
        InputError: one of them is too quiet or too short to have a loudness.
    """
    gains = dict.fromkeys(signals, 1.0)
    for _ in range(_PASSES):
        for name, samples in signals.items():
            found_lufs = loudness_lufs(samples * np.float32(gains[name]), sample_rate_hz)
            if not np.isfinite(found_lufs):
                raise InputError(
                    f"listening item, {name}",
                    expected="sound above the loudness gate of -70 LUFS",
                    found="silence",
                    remedy="Leave that run out, or use a study with a louder test split.",
                )
            gains[name] *= 10 ** ((LOUDNESS_LUFS - found_lufs) / 20)
    peak = max(gains[name] * float(np.max(np.abs(x))) for name, x in signals.items())
    common = min(1.0, CEILING / peak)
    scaled = {name: x * np.float32(common * gains[name]) for name, x in signals.items()}
    beyond = {name: decibels((gain / gains[reference]) ** 2) for name, gain in gains.items()}
    return scaled, beyond
