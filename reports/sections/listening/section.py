"""What the report tells of the listening tests: plain values, sentences and one figure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from reports.drawing import style
from reports.drawing.pictures import Picture, shown
from reports.listening import analysis, database
from reports.listening.analysis import (
    AbxResult,
    ConditionScores,
    Exclusion,
    Proportion,
    RankCorrelation,
    Vote,
)
from reports.listening.key import MID_ANCHOR, REFERENCE, Key
from reports.sections.listening import figure
from reports.sources import results
from reports.sources.cache import Cache, Facts
from reports.sources.numbers import counted, significant
from reports.sources.results import Row
from study.store.folders import Store

METRICS = {"esr": "ESR", "mr_stft": "MR-STFT"}
ALIASING_PREFIX = "asr"
WORST_ALIASING = "asr_worst_db"
MOST_TOLD = 3  # ABX sessions with a sentence each; the table has all of them


@dataclass(frozen=True)
class AbxLine:
    """A line of the ABX table, as text."""

    participant: str
    compared: str
    correct: str
    p_value: str
    interval: str


@dataclass(frozen=True)
class ScoreLine:
    """A line of the MUSHRA table, as text; metrics are empty for reference and anchors."""

    label: str
    median: str
    quartiles: str
    ratings: str
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class ListeningSection:
    """The listening tests of a grid; effects are told where it has several.

    Attributes:
        abx: one line a session.
        abx_sentences: what they say.
        scores: one line a condition, effect by effect.
        metric_names: headings of the columns of ``ScoreLine.metrics``.
        score_sentences: medians, exclusions, and how they go with the metrics.
        excluded: assessor and reason.
        picture: box plot; None where nobody has finished, or no cache was given.
    """

    abx: tuple[AbxLine, ...]
    abx_sentences: tuple[str, ...]
    scores: tuple[ScoreLine, ...]
    metric_names: tuple[str, ...]
    score_sentences: tuple[str, ...]
    excluded: tuple[Exclusion, ...]
    picture: Picture | None

    @property
    def sentences(self) -> tuple[str, ...]:
        """Everything that is said."""
        return (*self.abx_sentences, *self.score_sentences)


def listening_section(store: Store, cache: Cache | None = None) -> ListeningSection | None:
    """The listening tests of a grid, or None when nobody has answered anything.

    Args:
        store: the study.
        cache: of the report, to which the figure is drawn.
    """
    sessions = database.load_all(store)
    builds = database.builds(store)
    abx = analysis.abx_results(sessions, builds)
    given = analysis.votes(sessions, builds)
    begun = sum(s.test == "mushra" and bool(s.ratings) and not s.is_finished for s in sessions)
    if not (abx or given or begun):
        return None
    counted_votes, excluded = analysis.screened(given)
    read = results.read(store)
    beginnings = _beginnings([*read.effects, *(key.effect for key in builds.values())])
    described = _by_effect(counted_votes, _labels(builds))
    conditions = _told_apart(described, beginnings)
    rows = {row["run_id"]: row for row in read.finals}
    metrics = _metrics(rows.values())
    return ListeningSection(
        abx=tuple(_abx_line(own, beginnings[own.effect]) for own in abx),
        abx_sentences=tuple(_abx_sentences(abx, beginnings)),
        scores=tuple(_score_line(own, rows, metrics) for own in conditions),
        metric_names=tuple(metrics.values()),
        score_sentences=(
            *_panel(given, excluded, begun),
            *_score_sentences(described, beginnings, rows, metrics),
        ),
        excluded=tuple(excluded),
        picture=_picture(conditions, cache) if cache and conditions else None,
    )


def _beginnings(effects: Sequence[str]) -> dict[str, str]:
    """What begins a text on each effect: its name, but nothing where there is just one."""
    is_only = len(set(effects)) == 1
    return {effect: "" if is_only else f"{effect}: " for effect in effects}


def _by_effect(
    counted_votes: Sequence[Vote], labels: Mapping[str, str]
) -> dict[str, list[ConditionScores]]:
    """Scores of each effect by condition; the hidden reference of another is another sound."""
    return {
        effect: analysis.by_condition((v for v in counted_votes if v.effect == effect), labels)
        for effect in dict.fromkeys(vote.effect for vote in counted_votes)
    }


def _told_apart(
    described: Mapping[str, Sequence[ConditionScores]], beginnings: Mapping[str, str]
) -> list[ConditionScores]:
    """The conditions of all effects, with labels that name the effect where needed."""
    return [
        replace(own, label=beginnings[effect] + own.label)
        for effect, conditions in described.items()
        for own in conditions
    ]


def _labels(builds: Mapping[str, Key]) -> dict[str, str]:
    return {name: label for key in builds.values() for name, label in key.labels.items()}


def _metrics(rows: Iterable[Row]) -> dict[str, str]:
    """Columns to compare with, and their names: ESR, MR-STFT and aliasing, where there are any.

    Of the aliasing columns the worst stands for the others, since each comparison more is
    one more that may come out by chance.
    """
    filled = {name for row in rows for name, value in row.items() if isinstance(value, float)}
    aliasing = sorted(name for name in filled if name.startswith(ALIASING_PREFIX))
    if WORST_ALIASING in aliasing:
        aliasing = [WORST_ALIASING]
    found = {name: title for name, title in METRICS.items() if name in filled}
    return found | {name: _aliasing_name(name) for name in aliasing}


def _aliasing_name(column: str) -> str:
    """What people call it: asr_1249hz_db is "ASR 1249 Hz, dB"."""
    words = re.sub(r"_db$", ", dB", column.removeprefix(ALIASING_PREFIX))
    return "ASR" + re.sub(r"(\d+)hz", r"\1 Hz", words).replace("_", " ")


def _abx_line(own: AbxResult, beginning: str) -> AbxLine:
    done = own.proportion
    return AbxLine(
        participant=own.participant or "nameless",
        compared=f"{beginning}{own.a} against {own.b}",
        correct=f"{done.correct} of {done.trials}"
        if done
        else f"unfinished: {own.answered} of {own.trials} answered",
        p_value=significant(done.p_value, 2) if done else "",
        interval=f"{100 * done.low:.0f} to {100 * done.high:.0f} %" if done else "",
    )


def _abx_sentences(abx: Sequence[AbxResult], beginnings: Mapping[str, str]) -> list[str]:
    if not abx:
        return []
    finished = [(own, own.proportion) for own in abx if own.proportion]
    sentences = []
    if len(finished) <= MOST_TOLD:
        sentences += [beginnings[own.effect] + _abx_sentence(own, done) for own, done in finished]
    if len(finished) > 1:
        heard = sum(done.p_value < 0.05 for _, done in finished)
        sentences.append(
            f"In {heard} of {len(finished)} finished sessions p is below 0.05. Each is tested by "
            "itself; by guessing alone one in twenty would be."
        )
    if len(abx) > len(finished):
        unfinished = counted(len(abx) - len(finished), "session")
        sentences.append(f"{unfinished} not finished, and therefore not tested.")
    return sentences


def _abx_sentence(own: AbxResult, done: Proportion) -> str:
    verdict = (
        "the difference was heard"
        if done.p_value < 0.05
        else "guessing explains it, which does not show that no difference can be heard"
    )
    return (
        f"{own.participant or 'A nameless listener'} told {own.a} from {own.b} in "
        f"{done.correct} of {done.trials} trials "
        f"({100 * done.correct / done.trials:.0f} %, 95 % interval {100 * done.low:.0f} to "
        f"{100 * done.high:.0f} %; one-sided p = {significant(done.p_value, 2)}): {verdict}."
    )


def _panel(given: Sequence[Vote], excluded: Sequence[Exclusion], begun: int) -> list[str]:
    sentences = []
    if given:
        assessors = len({vote.assessor for vote in given})
        items = len({vote.item for vote in given})
        sentences.append(
            f"{counted(assessors, 'assessor')} rated {counted(items, 'item')}; "
            f"{len(excluded) or 'none'} excluded by the post-screening of BS.1534-3."
        )
        if not any(vote.condition == MID_ANCHOR for vote in given):
            sentences.append("Without a 7 kHz anchor, only the hidden reference screens.")
    if begun:
        sentences.append(f"{counted(begun, 'MUSHRA session')} not finished, and not counted.")
    return sentences


def _score_sentences(
    described: Mapping[str, Sequence[ConditionScores]],
    beginnings: Mapping[str, str],
    rows: Mapping[str, Row],
    metrics: Mapping[str, str],
) -> list[str]:
    """What the scores of each effect say, by themselves: models of two are not compared."""
    sentences = [
        beginnings[effect] + sentence
        for effect, own in described.items()
        for sentence in (*_medians(own), *_relations(own, rows, metrics))
    ]
    if any("rank correlation of" in sentence for sentence in sentences):
        sentences.append(
            "All of these metrics fall as models get better, so agreement is negative."
        )
    return sentences


def _medians(described: Sequence[ConditionScores]) -> list[str]:
    runs = [own for own in described if own.condition in _run_ids(described)]
    if not runs:
        return []
    best = runs[0]
    sentence = (
        f"Of the models, {best.label} has the highest median score: {best.median:.0f} "
        f"(quartiles {best.low_quartile:.0f} to {best.high_quartile:.0f})"
    )
    if len(runs) == 1:
        return [sentence + "."]
    second = runs[1]
    is_clear = best.low_quartile > second.high_quartile
    return [
        f"{sentence}, before {second.label} with {second.median:.0f} "
        f"({second.low_quartile:.0f} to {second.high_quartile:.0f}); the middle halves of their "
        f"scores {'do not overlap' if is_clear else 'overlap, so the order is not certain'}."
    ]


def _run_ids(described: Sequence[ConditionScores]) -> set[str]:
    return {
        own.condition
        for own in described
        if own.condition != REFERENCE and not own.condition.startswith("anchor_")
    }


def _relations(
    described: Sequence[ConditionScores], rows: Mapping[str, Row], metrics: Mapping[str, str]
) -> list[str]:
    """How the median scores go with each metric, over the runs that were listened to."""
    sentences = []
    for column, name in metrics.items():
        pairs = [
            (own.median, float(rows[own.condition][column]))
            for own in described
            if own.condition in rows and rows[own.condition].get(column) is not None
        ]
        if not pairs:
            continue
        if len(pairs) < analysis.FEWEST_CONDITIONS:
            sentences.append(
                f"{counted(len(pairs), 'model')} are too few to compare scores with {name}: a "
                f"rank correlation needs at least {analysis.FEWEST_CONDITIONS}."
            )
            continue
        found = analysis.rank_correlation(*zip(*pairs, strict=True))
        sentences.append(_relation(name, found, len(pairs)))
    return sentences


def _relation(name: str, found: RankCorrelation | None, count: int) -> str:
    if found is None:
        return f"Scores and {name} have no rank correlation: one of them is equal for all models."
    rho = f"Spearman's rank correlation of the median score with {name} is {_signed(found.rho)}"
    if found.low is None or found.high is None:
        return f"{rho} over {count} models, a perfect order; no interval can be given for it."
    is_sure = found.low > 0 or found.high < 0
    return (
        f"{rho} over {count} models (95 % interval {_signed(found.low)} to "
        f"{_signed(found.high)}, by Fisher's z with the variance of Bonett and Wright), which "
        f"{'does not include' if is_sure else 'includes'} 0."
    )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _score_line(
    own: ConditionScores, rows: Mapping[str, Row], metrics: Mapping[str, str]
) -> ScoreLine:
    row = rows.get(own.condition, {})
    values = [row.get(column) for column in metrics]
    return ScoreLine(
        label=own.label,
        median=f"{own.median:.0f}",
        quartiles=f"{own.low_quartile:.0f} to {own.high_quartile:.0f}",
        ratings=f"{len(own.scores):,}",
        metrics=tuple("" if value is None else significant(value) for value in values),
    )


def _picture(described: Sequence[ConditionScores], cache: Cache) -> Picture:
    drawing = Path(figure.__file__).read_text("utf-8")  # another drawing is another figure
    inputs = [drawing, [asdict(own) for own in described]]

    def fill(folder: Path) -> Facts:
        with style.styled():
            return asdict(style.save(figure.boxes(described), folder, "scores"))

    kept = cache.kept("listening", inputs, fill)
    medians = "; ".join(f"{own.label} {own.median:.0f}" for own in described)
    return shown(
        kept.folder,
        kept.facts,
        "Scores by condition",
        f"Median scores: {medians}. Boxes span the quartiles; each dot is one score.",
    )
