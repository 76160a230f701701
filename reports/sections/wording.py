"""What the numbers say, in sentences: headlines, captions and the figures' text alternatives.

Every sentence is made from the results at hand and worded with the uncertainty that their
seeds allow; none is written beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.sources.numbers import counted, decibels, ranged, significant
from reports.sources.results import Model, Results, Spread
from study.store.roles import role


@dataclass(frozen=True)
class Comparison:
    """One line of a headline: a metric of the best model and of the baselines."""

    metric: str
    model: str
    spread: str
    fir: str
    dry: str


@dataclass(frozen=True)
class Headline:
    """The best model of an effect, chosen by its validation ESR."""

    model: str
    details: str
    comparisons: tuple[Comparison, ...]
    sentences: tuple[str, ...]


def headline(results: Results, effect: str) -> Headline:
    """What to remember of an effect."""
    models = results.models_of(effect)
    best = models[0]
    return Headline(
        model=best.structure,
        details=f"{best.training_set}, {_epochs(best)}",
        comparisons=tuple(
            _comparison(best, column, name, digits)
            for column, name, digits in (("esr", "ESR", 3), ("r2", "R²", 4), ("mae", "MAE", 3))
        ),
        sentences=(against_fir(best), certainty(best), *failed(best), *runner_up(models)),
    )


def against_fir(best: Model) -> str:
    """The best model's error energy against the linear filter's."""
    model, fir = best.spread("esr"), best.spread("fir_esr").mean
    left = f"It leaves {percent(model.mean)} of the target's energy as error"
    filter_leaves = f"the best linear filter of {_length(best)} leaves {percent(fir)}"
    if model.high < fir:
        times = significant(fir / model.mean, 2)
        return f"{left}; {filter_leaves}, {times} times as much."
    if model.low < fir:
        return f"{left}; {filter_leaves}. Not every seed does better than that filter."
    return f"{left}; {filter_leaves}. So it does not beat a mere filter."


def _length(model: Model) -> str:
    """Of the filter beside a model: its frame's, if it has one."""
    row = model.rows[0]
    if row["training"] == "sequence":
        return "64 taps"
    return f"the same length ({row['frame_size']} taps)"


def certainty(best: Model) -> str:
    """How far the seeds allow a claim."""
    spread = best.spread("esr")
    if spread.count == 1:
        return "One seed only: how far chance alone moves these figures was not measured."
    ratio = significant(spread.high / max(spread.low, 1e-12), 2)
    return (
        f"Mean of {spread.count} seeds, range in brackets; "
        f"the worst seed has {ratio} times the ESR of the best."
    )


def failed(best: Model) -> list[str]:
    """How many seeds no figure holds; nothing where none failed."""
    lost = best.failed_seeds
    if not lost:
        return []
    run = counted(len(best.rows) + lost, "seed")
    return [f"{lost} of {run} failed and {'is' if lost == 1 else 'are'} not in these figures."]


def runner_up(models: Sequence[Model]) -> list[str]:
    """Whether the second best is clearly worse; nothing if there is no second."""
    if len(models) < 2:
        return []
    best, second = models[0].spread("validation_esr"), models[1].spread("validation_esr")
    name = second_name(models[0], models[1])
    esr = significant(models[1].spread("esr").mean)
    if min(best.count, second.count) == 1:
        verdict = "a difference that other seeds may reverse"
    elif second.low <= best.high:
        verdict = "and their ranges of validation ESR overlap, so the order is not certain"
    else:
        verdict = "and their ranges of validation ESR do not overlap"
    return [f"Next comes {name} with a test ESR of {esr}, {verdict}."]


def second_name(best: Model, second: Model) -> str:
    """The second model, with its training-set size if that sets the two apart."""
    return second.structure if second.training_frames == best.training_frames else second.label


