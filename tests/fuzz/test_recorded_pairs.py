"""Recorded pairs, whatever the files hold: imported whole, or refused in one sentence.

A pair that is accepted can be trained on, and comes from the cache as it went in; of one
that is refused nothing is left behind.
"""

from __future__ import annotations

import io
import shutil
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from data import effects, pairs
from data.audio import Samples
from data.errors import InputError
from data.pairs import DrySignal
from tests.fuzz.damage import spoilt_bytes
from tests.fuzz.fuzzing import attack

RATE_HZ = 8000
SECONDS = 11
FORMATS = [
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "PCM_U8"),
    ("WAV", "FLOAT"),
    ("WAV", "DOUBLE"),
    ("WAV", "ALAW"),
    ("WAV", "IMA_ADPCM"),
    ("WAV", "MS_ADPCM"),
    ("WAV", "GSM610"),
    ("WAV", "G721_32"),
    ("WAVEX", "PCM_32"),
    ("RF64", "FLOAT"),
    ("W64", "PCM_24"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("AIFF", "PCM_S8"),
    ("AU", "ULAW"),
    ("CAF", "ALAC_16"),
    ("VOC", "PCM_16"),
    ("NIST", "PCM_16"),
    ("RAW", "PCM_16"),
    ("MP3", "MPEG_LAYER_III"),
]
FRAIL = ("VORBIS", "MPEG_LAYER_III", "ALAC_16", "ALAW", "ULAW")
"""Codings whose writers crash on what is no sound."""
SUFFIXES = [".wav", ".flac", ".WAV", ".raw", ".mp3", ""]
RATES_HZ = [1, 1000, 7999, 11_025, 16_000, 44_100, 192_000, 1_000_000, 2**31 - 1]
PLACES = st.floats(0, 1)

Damage = tuple[str, Any]
DAMAGE: st.SearchStrategy[Damage] = st.one_of(
    st.tuples(
        st.just("gain"),
        st.sampled_from([0.0, -1.0, 1e-30, 1e-4, 2.0, 30.0, 1e5, 1e30]),
    ),
    st.tuples(st.just("offset"), st.sampled_from([0.01, -0.5, 1.0, 100.0])),
    st.tuples(st.just("clipped"), st.floats(0.001, 1)),
    st.tuples(st.just("late"), st.integers(-2 * RATE_HZ, 2 * RATE_HZ)),
    st.tuples(st.just("cut"), st.tuples(PLACES, st.integers(1, RATE_HZ))),
    st.tuples(st.just("twice"), st.tuples(PLACES, st.integers(1, RATE_HZ))),
    st.tuples(st.just("silent"), st.tuples(PLACES, PLACES)),
    st.tuples(st.just("short"), PLACES),
    st.tuples(st.just("put in"), st.tuples(PLACES, st.sampled_from([np.nan, np.inf, 1.0, 1e38]))),
    st.tuples(st.just("noise"), st.sampled_from([1e-4, 0.01, 1.0])),
    st.tuples(st.just("other"), st.sampled_from(["noise", "tone", "impulse", "backwards"])),
)


class Recording(NamedTuple):
    """A file: its name without the folder, and what is in it; ``None`` for a missing one."""

    suffix: str
    content: bytes | None


@cache
def played() -> tuple[Samples, Samples]:
    """Plucked noise, and what a clipper makes of it, both with a silent second at the end."""
    t = np.arange(SECONDS * RATE_HZ) / RATE_HZ
    pluck = np.random.default_rng(0).normal(0, 0.1, len(t)) * np.exp(-6 * (t % 0.4))
    pluck[-RATE_HZ:] = 0
    return np.asarray(pluck, np.float32), np.asarray(0.5 * np.tanh(9 * pluck), np.float32)


def damaged(original: Samples, damage: Damage) -> Samples:
    samples: npt.NDArray[np.floating] = original
    match damage:
        case "gain", gain:
            samples = gain * samples
        case "offset", offset:
            samples = samples + offset
        case "clipped", level:
            samples = np.clip(samples, -level, level)
        case "late", delay if delay >= 0:
            samples = np.concatenate([np.zeros(delay), samples])
        case "late", delay:
            samples = samples[-delay:]
        case "cut", (place, count):
            at = round(place * len(samples))
            samples = np.concatenate([samples[:at], samples[at + count :]])
        case "twice", (place, count):
            at = round(place * len(samples))
            samples = np.concatenate([samples[: at + count], samples[at:]])
        case "silent", (first, second):
            start, stop = sorted(round(p * len(samples)) for p in (first, second))
            samples = np.concatenate([samples[:start], np.zeros(stop - start), samples[stop:]])
        case "short", place:
            samples = samples[: round(place * len(samples))]
        case "put in", (place, value) if len(samples):
            samples = samples.copy()
            samples[round(place * (len(samples) - 1))] = value
        case "noise", rms:
            samples = samples + np.random.default_rng(1).normal(0, rms, len(samples))
        case "other", kind:
            samples = another(kind, original)
    return np.asarray(samples, np.float32)


