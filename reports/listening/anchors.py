"""The low-pass anchors of ITU-R BS.1534-3, section 5.1: 3.5 kHz (low) and 7 kHz (mid).

The recommendation allows 0.1 dB of ripple below the cut-off and asks for 25 dB of
attenuation at 8/7 and 50 dB at 9/7 of it. This filter reaches 60 dB at 8/7, with linear
phase and no delay.
"""

from __future__ import annotations

import numpy as np
from scipy import signal

from data.audio import Samples

LOW_HZ, MID_HZ = 3_500, 7_000
STOP_BAND = 8 / 7  # of the cut-off
ATTENUATION_DB = 60.0


def can_be_made(cutoff_hz: float, sample_rate_hz: int) -> bool:
    """Whether a signal of this rate has a band above the filter's slope to lose."""
    return STOP_BAND * cutoff_hz < sample_rate_hz / 2


def low_passed(samples: Samples, sample_rate_hz: int, cutoff_hz: float) -> Samples:
    """The anchor of a signal, as long as it and in time with it."""
    width_hz = (STOP_BAND - 1) * cutoff_hz
    taps, beta = signal.kaiserord(ATTENUATION_DB, 2 * width_hz / sample_rate_hz)
    window = signal.firwin(
        taps | 1, cutoff_hz + width_hz / 2, window=("kaiser", beta), fs=sample_rate_hz
    )
    filtered = signal.oaconvolve(samples.astype(np.float64), window)
    start = len(window) // 2
    return np.asarray(filtered[start : start + len(samples)], np.float32)
