"""What the report tells of the search that chose a study's settings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from reports.drawing import style
from reports.drawing.pictures import Picture, shown
from reports.sections.search import figures
from reports.sections.search.figures import Coordinate, Share, Tried
from reports.sources.cache import Cache, Facts
from reports.sources.numbers import counted, significant
from study.search import search_file
from study.search.search_file import STARTUP_TRIALS, Axis, Choices, Search
from study.store import received
from study.store.columns import TRIAL_COLUMNS, Columns
from study.store.folders import Store


@dataclass(frozen=True)
class SearchSection:
    """The trials of a search.

    Attributes:
        sentences: how many trials, what the best was, and how far importances can be trusted.
        pictures: parallel coordinates, course, importances; as far as trials allow.
        failures: trial and reason.
    """

    sentences: tuple[str, ...]
    pictures: tuple[Picture, ...]
    failures: tuple[tuple[str, str], ...]


def search_section(store: Store, cache: Cache) -> SearchSection | None:
    """The search that a study's settings come from; None where they come from a grid.

    A search that has begun anew since, with another space, is not told of before its end.

    Args:
        store: of the study.
        cache: of the report, to which figures are drawn.
    """
    folder = search_file.folder(store)
    if store.manifest().get("target") != "search" or not search_file.searched_file(store).exists():
        return None
    search = search_file.searched(store)
    trials = received.parquet(
        folder / "trials.parquet",
        _columns(search),
        optional=["validation_loss", "reason", *search.space],  # what failed early has none
    )
    shares = [Share(**own) for own in received.importances(folder / "importances.json")]
    told = trials[trials["validation_loss"].notna() & (trials["state"] != "fail")]
    tried = Tried(
        tuple(int(number) for number in told["trial"]),
        tuple(float(loss) for loss in told["validation_loss"]),
        tuple(bool(whole) for whole in told["state"] == "complete"),
    )
    failed = trials[trials["state"] == "fail"]
    return SearchSection(
        sentences=(
            *_counts(trials, search),
            *([_best(told, tried, search)] if any(tried.is_whole) else []),
            *_doubts(shares, told),
        ),
        pictures=tuple(_pictures(search, told, tried, shares, cache)),
        failures=tuple(
            (f"trial {trial}", str(reason))
            for trial, reason in zip(failed["trial"], failed["reason"], strict=True)
        ),
    )


def _columns(search: Search) -> Columns:
    """Of the table of trials: a column a setting beside what each has."""
    settings = {name: (_dtype(axis), "a setting") for name, axis in search.space.items()}
    return TRIAL_COLUMNS | settings


def _dtype(axis: Axis) -> str:
    values = tuple(axis.values) if isinstance(axis, Choices) else ()
    if any(isinstance(value, str) for value in values):
        return "string"
    return "boolean" if any(isinstance(value, bool) for value in values) else "Float64"


def _counts(trials: pd.DataFrame, search: Search) -> list[str]:
    states = trials["state"].value_counts()
    whole, pruned, failed = (int(states.get(s, 0)) for s in ("complete", "pruned", "fail"))
    told = [
        f"{counted(len(trials), 'trial')} of {counted(search.base.epochs, 'epoch')}: {whole} "
        f"trained to the end, {pruned} stopped early because they stood above the median of the "
        f"others at their age or diverged" + (f", {failed} failed." if failed else ".")
    ]
    if pruned:
        # Epochs that a failed trial lacks were not saved, but lost.
        spent = int(trials.loc[trials["state"] == "pruned", "epochs"].sum())
        planned = (len(trials) - failed) * search.base.epochs
        share = 100 * (pruned * search.base.epochs - spent) / planned
        whose = " of those that did not fail" if failed else ""
        told.append(f"Stopping these early saved {share:.0f} % of the epochs{whose}.")
    return told


def _best(told: pd.DataFrame, tried: Tried, search: Search) -> str:
    best = told.iloc[tried.best]
    settings = ", ".join(f"{name.replace('_', ' ')} {_text(best[name])}" for name in search.space)
    return (
        f"The lowest validation loss is that of trial {best['trial']}: "
        f"{significant(best['validation_loss'])} with {settings}. The study's runs were trained "
        "with these settings; the test split played no part in the search."
    )


def _doubts(shares: Sequence[Share], told: pd.DataFrame) -> list[str]:
    """What the importances say, and how little."""
    if not shares:
        return ["Too few trials differ for importances to be estimated."]
    first = shares[0]
    told_of = (
        f"Of the settings, {first.name.replace('_', ' ')} explains the largest share of the "
        f"difference in loss, {first.share:.2f}. {counted(len(told), 'trial')} tell that poorly: "
        f"drawn anew from the same trials, 90 % of the shares lie between {first.low:.2f} and "
        f"{first.high:.2f}."
    )
    unsure = [own.name.replace("_", " ") for own in shares[1:] if own.high > first.low]
    if unsure:
        told_of += f" Its lead is not certain over {', '.join(unsure)}."
    return [
        told_of,
        "A setting with a small share may matter elsewhere in the space, and pruned trials "
        "count with the loss at which they were stopped.",
    ]


def _pictures(
    search: Search, told: pd.DataFrame, tried: Tried, shares: Sequence[Share], cache: Cache
) -> list[Picture]:
    if not any(tried.is_whole):
        return []
    coordinates = [_coordinate(name, axis, told[name]) for name, axis in search.space.items()]
    coordinates.append(_loss_coordinate(tried))

    def fill(folder: Path) -> Facts:
        with style.styled():
            drawn = {
                "coordinates": figures.parallel_coordinates(coordinates, tried),
                "course": figures.course(tried),
                **({"importances": figures.importances(shares)} if shares else {}),
            }
            return {name: asdict(style.save(own, folder, name)) for name, own in drawn.items()}

    # Another drawing is another figure.
    inputs = [
        Path(figures.__file__).read_text("utf-8"),
        asdict(tried),
        [asdict(own) for own in coordinates],
        [asdict(own) for own in shares],
    ]
    kept = cache.kept("search", inputs, fill)
    texts = {
        "coordinates": (
            "Settings and loss",
            "A line is a trial, from its settings to its lowest validation loss. Pruned trials "
            "are grey, the best one is bold.",
        ),
        "course": (
            "Course of the search",
            f"The first {STARTUP_TRIALS} trials are random; results guide the next.",
        ),
        "importances": ("Importance of the settings", _spans(shares)),
    }
    return [
        shown(kept.folder, kept.facts[name], *texts[name]) for name in texts if name in kept.facts
    ]


def _spans(shares: Sequence[Share]) -> str:
    spans = "; ".join(
        f"{own.name.replace('_', ' ')} {own.share:.2f} ({own.low:.2f} to {own.high:.2f})"
        for own in shares
    )
    return f"{spans}. The lines span 90 % of what resampled trials give."


def _coordinate(name: str, axis: Axis, values: pd.Series[Any]) -> Coordinate:
    """Where the trials lie on the axis of a setting."""
    if isinstance(axis, Choices):
        last = len(axis.values) - 1
        places = {_text(value): k / last for k, value in enumerate(axis.values)}
        return Coordinate(
            name,
            tuple(places[_text(value)] for value in values),
            tuple((place, label) for label, place in places.items()),
        )
    return _numeric(name, [float(v) for v in values], axis.low, axis.high, is_log=axis.is_log)


def _loss_coordinate(tried: Tried) -> Coordinate:
    low, high = min(tried.losses), max(tried.losses)
    return _numeric("loss", tried.losses, low, max(high, 1.01 * low), is_log=True)


def _numeric(
    name: str, values: Sequence[float], low: float, high: float, *, is_log: bool
) -> Coordinate:
    """An axis with a tick at both ends and one between them."""

    def place(value: float) -> float:
        if is_log:
            return math.log(value / low) / math.log(high / low)
        return (value - low) / (high - low)

    middle = math.sqrt(low * high) if is_log else (low + high) / 2
    return Coordinate(
        name,
        tuple(place(value) for value in values),
        tuple((place(value), significant(value, 2)) for value in (low, middle, high)),
    )


def _text(value: Any) -> str:
    """A value as people read it: 16, 0.00123, lstm."""
    if isinstance(value, str | bool):
        return str(value)
    number = float(value)
    return str(int(number)) if number.is_integer() else significant(number)