def structures(models: Sequence[Model]) -> str:
    """What the heat map or the dots show."""
    best, worst = (pick(models, key=lambda model: model.spread("esr").mean) for pick in (min, max))
    if best is worst:
        return f"{best.label}: test ESR {spread_text(best.spread('esr'))}."
    repeated = any(len(model.rows) > 1 for model in models)
    text = (
        f"{'Mean test' if repeated else 'Test'} ESR runs from "
        f"{significant(best.spread('esr').mean)} ({best.label}) "
        f"to {significant(worst.spread('esr').mean)} ({worst.label})."
    )
    more = _more_frames(models)
    return f"{text} {more}" if more else text


def _more_frames(models: Sequence[Model]) -> str:
    """In how many structures the largest training set does better than the smallest."""
    by_structure: dict[str, list[Model]] = {}
    for model in sorted(models, key=lambda model: model.training_frames):
        by_structure.setdefault(model.structure, []).append(model)
    pairs = [(own[0], own[-1]) for own in by_structure.values() if len(own) > 1]
    if not pairs:
        return ""
    better = sum(b.spread("esr").mean < a.spread("esr").mean for a, b in pairs)
    return (
        f"The largest training set gives a lower mean ESR than the smallest in {better} of "
        f"{counted(len(pairs), 'structure')}."
    )


def standing(models: Sequence[Model]) -> str:
    """How many models beat the baselines, and by how much the best does."""
    best = models[0]
    fir = sum(m.spread("esr").mean < m.spread("fir_esr").mean for m in models)
    dry = sum(m.spread("esr").mean < m.spread("dry_esr").mean for m in models)
    come = "comes" if dry == 1 else "come"
    gain_db = decibels(best.spread("fir_esr").mean / max(best.spread("esr").mean, 1e-20))
    return (
        f"{dry} of {counted(len(models), 'model')} {come} closer to the target than the "
        f"{best.given} signal does, {fir} closer than the linear filter. "
        f"The best by validation, {best.structure}, stands {abs(gain_db):.1f} dB "
        f"{'above' if gain_db >= 0 else 'below'} the filter."
    )


def learning(results: Results, effect: str, loss: str) -> str:
    """Where the learning curves end, and whether they still fall or part."""
    runs = {r["run_id"] for r in results.finals if r["effect"] == effect and r["loss"] == loss}
    return learning_of(results.history[results.history["run_id"].isin(runs)])


def learning_of(history: pd.DataFrame) -> str:
    """The same of any runs' history."""
    last = history.groupby("run_id", sort=False).tail(1)
    lowest = float(last["validation_loss"].min())
    ratio = float((last["validation_loss"] / last["loss"]).median())
    falling = _still_falling(history)
    if len(last) == 1:
        return (
            f"The validation loss ends at {significant(float(last['validation_loss'].iloc[0]))}, "
            f"{significant(ratio, 2)} times the training loss. Its lowest came "
            f"{'in' if falling else 'before'} the last tenth of training."
        )
    return (
        f"{counted(len(last), 'run')}; the lowest final validation loss is {significant(lowest)}. "
        f"Validation loss ends at {significant(ratio, 2)} times the training loss (median). "
        f"In the last tenth of training {falling} of {len(last)} reach their lowest."
    )


def _still_falling(history: pd.DataFrame) -> int:
    """Runs whose lowest validation loss comes in the last tenth of their epochs."""
    count = 0
    for _, run in history.groupby("run_id", sort=False):
        losses = run["validation_loss"].to_numpy()
        count += int(losses.argmin() >= 0.9 * len(losses) - 1)
    return count


def waveform(name: str, facts: Mapping[str, Any]) -> str:
    """How closely the predictions follow a span of waveform."""
    moment = {
        "transient": f"The strongest onset, {facts['milliseconds']:.0f} ms",
        "sustained": f"The note some 0.2 s later, {facts['milliseconds']:.0f} ms",
    }[name]
    errors = "; ".join(
        f"{label}: {abs(error_db):.0f} dB {'below' if error_db < 0 else 'above'}"
        for label, error_db in facts["errors"]
    )
    return (
        f"{moment} from {facts['start_s']:.2f} s of the test split, target peak "
        f"{significant(facts['target_peak'], 2)}. Errors relative to the target: {errors}."
    )


