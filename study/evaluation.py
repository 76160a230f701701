"""A trained model becomes one row of the table. All metrics are of the test split."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from data import audio, splits
from models.architecture import multiply_accumulates
from study import metrics, table
from study.grid import RunConfig
from study.material import Material, Materials
from study.rendering import render_stretches
from study.store import RunFolder
from study.training import Progress, final_epoch, load_weights


def evaluate_run(
    config: RunConfig, materials: Materials, folder: RunFolder, progress: Progress
) -> list[dict[str, Any]]:
    """Rows of a trained run: its checkpoint epochs in order, then the final model.

    Writes the test split as each model renders it beside the models.
    """
    material = materials.of(config)
    shared = {
        **table.described(config),
        "status": "ok",
        **_baselines(material, materials.test_fir(config)),
        "macs_per_sample": multiply_accumulates(config.architecture),
    }
    kept: list[int | None] = [e for e in config.checkpoint_epochs if e <= progress.epoch]
    rows = []
    for epoch in [*sorted(kept), None]:  # type: ignore[type-var]
        weights = load_weights(folder.model_file(epoch))
        trained = final_epoch(config, progress) if epoch is None else epoch
        rows.append(
            {
                **shared,
                **_judged(config, material, weights, folder, epoch),
                "epoch": trained,
                "is_final": epoch is None,
                "parameters": int(sum(np.size(value) for value in weights)),
                "training_seconds": progress.seconds * trained / progress.epoch,
            }
        )
    return rows


def _judged(
    config: RunConfig,
    material: Material,
    weights: list[jax.Array],
    folder: RunFolder,
    epoch: int | None,
) -> dict[str, Any]:
    """Metrics of one model and how long it took to render; keeps the rendering."""
    pair, split = material.pair, material.split
    test = render_stretches(config.architecture, weights, pair.dry, split.test)
    validation = render_stretches(config.architecture, weights, pair.dry, split.validation)
    audio.write(folder.prediction_file(epoch), test.samples, pair.sample_rate_hz)
    rendered_s = sum(stretch.samples for stretch in split.test) / pair.sample_rate_hz
    return {
        **metrics.evaluate(material.test_target, test.samples, pair.sample_rate_hz),
        "validation_esr": metrics.esr(
            splits.scored(pair.wet, split.validation), validation.samples
        ),
        "inference_seconds_per_second": test.seconds / rendered_s,
    }


def _baselines(material: Material, fir: audio.Samples) -> dict[str, float]:
    target = material.test_target
    return {
        f"{name}_{metric.__name__}": metric(target, prediction)
        for name, prediction in (("dry", material.test_dry), ("fir", fir))
        for metric in (metrics.mae, metrics.r2, metrics.esr)
    }
