"""A change is claimed only where the seeds allow it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reports.sections.aliasing.paired import (
    change,
    in_db,
    noted_change,
    noted_range,
    over_seeds,
    signed_db,
    told,
)

MINUS = "\N{MINUS SIGN}"
levels = st.floats(-100, 100).map(lambda value: round(value, 3))


def test_what_all_seeds_do_is_claimed() -> None:
    before = {0: 1.0, 1: 5.0, 2: 9.0}  # seeds differ more than the change
    rose = change(before, {0: 3.0, 1: 7.1, 2: 10.9})
    assert rose is not None and rose.verdict == "rose" and rose.mean == pytest.approx(2)
    [text] = told("Later", [("ASR", rose)])
    assert text.startswith("Later (mean over 3 seeds, in brackets its 95 % interval): ASR rose by")
    assert "ASR rose by 2.0 dB (+1." in text
    fell = change(before, {0: -1.0, 1: 2.9, 2: 7.1})
    assert fell is not None and fell.verdict == "fell"
    [text] = told("Later", [("ESR", rose), ("LSD", None), ("ASR", fell)])
    assert "ESR rose by 2.0 dB (+" in text and f"ASR fell by 2.0 dB ({MINUS}2." in text
    assert "LSD" not in text and "no change" not in text


def test_what_the_seeds_disagree_on_is_not() -> None:
    found = change({0: 0.0, 1: 0.0, 2: 0.0}, {0: 4.0, 1: -3.0, 2: 1.0})
    assert found is not None and found.verdict == "unclear"
    [text] = told("Later", [("ASR", found), ("ESR", found)])
    assert "no change beyond the spread of the seeds in ASR (+0.7 dB, " in text
    assert ", ESR (+0.7 dB, " in text and "rose" not in text and "fell" not in text


def test_what_cannot_be_seen_in_the_digits_is_no_change() -> None:
    found = change({0: 0.0, 1: 0.0}, {0: 0.001, 1: 0.001})
    assert found is not None and found.verdict == "rose"
    [text] = told("Later", [("ESR", found)])
    assert "ESR stayed as it was" in text


def test_one_seed_is_said_to_be_one() -> None:
    found = change({3: 1.0}, {3: 5.0})
    assert found is not None and found.verdict == "one seed" and found.low is None
    [text] = told("Later", [("ASR", found), ("ESR", change({3: 1.0}, {3: 1.0}))])
    assert text == f"Later ({over_seeds(1)}): ASR rose by 4.0 dB, ESR stayed as it was."
    assert over_seeds(1) == "one seed, so what chance alone does was not measured"
    assert noted_change(found).note == "one seed"


def test_only_seeds_with_both_count() -> None:
    found = change({0: 1.0, 1: None, 2: 3.0, 5: 0.0}, {0: 2.0, 1: 2.0, 2: 4.0, 7: 9.0})
    assert found is not None and found.differences == (1.0, 1.0)
    assert change({0: 1.0}, {1: 1.0}) is None
    assert change({0: None}, {0: 1.0}) is None
    assert noted_change(None).value == "" and told("Later", [("ASR", None)]) == []


@given(st.lists(st.tuples(levels, levels), min_size=2, max_size=8))
def test_the_interval_is_that_of_the_paired_t_test(pairs: list[tuple[float, float]]) -> None:
    before = {seed: a for seed, (a, _) in enumerate(pairs)}
    after = {seed: b for seed, (_, b) in enumerate(pairs)}
    found = change(before, after)
    assert found is not None and found.low is not None and found.high is not None
    assert found.low <= found.mean + 1e-9 and found.mean <= found.high + 1e-9
    differences = [b - a for a, b in pairs]
    if len({round(d, 6) for d in differences}) > 1:
        expected = stats.ttest_rel([*after.values()], [*before.values()]).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)
    mirrored = change(after, before)
    assert mirrored is not None and mirrored.mean == pytest.approx(-found.mean)


def test_numbers_as_text() -> None:
    shown = [signed_db(x) for x in (3.24, -0.31, -0.04, 0.0, 0.001)]
    assert shown == ["+3.2", f"{MINUS}0.3", f"{MINUS}0.04", "0.0", "0.0"]
    assert signed_db(-29.6, 0) == f"{MINUS}30"
    assert in_db(0.01, is_ratio=True) == pytest.approx(-20)
    assert in_db(-12.0, is_ratio=False) == -12
    assert in_db(0.0, is_ratio=True) is None and in_db(None, is_ratio=False) is None
    assert str(noted_range([1.0, 3.0], str)) == "2.0 (1.0 to 3.0)"
    assert str(noted_range([1.0], str)) == "1.0" and str(noted_range([], str)) == ""
    assert math.isfinite(in_db(1e-300, is_ratio=True) or math.nan)
