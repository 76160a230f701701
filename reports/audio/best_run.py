"""What the best models of an effect look like: waveforms, and spectrograms by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data import audio
from data.audio import Samples
from data.errors import InputError
from reports.audio import excerpts, players
from reports.audio.excerpts import Excerpt
from reports.drawing import figures, spectra, style
from reports.sources.cache import Cache, Facts, Kept, fingerprint, pair_inputs
from reports.sources.results import Results, Row, given_by
from study.dataset import Dataset, Datasets
from study.selection.candidates import Candidate
from study.store.folders import RunFolder
from study.store.roles import role

SHOWN_EPOCHS = 3  # checkpoints beside the final model
SPECTROGRAM_S = 3.0
SPECTROGRAM_COLUMNS = 260


@dataclass(frozen=True)
class Rendering:
    """A stored rendering of the test split.

    Attributes:
        label, family: of the model.
        epoch: whose weights rendered it.
        esr: of the whole test split.
        file: the rendering.
    """

    label: str
    family: str
    epoch: int
    esr: float
    file: Path

    def fingerprint(self) -> list[Any]:
        """What pictures of it depend on."""
        return [self.label, self.family, self.epoch, self.esr, fingerprint(self.file)]


def of_effect(
    results: Results,
    effect: str,
    shown: Sequence[tuple[str, Candidate]],
    cache: Cache,
    datasets: Datasets,
) -> Kept:
    """What candidates of an effect look like, from the cache if nothing has changed.

    Args:
        results: of the study.
        effect: its name.
        shown: what candidates are called, and they themselves, on one pair; the chosen one first.
        cache: of the report.
        datasets: of the study's pairs.

    Raises:
        InputError: a rendering or the dry/wet pair is missing or cannot be read.
    """
    best = [_rendering(results, label, own.row) for label, own in shown]
    label, chosen = shown[0]
    epochs = [
        _rendering(results, label, row)
        for row in spaced(results.checkpoints_of(chosen.run_id), SHOWN_EPOCHS)
        if row["rendering"] == chosen.rendering
    ]
    config = results.configs[chosen.run_id]
    inputs = [
        *pair_inputs(config),
        [rendering.fingerprint() for rendering in [*best, *epochs]],
    ]

    def fill(folder: Path) -> Facts:
        dataset = datasets.of(config)
        return _fill(folder, dataset, best, epochs, given_by(config.direction))

    return cache.kept(f"{effect}-look", inputs, fill)


def spaced(rows: Sequence[Row], count: int) -> list[Row]:
    """At most so many rows, the first and the last among them, evenly between."""
    positions = np.linspace(0, len(rows) - 1, min(count, len(rows)))
    return [rows[round(position)] for position in positions]


def existing(run: RunFolder, file: Path) -> Path:
    """A rendering of a run.

    Raises:
        InputError: it is not there.
    """
    if not file.is_file():
        raise InputError(
            f"run {run.run_id}",
            expected=f"the rendering {file.name} in its folder",
            found="no such file",
            remedy="Remove the run's result.json and run the grid again.",
        )
    return file


def _rendering(results: Results, label: str, row: Mapping[str, Any]) -> Rendering:
    epoch = row["epoch"] if role(row) == "checkpoint" else None
    run = results.store.run(row["run_id"])
    file = existing(run, run.prediction_file(epoch, row["rendering"]))
    return Rendering(label, row["family"], row["epoch"], row["esr"], file)


def _fill(
    folder: Path,
    dataset: Dataset,
    best: Sequence[Rendering],
    epochs: Sequence[Rendering],
    given: str,
) -> Facts:
    dry, target = dataset.test_dry, dataset.test_target
    rate = dataset.pair.sample_rate_hz
    parts = excerpts.spans(dataset.split.test)
    onset = excerpts.strongest_onset(dry, rate, parts)
    traces = [figures.Trace(r.label, r.family, rendered(r.file, len(target))) for r in best]
    with style.styled():
        waves = {
            name: waveform(folder, name, excerpt, rate, dry, target, traces, given=given)
            for name, excerpt in (
                ("transient", excerpts.around_onset(onset, rate, parts)),
                ("sustained", excerpts.sustained(target, onset, rate, parts)),
            )
        }
        shown = excerpts.seconds_around(onset, SPECTROGRAM_S, rate, parts)
        signals = [rendered(rendering.file, len(target)) for rendering in epochs]
        spectra = _spectrograms(
            folder, rate, shown.of(target), [*epochs, best[0]],
            [shown.of(x) for x in [*signals, traces[0].samples]],
        )  # fmt: skip
    return {
        "onset_s": onset / rate,
        "waveforms": waves,
        "spectrograms": {"start_s": shown.start / rate, "seconds": shown.samples / rate, **spectra},
    }


def rendered(file: Path, expected: int) -> Samples:
    """A stored rendering, which must be as long as the scored test split.

    Raises:
        InputError: it is missing, unreadable or of another length.
    """
    samples = audio.read(file).samples
    if len(samples) != expected:
        raise InputError(
            f"audio file {file}",
            expected=f"{expected} samples, the scored test split",
            found=f"{len(samples)}",
            remedy="Remove the run's result.json and run the grid again.",
        )
    return samples


def waveform(
    folder: Path,
    name: str,
    excerpt: Excerpt,
    rate: int,
    dry: Samples,
    target: Samples,
    traces: Sequence[figures.Trace],
    *,
    given: str,
) -> Facts:
    """Draw an excerpt of target and predictions, and tell how far these are off."""
    cut = [figures.Trace(t.label, t.family, excerpt.of(t.samples)) for t in traces]
    y, start_s = excerpt.of(target), excerpt.start / rate
    figure = figures.waveform(start_s, rate, excerpt.of(dry), y, cut, given=given)
    return {
        "picture": asdict(style.save(figure, folder, name)),
        "start_s": start_s,
        "milliseconds": 1000 * excerpt.samples / rate,
        "target_peak": float(np.max(np.abs(y))),
        "errors": [[t.label, players.ratio_db(t.samples - y, y)] for t in cut],
    }


def _spectrograms(
    folder: Path,
    rate: int,
    target: Samples,
    renderings: Sequence[Rendering],
    predictions: Sequence[Samples],
) -> Facts:
    """The target, each epoch's prediction, and the last one's error, on one scale."""
    target_power = _power(target, rate)
    reference = float(target_power.max())

    def draw(name: str, power: spectra.Power) -> Facts:
        power_db = spectra.in_db(power, reference)
        figure = figures.spectrogram(power_db, len(target) / rate, rate)
        return asdict(style.save(figure, folder, name))

    error_power = _power(predictions[-1] - target, rate)
    return {
        "target": draw("spectrogram-target", target_power),
        "epochs": [
            {
                "picture": draw(f"spectrogram-epoch-{r.epoch}", _power(prediction, rate)),
                "epoch": r.epoch,
                "esr": r.esr,
                "error_db": players.ratio_db(prediction - target, target),
            }
            for r, prediction in zip(renderings, predictions, strict=True)
        ],
        "error": draw("spectrogram-error", error_power),
        "error_median_hz": spectra.median_hz(error_power, rate),
    }


def _power(samples: Samples, rate: int) -> spectra.Power:
    return spectra.power(samples, rate, SPECTROGRAM_COLUMNS)
