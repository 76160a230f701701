"""Stored answers to the probes, of an effect or of any run, as pictures and lines of a table.

``of_run`` and ``of_effect`` serve the study page and pages of single runs alike: what they
draw is on the cache under the run or the effect, so two pages share one drawing.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import signal

from data import audio
from data.errors import InputError
from reports.drawing import style
from reports.drawing.pictures import Picture, shown
from reports.sections.aliasing import figures
from reports.sections.aliasing.figures import NoteCurve, Panel
from reports.sections.aliasing.marking import FLOOR_DB, marked
from reports.sections.aliasing.paired import signed_db
from reports.sources.cache import Cache, Facts, fingerprint
from reports.sources.numbers import significant
from study.config.rendering import FRAMED, Rendering
from study.config.run import RunConfig
from study.evaluation.probing import SWEEP_FROM_HZ, SWEEP_TO_SHARE
from study.measures import aliasing
from study.measures.aliasing import Float64s, Probe
from study.store.folders import ProbeFolder, RunFolder, Store

EFFECT = "effect"
SWEEP_COLUMNS = 240
SWEEP_ROWS = 180
SWEEP_WINDOW_S = 0.046

# What moves by itself spreads over even and odd bins alike, so aliases that the residue comes
# this near to are none; and below the second figure all is rounding.
_NEAR_DB = 6.0
_ROUNDING_DB = -90.0

Row = dict[str, Any]


@dataclass(frozen=True)
class Answers:
    """What one system answered in one way of rendering.

    Attributes:
        name: for files; the run's id, or the effect's pair.
        rendering: ``effect``, or as in the results.
        sample_rate_hz: at which it was asked.
        folder: where it is stored.
        standard: rows of the standard probes, in the order of ``probes``.
        notes: rows of the notes of a piano, by frequency; may be empty.
    """

    name: str
    rendering: str
    sample_rate_hz: int
    folder: ProbeFolder
    standard: tuple[Row, ...]
    notes: tuple[Row, ...]

    @property
    def probes(self) -> list[Probe]:
        """What was asked."""
        return aliasing.standard_probes(self.sample_rate_hz)

    @property
    def worst(self) -> Row | None:
        """The standard probe with the highest ASR; None if no answer holds a harmonic."""
        known = [row for row in self.standard if row["asr_db"] is not None]
        return max(known, key=lambda row: float(row["asr_db"]), default=None)

    @property
    def worst_residue_db(self) -> float | None:
        """The highest residue of all standard probes."""
        known = [float(row["residue_db"]) for row in self.standard if row["residue_db"] is not None]
        return max(known, default=None)

    @property
    def strongest_alias(self) -> Row | None:
        """The standard probe with the strongest single alias."""
        known = [row for row in self.standard if row["strongest_alias_db"] is not None]
        return max(known, key=lambda row: float(row["strongest_alias_db"]), default=None)


@dataclass(frozen=True)
class ProbeRow:
    """A line of the table, as text."""

    name: str
    worst: str
    worst_at: str
    strongest: str
    strongest_at: str
    residue: str


@dataclass(frozen=True)
class Drawn:
    """One system's answers as pictures.

    Attributes:
        answers: what they show.
        spectra: one picture an amplitude, the loud probes first.
        sweep: None where none was kept.
    """

    answers: Answers
    spectra: tuple[Picture, ...]
    sweep: Picture | None


def answers_of_run(run: RunFolder, config: RunConfig, rendering: str = FRAMED) -> Answers:
    """What a run's final model answered, rendered in one way.

    Raises:
        InputError: nothing (whole) was kept of it.
    """
    rows = [row for row in _rows(run.probes, f"run {run.run_id}") if row["rendering"] == rendering]
    # The final model comes last, also after a checkpoint of its own epoch, and after those of
    # later ones where patience went back to the best.
    final = {(row["probe"], row["f0_hz"], row["amplitude"]): row for row in rows
             if row["epoch"] == rows[-1]["epoch"]}  # fmt: skip
    return _answers(run.run_id, rendering, config, run.probes, list(final.values()))


def answers_of_effect(store: Store, config: RunConfig) -> Answers:
    """What the effect of a run answered itself, at the run's sample rate.

    Raises:
        InputError: nothing (whole) was kept of it, or nobody can ask it: a recording, or
            the way back from wet to dry.
    """
    folder = store.target(config.pair_key)
    is_recording, is_reversed = config.made_by.kind == "recording", config.direction == "reversed"
    if folder.rows() is None and (is_recording or is_reversed):
        raise InputError(
            f"effect {config.effect_name}",
            expected="an effect that can be asked",
            found=("a recording" if is_recording else "an inverse") + ", which answers no probes",
            remedy="Its models were asked all the same.",
        )
    rows = _rows(folder, f"effect {config.effect['name']}")
    return _answers(config.pair_key, EFFECT, config, folder, rows)


def of_run(
    store: Store,
    run: RunFolder,
    cache: Cache,
    label: str,
    rendering: str = FRAMED,
    *,
    with_sweep: bool = True,
) -> Drawn:
    """Pictures of any run's answers: spectra of the standard probes, and the sweep.

    Args:
        store: the study.
        run: a finished run of it.
        cache: of the report; what is drawn there already is not drawn again.
        label: who answers, to begin the pictures' titles with.
        rendering: one of the run's, as in the results.
        with_sweep: also the sweep, which only the run's main row has answered.

    Raises:
        InputError: the answers are missing or broken; the message says which.
    """
    config = run.config()
    answers = answers_of_run(run, config, rendering)
    target = store.target(config.pair_key).sweep_file
    return Drawn(
        answers,
        _spectra(answers, cache, label),
        _sweep(answers, target, cache, label) if with_sweep else None,
    )


def of_effect(store: Store, config: RunConfig, cache: Cache, label: str) -> Drawn:
    """Pictures of the answers of the effect that a run imitates, titled by ``label``.

    Raises:
        InputError: the answers are missing or broken; the message says which.
    """
    answers = answers_of_effect(store, config)
    return Drawn(answers, _spectra(answers, cache, label), _sweep(answers, None, cache, label))


def line(name: str, answers: Answers) -> ProbeRow:
    """A line of the table; empty where the answers hold no harmonic."""
    worst, strongest, residue_db = answers.worst, answers.strongest_alias, answers.worst_residue_db
    return ProbeRow(
        name=name,
        worst="" if worst is None else signed_db(worst["asr_db"]),
        worst_at=""
        if worst is None
        else _unbroken(f"{worst['f0_hz']:,.0f} Hz at {worst['amplitude']:g}"),
        strongest="" if strongest is None else signed_db(strongest["strongest_alias_db"]),
        strongest_at=""
        if strongest is None
        else _unbroken(f"{strongest['strongest_alias_hz']:,.0f} Hz"),
        residue="" if residue_db is None else _residue(residue_db),
    )


def note_curve(answers: Answers, family: str | None) -> NoteCurve | None:
    """ASR by note for ``figures.asr_by_note``; None where no notes were asked."""
    known = [row for row in answers.notes if row["asr_db"] is not None]
    if not known:
        return None
    return NoteCurve(
        family,
        family is not None and Rendering.parse(answers.rendering).carries_state,
        [float(row["f0_hz"]) for row in known],
        [float(row["asr_db"]) for row in known],
        [is_restless(row) for row in known],
    )


def is_restless(row: Row) -> bool:
    """Whether an answer hardly repeats with its sine: it drifts, hums or is noisy by itself."""
    residue_db, asr_db = row["residue_db"], row["asr_db"]
    if residue_db is None or asr_db is None:
        return False
    return bool(residue_db > max(_ROUNDING_DB, asr_db - _NEAR_DB))


def _unbroken(text: str) -> str:
    """On one line of a narrow table, which scrolls."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _residue(residue_db: float) -> str:
    return "none" if residue_db <= aliasing.FLOOR_DB else signed_db(residue_db)


