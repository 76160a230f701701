"""Splits in time: sizes, disjointness, order, and no sample shared between the parts."""

import itertools
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import frames, splits
from data.errors import InputError
from data.frames import Span
from data.splits import Split, SplitMode

RATE_HZ = 100  # segments of 5 s are 500 samples


def samples_of(spans: tuple[Span, ...]) -> set[int]:
    return set(itertools.chain.from_iterable(range(s.start, s.stop) for s in spans))


def parts(split: Split) -> list[tuple[Span, ...]]:
    return [split.train, split.validation, split.test]


@pytest.mark.parametrize(
    ("segments", "sizes"), [(10, [8, 1, 1]), (20, [16, 2, 2]), (96, [76, 10, 10])]
)
@pytest.mark.parametrize("mode", ["random", "sequential"])
def test_segments_are_dealt_80_10_10(mode: SplitMode, segments: int, sizes: list[int]) -> None:
    split = splits.split(segments * 500, RATE_HZ, mode=mode)
    assert [len(part) for part in parts(split)] == sizes


@settings(deadline=None)
@given(
    samples=st.integers(5000, 20_000),
    seed=st.integers(0, 99),
    mode=st.sampled_from(get_args(SplitMode)),
)
def test_parts_are_disjoint_whole_segments_that_cover_the_signal(
    samples: int, seed: int, mode: SplitMode
) -> None:
    split = splits.split(samples, RATE_HZ, mode=mode, seed=seed)
    train, validation, test = (samples_of(part) for part in parts(split))
    assert not (train & validation or train & test or validation & test)
    assert train | validation | test == set(range(samples // 500 * 500))
    for part in parts(split):
        assert part
        assert list(part) == sorted(part)
        assert all(s.start % 500 == 0 and s.samples == 500 for s in part)


def test_random_split_is_seeded() -> None:
    one, same, other = (splits.split(50_000, RATE_HZ, seed=seed) for seed in (1, 1, 2))
    assert one == same != other


def test_sequential_split_is_in_order_of_time() -> None:
    split = splits.split(10_000, RATE_HZ, mode="sequential")
    assert split.train == tuple(Span(k * 500, (k + 1) * 500) for k in range(16))
    assert split.validation == (Span(8000, 8500), Span(8500, 9000))
    assert split.test == (Span(9000, 9500), Span(9500, 10_000))


def test_fewer_than_ten_segments_are_refused() -> None:
    assert splits.split(5000, RATE_HZ).test
    with pytest.raises(InputError, match=r"at least 10 segments of 5 s .* found 50\.0 s, 9 seg"):
        splits.split(4999, RATE_HZ)


@pytest.mark.parametrize("mode", ["random", "sequential"])
def test_no_training_frame_shares_a_sample_with_a_test_frame(mode: SplitMode) -> None:
    size = 64
    split = splits.split(10_000, RATE_HZ, mode=mode)
    reached = []
    for part in (split.train, split.test):
        targets = frames.draw(part, size, frames.frames_in(part, size), seed=0)
        reached.append(set(frames.gather(np.arange(10_000), targets, size).ravel().tolist()))
    train, test = reached
    assert train == samples_of(split.train)
    assert test == samples_of(split.test)
    assert not train & test


def test_scored_samples_leave_out_the_lead_in_of_each_span() -> None:
    signal = np.arange(30, dtype=np.float32)
    scored = splits.scored(signal, [Span(0, 10), Span(20, 25)], lead_in=3)
    assert scored.tolist() == [3, 4, 5, 6, 7, 8, 9, 23, 24]
    parts = (signal[start:stop] for start, stop in ((0, 10), (20, 25)))
    assert splits.joined(parts, lead_in=3).tolist() == scored.tolist()


def test_the_lead_in_is_the_same_for_all_frames_up_to_512() -> None:
    signal = np.arange(3000, dtype=np.float32)
    scored = splits.scored(signal, [Span(1000, 2000), Span(2000, 3000)])
    assert len(scored) == 2 * (1000 - 511)
    assert scored[0] == 1511  # the first target whose frame of 512 lies inside


def test_scored_lengths_are_those_of_what_is_scored() -> None:
    signal = np.zeros(100, np.float32)
    spans = [Span(0, 30), Span(30, 35), Span(40, 100)]
    lengths = splits.scored_lengths(spans, lead_in=10)
    assert lengths == [20, 0, 50]
    assert sum(lengths) == len(splits.scored(signal, spans, lead_in=10))
