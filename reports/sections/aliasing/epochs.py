"""What more epochs do to accuracy, aliases and high frequencies, paired over seeds.

A *recipe* is all of a model but its effect: structure, learning rate, schedule and so on.
Only models with checkpoints are looked at, and of those only what was not fine-tuned
afterwards, since a final row after fine-tuning is not one epoch more of the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from reports.drawing import style
from reports.drawing.pictures import Picture, shown
from reports.sections.aliasing import figures
from reports.sections.aliasing.figures import MOST_RECIPES, EpochCurve
from reports.sections.aliasing.paired import Change, Noted, change, in_db, noted_change, told
from reports.sources.cache import Cache, Facts
from reports.sources.numbers import counted, ranged, significant
from reports.sources.results import Model, Results, Row, Spread

# From here on, says the literature, models score better and sound worse.
CLAIMED_EPOCH = 50
_NEAR = (40, 60)  # checkpoints that stand for it


@dataclass(frozen=True)
class Measure:
    """A column whose change is told.

    Attributes:
        column: of the results.
        name: in sentences.
        label: on the axis of the figure.
        is_ratio: whether 10 log10 turns it into dB; else it is in dB already.
    """

    column: str
    name: str
    label: str
    is_ratio: bool


ESR = Measure("esr", "ESR", "ESR", is_ratio=True)
# What the claim means by "sound worse", as far as numbers tell.
SOUND = (
    Measure("asr_worst_db", "worst ASR", "worst ASR, dB", is_ratio=False),
    Measure("esr_above_8khz", "ESR above 8 kHz", "ESR above 8 kHz", is_ratio=True),
    Measure(
        "lsd_above_8khz_db", "log-spectral distance above 8 kHz", "LSD above 8 kHz, dB",
        is_ratio=False,
    ),
)  # fmt: skip
MEASURES = (ESR, *SOUND)


@dataclass(frozen=True)
class Study:
    """A model by epoch.

    Attributes:
        model: with its final rows.
        label: the recipe.
        rows: by epoch, then by seed.
    """

    model: Model
    label: str
    rows: Mapping[int, Mapping[int, Row]]

    @property
    def epochs(self) -> list[int]:
        """Epochs that every seed has, in order."""
        seeds = {row["seed"] for row in self.model.rows}
        return sorted(epoch for epoch, own in self.rows.items() if set(own) == seeds)

    @property
    def seeds(self) -> int:
        """How many."""
        return len(self.model.rows)

    @property
    def reference_epoch(self) -> int:
        """From where on the change is told: near 50, else the first checkpoint."""
        near = [epoch for epoch in self.epochs[:-1] if _NEAR[0] <= epoch <= _NEAR[1]]
        return min(near, key=lambda epoch: abs(epoch - CLAIMED_EPOCH), default=self.epochs[0])

    def spread(self, measure: Measure, epoch: int) -> Spread | None:
        """A measure at an epoch over the seeds; None where a seed has no value."""
        values = [row.get(measure.column) for row in self.rows[epoch].values()]
        known = [float(value) for value in values if value is not None]
        return Spread.of(known) if known and len(known) == len(values) else None

    def change(self, measure: Measure, start: int, end: int) -> Change | None:
        """In dB, within each seed, from one epoch to another."""
        return change(self._in_db(measure, start), self._in_db(measure, end))

    def _in_db(self, measure: Measure, epoch: int) -> dict[int, float | None]:
        return {
            seed: in_db(row.get(measure.column), measure.is_ratio)
            for seed, row in self.rows[epoch].items()
        }


@dataclass(frozen=True)
class EpochRow:
    """A line of the table: a measure by epoch, then its changes."""

    measure: str
    cells: tuple[Noted, ...]


@dataclass(frozen=True)
class RecipeTable:
    """One recipe in numbers and words; ``heads`` stand above the cells of its lines."""

    label: str
    heads: tuple[str, ...]
    lines: tuple[EpochRow, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class EffectEpochs:
    """The epoch study of an effect; ``left_out`` models are in the table of all runs only."""

    effect: str
    picture: Picture
    tables: tuple[RecipeTable, ...]
    left_out: int


@dataclass(frozen=True)
class EpochSection:
    """Of all effects, with the answer to the claim first."""

    sentences: tuple[str, ...]
    effects: tuple[EffectEpochs, ...]


def epoch_section(results: Results, cache: Cache) -> EpochSection | None:
    """The epoch study, or None where no run has kept checkpoints to evaluate."""
    by_effect = {effect: studies(results, effect) for effect in results.effects}
    by_effect = {effect: found for effect, found in by_effect.items() if found}
    if not by_effect:
        return None
    return EpochSection(
        sentences=tuple(answer([study for found in by_effect.values() for study in found])),
        effects=tuple(_effect(effect, found, cache) for effect, found in by_effect.items()),
    )


def studies(results: Results, effect: str) -> list[Study]:
    """Models of an effect that were evaluated at two epochs or more, best first."""
    found = []
    models = [m for m in results.models_of(effect) if not m.rows[0].get("antialias_epochs")]
    sizes = {model.training_frames for model in models}
    for model in models:
        rows: dict[int, dict[int, Row]] = {}
        for final in model.rows:
            for row in [*results.checkpoints_of(final["run_id"]), final]:
                rows.setdefault(int(row["epoch"]), {})[int(row["seed"])] = row
        study = Study(model, model.label if len(sizes) > 1 else model.structure, rows)
        if len(study.epochs) > 1:
            found.append(study)
    return found


def answer(found: Sequence[Study]) -> list[str]:
    """What the measurement says to the claim that more epochs score better and sound worse."""
    told_of = [study for study in found if _at_claim(study)]
    if not told_of:
        return [
            f"No model was evaluated near epoch {CLAIMED_EPOCH} and later, so this grid says "
            "nothing about the claim that models trained for longer score better and sound worse; "
            "what its checkpoints show stands below."
        ]
    repeated = [study for study in told_of if study.seeds > 1]
    if not repeated:
        return [
            "Every model has one seed, so nothing here tells a change from chance: the claim "
            f"that models trained past epoch {CLAIMED_EPOCH} score better and sound worse is "
            "neither confirmed nor refuted."
        ]
    better = [study for study in repeated if _verdict(study, ESR) == "fell"]
    sound = [sound_verdict(study) for study in better]
    sentences = [
        f"Earlier studies claim that models trained past epoch {CLAIMED_EPOCH} score better and "
        "sound worse. Here ESR fell beyond the spread of the seeds in "
        f"{len(better)} of {counted(len(repeated), 'combination')} of effect and recipe"
        + (
            f". In these, worst ASR, ESR above 8 kHz and log-spectral distance above 8 kHz say: "
            f"worse in {sound.count('worse')}, better in {sound.count('better')}, one worse and "
            f"another better in {sound.count('contradictory')}, no change beyond the spread in "
            f"{sound.count('no change')}."
            if better
            else ", so already the claim's first half is not confirmed."
        )
    ]
    sentences.append(_verdict_on_claim(len(repeated), sound))
    intervals = len(MEASURES) * len(repeated)
    sentences.append(
        f"These are {intervals} intervals of 95 %: about {intervals / 20:.1f} of them would "
        "leave zero out by chance alone. And numbers are not ears: what is heard, only listening "
        "tests tell."
    )
    return sentences


def sound_verdict(study: Study) -> Literal["worse", "better", "contradictory", "no change"]:
    """What the measures of sound say together of the epochs since the claim's."""
    verdicts = {_verdict(study, measure) for measure in SOUND}
    if {"rose", "fell"} <= verdicts:
        return "contradictory"
    if "rose" in verdicts:
        return "worse"
    return "better" if "fell" in verdicts else "no change"


