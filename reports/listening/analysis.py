"""What the answers say: ABX by exact binomial, MUSHRA by medians after post-screening."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from reports.listening.key import LOW_ANCHOR, MID_ANCHOR, REFERENCE, Key
from reports.listening.sessions import AbxSession, MushraSession

CONFIDENCE = 0.95
SCREENED_SHARE = 0.15  # BS.1534-3, 4.1.2: of an assessor's items
SCREENED_SCORE = 90
FEWEST_CONDITIONS = 4


@dataclass(frozen=True)
class Proportion:
    """Right answers of a finished ABX session.

    Attributes:
        correct, trials: counts; trials were fixed beforehand.
        p_value: probability of at least so many by guessing (one-sided binomial).
        low, high: Clopper-Pearson interval of the proportion, 95 %.
    """

    correct: int
    trials: int
    p_value: float
    low: float
    high: float

    @staticmethod
    def of(correct: int, trials: int) -> Proportion:
        """Test ``correct`` of ``trials`` against guessing."""
        test = stats.binomtest(correct, trials, 0.5, alternative="greater")
        two_sided = stats.binomtest(correct, trials, 0.5)
        interval = two_sided.proportion_ci(CONFIDENCE, method="exact")
        return Proportion(
            correct, trials, float(test.pvalue), float(interval.low), float(interval.high)
        )


@dataclass(frozen=True)
class AbxResult:
    """One ABX session; ``proportion`` is None while it is unfinished, which tests nothing."""

    effect: str
    participant: str
    a: str
    b: str
    answered: int
    trials: int
    proportion: Proportion | None


@dataclass(frozen=True)
class Vote:
    """One score of the MUSHRA test, averaged where an assessor rated an item repeatedly."""

    effect: str
    assessor: str
    item: str
    condition: str
    score: float


@dataclass(frozen=True)
class Exclusion:
    """An assessor whose ratings do not count, and why."""

    assessor: str
    reason: str


@dataclass(frozen=True)
class ConditionScores:
    """All counted scores of a condition.

    Attributes:
        condition, label: reference, anchor or run.
        scores: of every assessor and item.
        median, low_quartile, high_quartile: of the scores.
    """

    condition: str
    label: str
    scores: tuple[float, ...]
    median: float
    low_quartile: float
    high_quartile: float

    @staticmethod
    def of(condition: str, label: str, scores: Iterable[float]) -> ConditionScores:
        """Describe at least one score; quartiles interpolate linearly."""
        own = tuple(scores)
        low, median, high = (float(x) for x in np.percentile(own, [25, 50, 75]))
        return ConditionScores(condition, label, own, median, low, high)


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's rank correlation over conditions.

    Attributes:
        rho: from -1 to 1.
        low, high: 95 % interval; None at a perfect order, where it has no width to give.
        count: conditions.
    """

    rho: float
    low: float | None
    high: float | None
    count: int


def abx_results(
    sessions: Iterable[AbxSession | MushraSession], builds: Mapping[str, Key]
) -> list[AbxResult]:
    """Every ABX session that has an answer, in the order given."""
    found = []
    for session in sessions:
        if isinstance(session, AbxSession) and session.answers:
            key = builds[session.build]
            a, b = (_side(key, token) for token in (session.a, session.b))
            proportion = (
                Proportion.of(session.correct, session.trials) if session.is_finished else None
            )
            answered = len(session.answers)
            found.append(
                AbxResult(
                    key.effect, session.participant, a, b, answered, session.trials, proportion
                )
            )
    return found


def votes(sessions: Iterable[AbxSession | MushraSession], builds: Mapping[str, Key]) -> list[Vote]:
    """The scores of all finished MUSHRA sessions.

    Sessions under one name are one assessor's; nameless ones are an assessor each.
    """
    scores: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)
    for session in sessions:
        if isinstance(session, MushraSession) and session.is_finished:
            key = builds[session.build]
            assessor = session.participant.casefold() or f"nameless {session.session[-8:]}"
            for rating in session.ratings:
                item = f"{key.effect} {key.items[rating.item].cut}"
                for token, score in rating.scores.items():
                    condition = key.stimuli[token].condition
                    scores[key.effect, assessor, item, condition].append(score)
    return [Vote(*where, float(np.mean(own))) for where, own in scores.items()]


