"""What the answers say, against numbers worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from scipy import stats

from reports.listening import analysis
from reports.listening.analysis import Proportion, Vote
from reports.listening.blinding import hidden_sides
from reports.listening.key import LOW_ANCHOR, MID_ANCHOR, REFERENCE
from tests.reports.listening.samples import abx, mushra, small_key, token


def test_the_p_value_counts_sequences_of_guesses() -> None:
    # At least 3 of 4: 4 + 1 of 16 sequences. All 16 of 16: one of 65,536.
    assert Proportion.of(3, 4).p_value == pytest.approx(5 / 16)
    assert Proportion.of(16, 16).p_value == pytest.approx(2**-16)
    # 12 of 16: C(16,12) + C(16,13) + ... = 1820 + 560 + 120 + 16 + 1 = 2517.
    assert Proportion.of(12, 16).p_value == pytest.approx(2517 / 65_536)
    # Far below half is no evidence of hearing.
    assert Proportion.of(0, 16).p_value == 1


def test_the_interval_is_clopper_and_pearsons() -> None:
    # At the ends it has a closed form: the n-th root of a tail of 2.5 %.
    none, all_right = Proportion.of(0, 10), Proportion.of(10, 10)
    assert none.low == 0 and none.high == pytest.approx(1 - 0.025**0.1)
    assert all_right.high == 1 and all_right.low == pytest.approx(0.025**0.1)
    # Between, each end leaves 2.5 % beyond what was found.
    middle = Proportion.of(12, 16)
    assert stats.binom.sf(11, 16, middle.low) == pytest.approx(0.025)
    assert stats.binom.cdf(12, 16, middle.high) == pytest.approx(0.025)


def test_an_abx_session_counts_when_it_is_finished() -> None:
    key = small_key()
    truth = "".join(hidden_sides(token(5), 4))
    wrong_last = truth[:3] + ("a" if truth[3] == "b" else "b")
    sessions = [abx(truth), abx(wrong_last), abx(truth[:2]), abx("")]
    found = analysis.abx_results(sessions, {key.build: key})
    assert [own.proportion.correct if own.proportion else None for own in found] == [4, 3, None]
    assert (found[0].a, found[0].b, found[2].answered) == ("Target", "RUN-1", 2)
    shown = analysis.revealed(abx(truth), key)
    assert shown["correct"] == 4 and shown["p_value"] == pytest.approx(1 / 16)


def given(
    references: Sequence[float], mid: Sequence[float] = (), assessor: str = "ada"
) -> list[Vote]:
    votes = [Vote("fuzz", assessor, f"item {n}", REFERENCE, s) for n, s in enumerate(references)]
    return votes + [Vote("fuzz", assessor, f"item {n}", MID_ANCHOR, s) for n, s in enumerate(mid)]


def test_the_screening_allows_15_percent_of_the_items() -> None:
    # 3 of 20 is 15 %, which is not more than 15 %; 4 of 20 is.
    kept, excluded = analysis.screened(given([89] * 3 + [90] * 17))
    assert len(kept) == 20 and excluded == []
    kept, excluded = analysis.screened(given([89] * 4 + [90] * 16))
    assert kept == [] and "below 90 in 4 of 20 items" in excluded[0].reason


def test_the_screening_judges_the_mid_anchor_and_each_assessor_alone() -> None:
    careful = given([100] * 4, [90] * 4, "careful")
    deaf = given([100] * 4, [91, 90, 90, 90], "deaf")
    kept, excluded = analysis.screened([*careful, *deaf])
    assert kept == careful
    assert [(own.assessor, own.reason) for own in excluded] == [
        ("deaf", "rated the 7 kHz anchor above 90 in 1 of 4 items")
    ]


def test_votes_are_of_finished_sessions_and_repeats_are_averaged() -> None:
    key = small_key()
    first = mushra((100, 20, 60, 80, 70), (90, 0, 50, 90, 70))
    again = mushra((96, 30, 60, 80, 70), (90, 0, 50, 90, 70), session=token(18), participant="ADA")
    half = mushra((1, 1, 1, 1, 1), session=token(28), participant="Bob")
    votes = analysis.votes([first, again, half], {key.build: key})
    assert len(votes) == 10 and {vote.assessor for vote in votes} == {"ada"}
    by_place = {(vote.item, vote.condition): vote.score for vote in votes}
    assert by_place["fuzz 1", REFERENCE] == 98 and by_place["fuzz 1", LOW_ANCHOR] == 25
    nameless = [mushra(*[(100, 20, 60, 80, 70)] * 2, session=token(n), participant="")
                for n in (1, 2)]  # fmt: skip
    assert len({vote.assessor for vote in analysis.votes(nameless, {key.build: key})}) == 2


def test_medians_and_quartiles_by_hand() -> None:
    votes = [Vote("fuzz", "ada", f"{n}", "run", s) for n, s in enumerate([10, 20, 30, 40])]
    (own,) = analysis.by_condition(votes, {"run": "Run"})
    # Linear interpolation at positions 0.75, 1.5 and 2.25 of 0 to 3.
    assert (own.low_quartile, own.median, own.high_quartile) == (17.5, 25, 32.5)


def test_conditions_are_ordered_for_reading() -> None:
    names = [LOW_ANCHOR, "worse", MID_ANCHOR, REFERENCE, "better"]
    scores = [10.0, 40.0, 50.0, 99.0, 70.0]
    votes = [
        Vote("fuzz", "ada", "1", name, score) for name, score in zip(names, scores, strict=True)
    ]
    ordered = analysis.by_condition(votes, {name: name for name in names})
    assert [own.condition for own in ordered] == [
        REFERENCE, "better", "worse", MID_ANCHOR, LOW_ANCHOR,
    ]  # fmt: skip


def test_spearman_by_hand() -> None:
    # Ranks 1..5 against 2, 1, 4, 3, 5: sum of squared differences 4, so 1 - 24 / 120 = 0.8.
    found = analysis.rank_correlation([1, 2, 3, 4, 5], [20, 10, 40, 30, 50])
    assert found is not None and found.rho == pytest.approx(0.8) and found.count == 5
    # Fisher's z of 0.8 is ln 3; its deviation is sqrt(1.32 / 2).
    z, half = math.log(3), 1.959964 * math.sqrt(0.66)
    assert found.low == pytest.approx(math.tanh(z - half), abs=1e-6)
    assert found.high == pytest.approx(math.tanh(z + half), abs=1e-6)


def test_a_perfect_order_has_no_interval_and_a_few_points_nothing() -> None:
    found = analysis.rank_correlation([4, 3, 2, 1], [1, 2, 3, 4])
    assert found is not None and (found.rho, found.low, found.high) == (-1, None, None)
    assert analysis.rank_correlation([1, 2, 3], [1, 2, 3]) is None
    assert analysis.rank_correlation([1, 1, 1, 1], [1, 2, 3, 4]) is None


def test_what_a_listener_sees_at_the_end_names_every_condition() -> None:
    shown = analysis.revealed(mushra((100, 20, 60, 80, 70), (90, 0, 50, 91, 70)), small_key())
    assert [own["label"] for own in shown["conditions"]] == [
        "Hidden reference", "RUN-1", "RUN-2", "Anchor, 7 kHz", "Anchor, 3.5 kHz",
    ]  # fmt: skip
    assert shown["conditions"][0]["scores"] == [100, 90]
