"""A trained model becomes rows of the table. All metrics are of the test split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from data import audio, splits
from data.audio import Samples
from models.architecture import (
    multiply_accumulates,
    streaming_multiply_accumulates,
)
from study.config.rendering import FRAMED, Rendering
from study.config.run import RunConfig
from study.dataset import Dataset, Datasets
from study.evaluation import probing, stability
from study.measures import aliasing, metrics
from study.measures.aliasing import Float64s
from study.measures.transients import transient_error
from study.rendering.framed import Prediction, render, render_spans
from study.rendering.oversampled import render_oversampled
from study.rendering.streaming import render_streaming, stream
from study.rendering.weights import load_weights
from study.store import tables
from study.store.folders import RunFolder, Store
from study.training.input_pipeline import training_targets
from study.training.loop import TrainState, final_epoch


class Rendered(NamedTuple):
    """A model and a way of rendering with it.

    Attributes:
        config: the run.
        weights: in the order of the saved model.
        epoch: checkpoint epoch of the weights, or None for the final model.
        rendering: with it.
    """

    config: RunConfig
    weights: list[jax.Array]
    epoch: int | None
    rendering: Rendering

    @property
    def is_final(self) -> bool:
        """Whether this is what the run is known by."""
        return self.epoch is None and self.rendering.name == self.config.main_rendering

    @property
    def macs_per_sample(self) -> int:
        """Multiply-accumulates an output sample."""
        architecture = self.config.architecture
        if self.rendering.carries_state:
            return streaming_multiply_accumulates(architecture)
        return self.rendering.factor * multiply_accumulates(architecture)

    def render(self, dry: Samples) -> Prediction:
        """The wet signal of a dry one."""
        config = self.config
        architecture, rate_hz = config.architecture, config.sample_rate_hz
        if self.rendering.carries_state:
            return render_streaming(architecture, self.weights, dry, config.own_controls)
        if (factor := self.rendering.factor) > 1:
            return render_oversampled(architecture, self.weights, dry, rate_hz, factor)
        return render(architecture, self.weights, dry, config.own_controls)

    def probed(self) -> probing.Probed:
        """Its answers to the probes; notes too, unless it is a checkpoint or oversampled."""
        config = self.config

        def streamed(signals: Float64s) -> aliasing.Signals:
            dry = signals.astype(np.float32)
            return stream(config.architecture, self.weights, dry, config.own_controls)

        def one(signal: Float64s) -> Samples:
            return self.render(signal.astype(np.float32)).samples

        return probing.probed(
            streamed if self.rendering.carries_state else aliasing.one_by_one(one),
            config.sample_rate_hz,
            config.frame_size - 1 if self.rendering.name == FRAMED else None,
            with_notes=self.epoch is None and self.rendering.factor == 1,
            # Step by step, a handful of signals takes about as long as one.
            at_once=8 if self.rendering.carries_state else 1,
        )


def evaluate_run(
    config: RunConfig, datasets: Datasets, store: Store, train_state: TrainState
) -> list[dict[str, Any]]:
    """Rows of a trained run: checkpoint epochs, other ways of rendering, the final model last.

    Writes the test split as each model renders it, and its answers to sine probes,
    beside the models.
    """
    folder = store.run(config.run_id)
    dataset = datasets.of(config)
    effect_rows = (
        probing.probe_effect(config.made_by, config.sample_rate_hz, store.target(config.pair_key))
        if config.direction == "forward"
        else []  # nobody can ask the inverse of an effect
    )
    effect_asr_db = probing.summary(effect_rows)["asr_worst_db"]
    shared = {
        **tables.described(config),
        "training_frames": training_targets(config, dataset),
        "status": "ok",
        **_baselines(dataset, datasets.test_fir(config)),
        "effect_asr_worst_db": effect_asr_db,
    }
    rows, probe_rows, spectra = [], [], {}
    for model in _models(config, folder, train_state):
        trained = final_epoch(config, train_state) if model.epoch is None else model.epoch
        found = model.probed()
        known = {"epoch": trained, "rendering": model.rendering.name}
        probe_rows += [{**known, **row} for row in found.rows]
        if model.epoch is None:
            spectra[model.rendering.name] = found.spectra_db
        seconds = train_state.seconds * trained / train_state.epoch
        rows.append(
            {
                **shared,
                **known,
                **_judged(model, dataset, folder),
                **probing.summary(found.rows),
                **_stability(model),
                "is_final": model.is_final,
                "macs_per_sample": model.macs_per_sample,
                "parameters": int(sum(np.size(value) for value in model.weights)),
                "training_seconds": seconds + _fine_tuning_seconds(model, train_state),
            }
        )
    swept = model.render(  # the main model, which came last
        probing.sweep(config.sample_rate_hz)
    ).samples
    audio.write(folder.probes.sweep_file, swept, config.sample_rate_hz)
    folder.probes.write(probe_rows, spectra)
    return rows


def _stability(model: Rendered) -> dict[str, Any]:
    """Whether a model that carries its state comes to rest; nothing of the others."""
    if not model.rendering.carries_state or model.epoch is not None:
        return {}
    config = model.config
    found = stability.measure(
        config.architecture, model.weights, config.sample_rate_hz, config.own_controls
    )
    return {**found._asdict(), "instability": "; ".join(found.objections())}


def _fine_tuning_seconds(model: Rendered, train_state: TrainState) -> float:
    if model.epoch is not None:
        return 0.0
    tuned = train_state.streaming_seconds if model.rendering.tuned else 0.0
    return train_state.fine_tuning_seconds + tuned


def _models(config: RunConfig, folder: RunFolder, train_state: TrainState) -> Iterator[Rendered]:
    """Checkpoints in order, other ways of rendering, and the run's main model last."""
    main = Rendering.parse(config.main_rendering)
    for epoch in sorted(e for e in config.checkpoint_epochs if e <= train_state.epoch):
        yield Rendered(config, load_weights(config, folder.model_file(epoch)), epoch, main)
    weights = load_weights(config, folder.model_file())
    if not main.carries_state and config.architecture.streams:
        yield Rendered(config, weights, None, Rendering("streaming"))
    if config.streaming_epochs:
        tuned = load_weights(config, folder.streaming_model_file, is_sequence=True)
        yield Rendered(config, tuned, None, Rendering("streaming", tuned=True))
    for factor in config.oversampling:
        yield Rendered(config, weights, None, Rendering("framed", factor=factor))
    yield Rendered(config, weights, None, main)


