"""Guitar phrases: who plucks which string when, and the sound of it.

A phrase is written as a list of ``Pluck``s in one of six styles, on a guitar whose
pickup, pick position and tone are drawn anew each time, and played on the string model
of ``data.strings``. Every choice comes from the random generator that is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.random import Generator
from scipy import signal

from data import strings
from data.strings import Decay, Signal

OPEN_STRINGS_HZ = (82.407, 110.0, 146.832, 195.998, 246.942, 329.628)
"""Standard tuning E2 A2 D3 G3 B3 E4."""

_SHORTEST_NOTE_S = 0.05
_MUTED = -1
_CHORDS = (
    (_MUTED, 3, 2, 0, 1, 0),  # C
    (3, 2, 0, 0, 0, 3),  # G
    (_MUTED, _MUTED, 0, 2, 3, 2),  # D
    (_MUTED, 0, 2, 2, 1, 0),  # Am
    (0, 2, 2, 0, 0, 0),  # Em
    (0, 2, 2, 1, 0, 0),  # E
    (_MUTED, 0, 2, 2, 2, 0),  # A
    (1, 3, 3, 2, 1, 1),  # F, barred
    (5, 7, 7, 5, 5, 5),  # Am, barred
    (_MUTED, 3, 5, 5, 4, 3),  # Cm, barred
)
# Minor pentatonic scale in one hand position: two frets on every string.
_PENTATONIC_BOX = ((0, 3), (0, 2), (0, 2), (0, 2), (0, 3), (0, 3))


@dataclass(frozen=True)
class Pluck:
    """One string plucked once.

    Attributes:
        start_s: when, from the phrase's start.
        string: index into ``OPEN_STRINGS_HZ``.
        fret: semitones above the open string.
        duration_s: until it is damped; the next pluck of the same string damps it too.
        strength: pick force, above 0 up to 1; sets level and brightness.
        palm_muted: whether the hand lies on the bridge.
        bend_cents: how far the string is bent up during the note.
        vibrato_cents: depth of the vibrato, upwards only as on a fretted guitar.
    """

    start_s: float
    string: int
    fret: int
    duration_s: float
    strength: float
    palm_muted: bool = False
    bend_cents: float = 0.0
    vibrato_cents: float = 0.0


@dataclass(frozen=True)
class Guitar:
    """What stays the same through a phrase.

    Attributes:
        pick_position: distance of the pick from the bridge over the open string's length.
        pickup_position: the same for the pickup (bridge about 0.06, neck about 0.25).
        resonance_hz: where the pickup's inductance resonates with the cable; the tone
            control lowers it.
        resonance_q: height of that resonance.
        pick_width_s: softness of the pick at full strength.
        tuning_cents: how far the whole guitar is off concert pitch.
    """

    pick_position: float
    pickup_position: float
    resonance_hz: float
    resonance_q: float
    pick_width_s: float
    tuning_cents: float


def phrase(samples: int, sample_rate_hz: int, style: int, rng: Generator) -> Signal:
    """A guitar phrase that ends in silence.

    Args:
        samples: length of the result, shape ``(samples,)``, at least about one second.
        sample_rate_hz: samples per second.
        style: index into ``STYLES``.
        rng: where all choices come from.

    Returns:
        float64, of no particular level.
    """
    seconds = samples / sample_rate_hz
    guitar = _draw_guitar(rng)
    plucks = list(_with_dynamics(STYLES[style](seconds * rng.uniform(0.92, 0.98), rng), rng))
    mix = np.zeros(samples)
    for note in _damp_replucked(plucks):
        start = round(note.start_s * sample_rate_hz)
        sound = _play(note, guitar, sample_rate_hz, rng)[: samples - start]
        mix[start : start + len(sound)] += sound
    return np.asarray(signal.lfilter(*_pickup_resonance(guitar, sample_rate_hz), mix))


def _draw_guitar(rng: Generator) -> Guitar:
    pickup_position = rng.choice([0.06, 0.09, 0.15, 0.25])
    return Guitar(
        pick_position=rng.uniform(0.07, 0.28),
        pickup_position=pickup_position,
        resonance_hz=rng.uniform(2200, 6000),
        resonance_q=rng.uniform(0.7, 1.8),
        pick_width_s=rng.uniform(0.05e-3, 0.2e-3),
        tuning_cents=rng.uniform(-10, 10),
    )


def _with_dynamics(plucks: Iterator[Pluck], rng: Generator) -> Iterator[Pluck]:
    """Let the force drift through the phrase and vary from pluck to pluck."""
    first, last = rng.uniform(0.4, 1.0, 2)
    for index, note in enumerate(plucks):
        drift = first + (last - first) * min(index / 16, 1.0)
        yield replace(note, strength=note.strength * drift * rng.uniform(0.75, 1.0))


def _damp_replucked(plucks: list[Pluck]) -> Iterator[Pluck]:
    """Shorten every note that is still ringing when its string is plucked again."""
    next_start_s = [np.inf] * len(OPEN_STRINGS_HZ)
    for note in sorted(plucks, key=lambda note: note.start_s, reverse=True):
        available_s = next_start_s[note.string] - note.start_s
        yield replace(note, duration_s=min(note.duration_s, available_s))
        next_start_s[note.string] = note.start_s


def _play(note: Pluck, guitar: Guitar, sample_rate_hz: int, rng: Generator) -> Signal:
    """Sound of one pluck, from its start until its damped tail has died away."""
    open_hz = OPEN_STRINGS_HZ[note.string] * 2 ** (guitar.tuning_cents / 1200)
    decay = _string_decay(open_hz, note.palm_muted)
    seconds = np.arange(0, note.duration_s + 1.2 * decay.released_s, 1 / sample_rate_hz)
    cents = 100 * note.fret + _bend(note, seconds) + _vibrato(note, seconds, rng)
    return note.strength * strings.pluck(
        open_hz * 2 ** (cents / 1200),
        sample_rate_hz,
        decay=decay,
        # Pick and pickup stand still while the fret shortens the string, so their times
        # to the bridge and back are those of the open string.
        pick_delay_s=guitar.pick_position * rng.uniform(0.85, 1.15) / open_hz,
        pickup_delay_s=guitar.pickup_position / open_hz,
        pick_width_s=guitar.pick_width_s / (0.3 + 0.7 * note.strength),
        release_s=note.duration_s,
    )


def _string_decay(open_hz: float, palm_muted: bool) -> Decay:
    if palm_muted:
        return Decay(low_s=0.45, high_s=0.12)
    return Decay(low_s=7.0 * (OPEN_STRINGS_HZ[0] / open_hz) ** 0.4, high_s=1.2)


def _bend(note: Pluck, seconds: Signal) -> Signal:
    """Cents of a bend that starts after a fifth of the note and takes another fifth."""
    progress = np.clip(5 * seconds / note.duration_s - 1, 0, 1)
    return note.bend_cents * (1 - np.cos(np.pi * progress)) / 2


def _vibrato(note: Pluck, seconds: Signal, rng: Generator) -> Signal:
    """Cents of a vibrato that sets in over the note's first half."""
    onset = np.clip(2 * seconds / note.duration_s, 0, 1)
    swing = (1 - np.cos(2 * np.pi * rng.uniform(4.5, 6.5) * seconds)) / 2
    return note.vibrato_cents * onset * swing


