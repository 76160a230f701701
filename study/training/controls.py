"""Models of an effect whose controls turn: what they learn from, and their folders.

A *conditioned* model is one model that is told the setting: the controls enter beside every
dry sample, constant over a frame. *Fading* has one model a setting and blends the outputs of
the two whose settings lie next to the one asked for, linearly; *nearest* plays the nearer of
them alone. A row a setting and way stands in ``settings.parquet`` of the grid.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from data.frames import Span, with_controls
from data.pairs import Pair
from data.splits import Split
from study.config.run import RunConfig, Setting
from study.dataset import Dataset, Datasets
from study.store.folders import CHECKPOINT_EVERY_S, RunFolder
from study.store.knob_table import setting_name
from study.training import loop
from study.training.loop import EpochReport, TrainState


def train(
    config: RunConfig,
    datasets: Datasets,
    folder: RunFolder,
    after_epoch: Callable[[EpochReport], None],
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> TrainState:
    """Train a run, with its knobs if it has any; arguments and errors of ``training.train``.

    A faded run's model of the effect's own setting is the run's; those of the other
    settings lie in folders below, ``settings/<setting>/model.keras``.
    """
    if config.knobs == "conditioned":
        dataset = conditioned(config, datasets)
        return loop.train(config, dataset, folder, after_epoch, checkpoint_every_s)
    own = datasets.of(config)
    train_state = loop.train(config, own, folder, after_epoch, checkpoint_every_s)
    others = [setting for setting in config.seen_settings if setting != config.own_setting]
    for number, setting in enumerate(others, start=1):
        plain = config.at(setting)
        below = folder_of(folder, config, setting)
        dataset = datasets.of(plain)

        def report(epoch: EpochReport, number: int = number) -> None:
            after_epoch(epoch._replace(model=number))

        other = loop.train(plain, dataset, below, report, checkpoint_every_s)
        train_state.seconds += other.seconds
    return train_state


def conditioned(config: RunConfig, datasets: Datasets) -> Dataset:
    """The pairs of all seen settings end to end, with the controls beside the dry signal."""
    parts = [(setting, datasets.of(config.at(setting))) for setting in config.seen_settings]
    dry = [with_controls(own.pair.dry, [*setting.values()]) for setting, own in parts]
    starts = np.cumsum([0, *(len(own.pair.dry) for _, own in parts)])

    def moved(part: str) -> tuple[Span, ...]:
        return tuple(
            Span(span.start + int(start), span.stop + int(start))
            for start, (_, own) in zip(starts, parts, strict=False)
            for span in getattr(own.split, part)
        )

    wet = np.concatenate([own.pair.wet for _, own in parts])
    pair = Pair(np.concatenate(dry), wet, config.sample_rate_hz, config.effect["name"])
    return Dataset(pair, Split(moved("train"), moved("validation"), moved("test")))


def folder_of(folder: RunFolder, config: RunConfig, setting: Setting) -> RunFolder:
    """Where a faded run keeps the model of a setting."""
    if setting == config.own_setting:
        return folder
    return RunFolder(folder.path / "settings" / setting_name(setting))
