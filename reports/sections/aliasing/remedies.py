"""What remedies against aliases gain and cost, paired over seeds.

A remedy is fine-tuning on sines (``antialias_epochs``), rendering at a multiple of the
rate (``framed_x<k>``), or both; it is compared with the same model of the same seed
without either.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from reports.drawing import style
from reports.drawing.pictures import Picture, shown
from reports.sections.aliasing import figures
from reports.sections.aliasing.epochs import ESR, SOUND, Measure
from reports.sections.aliasing.paired import (
    Change,
    Noted,
    change,
    in_db,
    noted_change,
    noted_range,
    signed_db,
    told,
)
from reports.sources.cache import Cache, Facts
from reports.sources.numbers import counted, significant
from reports.sources.results import Results, Row
from study.config.rendering import Rendering

_OWN_SETTINGS = {"seed", "checkpoint_epochs", "antialias_epochs", "oversampling"}
MEASURES = (*SOUND, ESR)

BySeed = Mapping[int, Row]


@dataclass(frozen=True, order=True)
class Remedy:
    """What is done against aliases; neither is the plain model."""

    antialias_epochs: int
    oversampling: int

    @property
    def label(self) -> str:
        """For tables and figures."""
        parts = []
        if self.antialias_epochs:
            parts.append(f"fine-tuned {counted(self.antialias_epochs, 'epoch')}")
        if self.oversampling > 1:
            parts.append(f"oversampled \N{MULTIPLICATION SIGN}{self.oversampling}")
        return ", ".join(parts) or "plain"


PLAIN = Remedy(0, 1)


@dataclass(frozen=True)
class Outcome:
    """What a remedy did to one model.

    Attributes:
        remedy: which.
        changes: in dB by measure, over the seeds; None where a value is missing.
        macs_factor: multiply-accumulates against the plain model's.
        rendering_time: more time to render, in percent.
        training_time: more time to train, in percent.
    """

    remedy: Remedy
    changes: Mapping[Measure, Change | None]
    macs_factor: float
    rendering_time: Change | None
    training_time: Change | None


@dataclass(frozen=True)
class RemedyRow:
    """A line of the table, as text; ``changes`` in the order of ``MEASURES``."""

    remedy: str
    changes: tuple[Noted, ...]
    macs: str
    rendering_time: str
    training_time: str


@dataclass(frozen=True)
class ModelRemedies:
    """One model's remedies in a figure, a table and words."""

    title: str
    picture: Picture
    heads: tuple[str, ...]
    lines: tuple[RemedyRow, ...]
    sentences: tuple[str, ...]


def remedy_section(results: Results, cache: Cache) -> tuple[ModelRemedies, ...]:
    """All models that the grid has with and without a remedy; empty if it has none."""
    found = []
    for title, rows in candidates(results).items():
        judged = outcomes(rows)
        if judged:
            found.append(
                ModelRemedies(
                    title,
                    _picture(title, judged, cache),
                    tuple(measure.label.removesuffix(", dB") for measure in MEASURES),
                    (_plain_line(rows[PLAIN]), *map(_line, judged)),
                    tuple(sentences(rows, judged)),
                )
            )
    return tuple(found)


def candidates(results: Results) -> dict[str, dict[Remedy, dict[int, Row]]]:
    """Rows by model's title, remedy and seed; only of models that have a plain row too."""
    grouped: dict[str, dict[Remedy, dict[int, Row]]] = defaultdict(lambda: defaultdict(dict))
    titles: dict[str, str] = {}
    for row in results.rows:
        remedy = _remedy(row)
        if remedy is None:
            continue
        config = results.configs[row["run_id"]]
        key = json.dumps(config.model_dump(mode="json", exclude=_OWN_SETTINGS), sort_keys=True)
        grouped[key][remedy].setdefault(int(row["seed"]), row)
        if remedy == PLAIN:
            titles[key] = _title(results, row)
    repeated = [title for title in titles.values() if [*titles.values()].count(title) > 1]
    named: dict[str, dict[Remedy, dict[int, Row]]] = {}
    for number, (key, title) in enumerate(titles.items(), 1):
        unique = f"{title} ({number})" if title in repeated else title
        if len(grouped[key]) > 1:
            named[unique] = {remedy: dict(own) for remedy, own in sorted(grouped[key].items())}
    return named


def outcomes(rows: Mapping[Remedy, BySeed]) -> list[Outcome]:
    """What each remedy did; those that share no seed with the plain model are left out."""
    plain = rows[PLAIN]
    found = []
    for remedy, own in rows.items():
        shared = sorted(set(plain) & set(own))
        if remedy == PLAIN or not shared:
            continue
        first = shared[0]
        found.append(
            Outcome(
                remedy,
                {m: change(_in_db(plain, m), _in_db(own, m)) for m in MEASURES},
                own[first]["macs_per_sample"] / plain[first]["macs_per_sample"],
                _more(plain, own, "inference_seconds_per_second"),
                _more(plain, own, "training_seconds"),
            )
        )
    return found


def sentences(rows: Mapping[Remedy, BySeed], judged: Sequence[Outcome]) -> list[str]:
    """One sentence a remedy, then where even the best leaves the model short."""
    told_of = [
        text
        for outcome in judged
        for text in told(
            f"{outcome.remedy.label[0].upper()}{outcome.remedy.label[1:]}",
            [(measure.name, outcome.changes[measure]) for measure in MEASURES],
        )
    ]
    return [*told_of, *_best(judged), *_still_short(rows)]


