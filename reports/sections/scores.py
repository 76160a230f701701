"""What the table says of an effect, drawn: heat maps, dots, bars and learning curves."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from reports.drawing import figures, style
from reports.drawing.figures import Curve
from reports.sources.cache import Cache, Facts, Kept
from reports.sources.results import Model, Results, Spread, best_of_families

MOST_DOTS = 24


def of_effect(results: Results, effect: str, cache: Cache) -> Kept:
    """The score figures of an effect, from the cache if its rows have not changed."""
    models = results.models_of(effect)
    curves = _curves(results, effect)
    inputs = [
        [[model.structure, model.rows] for model in models],
        {loss: [_plain(curve) for curve in own] for loss, own in curves.items()},
    ]
    return cache.kept(f"{effect}-scores", inputs, lambda folder: _fill(folder, models, curves))


def cells(models: Sequence[Model]) -> dict[tuple[str, int], Spread]:
    """Test ESR by structure and training-set size, best structure first."""
    return {(model.structure, model.training_frames): model.spread("esr") for model in models}


def has_heat_map(models: Sequence[Model]) -> bool:
    """Whether there are two structures and two training-set sizes to lay out.

    Sequences have no size of their own: they take what there is.
    """
    if any(model.is_on_sequences for model in models):
        return False
    by_cell = cells(models)
    return all(len(set(axis)) > 1 for axis in zip(*by_cell, strict=True))


def not_drawn(models: Sequence[Model]) -> list[str]:
    """How many models the dots leave out; nothing where all are drawn."""
    left = len(models) - MOST_DOTS
    if has_heat_map(models) or left <= 0:
        return []
    return [f"The best {MOST_DOTS} by validation are drawn; {left} more are in the table of runs."]


def _fill(folder: Path, models: Sequence[Model], curves: dict[str, list[Curve]]) -> Facts:
    fir_esr, dry_esr = (models[0].spread(name).mean for name in ("fir_esr", "dry_esr"))
    with style.styled():
        if has_heat_map(models):
            structures = style.save(figures.heat_map(cells(models)), folder, "heat-map")
        else:
            drawn = figures.dots(models[:MOST_DOTS], fir_esr, dry_esr)
            structures = style.save(drawn, folder, "dots")
        standing = figures.standing(best_of_families(models), fir_esr, dry_esr)
        return {
            "structures": asdict(structures),
            "standing": asdict(style.save(standing, folder, "standing")),
            "curves": {
                loss: asdict(
                    style.save(figures.learning_curves(own, loss), folder, f"curves-{loss}")
                )
                for loss, own in curves.items()
            },
        }


def _curves(results: Results, effect: str) -> dict[str, list[Curve]]:
    """Learning curves by training loss: different losses share no axis."""
    final = {row["run_id"]: row for row in results.finals if row["effect"] == effect}
    curves: dict[str, list[Curve]] = defaultdict(list)
    for run_id, part in results.history.groupby("run_id", sort=False):
        row = final.get(str(run_id))
        if row:
            curves[row["loss"]].append(figures.curve(row, part))
    return dict(curves)


def _plain(curve: Curve) -> list[object]:
    """A curve as JSON, which has no NaN."""
    numbers = [*curve.epochs, *curve.losses, *curve.validation_losses]
    return [curve.family, [x if math.isfinite(x) else None for x in numbers]]