def _judged(model: Rendered, dataset: Dataset, folder: RunFolder) -> dict[str, Any]:
    """Metrics of one model and how long it took to render; keeps the rendering."""
    pair, split = dataset.pair, dataset.split
    validation_esr = _validation_esr(model, dataset)
    test = render_spans(model.render, pair.dry, split.test)
    audio.write(
        folder.prediction_file(model.epoch, model.rendering.name), test.samples, pair.sample_rate_hz
    )
    rendered_s = sum(span.samples for span in split.test) / pair.sample_rate_hz
    target = dataset.test_target
    return {
        **metrics.evaluate(target, test.samples, pair.sample_rate_hz),
        **transient_error(
            dataset.test_onsets, dataset.test_parts, target, test.samples, pair.sample_rate_hz
        )._asdict(),
        "validation_esr": validation_esr,
        "inference_seconds_per_second": test.seconds / rendered_s,
    }


def _validation_esr(model: Rendered, dataset: Dataset) -> float:
    spans = dataset.split.validation
    rendered = render_spans(model.render, dataset.pair.dry, spans)
    return metrics.esr(splits.scored(dataset.pair.wet, spans), rendered.samples)


def _baselines(dataset: Dataset, fir: audio.Samples) -> dict[str, float]:
    target = dataset.test_target
    return {
        f"{name}_{metric.__name__}": metric(target, prediction)
        for name, prediction in (("dry", dataset.test_dry), ("fir", fir))
        for metric in (metrics.mae, metrics.r2, metrics.esr)
    }
