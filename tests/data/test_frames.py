"""Frame indices against integers worked out by hand, and against numpy's own windows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import frames
from data.errors import InputError
from data.frames import Span

SIGNAL = np.arange(100, 120, dtype=np.float32)


def test_a_frame_ends_at_its_target() -> None:
    gathered = frames.gather(SIGNAL, np.array([3, 10]), 4)
    assert gathered.shape == (2, 4, 1)
    assert gathered[..., 0].tolist() == [[100, 101, 102, 103], [107, 108, 109, 110]]


def test_targets_of_any_shape_are_gathered() -> None:
    gathered = frames.gather(SIGNAL, np.array([[2, 3], [4, 5], [6, 7]]), 3)
    assert gathered.shape == (3, 2, 3, 1)
    assert gathered[2, 0, :, 0].tolist() == [104, 105, 106]


def test_history_is_zeros_before_the_signal() -> None:
    assert frames.with_history(SIGNAL[:3], 4).tolist() == [0, 0, 0, 100, 101, 102]


@settings(deadline=None)
@given(size=st.integers(1, 30), samples=st.integers(1, 50))
def test_frames_of_a_signal_with_history_are_its_sliding_windows(size: int, samples: int) -> None:
    signal = np.random.default_rng(samples).standard_normal(samples).astype(np.float32)
    padded = frames.with_history(signal, size)
    targets = np.arange(size - 1, len(padded), dtype=np.int32)
    gathered = frames.gather(padded, targets, size)[..., 0]
    np.testing.assert_array_equal(gathered, np.lib.stride_tricks.sliding_window_view(padded, size))
    np.testing.assert_array_equal(gathered[:, -1], signal)  # one frame for every sample


def test_frames_are_counted_within_spans() -> None:
    spans = [Span(0, 5), Span(5, 7), Span(10, 14)]
    assert frames.frames_in(spans, 1) == 11
    assert frames.frames_in(spans, 3) == 3 + 0 + 2
    assert frames.frames_in(spans, 4) == 2 + 0 + 1


def test_frames_are_numbered_through_the_spans() -> None:
    spans = [Span(0, 5), Span(5, 7), Span(10, 14)]
    targets = frames.target_at(spans, 3, np.arange(5, dtype=np.int32))
    assert targets.tolist() == [2, 3, 4, 12, 13]
    assert targets.dtype == np.int32


@st.composite
def span_lists(draw: st.DrawFn) -> list[Span]:
    edges = sorted(draw(st.sets(st.integers(0, 300), min_size=2, max_size=12)))
    return [Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]


@settings(deadline=None)
@given(spans=span_lists(), size=st.integers(1, 40), seed=st.integers(0, 9))
def test_every_frame_lies_inside_one_span(spans: list[Span], size: int, seed: int) -> None:
    available = frames.frames_in(spans, size)
    targets = frames.draw(spans, size, available, seed)
    homes = [
        sum(s.start <= target - size + 1 and target < s.stop for s in spans) for target in targets
    ]
    assert homes == [1] * available
    # Drawing all of them draws each once.
    assert len(set(targets.tolist())) == available


def test_a_draw_is_seeded_and_without_repetition() -> None:
    spans = [Span(0, 500), Span(700, 900)]
    drawn = frames.draw(spans, 16, 300, seed=1)
    assert len(set(drawn.tolist())) == len(drawn) == 300
    assert drawn.tolist() == frames.draw(spans, 16, 300, seed=1).tolist()
    assert drawn.tolist() != frames.draw(spans, 16, 300, seed=2).tolist()
    assert sorted(drawn) != drawn.tolist()


def test_a_draw_favours_no_part_of_the_signal() -> None:
    drawn = frames.draw([Span(0, 40_000)], 64, 10_000, seed=0)
    quarters = np.histogram(drawn, 4, range=(63, 40_000))[0]
    assert quarters == pytest.approx(2500, abs=150)  # 3.5 standard deviations


def test_drawing_more_than_there_is_says_how_many_there_are() -> None:
    with pytest.raises(InputError, match=r"at most 7 frames of 4 samples.*found 8"):
        frames.draw([Span(0, 10)], 4, 8, seed=0)
