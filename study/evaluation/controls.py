"""Models of an effect whose controls turn, judged at settings that were never trained.

A row a setting and way stands in ``settings.parquet`` of the grid (``study.training.controls``
tells the ways).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from data import files
from data.audio import Samples
from models.architecture import multiply_accumulates, streaming_multiply_accumulates
from study.config.rendering import FRAMED, STREAMING
from study.config.run import RunConfig, Setting
from study.dataset import Dataset, Datasets
from study.measures import metrics
from study.rendering.framed import Prediction, render, render_spans
from study.rendering.streaming import render_streaming
from study.rendering.weights import load_weights
from study.store.folders import RunFolder
from study.store.knob_table import SETTINGS_FILE, setting_name
from study.training.controls import folder_of


def evaluate(config: RunConfig, datasets: Datasets, folder: RunFolder) -> None:
    """Judge a run with knobs at every setting and keep a row each."""
    if config.knobs == "none":
        return
    find = _conditioned_answers if config.knobs == "conditioned" else _faded_answers
    renderings = [config.main_rendering]
    if config.main_rendering == FRAMED and config.architecture.streams:
        renderings.append(STREAMING)
    rows = []
    for rendering in renderings:
        answers = find(config, datasets, folder, rendering)
        for setting in (*config.seen_settings, *config.unseen_settings):
            dataset = datasets.of(config.at(setting))
            target = dataset.test_target
            for way, (prediction, macs) in answers(setting).items():
                rows.append(
                    {
                        "run_id": config.run_id,
                        "setting": setting_name(setting),
                        **{f"control_{name}": value for name, value in setting.items()},
                        "is_seen": setting in config.seen_settings,
                        "way": way,
                        "rendering": rendering,
                        "macs_per_sample": macs,
                        **metrics.evaluate(target, prediction, dataset.pair.sample_rate_hz),
                        "dry_esr": metrics.esr(target, dataset.test_dry),
                    }
                )
    files.write_json(folder.path / SETTINGS_FILE, rows)


# The answer to a setting by way of finding it, and its multiply-accumulates a sample.
Answers = Callable[[Setting], dict[str, tuple[Samples, int]]]


def _conditioned_answers(
    config: RunConfig, datasets: Datasets, folder: RunFolder, rendering: str
) -> Answers:
    weights = load_weights(config, folder.model_file())
    dataset = datasets.of(config)

    def answers(setting: Setting) -> dict[str, tuple[Samples, int]]:
        told = tuple(setting.values())
        return {
            "conditioned": (
                _test(config, weights, dataset, rendering, told),
                _macs(config, rendering),
            )
        }

    return answers


def _faded_answers(
    config: RunConfig, datasets: Datasets, folder: RunFolder, rendering: str
) -> Answers:
    dataset = datasets.of(config)
    [name] = config.controls
    # The dry signal is the same at every setting, so each model plays it once.
    rendered = {
        setting[name]: _test(
            config.at(setting),
            load_weights(config.at(setting), folder_of(folder, config, setting).model_file()),
            dataset,
            rendering,
        )
        for setting in config.seen_settings
    }
    macs = _macs(config, rendering)

    def answers(setting: Setting) -> dict[str, tuple[Samples, int]]:
        value = setting[name]
        if value in rendered:
            return {"fixed": (rendered[value], macs)}
        shares = blend(value, sorted(rendered))
        faded = sum(np.float32(share) * rendered[own] for own, share in shares.items())
        nearest = min(rendered, key=lambda own: (abs(own - value), own))
        return {
            "faded": (np.asarray(faded, np.float32), len(shares) * macs),
            "nearest": (rendered[nearest], macs),
        }

    return answers


def blend(value: float, seen: Sequence[float]) -> Mapping[float, float]:
    """Share of the model of each seen value next to ``value``; one alone beyond the ends."""
    above = int(np.searchsorted(seen, value))
    if above in (0, len(seen)):
        return {seen[min(above, len(seen) - 1)]: 1.0}
    low, high = seen[above - 1], seen[above]
    share = (value - low) / (high - low)
    return {low: 1 - share, high: share}


def _test(
    config: RunConfig,
    weights: list[jax.Array],
    dataset: Dataset,
    rendering: str,
    controls: Sequence[float] = (),
) -> Samples:
    """The scored part of the test split as a model renders it at a setting."""

    def one(dry: Samples) -> Prediction:
        play: Any = render_streaming if rendering == STREAMING else render
        answer: Prediction = play(config.architecture, weights, dry, controls)
        return answer

    return render_spans(one, dataset.pair.dry, dataset.split.test).samples


def _macs(config: RunConfig, rendering: str) -> int:
    count = streaming_multiply_accumulates if rendering == STREAMING else multiply_accumulates
    return count(config.architecture)
