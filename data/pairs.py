"""Dry/wet pairs at the study's sample rate, made once and kept on disk.

A pair's folder is named by a hash of everything that it depends on, so a pair is
never stale; it holds two float WAV files that anyone can play, and what is known of
them in ``pair.json``. A folder that cannot be read is made again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from data import audio, dry
from data.audio import Samples
from data.devices import recorded
from data.effects import Effect
from data.errors import InputError
from data.locks import lock

SOURCE_RATE_HZ = 44_100  # the built-in dry signal's


def effect_rate_hz(sample_rate_hz: int) -> int:
    """The rate that an effect runs at: the source's, or a higher one that is asked for.

    So that what it distorts beyond the source's band is there for models that have room for it.
    """
    return max(SOURCE_RATE_HZ, sample_rate_hz)


@dataclass(frozen=True)
class Pair:
    """A dry signal and what an effect makes of it.

    Attributes:
        dry, wet: shape ``(samples,)`` each, of equal length.
        sample_rate_hz: of both.
        name: of the effect.
        report: for a recording what its import found, a line each; else empty.
    """

    dry: Samples
    wet: Samples
    sample_rate_hz: int
    name: str
    report: tuple[str, ...] = ()


@dataclass(frozen=True)
class DrySignal:
    """The built-in dry signal of this length and seed."""

    seconds: float = 480.0
    seed: int = 0


def pair(effect: Effect, signal: DrySignal, sample_rate_hz: int, cache: Path) -> Pair:
    """The pair of an effect, from the cache or made and put there by one process.

    Args:
        effect: what makes (or made) the wet signal.
        signal: the dry one; a recording brings its own and ignores it.
        sample_rate_hz: rate of the result; soxr brings both signals there.
        cache: folder of all pairs.

    Raises:
        InputError: whatever the device or the import finds wrong.
    """
    folder = cache / key(effect, signal, sample_rate_hz)
    found = _found(folder)
    if found:
        return found
    with lock(folder.with_name(f".{folder.name}.lock"), wait=True):
        found = _found(folder)  # somebody else may have made it meanwhile
        if found:
            return found
        _store(_made(effect, signal, sample_rate_hz), folder)
        return _loaded(folder)


def key(effect: Effect, signal: DrySignal, sample_rate_hz: int) -> str:
    """Folder name of a pair: the effect's name and a hash of what the pair depends on."""
    depends_on: dict[str, Any] = {"effect": effect.to_dict(), "sample_rate_hz": sample_rate_hz}
    if effect.kind == "recording":
        depends_on["effect"] |= {"dry_file": "", "wet_file": "", "version": recorded.VERSION}
    else:
        depends_on |= {"seconds": signal.seconds, "seed": signal.seed, "dry": dry.VERSION}
        if sample_rate_hz > SOURCE_RATE_HZ:  # before, effects ran at the source's rate alone
            depends_on["effect_rate_hz"] = effect_rate_hz(sample_rate_hz)
    digest = hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()
    readable = "".join(c if c.isalnum() else "-" for c in effect.name)[:40]
    return f"{readable}-{digest[:16]}"


def _made(effect: Effect, signal: DrySignal, sample_rate_hz: int) -> Pair:
    if effect.kind == "recording":
        dry_samples, wet, report = recorded.import_pair(
            effect.dry_file, effect.wet_file, sample_rate_hz
        )
        return Pair(dry_samples, wet, sample_rate_hz, effect.name, tuple(report.lines()))
    source = _source(signal)
    dry_samples = audio.resample(source, SOURCE_RATE_HZ, sample_rate_hz)
    rate_hz = effect_rate_hz(sample_rate_hz)
    wet = effect.render(source if rate_hz == SOURCE_RATE_HZ else dry_samples, rate_hz)
    return Pair(
        dry_samples, audio.resample(wet, rate_hz, sample_rate_hz), sample_rate_hz, effect.name
    )


def through(effect: Effect, dry_samples: Samples, sample_rate_hz: int) -> Samples:
    """What an effect makes of any signal, by the way that its pair was made.

    The effect runs at ``effect_rate_hz``, between two resamplings if that is another. As long
    as the dry signal; not for recordings.
    """
    rate_hz = effect_rate_hz(sample_rate_hz)
    wet = effect.render(audio.resample(dry_samples, sample_rate_hz, rate_hz), rate_hz)
    return audio.resample(wet, rate_hz, sample_rate_hz)[: len(dry_samples)]


@lru_cache(maxsize=1)
def _source(signal: DrySignal) -> Samples:
    return dry.generate(signal.seconds, signal.seed, SOURCE_RATE_HZ)


def _store(made: Pair, folder: Path) -> None:
    """Fill a folder aside and rename it, so that another process sees all of it or none.

    Takes the place of a damaged pair and of what a killed process left aside, so it is
    only for the holder of the lock.
    """
    aside = folder.with_name(f".{folder.name}.aside")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        audio.write(aside / "dry.wav", made.dry, made.sample_rate_hz)
        audio.write(aside / "wet.wav", made.wet, made.sample_rate_hz)
        known = {"name": made.name, "report": list(made.report)}
        (aside / "pair.json").write_text(json.dumps(known, indent=2), encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _found(folder: Path) -> Pair | None:
    """The pair that a folder holds, or None if it is missing, incomplete or damaged."""
    try:
        return _loaded(folder)
    except (InputError, OSError, ValueError, KeyError, TypeError):
        return None


def _loaded(folder: Path) -> Pair:
    known = json.loads((folder / "pair.json").read_text(encoding="utf-8"))
    dry_file, wet_file = audio.read(folder / "dry.wav"), audio.read(folder / "wet.wav")
    return Pair(
        dry_file.samples,
        wet_file.samples,
        dry_file.sample_rate_hz,
        known["name"],
        tuple(known["report"]),
    )
