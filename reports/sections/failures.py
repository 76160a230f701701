"""Where models fail: the worst five seconds of the best run, and attacks against what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from data.errors import InputError
from reports.audio import one_run
from reports.drawing import style
from reports.drawing.pictures import Picture, shown
from reports.sections.aliasing.findings import attacks
from reports.sections.wording import spread_text
from reports.sections.worst_seconds import Worst
from reports.sections.worst_seconds import worst as worst_seconds
from reports.sources.cache import Cache, Facts
from reports.sources.links import link_of
from reports.sources.numbers import counted, significant
from reports.sources.results import Model, Results, Spread, best_of_families
from study.dataset import Datasets


@dataclass(frozen=True)
class Failures:
    """Of one effect; ``problem`` says why there is nothing to hear."""

    model: str
    link: str
    worst: Worst | None
    attacks: Picture | None
    sentences: tuple[str, ...]
    problem: str


def failures(results: Results, effect: str, cache: Cache, datasets: Datasets) -> Failures:
    """What the best run of an effect gets most wrong, and whether attacks are the worst of it."""
    models = results.models_of(effect)
    best = models[0].best_run
    name = f"{models[0].label}, seed {best['seed']}"
    worst, problem = None, ""
    try:
        kept = one_run.of_run(results, best, cache, datasets)
        worst = worst_seconds(kept, f"{effect}, {name}")
    except InputError as error:
        problem = str(error)
    compared = [model for model in best_of_families(models) if _parts(model)]
    return Failures(
        model=name,
        link=link_of(best["run_id"]),
        worst=worst,
        attacks=_attacks(effect, compared, cache) if compared else None,
        sentences=tuple(_sentences(compared)),
        problem=problem,
    )


def _parts(model: Model) -> tuple[Spread, Spread] | None:
    """ESR of attacks and of what rings after them, if notes were found."""
    columns = ("esr_transient", "esr_sustained")
    if any(row[name] is None for row in model.rows for name in columns):
        return None
    return model.spread(columns[0]), model.spread(columns[1])


def _sentences(models: Sequence[Model]) -> list[str]:
    if not models:
        return ["Too few notes were found in the test split to tell attacks from what follows."]
    best = models[0]
    attack, rest = _parts(best) or (Spread.of([1.0]), Spread.of([1.0]))
    found = counted(best.rows[0]["onsets"], "note")
    lead = (
        f"{best.structure} leaves an ESR of {spread_text(attack)} in the first 10 ms of "
        f"{found}, and of {spread_text(rest)} from 50 to 500 ms after their onset"
    )
    worse = sum(a.mean > b.mean for a, b in filter(None, map(_parts, models)))
    sentences = [f"{lead}.", *attacks(best)]
    if len(models) > 1:
        sentences.append(
            f"Attacks are worse than what follows in {worse} of the best models of "
            f"{len(models)} families."
        )
    return sentences


def _attacks(effect: str, models: Sequence[Model], cache: Cache) -> Picture:
    own = [
        (model.structure, model.family, a, b)
        for model in models
        for a, b in filter(None, [_parts(model)])
    ]

    def fill(folder: Path) -> Facts:
        with style.styled():
            return asdict(style.save(_drawn(own), folder, "attacks"))

    inputs = [[name, family, asdict(a), asdict(b)] for name, family, a, b in own]
    kept = cache.kept(f"{effect}-attacks", inputs, fill)
    values = "; ".join(
        f"{name}: {significant(a.mean)} against {significant(b.mean)}" for name, _, a, b in own
    )
    return shown(
        kept.folder,
        kept.facts,
        "Test ESR of attacks against what follows",
        f"Best model of each family, first 10 ms against 50 to 500 ms. {values}.",
    )


def _drawn(models: Sequence[tuple[str, str, Spread, Spread]]) -> Figure:
    names = [style.wrapped(name) for name, *_ in models]
    lines = sum(max(1, name.count("\n") + 1) for name in names)
    figure = style.blank(1.2 + 0.34 * lines)
    ax = figure.subplots()
    for height, (_, family, attack, rest) in enumerate(models):
        colour = style.FAMILY_COLOURS[family]
        ax.plot([attack.mean, rest.mean], [height, height], color=colour, linewidth=1)
        for offset, part, fill in ((-0.08, attack, colour), (0.08, rest, "none")):
            ax.plot([part.low, part.high], [height + offset] * 2, color=colour, linewidth=1)
            ax.plot(part.mean, height, "o", markersize=8, color=colour, markerfacecolor=fill)
    ax.set(xscale="log", xlabel="test ESR (lower is better)", ylim=(len(models) - 0.5, -0.5))
    style.plain_log_ticks(ax, "x")
    ax.set_yticks(range(len(models)), names)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    handles = [
        Line2D([], [], linestyle="none", marker="o", markersize=8, color=style.INK),
        Line2D(
            [], [], linestyle="none", marker="o", markersize=8, color=style.INK,
            markerfacecolor="none",
        ),
    ]  # fmt: skip
    style.legend_above(figure, handles, ["first 10 ms of notes", "50 to 500 ms"])
    return figure