def another(kind: str, samples: Samples) -> Samples:
    if kind == "backwards":
        return samples[::-1]
    other = np.zeros(len(samples))
    if kind == "noise":
        other = np.random.default_rng(2).normal(0, 0.1, len(samples))
    elif kind == "tone":
        other = 0.5 * np.sin(0.3 * np.arange(len(samples)))
    else:
        other[len(samples) // 2 :][:1] = 1
    return np.asarray(other, np.float32)


@st.composite
def recording(draw: DrawFn, side: int) -> Recording:
    """The dry (0) or the wet (1) file, right in most cases, so that the other one matters."""
    samples = played()[side]
    for damage in draw(mostly([], st.lists(DAMAGE, max_size=2), odds=2)):
        with np.errstate(all="ignore"):
            samples = damaged(samples, damage)
    container, subtype = draw(mostly(("WAV", "FLOAT"), st.sampled_from(FORMATS), odds=3))
    rate_hz = draw(mostly(RATE_HZ, st.sampled_from(RATES_HZ)))
    channels = draw(mostly(1, st.sampled_from([2, 3, 9])))
    content = encoded(samples, channels, rate_hz, container, subtype)
    spoilt = spoilt_bytes(content) | spoilt_header(content) | st.sampled_from([b"", b"RIFF", None])
    return Recording(
        draw(mostly(".wav", st.sampled_from(SUFFIXES), odds=12)), draw(mostly(content, spoilt))
    )


def mostly(usual: Any, other: st.SearchStrategy[Any], odds: int = 6) -> st.SearchStrategy[Any]:
    """The usual value, but for one time in ``odds``."""
    return st.integers(1, odds).flatmap(lambda dice: other if dice == odds else st.just(usual))


def spoilt_header(content: bytes) -> st.SearchStrategy[bytes]:
    return spoilt_bytes(content[:96]).map(lambda header: header + content[96:])


def encoded(samples: Samples, channels: int, rate_hz: int, container: str, subtype: str) -> bytes:
    """A file of this form, or one of the usual form where libsndfile has no such thing."""
    if subtype in FRAIL:
        samples, rate_hz = np.clip(np.nan_to_num(samples), -1, 1), min(max(rate_hz, 8000), 48_000)
    for form, coding, rate in ((container, subtype, rate_hz), ("WAV", "FLOAT", RATE_HZ)):
        file = io.BytesIO()
        try:
            with soundfile.SoundFile(file, "w", rate, channels, coding, format=form) as out:
                # At once, the writer of Vorbis runs out of stack.
                for start in range(0, len(samples), 4096):
                    out.write(np.stack([samples[start : start + 4096]] * channels, axis=1))
        except (soundfile.LibsndfileError, ValueError, RuntimeError):
            continue
        return file.getvalue()
    return b""


def test_a_pair_of_files_is_imported_whole_or_refused(tmp_path: Path) -> None:
    folder, store = tmp_path / "takes", tmp_path / "pairs"
    ends: Counter[str] = Counter()

    def check(case: tuple[Recording, Recording]) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(store, ignore_errors=True)
        folder.mkdir()
        names = [f"{name}{own.suffix}" for name, own in zip(("dry", "wet"), case, strict=True)]
        for name, own in zip(names, case, strict=True):
            if own.content is not None:
                (folder / name).write_bytes(own.content)
        try:
            effect = effects.resolve({"name": "x", "dry": names[0], "wet": names[1]}, folder)
            made = pairs.pair(effect, DrySignal(), RATE_HZ, store)
        except InputError as error:
            ends["refused"] += 1
            assert str(error).isprintable() and len(str(error)) < 1500
            assert left(store) == []
            return
        ends["imported"] += 1
        assert made.dry.shape == made.wet.shape and len(made.dry) > 8 * RATE_HZ
        for samples in (made.dry, made.wet):
            assert samples.dtype == np.float32 and np.isfinite(samples).all() and samples.any()
        assert all(line.isprintable() for line in made.report)
        assert left(store) == ["dry.wav", "pair.json", "wet.wav"]
        again = pairs.pair(effect, DrySignal(), RATE_HZ, store)
        np.testing.assert_array_equal(made.wet, again.wet)

    check((usual(0), usual(1)))
    assert ends.pop("imported") == 1
    attack(check, st.tuples(recording(0), recording(1)))
    print(f"{ends['imported']:,} imported, {ends['refused']:,} refused")


def usual(side: int) -> Recording:
    return Recording(".wav", encoded(played()[side], 1, RATE_HZ, "WAV", "FLOAT"))


def left(store: Path) -> list[str]:
    """Names of all files in the cache but for locks, also of those put aside."""
    files = (path.name for path in store.rglob("*") if path.is_file())
    return sorted(name for name in files if not name.endswith(".lock"))