def _rows(folder: ProbeFolder, subject: str) -> list[Row]:
    rows = folder.rows()
    if rows is None:
        raise _missing(subject, "no whole aliasing.json")
    return rows


def _missing(subject: str, found: str) -> InputError:
    return InputError(
        f"probes of {subject}",
        expected="its stored answers to sine probes",
        found=found,
        remedy="Remove the run's result.json and run the grid again.",
    )


def _answers(
    name: str, rendering: str, config: RunConfig, folder: ProbeFolder, rows: Sequence[Row]
) -> Answers:
    rate = config.sample_rate_hz
    standard = tuple(row for row in rows if row["probe"] == "standard")
    notes = sorted((row for row in rows if row["probe"] == "note"), key=lambda row: row["f0_hz"])
    asked = [(round(p.f0_hz, 6), p.amplitude) for p in aliasing.standard_probes(rate)]
    if [(round(row["f0_hz"], 6), row["amplitude"]) for row in standard] != asked:
        raise _missing(
            f"{name}, {rendering}", f"{len(standard)} standard probes, not the {len(asked)}"
        )
    return Answers(name, rendering, rate, folder, standard, tuple(notes))


def _spectra(answers: Answers, cache: Cache, label: str) -> tuple[Picture, ...]:
    """A picture an amplitude, loudest first.

    Raises:
        InputError: the spectra are missing or broken.
    """
    file = answers.folder.path / "spectra.npz"
    if not file.is_file():
        raise _missing(answers.name, "no spectra.npz")

    def fill(folder: Path) -> Facts:
        spectra = _stored_spectra(answers)
        pictures = []
        with style.styled():
            for amplitude in sorted(aliasing.AMPLITUDES, reverse=True):
                panels = [
                    Panel(probe.f0_hz, row["asr_db"], marked(spectrum, probe))
                    for probe, row, spectrum in zip(
                        answers.probes, answers.standard, spectra, strict=True
                    )
                    if probe.amplitude == amplitude
                ]
                rate_hz = aliasing.played_rate_hz(answers.sample_rate_hz)
                figure = figures.probe_spectra(panels, rate_hz)
                picture = style.save(figure, folder, f"spectra-{amplitude:g}".replace(".", "-"))
                pictures.append(
                    {
                        "picture": asdict(picture),
                        "amplitude": amplitude,
                        "strongest": _strongest_of(panels),
                    }
                )
        return {"pictures": pictures}

    inputs = [fingerprint(file), answers.rendering, [*answers.standard]]
    kept = cache.kept(f"spectra {answers.name}", inputs, fill)
    return tuple(
        shown(
            kept.folder,
            own["picture"],
            f"{label}: sines at {own['amplitude']:g} of full scale",
            own["strongest"],
        )
        for own in kept.facts["pictures"]
    )


