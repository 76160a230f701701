"""Excerpts find what was planted and never cross a join."""

import numpy as np
import pytest

from data.audio import Samples
from data.frames import Span
from data.splits import LEAD_IN_SAMPLES
from reports.audio import excerpts
from reports.audio.excerpts import Excerpt

RATE_HZ = 8_000


def tone(seconds: float, amplitude: float) -> Samples:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (amplitude * np.sin(2 * np.pi * 220 * time_s)).astype(np.float32)


def test_stretches_are_counted_without_their_lead_ins() -> None:
    found = excerpts.spans([Span(0, 1000), Span(5000, 7000)])
    first = 1000 - LEAD_IN_SAMPLES
    assert found == [Excerpt(0, first), Excerpt(first, first + 2000 - LEAD_IN_SAMPLES)]


@pytest.mark.parametrize("onset_s", [0.5, 1.3, 2.2])
def test_a_planted_onset_is_found(onset_s: float) -> None:
    signal = tone(3, 0.05)
    planted = round(onset_s * RATE_HZ)
    signal[planted:] += tone(3, 0.6)[: len(signal) - planted]
    found = excerpts.strongest_onset(signal, RATE_HZ, [Excerpt(0, len(signal))])
    assert found == pytest.approx(planted, abs=0.005 * RATE_HZ)


def test_a_join_is_no_onset() -> None:
    quiet, loud = tone(2, 0.01), tone(2, 0.9)
    planted = RATE_HZ // 2
    quiet[planted:] *= 20
    joined = np.concatenate([quiet, loud])
    parts = [Excerpt(0, len(quiet)), Excerpt(len(quiet), len(joined))]
    found = excerpts.strongest_onset(joined, RATE_HZ, parts)
    assert found == pytest.approx(planted, abs=0.005 * RATE_HZ)


def test_a_short_signal_still_has_an_onset() -> None:
    signal = tone(0.1, 0.5)
    part = Excerpt(0, len(signal))
    onset = excerpts.strongest_onset(signal, RATE_HZ, [part])
    assert 0 <= onset < len(signal)
    for excerpt in (
        excerpts.around_onset(onset, RATE_HZ, [part]),
        excerpts.sustained(signal, onset, RATE_HZ, [part]),
        excerpts.seconds_around(onset, 3.0, RATE_HZ, [part]),
    ):
        assert 0 <= excerpt.start < excerpt.stop <= len(signal)


def test_the_steady_stretch_is_where_the_level_does_not_move() -> None:
    signal = tone(1, 0.5)
    envelope = np.ones(len(signal))
    envelope[: round(0.3 * RATE_HZ)] = np.linspace(2, 1, round(0.3 * RATE_HZ))
    envelope[round(0.36 * RATE_HZ) :] = 0  # silence is steadier, but no note
    envelope[round(0.15 * RATE_HZ) : round(0.2 * RATE_HZ) : 2] = 0.1
    found = excerpts.sustained(
        (signal * envelope).astype(np.float32), 0, RATE_HZ, [Excerpt(0, len(signal))]
    )
    assert round(0.2 * RATE_HZ) <= found.start and found.stop <= round(0.365 * RATE_HZ)


def test_phrases_prefer_music_and_keep_to_the_length() -> None:
    swell = tone(4, 0.3)
    plucks = np.concatenate([tone(0.25, 0.5) * np.linspace(1, 0, 2000) for _ in range(16)])
    signal = np.concatenate([swell, plucks, swell]).astype(np.float32)
    parts = [Excerpt(a, a + 4 * RATE_HZ) for a in (0, 4 * RATE_HZ, 8 * RATE_HZ)]
    assert excerpts.phrases(signal, RATE_HZ, parts, 4.0) == [parts[1]]
    longer = excerpts.phrases(signal, RATE_HZ, parts, 6.0)
    assert sum(piece.samples for piece in longer) == 6 * RATE_HZ
    assert longer == sorted(longer, key=lambda piece: piece.start)
    everything = excerpts.phrases(signal, RATE_HZ, parts, 60.0)
    assert sum(piece.samples for piece in everything) == len(signal)


def test_joined_pieces_fade() -> None:
    signal = np.ones(1000, np.float32)
    heard = excerpts.joined(signal, [Excerpt(0, 300), Excerpt(500, 1000)], RATE_HZ)
    assert len(heard) == 800
    assert max(heard[0], heard[299], heard[300], heard[-1]) < 0.01
    assert heard[100] == heard[600] == 1