def _pickup_resonance(guitar: Guitar, sample_rate_hz: int) -> tuple[Signal, Signal]:
    """Numerator and denominator of the second-order low-pass that coil and cable form."""
    # Prewarped, so that the bilinear transform keeps the resonance where it belongs.
    omega = 2 * sample_rate_hz * np.tan(np.pi * guitar.resonance_hz / sample_rate_hz)
    numerator, denominator = signal.bilinear(
        [omega**2], [1.0, omega / guitar.resonance_q, omega**2], fs=sample_rate_hz
    )
    return numerator, denominator


def _line(seconds: float, rng: Generator) -> Iterator[Pluck]:
    """Single notes walking through a pentatonic scale, with rests, bends and vibrato."""
    step_s = _draw_step_s(rng, notes_per_beat=2)
    position, degree = int(rng.integers(0, 13)), int(rng.integers(0, 12))
    start_s = 0.0
    while start_s < seconds - _SHORTEST_NOTE_S:
        length_s = min(step_s * int(rng.choice([1, 1, 1, 2, 3])), seconds - start_s)
        if start_s == 0 or rng.random() > 0.08:
            yield _scale_note(start_s, length_s, position, degree, rng)
        degree = int(np.clip(degree + rng.choice([-2, -1, -1, 1, 1, 2]), 0, 11))
        start_s += length_s


def _lead(seconds: float, rng: Generator) -> Iterator[Pluck]:
    """Long notes on the upper strings, bent and with vibrato."""
    position = int(rng.integers(3, 13))
    start_s = 0.0
    while start_s < seconds - _SHORTEST_NOTE_S:
        length_s = min(rng.uniform(0.5, 1.6), seconds - start_s)
        note = _scale_note(start_s, length_s, position, int(rng.integers(5, 12)), rng)
        yield replace(
            note,
            palm_muted=False,
            bend_cents=float(rng.choice([0, 100, 200])),
            vibrato_cents=rng.uniform(10, 60),
            strength=rng.uniform(0.6, 1.0),
        )
        start_s += length_s