def screened(given: Sequence[Vote]) -> tuple[list[Vote], list[Exclusion]]:
    """Post-screening after BS.1534-3: the votes that count, and who was excluded.

    An assessor is excluded who rates the hidden reference below 90 for more than 15 % of
    the items, or the mid-range anchor above 90 for more than 15 % of them.
    """
    exclusions = []
    for assessor in dict.fromkeys(vote.assessor for vote in given):
        own = [vote for vote in given if vote.assessor == assessor]
        references = [vote.score < SCREENED_SCORE for vote in own if vote.condition == REFERENCE]
        anchors = [vote.score > SCREENED_SCORE for vote in own if vote.condition == MID_ANCHOR]
        reasons = []
        if _share(references) > SCREENED_SHARE:
            reasons.append(
                f"rated the hidden reference below 90 in {sum(references)} of "
                f"{len(references)} items"
            )
        if _share(anchors) > SCREENED_SHARE:
            reasons.append(
                f"rated the 7 kHz anchor above 90 in {sum(anchors)} of {len(anchors)} items"
            )
        if reasons:
            exclusions.append(Exclusion(assessor, " and ".join(reasons)))
    excluded = {exclusion.assessor for exclusion in exclusions}
    return [vote for vote in given if vote.assessor not in excluded], exclusions


def by_condition(counted: Iterable[Vote], labels: Mapping[str, str]) -> list[ConditionScores]:
    """One effect's scores by condition: the reference, runs by falling median, then anchors."""
    scores: dict[str, list[float]] = defaultdict(list)
    for vote in counted:
        scores[vote.condition].append(vote.score)
    described = [ConditionScores.of(name, labels[name], own) for name, own in scores.items()]
    places = {REFERENCE: 0, MID_ANCHOR: 2, LOW_ANCHOR: 3}
    return sorted(described, key=lambda own: (places.get(own.condition, 1), -own.median))


def rank_correlation(scores: Sequence[float], metric: Sequence[float]) -> RankCorrelation | None:
    """Spearman's rho between scores and a metric, by condition.

    The interval is Fisher's, with the variance (1 + rho^2 / 2) / (n - 3) of Bonett &
    Wright, "Sample size requirements for estimating Pearson, Kendall and Spearman
    correlations", Psychometrika 65 (2000).

    Returns:
        None for fewer than four conditions, or where all of one side are equal.
    """
    count = len(scores)
    if count < FEWEST_CONDITIONS or len(set(scores)) == 1 or len(set(metric)) == 1:
        return None
    rho = float(stats.spearmanr(scores, metric).statistic)
    if math.isclose(abs(rho), 1):
        return RankCorrelation(math.copysign(1, rho), None, None, count)
    half = stats.norm.ppf(0.5 + CONFIDENCE / 2) * math.sqrt((1 + rho**2 / 2) / (count - 3))
    low, high = (math.tanh(math.atanh(rho) + side * half) for side in (-1, 1))
    return RankCorrelation(rho, low, high, count)


def revealed(session: AbxSession | MushraSession, key: Key) -> dict[str, Any]:
    """What a listener may see at the end of a finished session, as JSON.

    ABX: ``{"correct", "trials", "p_value", "low", "high"}``; MUSHRA: ``{"conditions":
    [{"label", "scores"}, ...]}``, the scores in the order of listening.
    """
    if isinstance(session, AbxSession):
        own = Proportion.of(session.correct, session.trials)
        return {
            "correct": own.correct, "trials": own.trials, "p_value": own.p_value,
            "low": own.low, "high": own.high,
        }  # fmt: skip
    scores: dict[str, list[int]] = {name: [] for name in key.labels}
    for rating in session.ratings:
        for token, score in rating.scores.items():
            scores[key.stimuli[token].condition].append(score)
    ranked = sorted(scores.items(), key=lambda named: -float(np.median(named[1])))
    return {"conditions": [{"label": key.labels[name], "scores": own} for name, own in ranked]}


def _side(key: Key, token: str) -> str:
    condition = key.sides[token]
    return "Target" if condition == REFERENCE else key.labels[condition]


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0
