"""How many items, how long, and which."""

import numpy as np
import pytest

from data.audio import Samples
from reports.audio.excerpts import Excerpt
from reports.listening import items

RATE_HZ = 22_050


def noise(seconds: float) -> Samples:
    random = np.random.default_rng(0)
    return random.standard_normal(round(seconds * RATE_HZ)).astype(np.float32)


def spans(*seconds: float) -> list[Excerpt]:
    ends = np.cumsum([round(s * RATE_HZ) for s in seconds]).tolist()
    return [Excerpt(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True)]


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ([5.0] * 10, [10.0] * 4),
        ([5.0, 5.0, 5.0], [5.0, 5.0, 5.0]),
        ([12.0], [6.0, 6.0]),
        ([2.0], [2.0]),
        ([100.0], [10.0] * 4),
    ],
)
def test_items_fill_what_there_is(parts: list[float], wanted: list[float]) -> None:
    cut = items.cut(noise(sum(parts)), RATE_HZ, spans(*parts))
    lengths = [sum(piece.samples for piece in item) / RATE_HZ for item in cut]
    assert lengths == pytest.approx(wanted, abs=0.01)


def test_items_share_no_sample_and_straddle_no_join() -> None:
    parts = spans(7.3, 4.9, 11.1, 5.2, 0.4)
    dry = noise(28.9)
    pieces = [piece for item in items.cut(dry, RATE_HZ, parts) for piece in item]
    heard = np.concatenate([np.arange(piece.start, piece.stop) for piece in pieces])
    assert len(set(heard.tolist())) == len(heard)
    for piece in pieces:
        assert any(p.start <= piece.start and piece.stop <= p.stop for p in parts)
        assert piece.samples >= RATE_HZ


def test_music_comes_before_steady_sound() -> None:
    dry = np.full(20 * RATE_HZ, 0.1, np.float32)
    dry[10 * RATE_HZ :] *= 1 + np.sign(np.sin(2 * np.pi * 2 * np.arange(10 * RATE_HZ) / RATE_HZ))
    [first] = items.cut(dry, RATE_HZ, spans(10, 10), count=1)
    assert first[0].start == 10 * RATE_HZ
