"""What one run looks and sounds like: its learning, its waveforms, its worst moments, players.

Each run has one folder in the cache, made from nothing but what the run itself left, so that
another run of the grid never changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from data.audio import Samples
from reports.audio import best_run, excerpts, players
from reports.drawing import figures, style
from reports.drawing.figures import Trace
from reports.sources.cache import Cache, Facts, Kept, fingerprint, pair_inputs
from reports.sources.results import Results, Row, given_by
from study.dataset import Dataset, Datasets
from study.measures import metrics

EXCERPT_S = 6.0
WORST_S = 5.0
MOST_RENDERINGS = 3  # more lines than that are not told apart
# Predictions are louder than their target at times; beyond 3 dB they are clipped.
HEADROOM = 10 ** (-3 / 20)


def of_run(results: Results, row: Row, cache: Cache, datasets: Datasets) -> Kept:
    """Everything of a finished run, from the cache if it is there.

    Args:
        results: of the study.
        row: the run's main one.
        cache: of the report.
        datasets: of the study's pairs.

    Raises:
        InputError: a rendering or the dry/wet pair is missing or cannot be read.
    """
    config = results.configs[row["run_id"]]
    renderings = _renderings(results, row)

    def fill(folder: Path) -> Facts:
        with style.styled():
            return _fill(folder, results, row, datasets.of(config), renderings)

    return cache.kept(f"run {row['run_id']}", inputs_of(results, row), fill)


def is_there(results: Results, row: Row, cache: Cache) -> bool:
    """Whether nothing has to be drawn for a run."""
    return cache.has(f"run {row['run_id']}", inputs_of(results, row))


def inputs_of(results: Results, row: Row) -> list[Any]:
    """What everything of a run depends on."""
    config = results.configs[row["run_id"]]
    renderings = _renderings(results, row)
    return [
        pair_inputs(config),
        [[name, _content(file)] for name, file in renderings.items()],
        _content(results.folder_of(row).history_file),
        row["family"],
        row["loss"],
    ]


def signals(results: Results, row: Row, cache: Cache, datasets: Datasets) -> Kept:
    """The dry signal and the target as players have them, shared by all runs on a test split."""
    config = results.configs[row["run_id"]]

    def fill(folder: Path) -> Facts:
        dataset = datasets.of(config)
        rate = config.sample_rate_hz
        pieces = _pieces(dataset)
        both = {"dry": dataset.test_dry, "target": dataset.test_target}
        heard, rate_hz = players.heard(both, pieces, rate)
        gain = HEADROOM * players.loudest_gain(heard.values())
        return {"sounds": players.write_sounds(folder, heard, rate_hz, gain, heard["target"])}

    return cache.kept(f"signals {row['effect']}", pair_inputs(config), fill)


def _fill(
    folder: Path, results: Results, row: Row, dataset: Dataset, renderings: Mapping[str, Path]
) -> Facts:
    target, rate = dataset.test_target, dataset.pair.sample_rate_hz
    predictions = {name: best_run.rendered(file, len(target)) for name, file in renderings.items()}
    main = predictions[str(row["rendering"])]
    return {
        "curve": _curve(folder, results, row),
        "waveforms": _waveforms(folder, dataset, predictions, row),
        "excerpt": _excerpt(folder, dataset, predictions, main),
        "worst": _worst(folder, dataset, main, row),
        "rate_hz": rate,
    }


def _curve(folder: Path, results: Results, row: Row) -> Facts | None:
    curve = figures.curve_of(results, row)
    if curve is None:
        return None
    return asdict(style.save(figures.learning_curves([curve], row["loss"]), folder, "curve"))


def _waveforms(
    folder: Path, dataset: Dataset, predictions: Mapping[str, Samples], row: Row
) -> Facts:
    dry, target = dataset.test_dry, dataset.test_target
    rate = dataset.pair.sample_rate_hz
    parts = excerpts.spans(dataset.split.test)
    onset = excerpts.strongest_onset(dry, rate, parts)
    shown = list(predictions.items())[:MOST_RENDERINGS]
    traces = [Trace(name, row["family"], samples) for name, samples in shown]
    return {
        name: best_run.waveform(
            folder, name, excerpt, rate, dry, target, traces, given=given_by(row["direction"])
        )
        for name, excerpt in (
            ("transient", excerpts.around_onset(onset, rate, parts)),
            ("sustained", excerpts.sustained(target, onset, rate, parts)),
        )
    }


def _excerpt(
    folder: Path, dataset: Dataset, predictions: Mapping[str, Samples], main: Samples
) -> Facts:
    """Every rendering and the main one's error, at the gain of dry signal and target."""
    target, rate = dataset.test_target, dataset.pair.sample_rate_hz
    both = {"dry": dataset.test_dry, "target": target, **predictions, "error": main - target}
    heard, rate_hz = players.heard(both, _pieces(dataset), rate)
    dry, reference = heard.pop("dry"), heard.pop("target")
    gain = HEADROOM * players.loudest_gain([dry, reference])
    if players.is_too_quiet(heard["error"], gain):
        del heard["error"]
    return {
        "sounds": players.write_sounds(folder, heard, rate_hz, gain, reference),
        "gain": gain,
        "is_clipped": any(gain * float(np.max(np.abs(x))) > 1 for x in heard.values()),
        "error_db": players.ratio_db(main - target, target),
    }


def _worst(folder: Path, dataset: Dataset, main: Samples, row: Row) -> Facts:
    """Where the main rendering errs most, to look at and to listen to."""
    target, rate = dataset.test_target, dataset.pair.sample_rate_hz
    parts = excerpts.spans(dataset.split.test)
    window = excerpts.worst(target, main, WORST_S, rate, parts)
    inside = window.of(main) - window.of(target)
    peak = window.start + int(np.argmax(np.abs(inside)))
    close = excerpts.around_onset(peak, rate, parts)
    trace = Trace(str(row["rendering"]), row["family"], main)
    written = players.write_players(
        folder, {"target": target, "prediction": main}, [window], rate, "worst-"
    )
    error = float(np.sum(inside.astype(np.float64) ** 2))
    everything = float(np.sum((main - target).astype(np.float64) ** 2))
    return {
        **written,
        "start_s": window.start / rate,
        "seconds": window.samples / rate,
        "esr": metrics.esr(window.of(target), window.of(main)),
        "share_of_error": error / everything if everything else 0.0,
        "share_of_time": window.samples / len(target),
        "peak_s": peak / rate,
        "waveform": best_run.waveform(
            folder,
            "worst",
            close,
            rate,
            dataset.test_dry,
            target,
            [trace],
            given=given_by(row["direction"]),
        ),
    }


def _renderings(results: Results, row: Row) -> dict[str, Path]:
    """Files of the final model's renderings that can be played; the main one comes first."""
    run = results.folder_of(row)
    main = str(row["rendering"])
    others = [
        str(other["rendering"])
        for other in results.finals_of(row["run_id"])
        if other["rendering"] != main
    ]
    files = {name: run.prediction_file(None, name) for name in [main, *others]}
    best_run.existing(run, files[main])
    return {name: file for name, file in files.items() if file.is_file()}


def _pieces(dataset: Dataset) -> list[excerpts.Excerpt]:
    parts = excerpts.spans(dataset.split.test)
    return excerpts.phrases(dataset.test_dry, dataset.pair.sample_rate_hz, parts, EXCERPT_S)


def _content(file: Path) -> str:
    try:
        return fingerprint(file)
    except FileNotFoundError:
        return "none"
