import numpy as np
import pytest

from embedded.c import tanh_approximation


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_stated_error_holds_everywhere(kind: type) -> None:
    x: np.ndarray = np.append(np.linspace(-12, 12, 1_000_001), [-1e30, 1e30, 0, 1e-40]).astype(kind)
    numerator, denominator = tanh_approximation.ratio(x)
    error = np.abs(numerator / denominator - np.tanh(x.astype(np.float64)))
    assert 1e-7 < error.max() <= tanh_approximation.MAXIMUM_ERROR


def test_it_is_odd_and_nearly_of_slope_one() -> None:
    x = np.geomspace(1e-6, 20, 1000)
    up, below = tanh_approximation.ratio(x)
    down, below_too = tanh_approximation.ratio(-x)
    assert np.array_equal(up, -down)
    assert np.array_equal(below, below_too)
    assert np.all(np.abs(up / below / np.tanh(x) - 1) < 6e-6)


def test_six_denominators_and_a_large_state_multiply_without_overflow() -> None:
    ends = np.array([0, tanh_approximation.LIMIT], np.float32)
    _, denominators = tanh_approximation.ratio(ends)
    assert 1e9 * denominators[1] ** 6 < 1e-6 * np.finfo(np.float32).max
    assert denominators[0] ** 6 > 0.1  # nor are products of many lost