def _riff(seconds: float, rng: Generator) -> Iterator[Pluck]:
    """A pattern on the low strings, repeated, some of its notes palm-muted."""
    step_s = _draw_step_s(rng, notes_per_beat=4) * 1.5
    steps = int(rng.integers(5, 10))
    frets, string_choice = rng.integers(0, 8, steps), rng.integers(0, 3, steps)
    muted, rests = rng.random(steps) < 0.3, rng.random(steps) < 0.2
    rests[0] = False
    for index, start_s in _grid(step_s, seconds):
        k = index % steps
        if not rests[k]:
            fret, string = int(frets[k]), int(string_choice[k])
            length_s = min(step_s * 1.5, seconds - start_s)
            strength = 1.0 if k == 0 else rng.uniform(0.5, 0.9)
            yield Pluck(start_s, string, fret, length_s, strength, palm_muted=bool(muted[k]))


def _strum(seconds: float, rng: Generator) -> Iterator[Pluck]:
    """Chords strummed down and up, changing now and then."""
    step_s = _draw_step_s(rng, notes_per_beat=2)
    spread_s = rng.uniform(0.005, 0.02)
    chord = _draw_chord(rng)
    pattern = rng.random(8) < 0.65
    pattern[0] = True
    for index, start_s in _grid(step_s, seconds):
        if index % 4 == 0:
            chord = _draw_chord(rng)
        if pattern[index % 8]:
            up = index % 2 == 1
            strength = rng.uniform(0.35, 0.7) if up else rng.uniform(0.6, 1.0)
            # An upstroke catches the three highest strings, the highest first.
            ordered = chord[:-4:-1] if up else chord
            for order, (string, fret) in enumerate(ordered):
                pluck_s = start_s + order * spread_s
                length_s = max(seconds - pluck_s, _SHORTEST_NOTE_S)
                yield Pluck(pluck_s, string, fret, length_s, strength)


def _arpeggio(seconds: float, rng: Generator) -> Iterator[Pluck]:
    """Chords picked string by string and left ringing."""
    step_s = _draw_step_s(rng, notes_per_beat=2)
    chord = _draw_chord(rng)
    for index, start_s in _grid(step_s, seconds):
        if index % 8 == 0:
            chord = _draw_chord(rng)
        string, fret = chord[index % 8 % len(chord)]
        yield Pluck(start_s, string, fret, seconds - start_s, rng.uniform(0.5, 1.0))


def _chug(seconds: float, rng: Generator) -> Iterator[Pluck]:
    """Power chords, palm-muted in a galloping rhythm, with open accents."""
    step_s = _draw_step_s(rng, notes_per_beat=4)
    pattern = rng.random(8) < 0.75
    pattern[0] = True
    root, low_string = int(rng.integers(0, 6)), int(rng.integers(0, 2))
    for index, start_s in _grid(step_s, seconds):
        if index % 16 == 0:
            root, low_string = int(rng.integers(0, 8)), int(rng.integers(0, 2))
        if pattern[index % 8]:
            accent = index % 8 == 0 or rng.random() < 0.1
            length_s = min(step_s * (3 if accent else 1), seconds - start_s)
            strength = 1.0 if accent else rng.uniform(0.6, 0.9)
            for order, above in enumerate((0, 2, 2)):
                string, fret = low_string + order, root + above
                pluck_s = start_s + 0.003 * order
                yield Pluck(pluck_s, string, fret, length_s, strength, palm_muted=not accent)


STYLES: tuple[Callable[[float, Generator], Iterator[Pluck]], ...] = (
    _line,
    _strum,
    _chug,
    _lead,
    _arpeggio,
    _riff,
)
"""Writers of plucks for ``(seconds, rng)``."""


def _scale_note(
    start_s: float, length_s: float, position: int, degree: int, rng: Generator
) -> Pluck:
    """A note of the pentatonic box at a hand position, sometimes ornamented."""
    string, finger = divmod(degree, 2)
    expressive = length_s > 0.25
    return Pluck(
        start_s,
        string,
        position + _PENTATONIC_BOX[string][finger],
        length_s * rng.uniform(0.8, 1.0),
        rng.uniform(0.5, 1.0),
        palm_muted=rng.random() < 0.1,
        bend_cents=200.0 if expressive and string >= 3 and rng.random() < 0.3 else 0.0,
        vibrato_cents=rng.uniform(10, 40) if expressive and rng.random() < 0.5 else 0.0,
    )


def _draw_step_s(rng: Generator, notes_per_beat: int) -> float:
    return 60 / rng.uniform(70, 150) / notes_per_beat


def _draw_chord(rng: Generator) -> list[tuple[int, int]]:
    """The ``(string, fret)`` pairs of a chord, from the lowest string up."""
    shape = _CHORDS[rng.integers(len(_CHORDS))]
    return [(string, fret) for string, fret in enumerate(shape) if fret != _MUTED]


def _grid(step_s: float, seconds: float) -> Iterator[tuple[int, float]]:
    """Index and start of every step that leaves time for a note before ``seconds``."""
    for index in count():
        if index * step_s >= seconds - _SHORTEST_NOTE_S:
            return
        yield index, index * step_s
