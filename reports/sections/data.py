"""What the models were given: the dry signal, what the effect makes of it, and the split."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from data.audio import Samples
from data.errors import InputError
from reports.drawing import spectra, style
from reports.drawing.pictures import Picture, shown
from reports.sources.cache import Cache, Facts, pair_inputs
from reports.sources.numbers import decibels, significant
from reports.sources.results import Results
from study.config.run import RunConfig
from study.dataset import Dataset, Datasets

COLUMNS = 360  # of the overview, as many as a phone shows apart
BANDS = 160
LOWEST_HZ = 40.0
PARTS = ("training", "validation", "test")
# As in the figures of families: told apart by colour-blind people, and by their order here.
_COLOURS = (style.NEUTRAL, *(style.FAMILY_COLOURS[name] for name in ("gru", "lstm")))


@dataclass(frozen=True)
class Inputs:
    """The signals of one effect; ``problem`` says why there are none to show."""

    pictures: tuple[Picture, ...]
    sentences: tuple[str, ...]
    report: tuple[str, ...]
    problem: str


def inputs(results: Results, effect: str, cache: Cache, datasets: Datasets) -> Inputs:
    """Pictures of dry and wet, and what is worth knowing of them."""
    best = results.models_of(effect)[0].best_run
    config = results.configs[best["run_id"]]

    def fill(folder: Path) -> Facts:
        return _fill(folder, as_recorded(config, datasets.of(config)))

    try:
        kept = cache.kept(f"{effect}-inputs", pair_inputs(config), fill)
    except InputError as error:
        return Inputs((), (), (), str(error))
    facts = kept.facts
    return Inputs(
        pictures=(
            shown(kept.folder, facts["overview"], "Dry above, wet below", _overview_text(facts)),
            shown(kept.folder, facts["spectra"], "Power spectra", _spectra_text(facts)),
        ),
        sentences=(_sentence(facts, config),),
        report=tuple(facts["report"]),
        problem="",
    )


def as_recorded(config: RunConfig, dataset: Dataset) -> Dataset:
    """Dry and wet under their own names, whichever of them the models are given."""
    if config.direction == "forward":
        return dataset
    pair = dataset.pair
    return replace(dataset, pair=replace(pair, dry=pair.wet, wet=pair.dry))


def _fill(folder: Path, dataset: Dataset) -> Facts:
    pair, split = dataset.pair, dataset.split
    rate = pair.sample_rate_hz
    seconds = {
        name: sum(span.samples for span in part) / rate
        for name, part in zip(PARTS, (split.train, split.validation, split.test), strict=True)
    }
    with style.styled():
        overview = style.save(_overview(dataset), folder, "overview")
        frequency_hz, dry_db = _spectrum(pair.dry, rate)
        _, wet_db = _spectrum(pair.wet, rate)
        drawn = style.save(_spectra(frequency_hz, dry_db, wet_db), folder, "spectra")
    return {
        "overview": asdict(overview),
        "spectra": asdict(drawn),
        "rate_hz": rate,
        "seconds": seconds,
        "levels": {"dry": _level(pair.dry), "wet": _level(pair.wet)},
        "rise_db": float(np.max(wet_db - dry_db)),
        "rise_hz": float(frequency_hz[int(np.argmax(wet_db - dry_db))]),
        "report": list(pair.report),
    }


def _overview(dataset: Dataset) -> Figure:
    """Highest and lowest sample of every column, coloured by part of the split."""
    pair, split = dataset.pair, dataset.split
    rate = pair.sample_rate_hz
    figure = style.blank(3.2)
    axes = figure.subplots(2, 1, sharex=True)
    part_of = np.full(len(pair.dry), -1, np.int8)
    for number, part in enumerate((split.train, split.validation, split.test)):
        for span in part:
            part_of[span.start : span.stop] = number
    starts = np.linspace(0, len(pair.dry), COLUMNS + 1).astype(int)[:-1]
    time_s = starts / rate
    for ax, samples, name in zip(axes, (pair.dry, pair.wet), ("dry", "wet"), strict=True):
        high, low = (f.reduceat(samples, starts) for f in (np.maximum, np.minimum))
        for number, colour in enumerate(_COLOURS):
            own = part_of[starts] == number
            ax.fill_between(time_s, low, high, where=own, step="post", color=colour, linewidth=0.4)
        ax.set(ylabel=name, ylim=(-1, 1), xlim=(0, len(pair.dry) / rate))
    axes[-1].set_xlabel("time, s")
    handles = [Patch(color=colour) for colour in _COLOURS]
    style.legend_above(figure, handles, PARTS)
    return figure


def _spectra(
    frequency_hz: npt.NDArray[np.float64],
    dry_db: npt.NDArray[np.float64],
    wet_db: npt.NDArray[np.float64],
) -> Figure:
    figure = style.blank(3.2)
    ax: Axes = figure.subplots()
    ax.plot(frequency_hz, dry_db, color=style.NEUTRAL, label="dry")
    ax.plot(frequency_hz, wet_db, color=style.INK, label="wet")
    ax.set(xscale="log", xlabel="frequency, Hz", ylabel="power, dB")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set_ylim(bottom=max(float(min(dry_db.min(), wet_db.min())), float(wet_db.max()) - 110))
    style.legend_above(figure, *ax.get_legend_handles_labels())
    return figure


def _spectrum(samples: Samples, rate: int) -> tuple[npt.NDArray[np.float64], ...]:
    """Middles of bands of equal width in octaves, and the power in each, in dB."""
    edges_hz = np.geomspace(LOWEST_HZ, rate / 2, BANDS)
    power = spectra.by_band(*spectra.welch(samples, rate), edges_hz)
    return np.sqrt(edges_hz[:-1] * edges_hz[1:]), 10 * np.log10(np.maximum(power, 1e-20))


def _level(samples: Samples) -> Facts:
    wide = samples.astype(np.float64)
    return {
        "peak": float(np.max(np.abs(wide))),
        "rms_db": max(-200.0, decibels(float(np.mean(wide**2)))),
    }


def _sentence(facts: Facts, config: RunConfig) -> str:
    train, validation, test = (significant(facts["seconds"][name]) for name in PARTS)
    recorded = "built-in dry signal" if config.made_by.kind != "recording" else "recording"
    how = {
        "random": f"dealt in segments of {config.signal.segment_seconds:g} s",
        "sequential": "one after the other",
    }[config.signal.split]
    return (
        f"{recorded.capitalize()} at {facts['rate_hz']:,} Hz: {train} s to train on, "
        f"{validation} s to choose by and {test} s to judge by, {how}, before "
        "any training data was cut."
    )


def _overview_text(facts: Facts) -> str:
    dry, wet = (facts["levels"][name] for name in ("dry", "wet"))
    return (
        f"Dry: peak {significant(dry['peak'], 2)}, {_db(dry['rms_db'])} RMS; wet: peak "
        f"{significant(wet['peak'], 2)}, {_db(wet['rms_db'])} RMS. Colours are the parts of the "
        "split."
    )


def _spectra_text(facts: Facts) -> str:
    rise = facts["rise_db"]
    direction = "above" if rise >= 0 else "below"
    return (
        f"Over the whole signal. The wet signal stands out most at "
        f"{significant(facts['rise_hz'], 2)} Hz, {abs(rise):.0f} dB {direction} the dry one."
    )


def _db(level_db: float) -> str:
    return f"{level_db:.1f} dB".replace("-", "\N{MINUS SIGN}")