def _verdict_on_claim(combinations: int, sound: Sequence[str]) -> str:
    worse = sound.count("worse")
    if worse == combinations:
        return "The measurement confirms the claim in every combination, by these measures."
    if worse:
        return f"So the claim holds, by these measures, in {worse} of {combinations} combinations."
    if "contradictory" in sound:
        return (
            "The measurement does not confirm the claim; where its measures contradict one "
            "another, it leaves it open."
        )
    return "The measurement does not confirm the claim."


def _at_claim(study: Study) -> bool:
    """Whether it has an epoch near the claim's, and a later one."""
    return _NEAR[0] <= study.reference_epoch <= _NEAR[1]


def _verdict(study: Study, measure: Measure) -> str | None:
    found = study.change(measure, study.reference_epoch, study.epochs[-1])
    return found.verdict if found else None


def _effect(effect: str, found: Sequence[Study], cache: Cache) -> EffectEpochs:
    drawn = found[:MOST_RECIPES]
    return EffectEpochs(
        effect, _picture(effect, drawn, cache), tuple(map(table, drawn)), len(found) - len(drawn)
    )


def table(study: Study) -> RecipeTable:
    """A recipe in numbers and words, told from the claim's epoch on, and from the first on."""
    end = study.epochs[-1]
    starts = list(dict.fromkeys([study.reference_epoch, study.epochs[0]]))
    lines = []
    for measure in MEASURES:
        spreads = [study.spread(measure, epoch) for epoch in study.epochs]
        if any(spreads):
            changes = [noted_change(study.change(measure, start, end)) for start in starts]
            lines.append(EpochRow(measure.label, (*map(_noted, spreads), *changes)))
    heads = [f"epoch {epoch}" for epoch in study.epochs]
    heads += [f"change from {start} to {end}, dB" for start in starts]
    sentences = [
        text
        for start in starts
        for text in told(
            f"From epoch {start} to {end}",
            [(measure.name, study.change(measure, start, end)) for measure in MEASURES],
        )
    ]
    sentences += [*_silence(study, end), *_falling_rate(study)]
    return RecipeTable(study.label, tuple(heads), tuple(lines), tuple(sentences))


