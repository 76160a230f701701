"""Phrases: every style plays, stays in bounds and ends in silence."""

import numpy as np
import pytest

from data import phrases
from data.phrases import STYLES, Pluck

RATE_HZ = 22_050


@pytest.mark.parametrize("style", range(len(STYLES)))
@pytest.mark.parametrize("seconds", [1.6, 4.0])
def test_phrase_sounds_and_ends_quietly(style: int, seconds: float) -> None:
    samples = round(seconds * RATE_HZ)
    for seed in range(3):
        sound = phrases.phrase(samples, RATE_HZ, style, np.random.default_rng(seed))
        assert sound.shape == (samples,)
        peak = np.abs(sound).max()
        assert 0 < peak < np.inf
        assert np.abs(sound[-RATE_HZ // 200 :]).max() < 0.1 * peak


@pytest.mark.parametrize("style", range(len(STYLES)))
def test_writers_keep_to_the_instrument(style: int) -> None:
    for seed in range(20):
        plucks = list(STYLES[style](4.0, np.random.default_rng(seed)))
        assert plucks
        for note in plucks:
            assert 0 <= note.start_s < 4.1
            assert 0 <= note.string < len(phrases.OPEN_STRINGS_HZ)
            assert 0 <= note.fret <= 22
            assert 0 < note.duration_s <= 4.1
            assert 0 < note.strength <= 1


@pytest.mark.parametrize("style", range(len(STYLES)))
def test_no_phrase_is_nothing_but_rests(style: int) -> None:
    assert all(any(STYLES[style](1.3, np.random.default_rng(seed))) for seed in range(500))


def test_ornaments_occur() -> None:
    plucks = [
        note
        for seed in range(10)
        for style in STYLES
        for note in style(4.0, np.random.default_rng(seed))
    ]
    assert any(note.bend_cents for note in plucks)
    assert any(note.vibrato_cents for note in plucks)
    assert any(note.palm_muted for note in plucks)
    assert len({(note.string, note.fret) for note in plucks}) > 40


def test_a_string_sounds_one_note_at_a_time() -> None:
    long = [Pluck(0.0, 2, 5, 3.0, 1.0), Pluck(1.0, 2, 7, 3.0, 1.0), Pluck(1.5, 3, 7, 3.0, 1.0)]
    durations = {n.start_s: n.duration_s for n in phrases._damp_replucked(long)}
    assert durations == {0.0: 1.0, 1.0: 3.0, 1.5: 3.0}
