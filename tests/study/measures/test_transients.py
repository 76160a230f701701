"""Errors whose share is known."""

import numpy as np
import pytest

from study.measures.transients import transient_error

RATE_HZ = 22_050


def test_errors_are_put_where_they_happen() -> None:
    target = np.ones(60_000, np.float32)
    onsets = np.array([0, 20_000, 40_000])
    prediction = target.copy()
    for onset in onsets:
        prediction[onset : onset + 110] = 0.5  # half of the first 10 ms (220 or 221 samples)
    found = transient_error(onsets, [60_000], target, prediction, RATE_HZ)
    assert found.onsets == 3
    assert found.esr_transient == pytest.approx(0.25 * 110 / 220, rel=0.01)
    assert found.esr_sustained == 0
    prediction = target.copy()
    prediction[onsets[1] + 2000 : onsets[1] + 3000] = 0
    found = transient_error(onsets, [60_000], target, prediction, RATE_HZ)
    assert found.esr_transient == 0
    length = round(0.5 * RATE_HZ) - round(0.05 * RATE_HZ)
    assert found.esr_sustained == pytest.approx(1000 / (3 * length), rel=1e-3)


def test_a_note_ends_with_its_part() -> None:
    """What follows a join is other music, and says nothing of how a note rings on."""
    target = np.ones(60_000, np.float32)
    prediction = target.copy()
    prediction[30_000:38_000] = 0  # a part of its own; its error belongs to no note
    onsets = np.array([0, 10_000, 28_000, 45_000])
    parts = [30_000, 10_000, 20_000]
    assert transient_error(onsets, parts, target, prediction, RATE_HZ).esr_sustained == 0
    joined = transient_error(onsets, [60_000], target, prediction, RATE_HZ).esr_sustained
    assert joined is not None and joined > 0.1


def test_too_few_onsets_say_nothing() -> None:
    target = np.ones(1000, np.float32)
    assert transient_error(np.array([5]), [1000], target, target, RATE_HZ) == (1, None, None)
