"""Rounding and saturation, by algebra and by hand-written integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from embedded.tflite.quantization import (
    IntegerType,
    Scale,
    activation_scale,
    bias_scale,
    dequantized,
    quantized,
    weight_scale,
)

ONE = Scale((1.0,))


def integers(values: list[float], scale: Scale = ONE, dtype: IntegerType = np.int8) -> list[int]:
    return [int(q) for q in quantized(np.array(values), scale, dtype)]


def test_halves_are_rounded_away_from_zero() -> None:
    assert integers([0.5, 1.5, 2.5, -0.5, -1.5, 0.49999999999999994]) == [1, 2, 3, -1, -2, 0]


def test_what_lies_outside_saturates() -> None:
    assert integers([127.4, 127.5, 1e9, -128.4, -128.6, -1e9]) == [127, 127, 127, *[-128] * 3]
    assert integers([np.inf, -np.inf], dtype=np.int16) == [32767, -32768]
    assert integers([1e30, -1e30], dtype=np.int64) == [2**63 - 1, -(2**63)]
    assert integers([2.0**31, -(2.0**31) - 1], dtype=np.int32) == [2**31 - 1, -(2**31)]


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        integers([float("nan")])


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_is_above_zero_and_finite(scale: float) -> None:
    with pytest.raises(ValueError, match="scales"):
        Scale((scale,))


def test_the_zero_point_stands_for_zero() -> None:
    scale = Scale((0.5,), -3)
    assert integers([0.0, 1.0, -1.0, 1000.0], scale) == [-3, -1, -5, 127]
    assert list(dequantized(np.array([-3, 127], np.int8), scale)) == [0.0, 65.0]


def test_channels_have_scales_of_their_own() -> None:
    values = np.array([[[1.0, -2.0]], [[10.0, 5.0]]])
    scale = weight_scale(values, axis=0)
    assert scale.axis == 0
    assert scale.scale == pytest.approx((2 / 127, 10 / 127), rel=1e-6)
    assert quantized(values, scale, np.int8).tolist() == [[[64, -127]], [[127, 64]]]
    last = weight_scale(values, axis=2)
    assert last.scale == pytest.approx((10 / 127, 5 / 127), rel=1e-6)


def test_biases_take_the_scale_of_the_sum() -> None:
    scale = bias_scale(Scale((0.5,), 7), Scale((0.25, 2.0)))
    assert scale == Scale((0.125, 1.0))


@given(
    arrays(np.float64, 20, elements=st.floats(-5, 5)),
    st.sampled_from(["int8", "int16x8"]),
)
def test_a_calibrated_scale_holds_what_it_was_calibrated_on(values: np.ndarray, kind: str) -> None:
    low, high = float(values.min()), float(values.max())
    scale = activation_scale(low, high, "calibrated", kind)  # type: ignore[arg-type]
    dtype: IntegerType = np.int8 if kind == "int8" else np.int16
    found = dequantized(quantized(values, scale, dtype), scale)
    # Half a step, and for int8 half a step more, where zero moved the ends.
    assert np.abs(found - values).max() <= 1.01 * scale.scale[0] + 1e-9
    assert quantized(np.zeros(1), scale, dtype)[0] == scale.zero_point


def test_int16_leaves_room_for_louder_sounds() -> None:
    scale = activation_scale(-1.0, 0.5, "calibrated", "int16x8")
    assert 32767 * scale.scale[0] == pytest.approx(2.0, rel=1e-6)
    assert scale.zero_point == 0


def test_operators_of_fixed_range_get_the_scales_that_tflite_prescribes() -> None:
    assert activation_scale(-0.1, 0.1, "tanh", "int8") == Scale((1 / 128,))
    assert activation_scale(0.4, 0.6, "logistic", "int8") == Scale((1 / 256,), -128)
    assert activation_scale(0.4, 0.6, "logistic", "int16x8") == Scale((1 / 32768,))
    assert activation_scale(0.0, 0.6, "unit", "int16x8") == Scale((1 / 32768,))


def test_silence_in_the_calibration_gives_a_scale_all_the_same() -> None:
    assert activation_scale(0.0, 0.0, "calibrated", "int8").scale[0] > 0
    assert activation_scale(0.0, 0.0, "calibrated", "int16x8").scale[0] > 0
    assert weight_scale(np.zeros((3, 3))).scale[0] > 0
