"""What people hear: anchors, levels and items."""

import numpy as np
import pytest

from data.audio import Samples
from data.errors import InputError
from reports.audio.excerpts import Excerpt
from reports.listening import anchors, items, levels
from tests.reports.synthetic import plucked

RATE_HZ = 44_100


def sine(hz: float, seconds: float = 1.0, level: float = 0.1, rate_hz: int = RATE_HZ) -> Samples:
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.asarray(level * np.sin(2 * np.pi * hz * time_s), np.float32)


@pytest.mark.parametrize("cutoff_hz", [anchors.LOW_HZ, anchors.MID_HZ])
def test_anchors_meet_the_mask_of_the_recommendation(cutoff_hz: int) -> None:
    impulse = np.zeros(8192, np.float32)
    impulse[4096] = 1
    response = np.abs(np.fft.rfft(anchors.low_passed(impulse, RATE_HZ, cutoff_hz)))
    hz = np.fft.rfftfreq(8192, 1 / RATE_HZ)
    response_db = 20 * np.log10(np.maximum(response, 1e-9))
    assert np.abs(response_db[hz <= cutoff_hz]).max() < 0.1
    assert response_db[hz >= cutoff_hz * 8 / 7].max() < -25
    assert response_db[hz >= cutoff_hz * 9 / 7].max() < -50


def test_anchors_stay_in_time() -> None:
    tone = sine(440)
    filtered = anchors.low_passed(tone, RATE_HZ, 3500)
    assert len(filtered) == len(tone)
    inside = slice(1000, -1000)
    np.testing.assert_allclose(filtered[inside], tone[inside], atol=2e-4)


def test_an_anchor_needs_room_above_it() -> None:
    assert anchors.can_be_made(7000, 22_050) and anchors.can_be_made(3500, 11_025)
    assert not anchors.can_be_made(7000, 16_000)


def test_equal_loudness_is_the_references() -> None:
    signals = {"reference": sine(1000, 3), "quiet": sine(1000, 3, 0.01), "low": sine(200, 3, 0.2)}
    matched, gains_db = levels.matched(signals, "reference", RATE_HZ)
    for samples in matched.values():
        assert levels.loudness_lufs(samples, RATE_HZ) == pytest.approx(-23, abs=0.02)
    assert gains_db["reference"] == 0
    assert gains_db["quiet"] == pytest.approx(20, abs=0.02)


def test_peaks_make_all_quieter_alike() -> None:
    clicks = sine(1000, 3, 0.001)
    clicks[::20_000] = 0.9
    matched, _ = levels.matched(
        {"reference": sine(1000, 3), "clicks": clicks}, "reference", RATE_HZ
    )
    found = [levels.loudness_lufs(samples, RATE_HZ) for samples in matched.values()]
    assert max(np.abs(samples).max() for samples in matched.values()) <= levels.CEILING + 1e-6
    assert found[0] < -24 and found[0] == pytest.approx(found[1], abs=0.05)


def test_silence_and_shortness_are_refused() -> None:
    with pytest.raises(InputError, match="loudness gate"):
        levels.matched({"a": sine(1000), "b": np.zeros(RATE_HZ, np.float32)}, "a", RATE_HZ)
    with pytest.raises(InputError, match="at least"):
        levels.loudness_lufs(sine(1000, 0.3), RATE_HZ)


def test_items_share_nothing_and_stay_inside_spans() -> None:
    dry = plucked(60.0)
    parts = [Excerpt(0, 200_000), Excerpt(200_000, 480_000)]
    cut = items.cut(dry, 8000, parts, count=4, seconds=10)
    assert len(cut) == 4
    used = np.zeros(len(dry), int)
    for pieces in cut:
        assert sum(piece.samples for piece in pieces) == 80_000
        for piece in pieces:
            assert any(p.start <= piece.start and piece.stop <= p.stop for p in parts)
            used[piece.start : piece.stop] += 1
    assert used.max() == 1


def test_a_short_split_gives_fewer_and_shorter_items() -> None:
    dry = plucked(6.0)
    cut = items.cut(dry, 8000, [Excerpt(0, len(dry))])
    assert [sum(piece.samples for piece in pieces) for pieces in cut] == [48_000]


def test_no_stretch_to_cut_from_is_refused() -> None:
    with pytest.raises(InputError, match="span"):
        items.cut(np.zeros(0, np.float32), 8000, [])
