"""What the probes and the bands say of an effect's models, in sentences made from the table.

Each is worded with the spread of the seeds, and each says where a model fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports.sections.aliasing import music
from reports.sections.aliasing.figures import NoteCurve
from reports.sections.aliasing.paired import Change, change, in_db, signed_db, told
from reports.sections.aliasing.probes import Answers, is_restless
from reports.sources.numbers import counted, significant
from reports.sources.results import Model, Results, Row
from study.config.rendering import FRAMED, STREAMING, STREAMING_TUNED
from study.measures.metrics import HIGH_BAND_HZ


def of_effect(results: Results, models: Sequence[Model]) -> list[str]:
    """Everything to be said of an effect from its models at one rate, the best first."""
    best = models[0]
    return [
        *other_rates(results, best),
        *worst_aliasing(best),
        *least_aliasing(models),
        *streaming(results, best),
        *high_band(models),
    ]


def at_one_rate(models: Sequence[Model]) -> list[Model]:
    """Those at the rate of the first: aliases and bands at several rates do not compare."""
    return [model for model in models if model.sample_rate_hz == models[0].sample_rate_hz]


def other_rates(results: Results, best: Model) -> list[str]:
    """Which models are left out since they run at other rates than the best one."""
    every = results.models_of(best.effect)
    others = [model for model in every if model.sample_rate_hz != best.sample_rate_hz]
    if not others:
        return []
    return [
        f"What follows is of models at {best.sample_rate_hz:,} Hz, the rate of the best one. "
        f"Aliases at several rates do not compare, so {counted(len(others), 'model')} at others "
        f"{'is' if len(others) == 1 else 'are'} left out."
    ]


def worst_aliasing(best: Model) -> list[str]:
    """The best model's worst ASR beside the effect's own."""
    values = _known(best.rows, "asr_worst_db")
    if not values:
        return []
    mean_db = sum(values) / len(values)
    percent = significant(100 * 10 ** (mean_db / 10), 2)
    seeds = (
        f" ({signed_db(min(values))} to {signed_db(max(values))} over {len(values)} seeds)"
        if len(values) > 1
        else " (one seed)"
    )
    text = (
        f"The best model by validation, {best.structure}, has a worst ASR of {signed_db(mean_db)} "
        f"dB{seeds}: at that probe its aliases carry {percent} % of the energy of its harmonics"
    )
    effect_db = best.rows[0].get("effect_asr_worst_db")
    if effect_db is None:
        return [text + ". The effect itself was not probed."]
    side = "more" if mean_db > effect_db else "less"
    return [
        f"{text}. The effect's own worst is {signed_db(effect_db)} dB, so the model has "
        f"{abs(mean_db - effect_db):.0f} dB {side} aliasing than what it imitates."
    ]


def least_aliasing(models: Sequence[Model]) -> list[str]:
    """Whether the model that scores best is the one that aliases least."""
    known = [
        model for model in models if len(_known(model.rows, "asr_worst_db")) == len(model.rows)
    ]
    if len(known) < 2 or known[0] is not models[0]:
        return []
    best = known[0]
    least, second = sorted(known, key=lambda model: model.spread("asr_worst_db").mean)[:2]
    if least is best:
        return [
            f"It also has the lowest worst ASR of {counted(len(known), 'model')}; of "
            f"{second.label}, the next, it is "
            f"{signed_db(second.spread('asr_worst_db').mean)} dB, {_certainty(least, second)}."
        ]
    return [
        f"The lowest worst ASR of {counted(len(known), 'model')} is "
        f"{signed_db(least.spread('asr_worst_db').mean)} dB, of "
        f"{least.label} (ESR {significant(least.spread('esr').mean)} against "
        f"{significant(best.spread('esr').mean)}): the model chosen by its error is not the one "
        f"that aliases least, {_certainty(least, best)}."
    ]


def _certainty(lower: Model, higher: Model) -> str:
    """How far the seeds allow to say that one model aliases less than another."""
    low, high = lower.spread("asr_worst_db"), higher.spread("asr_worst_db")
    if min(low.count, high.count) == 1:
        return "which other seeds may reverse"
    if low.high < high.low:
        return "and the ranges over their seeds do not overlap"
    return "though the ranges over their seeds overlap"


def streaming(results: Results, best: Model) -> list[str]:
    """What carrying the state changes of a framed model, paired over seeds."""
    framed = {int(row["seed"]): row for row in best.rows if row["rendering"] == FRAMED}
    ids = {row["run_id"]: seed for seed, row in framed.items()}
    told_of = []
    for rendering, lead in (
        (STREAMING, "Streaming instead of framed"),
        (STREAMING_TUNED, "Streaming after fine-tuning for it instead of framed"),
    ):
        others = {
            ids[row["run_id"]]: row
            for row in results.rows
            if row["run_id"] in ids and row["rendering"] == rendering and row["status"] == "ok"
        }
        told_of += told(lead, [("its worst ASR", _change(framed, others, "asr_worst_db"))])
    return told_of


def high_band(models: Sequence[Model]) -> list[str]:
    """The best model above 8 kHz, and how many models do worse than silence there."""
    best = models[0]
    rate_hz = best.sample_rate_hz
    if rate_hz <= 2 * HIGH_BAND_HZ:
        return [f"A sample rate of {rate_hz:,} Hz holds nothing above 8 kHz to judge."]
    text = music.over_seeds(best, "esr_above_8khz")
    if not text.value:
        return ["The ESR above 8 kHz was not measured for all seeds of the best model."]
    rows = [row for model in models for row in model.rows]
    over = [row for row in rows if (row.get("esr_above_8khz") or 0.0) > 1]
    whole = music.over_seeds(best, "esr")
    sentence = f"Above 8 kHz its ESR is {text}, against {whole} over the whole band"
    if not over:
        return [sentence + "."]
    return [
        f"{sentence}. In {len(over)} of {counted(len(rows), 'run')} it exceeds 1: there the model "
        "is worse than silence, which the ESR of the whole band does not show."
    ]


def attacks(best: Model) -> list[str]:
    """Error of the first 10 ms of notes against what follows, paired within each seed."""
    attack = {int(r["seed"]): in_db(r.get("esr_transient"), is_ratio=True) for r in best.rows}
    rest = {int(r["seed"]): in_db(r.get("esr_sustained"), is_ratio=True) for r in best.rows}
    found = change(rest, attack)
    if found is None:
        return []
    times = significant(10 ** (found.mean / 10), 2)
    spread = (
        "one seed"
        if found.low is None or found.high is None
        else f"95 % interval {significant(10 ** (found.low / 10), 2)} to "
        f"{significant(10 ** (found.high / 10), 2)} over {counted(len(found.differences), 'seed')}"
    )
    verdict = {
        "rose": "attacks are where it fails most",
        "fell": "attacks come out better than what follows",
        "unclear": "a difference within the spread of the seeds",
        "one seed": "a difference that other seeds may reverse",
    }[found.verdict]
    return [
        f"In the first 10 ms of notes the ESR is {times} times that of the sustained part "
        f"({spread}): {verdict}."
    ]


def notes(curves: Mapping[str, NoteCurve]) -> str:
    """How high ASR climbs over the notes: of the effect, and of the models that do best and worst.

    Args:
        curves: by label; that of the effect has no family.
    """
    highest = {
        name: max(zip(curve.asr_db, curve.f0_hz, strict=True)) for name, curve in curves.items()
    }
    own = [place for name, place in highest.items() if curves[name].family is None]
    models = [(db, hz, name) for name, (db, hz) in highest.items() if curves[name].family]
    told_of = [f"the effect's own {signed_db(db)} dB at {hz:,.0f} Hz" for db, hz in own]
    told_of += [
        f"{name} {signed_db(db)} dB at {hz:,.0f} Hz"
        for db, hz, name in dict.fromkeys([min(models), max(models)] if models else [])
    ]
    text = f"Highest ASR: {', '.join(told_of)}."
    if any(any(curve.restless) for curve in curves.values()):
        text += " Crosses mark answers that do not repeat with the sine, so are no aliases."
    return text


def restless(label: str, answers: Answers) -> list[str]:
    """Where a system's answer does not repeat with the sine, so that ASR says nothing there."""
    asked = [*answers.standard, *answers.notes]
    moving = [row for row in asked if is_restless(row)]
    if not moving:
        return []
    most = max(moving, key=lambda row: float(row["residue_db"]))
    return [
        f"{label[0].upper()}{label[1:]}: at {len(moving)} of {len(asked)} sines the answer does "
        f"not repeat with the sine (residue up to {signed_db(most['residue_db'])} dB, at "
        f"{most['f0_hz']:,.0f} Hz), so what counts as aliases there is drift, noise or "
        "self-oscillation."
    ]


def _change(before: dict[int, Row], after: dict[int, Row], column: str) -> Change | None:
    return change(
        {seed: row.get(column) for seed, row in before.items()},
        {seed: row.get(column) for seed, row in after.items()},
    )


def _known(rows: Sequence[Row], column: str) -> list[float]:
    return [float(row[column]) for row in rows if row.get(column) is not None]
