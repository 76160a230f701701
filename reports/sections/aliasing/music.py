"""Where on music the error lies: in frequency, in the attacks, above 8 kHz."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from data.audio import Samples
from reports.audio.best_run import existing, rendered
from reports.drawing import spectra, style
from reports.drawing.pictures import Picture, shown
from reports.sections.aliasing import figures
from reports.sections.aliasing.paired import Noted, noted_range
from reports.sources.cache import Cache, Facts, fingerprint, pair_inputs
from reports.sources.numbers import significant
from reports.sources.results import Model, best_of_families
from study.config.rendering import FRAMED
from study.config.run import RunConfig
from study.dataset import Datasets
from study.measures.aliasing import Float64s
from study.measures.metrics import HIGH_BAND_HZ
from study.store.folders import RunFolder, Store

LOWEST_HZ = 40.0
BANDS = 150  # as many points as a phone shows apart


@dataclass(frozen=True)
class PartsLine:
    """How a model's error spreads over the parts of music, as text: mean and range."""

    model: str
    seeds: int
    esr: Noted
    transient: Noted
    sustained: Noted
    above_8khz: Noted
    lsd_above_8khz: Noted


def of_run(
    store: Store,
    run: RunFolder,
    cache: Cache,
    datasets: Datasets,
    label: str,
    rendering: str = FRAMED,
) -> Picture:
    """Power spectra (Welch) of target, prediction and their difference over the test split.

    Args:
        store: the study.
        run: a finished run of it.
        cache: of the report; what is drawn there already is not drawn again.
        datasets: of the study's pairs.
        label: the model, to begin the picture's title with.
        rendering: one of the run's, as in the results.

    Raises:
        InputError: the rendering or the pair is missing or cannot be read.
    """
    config = run.config()
    file = existing(run, run.prediction_file(None, rendering))
    inputs = [
        *pair_inputs(config),
        fingerprint(file),
    ]

    def fill(folder: Path) -> Facts:
        target = datasets.of(config).test_target
        return _drawn(folder, config, target, rendered(file, len(target)))

    kept = cache.kept(f"power {run.run_id}", inputs, fill)
    return shown(
        kept.folder,
        kept.facts["picture"],
        f"{label}: power spectra of the test split",
        power_text(kept.facts["levels_db"]),
    )


def parts(models: Sequence[Model]) -> list[PartsLine]:
    """The best model of each family, best first."""
    return [
        PartsLine(
            model.structure,
            len(model.rows),
            *(
                over_seeds(model, column)
                for column in (
                    "esr",
                    "esr_transient",
                    "esr_sustained",
                    "esr_above_8khz",
                    "lsd_above_8khz_db",
                )
            ),
        )
        for model in best_of_families(models)
    ]


def over_seeds(model: Model, column: str) -> Noted:
    """Mean over the seeds with the range in brackets; empty where a seed has no value."""
    values = [row.get(column) for row in model.rows]
    known = [float(value) for value in values if value is not None]
    return noted_range(known, significant) if len(known) == len(values) else Noted()


def power_text(levels_db: Sequence[Sequence[float]]) -> str:
    """How far the error lies below the target in each of some bands."""
    bands = "; ".join(
        f"{low_hz / 1000:.3g} to {high_hz / 1000:.3g} kHz "
        f"{abs(level_db):.0f} dB {'below' if level_db < 0 else 'above'}"
        for low_hz, high_hz, level_db in levels_db
    )
    return f"The energy of the difference against the target's, by band: {bands}."


def _drawn(folder: Path, config: RunConfig, target: Samples, prediction: Samples) -> Facts:
    rate = config.sample_rate_hz
    found = [spectra.welch(samples, rate) for samples in (target, prediction, prediction - target)]
    frequency_hz, powers = found[0][0], [power for _, power in found]
    edges_hz = np.geomspace(LOWEST_HZ, rate / 2, BANDS + 1)
    bands = [spectra.by_band(frequency_hz, power, edges_hz) for power in powers]
    reference = float(bands[0].max())
    target_db, prediction_db, error_db = (
        np.asarray(10 * np.log10(np.maximum(power / reference, 1e-15))) for power in bands
    )
    middles_hz = np.sqrt(edges_hz[:-1] * edges_hz[1:])
    with style.styled():
        figure = figures.power_spectra(
            middles_hz, target_db, prediction_db, error_db, config.family
        )
        picture = asdict(style.save(figure, folder, "power"))
    return {"picture": picture, "levels_db": _error_levels(frequency_hz, powers, rate)}


def _error_levels(
    frequency_hz: Float64s, powers: Sequence[Float64s], rate: int
) -> list[tuple[float, float, float]]:
    """Low and high edge in Hz, and the error's level against the target in dB, of each band."""
    edges_hz = [0.0, *(hz for hz in (500.0, 2_000.0, HIGH_BAND_HZ) if hz < rate / 2), rate / 2]
    found = []
    for low_hz, high_hz in itertools.pairwise(edges_hz):
        inside = (frequency_hz >= low_hz) & (frequency_hz < high_hz)
        target, error = float(powers[0][inside].sum()), float(powers[2][inside].sum())
        if target > 0:
            level_db = 10 * float(np.log10(max(error / target, 1e-15)))
            found.append((low_hz, high_hz, level_db))
    return found