def _best(judged: Sequence[Outcome]) -> list[str]:
    """The remedy that lowers the worst ASR most, if any does so beyond the seeds' spread."""
    asr = SOUND[0]
    lowered = [
        (found.mean, outcome)
        for outcome in judged
        if (found := outcome.changes[asr]) and found.verdict == "fell"
    ]
    if not lowered:
        repeated = any(
            found and found.low is not None for o in judged for found in [o.changes[asr]]
        )
        if not repeated:
            return []
        return ["No remedy lowered the worst ASR beyond the spread of the seeds."]
    mean_db, best = min(lowered, key=lambda pair: pair[0])
    esr = best.changes[ESR]
    price = {
        "rose": f"for {abs(esr.mean):.1f} dB more ESR",
        "fell": f"and ESR fell by {abs(esr.mean):.1f} dB",
        "unclear": "with no change of ESR beyond the spread of the seeds",
        "one seed": "with one seed of ESR",
    }[esr.verdict] if esr else "with ESR unknown"  # fmt: skip
    return [
        f"Most gained {best.remedy.label}: {abs(mean_db):.1f} dB less aliasing at its worst, "
        f"{price}, at {significant(best.macs_factor, 2)} times the multiply-accumulates."
    ]


def _still_short(rows: Mapping[Remedy, BySeed]) -> list[str]:
    """How far the lowest worst ASR still lies above the effect's own."""
    asr = {
        remedy: [float(row["asr_worst_db"]) for row in own.values()]
        for remedy, own in rows.items()
        if all(row.get("asr_worst_db") is not None for row in own.values())
    }
    effect_db = next(iter(rows[PLAIN].values())).get("effect_asr_worst_db")
    if not asr or effect_db is None:
        return []
    remedy, values = min(asr.items(), key=lambda item: sum(item[1]) / len(item[1]))
    mean_db = sum(values) / len(values)
    side = "above" if mean_db > effect_db else "below"
    return [
        f"The lowest mean worst ASR ({remedy.label}) is {signed_db(mean_db)} dB, "
        f"{abs(mean_db - effect_db):.0f} dB {side} the effect's own {signed_db(effect_db)} dB."
    ]


def _remedy(row: Row) -> Remedy | None:
    """What was done for a row; None for checkpoints, failures and other renderings."""
    if row["status"] != "ok":
        return None
    fine_tuned = int(row.get("antialias_epochs") or 0)
    factor = Rendering.parse(row["rendering"]).factor
    if factor > 1:
        return Remedy(fine_tuned, factor)
    return Remedy(fine_tuned, 1) if row["is_final"] else None


def _title(results: Results, row: Row) -> str:
    for model in results.models_of(row["effect"]):
        if any(own["run_id"] == row["run_id"] for own in model.rows):
            structure = re.sub(
                r", (antialias epochs \d+|oversampling \([^)]*\))", "", model.structure
            )
            return f"{row['effect']}: {structure}"
    return str(row["effect"])


def _in_db(rows: BySeed, measure: Measure) -> dict[int, float | None]:
    return {seed: in_db(row.get(measure.column), measure.is_ratio) for seed, row in rows.items()}


def _more(plain: BySeed, own: BySeed, column: str) -> Change | None:
    """Percent more than the plain model of the same seed."""
    ratios: dict[int, float | None] = {}
    for seed in set(plain) & set(own):
        before, after = plain[seed].get(column), own[seed].get(column)
        ratios[seed] = 100 * (after / before - 1) if before and after is not None else None
    return change(dict.fromkeys(ratios, 0.0), ratios)


def _plain_line(rows: BySeed) -> RemedyRow:
    """The model without a remedy, in the measures' own units."""
    own = tuple(_plain_value(rows, measure) for measure in MEASURES)
    return RemedyRow(f"{PLAIN.label}, its own values", own, "1", "", "")


def _plain_value(rows: BySeed, measure: Measure) -> Noted:
    values = [in_db(row.get(measure.column), measure.is_ratio) for row in rows.values()]
    found = noted_range([value for value in values if value is not None], signed_db)
    return Noted(f"{found.value}\N{NO-BREAK SPACE}dB", found.note) if found.value else found


def _line(outcome: Outcome) -> RemedyRow:
    return RemedyRow(
        outcome.remedy.label,
        tuple(noted_change(outcome.changes[measure]) for measure in MEASURES),
        significant(outcome.macs_factor, 2),
        _percent(outcome.rendering_time),
        _percent(outcome.training_time),
    )


def _percent(found: Change | None) -> str:
    return "" if found is None else f"{signed_db(found.mean, 0)}\N{NO-BREAK SPACE}%"


def _picture(title: str, judged: Sequence[Outcome], cache: Cache) -> Picture:
    panels: dict[str, dict[str, Change | None]] = {
        f"change of {measure.label.removesuffix(', dB')}, dB": {
            outcome.remedy.label: outcome.changes[measure] for outcome in judged
        }
        for measure in (SOUND[0], SOUND[1], ESR)
        if any(outcome.changes[measure] for outcome in judged)
    }
    panels["more time to render, %"] = {o.remedy.label: o.rendering_time for o in judged}
    plain = {
        label: {name: found and asdict(found) for name, found in rows.items()}
        for label, rows in panels.items()
    }

    def fill(folder: Path) -> Facts:
        with style.styled():
            return asdict(style.save(figures.changes(panels), folder, "remedies"))

    kept = cache.kept(f"remedies {title}", plain, fill)
    gains = "; ".join(
        f"{outcome.remedy.label} {signed_db(found.mean)} dB"
        for outcome in judged
        if (found := outcome.changes[SOUND[0]])
    )
    return shown(
        kept.folder,
        kept.facts,
        f"{title}: what remedies change",
        "A dot is a seed against the same seed without the remedy; the tick is their mean and the "
        "bar its 95 % interval, which may run out of the picture. Left of the line is less. Mean "
        f"change of worst ASR: {gains}.",
    )