def worst(facts: Mapping[str, Any]) -> str:
    """How bad the worst five seconds are, and how much of all error they hold."""
    share, time = (percent(facts[name]) for name in ("share_of_error", "share_of_time"))
    return (
        f"The {facts['seconds']:.1f} s from {facts['start_s']:.1f} s of the test split have an ESR "
        f"of {significant(facts['esr'])}; they hold {share} of all its error energy in {time} of "
        f"its time. {level_sentence(facts['error_db'])}"
    )


def worst_waveform(facts: Mapping[str, Any]) -> str:
    """The largest error of these five seconds."""
    own = facts["waveform"]
    return (
        f"{own['milliseconds']:.0f} ms about the largest error of these seconds, at "
        f"{facts['peak_s']:.2f} s of the test split; target peak "
        f"{significant(own['target_peak'], 2)}."
    )


def place(row: Mapping[str, Any], index: int, count: int) -> str:
    """Where a run stands among all of its effect, by validation ESR."""
    rank = "the lowest" if index == 0 else f"number {index + 1}"
    among = f"{rank} of {counted(count, 'run')} of this effect" if count > 1 else "the only run"
    return (
        f"Validation ESR {significant(row['validation_esr'])}, {among}; test ESR "
        f"{significant(row['esr'])}, where the linear filter leaves {significant(row['fir_esr'])}."
    )


def renderings(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """How the final model does when it is rendered in other ways than its main one."""
    main = rows[0]
    return [
        f"Rendered {row['rendering']} instead of {main['rendering']} its test ESR is "
        f"{significant(row['esr'])}, at {row['macs_per_sample']:,} multiply-accumulates a sample "
        f"instead of {main['macs_per_sample']:,}."
        for row in rows
        if role(row) == "other"
    ]


def whole_error(error_db: float) -> str:
    """The same of the whole test split, beside something that shows only a part of it."""
    return f"Over the whole test split {_level(error_db)}."


def level_sentence(error_db: float) -> str:
    """How far an error lies from its target, as a sentence."""
    text = _level(error_db)
    return f"{text[0].upper()}{text[1:]}."


def epoch_picture(facts: Mapping[str, Any]) -> str:
    """One prediction's spectrogram."""
    return (
        f"Prediction after {counted(facts['epoch'], 'epoch')}: test ESR "
        f"{significant(facts['esr'])}; in this excerpt {_level(facts['error_db'])}."
    )


def error_picture(facts: Mapping[str, Any]) -> str:
    """The error's spectrogram."""
    last = facts["epochs"][-1]
    median_hz = significant(facts["error_median_hz"], 2)
    return (
        f"Target minus prediction after {counted(last['epoch'], 'epoch')}, on the same scale: "
        f"{_level(last['error_db'])}, half of its energy below {median_hz} Hz."
    )


def _level(error_db: float) -> str:
    side = "below" if error_db < 0 else "above"
    return f"the error lies {abs(error_db):.1f} dB {side} the target"


def percent(ratio: float) -> str:
    """0.0213 as "2.13 %"."""
    return f"{significant(100 * ratio)} %"


def spread_text(spread: Spread, digits: int = 3) -> str:
    """Mean and range, as in 0.0213 (0.0198 to 0.0231); the mean alone for a single seed."""
    mean = significant(spread.mean, digits)
    if spread.count == 1:
        return mean
    return f"{mean} ({ranged(spread.low, spread.high, digits)})"


def _comparison(best: Model, column: str, name: str, digits: int) -> Comparison:
    spread = best.spread(column)
    return Comparison(
        name,
        significant(spread.mean, digits),
        ranged(spread.low, spread.high, digits) if spread.count > 1 else "",
        *(significant(best.spread(f"{base}_{column}").mean, digits) for base in ("fir", "dry")),
    )


def _epochs(model: Model) -> str:
    trained = sorted({row["epoch"] for row in model.rows})
    if len(trained) == 1:
        return counted(trained[0], "epoch")
    return f"{trained[0]} to {trained[-1]} epochs"