def _stored_spectra(answers: Answers) -> npt.NDArray[np.float16]:
    try:
        spectra = answers.folder.spectra_db()[answers.rendering]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise _missing(answers.name, f"no spectra of {answers.rendering} ({error})") from error
    probes = answers.probes
    if spectra.shape != (len(probes), probes[0].period // 2 + 1):
        raise _missing(answers.name, f"spectra of shape {spectra.shape}")
    return spectra


def _strongest_of(panels: Sequence[Panel]) -> str:
    """The strongest alias of all panels, in words."""
    panel = max(panels, key=lambda own: own.marked.strongest.level_db)
    alias = panel.marked.strongest
    told = (
        f"The strongest alias, {signed_db(alias.level_db)} dBc at {alias.hz:,.0f} Hz, "
        f"answers the sine of {panel.f0_hz:,.0f} Hz"
    )
    if alias.level_db <= FLOOR_DB:
        return f"{told}; all lie below what is drawn."
    folded_khz = significant(alias.unfolded_hz / 1000)
    return f"{told}: its harmonic {alias.harmonic}, folded back from {folded_khz} kHz."


def _sweep(answers: Answers, target: Path | None, cache: Cache, label: str) -> Picture | None:
    """The spectrogram of the answer to the sweep, on the scale of the target's.

    Args:
        answers: whose.
        target: the effect's answer, which may be missing; None for the effect itself.
        cache: of the report.
        label: who answers.

    Raises:
        InputError: the answer, or the effect's, is no sound file.
    """
    file = answers.folder.sweep_file
    if not file.is_file():
        return None
    scale = target if target is not None and target.is_file() else file
    to_hz = SWEEP_TO_SHARE * answers.sample_rate_hz

    def fill(folder: Path) -> Facts:
        power = _sweep_power(file, answers.sample_rate_hz)
        reference = float(_sweep_power(scale, answers.sample_rate_hz).max()) or 1.0
        power_db = 10 * np.log10(np.maximum(power / reference, 1e-12))
        with style.styled():
            figure = figures.sweep(power_db, SWEEP_FROM_HZ, to_hz, answers.sample_rate_hz)
            return asdict(style.save(figure, folder, "sweep"))

    inputs = [fingerprint(file), fingerprint(scale), answers.sample_rate_hz]
    kept = cache.kept(f"sweep {answers.name}", inputs, fill)
    return shown(
        kept.folder,
        kept.facts,
        f"{label}: sweep",
        f"Answer to a sine that climbs from {SWEEP_FROM_HZ:g} Hz to {to_hz / 1000:.1f} kHz. Lines "
        "that climb with it are harmonics; lines that turn back down are aliases.",
    )


def _sweep_power(file: Path, sample_rate_hz: int) -> Float64s:
    """Power by frequency and time, shape ``(SWEEP_ROWS, SWEEP_COLUMNS)``, the loudest of each."""
    samples = audio.read(file).samples.astype(np.float64)
    size = 2 ** round(np.log2(SWEEP_WINDOW_S * sample_rate_hz))
    padded = np.pad(samples, size // 2)
    starts = np.linspace(0, len(padded) - size, SWEEP_COLUMNS).round().astype(int)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[starts]
    spectrum = np.fft.rfft(frames * signal.get_window("blackman", size), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).T
    edges = np.linspace(0, len(power), min(SWEEP_ROWS, len(power)) + 1).round().astype(int)
    return np.asarray(np.maximum.reduceat(power, edges[:-1], axis=0))
