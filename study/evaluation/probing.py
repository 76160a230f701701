"""Which systems are probed for aliases, and what is kept of their answers.

The effect itself is probed at the study's sample rate, through the same resampling as
its dry/wet pair, so that models stand beside what they imitate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import signal

from data import audio, pairs
from data.audio import Samples
from data.effects import Effect
from study.measures import aliasing
from study.measures.aliasing import Float64s, Probe, Process, one_by_one
from study.store.folders import ProbeFolder

# From the open low E to the 24th fret of the high E, and a little room about them.
GUITAR_HZ = (80.0, 1330.0)
SWEEP_S = 4.0
SWEEP_FROM_HZ = 20.0
SWEEP_TO_SHARE = 0.48  # of the sample rate

Row = dict[str, Any]


class Probed(NamedTuple):
    """Answers to the probes.

    Attributes:
        rows: a probe each: ``probe`` (``standard`` or ``note``), ``f0_hz``,
            ``amplitude``, and the fields of ``aliasing.Aliasing``.
        spectra_db: of the standard probes, shape ``(probes, period // 2 + 1)``, float16.
    """

    rows: list[Row]
    spectra_db: npt.NDArray[np.float16]


def probed(
    process: Process,
    sample_rate_hz: int,
    memory_samples: int | None = None,
    *,
    with_notes: bool = False,
    at_once: int = 1,
) -> Probed:
    """Ask a system the standard probes and, if wanted, the notes of a piano.

    Args:
        process: the system.
        sample_rate_hz: at which it works.
        memory_samples: see ``aliasing.responses``.
        with_notes: ask the notes too.
        at_once: signals that the process is given together; more take more memory.
    """
    asked = {"standard": aliasing.standard_probes(sample_rate_hz)}
    if with_notes:
        asked["note"] = aliasing.note_probes(sample_rate_hz)
    rows: list[Row] = []
    spectra = []
    for kind, probes in asked.items():
        for probe, answer in _answers(process, probes, memory_samples, at_once):
            found = aliasing.analyse(answer, probe)
            rows.append(
                {
                    "probe": kind,
                    "f0_hz": probe.f0_hz,
                    "amplitude": probe.amplitude,
                    **found._asdict(),
                }
            )
            if kind == "standard":
                spectra.append(aliasing.spectrum_db(answer, probe).astype(np.float16))
    return Probed(rows, np.stack(spectra))


def _answers(
    process: Process, probes: list[Probe], memory_samples: int | None, at_once: int
) -> Iterator[tuple[Probe, aliasing.Signals]]:
    for first in range(0, len(probes), at_once):
        some = probes[first : first + at_once]
        yield from zip(some, aliasing.responses(process, some, memory_samples), strict=True)


def summary(rows: list[Row]) -> dict[str, float | None]:
    """The ASR columns of the results table.

    ``asr_<f>hz_db`` is that of the standard probe near f at amplitude 0.5,
    ``asr_worst_db`` the highest of all standard probes, and ``asr_guitar_db`` the highest of the
    notes that a guitar's strings play; None where notes were not asked for.
    """
    standard = [row for row in rows if row["probe"] == "standard"]
    columns: dict[str, float | None] = {
        f"asr_{hz:.0f}hz_db": None for hz in aliasing.FREQUENCIES_HZ
    }
    for row in standard:
        if row["amplitude"] == max(aliasing.AMPLITUDES):
            nearest = min(aliasing.FREQUENCIES_HZ, key=lambda hz: abs(hz - row["f0_hz"]))
            columns[f"asr_{nearest:.0f}hz_db"] = row["asr_db"]
    played = [row for row in rows if row["probe"] == "note" and _is_played(row["f0_hz"])]
    return {**columns, "asr_worst_db": _highest(standard), "asr_guitar_db": _highest(played)}


def _is_played(f0_hz: float) -> bool:
    lowest_hz, highest_hz = GUITAR_HZ
    return lowest_hz <= f0_hz <= highest_hz


def _highest(rows: list[Row]) -> float | None:
    return max((row["asr_db"] for row in rows if row["asr_db"] is not None), default=None)


def effect_process(effect: Effect, sample_rate_hz: int) -> Process:
    """An effect as its pair was made."""

    def process(dry: Float64s) -> Samples:
        return pairs.through(effect, dry.astype(np.float32), sample_rate_hz)

    return one_by_one(process)


def sweep(sample_rate_hz: int) -> Samples:
    """A logarithmic sine sweep from 20 Hz to just below Nyquist, shape ``(samples,)``."""
    seconds = np.arange(round(SWEEP_S * sample_rate_hz)) / sample_rate_hz
    chirp = signal.chirp(
        seconds,
        SWEEP_FROM_HZ,
        SWEEP_S,
        SWEEP_TO_SHARE * sample_rate_hz,
        method="logarithmic",
        phi=-90,
    )
    return np.asarray(aliasing.SWEEP_AMPLITUDE * chirp, np.float32)


def probe_effect(effect: Effect, sample_rate_hz: int, folder: ProbeFolder) -> list[Row]:
    """The rows of an effect, from its folder or measured and put there.

    A recording cannot be asked, so it has none.
    """
    if effect.kind == "recording":
        return []
    with folder.lock():
        kept = folder.rows()
        if kept is None:
            process = effect_process(effect, sample_rate_hz)
            found = probed(process, sample_rate_hz, with_notes=True)
            swept = process(sweep(sample_rate_hz)[None].astype(np.float64))[0]
            audio.write(folder.sweep_file, swept, sample_rate_hz)
            folder.write(found.rows, {"effect": found.spectra_db})
            kept = found.rows
        return kept