def _silence(study: Study, end: int) -> list[str]:
    """Where silence would do better above 8 kHz."""
    values = [row.get("esr_above_8khz") for row in study.rows[end].values()]
    over = sum(value is not None and value > 1 for value in values)
    if not over:
        return []
    return [
        f"At epoch {end} the ESR above 8 kHz exceeds 1 in {over} of "
        f"{counted(len(values), 'seed')}: silence would come closer to the target there."
    ]


def _falling_rate(study: Study) -> list[str]:
    """Under a schedule an early checkpoint is no model that was trained for so long."""
    if study.model.rows[0]["schedule"] == "constant":
        return []
    return [
        f"The learning rate falls all along ({study.model.rows[0]['schedule']}), so a checkpoint "
        "is a model on its way and not one that was trained for so long: part of each change is "
        "the falling rate."
    ]


def _noted(spread: Spread | None) -> Noted:
    if spread is None:
        return Noted()
    if spread.count == 1:
        return Noted(significant(spread.mean))
    return Noted(significant(spread.mean), ranged(spread.low, spread.high))


def _picture(effect: str, found: Sequence[Study], cache: Cache) -> Picture:
    measures: dict[str, dict[str, EpochCurve]] = {}
    for measure in MEASURES:
        for study in found:
            points = [(epoch, study.spread(measure, epoch)) for epoch in study.epochs]
            known = {epoch: spread for epoch, spread in points if spread}
            if known:
                curve = EpochCurve([*known], [*known.values()])
                measures.setdefault(measure.label, {})[study.label] = curve
    inputs = [
        {
            label: {name: asdict(curve) for name, curve in curves.items()}
            for label, curves in measures.items()
        },
    ]

    def fill(folder: Path) -> Facts:
        with style.styled():
            return asdict(style.save(figures.by_epoch(measures), folder, "epochs"))

    kept = cache.kept(f"epochs {effect}", inputs, fill)
    esr = "; ".join(
        f"{study.label}, ESR from {significant(first.mean)} to {significant(last.mean)}"
        for study in found
        if (first := study.spread(ESR, study.epochs[0]))
        and (last := study.spread(ESR, study.epochs[-1]))
    )
    shading = "shaded from the lowest seed to the highest" if _any_repeated(found) else "one seed"
    return shown(
        kept.folder, kept.facts, f"{effect}: accuracy, aliases and high frequencies by epoch",
        f"Lines are means, {shading}. First to last epoch: {esr}.",
    )  # fmt: skip


def _any_repeated(found: Sequence[Study]) -> bool:
    return any(study.seeds > 1 for study in found)
