"""Scales, rounding and saturation: the one place where floats become integers.

An integer q stands for ``scale * (q - zero_point)`` (TFLite's 8-bit quantization
specification; Jacob et al., CVPR 2018). Rounding is to the nearest integer, halves away from
zero as TFLite rounds; what lies outside the type's range becomes its nearest end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from embedded.tflite.graph import Range

Kind = Literal["float32", "int8", "int16x8"]
"""Of a model's activations and weights: all float32; all int8; int16 with int8 weights."""
KINDS: tuple[str, ...] = get_args(Kind)

IntegerType: TypeAlias = type[np.int8] | type[np.int16] | type[np.int32] | type[np.int64]

ACTIVATIONS: dict[Kind, IntegerType] = {"int8": np.int8, "int16x8": np.int16}
BIASES: dict[Kind, IntegerType] = {"int8": np.int32, "int16x8": np.int64}

# Of sixteen bits one is left for what is louder than anything in the calibration; of eight
# bits none can be spared.
HEADROOM = {"int8": 1.0, "int16x8": 2.0}
_BEYOND = 2.0**64
_SMALLEST_RANGE = 1e-6  # of a tensor that calibration found to be zero throughout

Float = NDArray[np.floating[Any]]
Integer = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True)
class Scale:
    """How a tensor's integers stand for numbers.

    Attributes:
        scale: the step from one integer to the next; one a channel for some weights.
        zero_point: the integer that stands for zero.
        axis: of the channels; 0 where there is one scale.
    """

    scale: tuple[float, ...]
    zero_point: int = 0
    axis: int = 0

    def __post_init__(self) -> None:
        """Refuse what no runtime takes."""
        if not all(np.isfinite(s) and s > 0 for s in self.scale):
            raise ValueError(f"scales must be finite and above 0, not {self.scale}")


def quantized(values: Float, scale: Scale, dtype: IntegerType) -> Integer:
    """Integers for numbers: rounded to the nearest, saturated, same shape.

    Raises:
        ValueError: NaN, which no integer stands for.
    """
    if np.isnan(values).any():
        raise ValueError("NaN cannot be quantized")
    limits = np.iinfo(dtype)
    steps = np.asarray(values, np.float64) / _along(scale, np.ndim(values))
    # Infinities saturate like any number beyond 64 bits.
    steps = _rounded(np.clip(steps, -_BEYOND, _BEYOND)) + scale.zero_point
    # As a float, 2^63 - 1 is 2^63, one too many: what reaches the upper end is set apart.
    is_over = steps >= limits.max
    inside = np.maximum(np.where(is_over, 0.0, steps), limits.min).astype(dtype)
    return np.asarray(np.where(is_over, limits.max, inside), dtype)


def dequantized(values: Integer, scale: Scale) -> NDArray[np.float32]:
    """The numbers that integers stand for, same shape."""
    steps = values.astype(np.float64) - scale.zero_point
    return (steps * _along(scale, values.ndim)).astype(np.float32)


def activation_scale(low: float, high: float, known: Range, kind: Kind) -> Scale:
    """The scale of a computed tensor.

    int16 tensors are symmetric about zero, as TFLite wants them; int8 ones use the whole
    range, with zero exact.

    Args:
        low: smallest value that calibration found.
        high: largest.
        known: what is known without calibration.
        kind: int8 or int16x8.
    """
    if kind == "int16x8":
        if known != "calibrated":
            return Scale((1 / 32768,))
        largest = max(abs(low), abs(high), _SMALLEST_RANGE)
        return Scale((_single(HEADROOM[kind] * largest / 32767),))
    if known == "tanh":
        return Scale((1 / 128,))
    if known == "logistic":
        return Scale((1 / 256,), -128)
    low, high = min(low, 0.0), max(high, 0.0, _SMALLEST_RANGE)
    step = _single(HEADROOM[kind] * (high - low) / 255)
    zero_point = int(np.clip(_rounded(np.float64(-128 - low / step)), -128, 127))
    return Scale((step,), zero_point)


def weight_scale(values: Float, axis: int | None = None) -> Scale:
    """The scale of int8 weights: symmetric, -127 to 127, one for all or one a channel."""
    if axis is None:
        largest = np.max(np.abs(values), keepdims=True).reshape(-1)
    else:
        others = tuple(n for n in range(values.ndim) if n != axis)
        largest = np.max(np.abs(values), axis=others)
    return Scale(tuple(_single(max(x, _SMALLEST_RANGE) / 127) for x in largest), 0, axis or 0)


def bias_scale(source: Scale, weights: Scale) -> Scale:
    """The scale of what is added to the product of an input and weights."""
    (step,) = source.scale
    return Scale(tuple(_single(step * s) for s in weights.scale))


def _rounded(steps: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    """To the nearest whole number, halves away from zero."""
    # Adding 0.5 before floor would round 0.49999999999999994 up.
    whole = np.trunc(steps)
    return np.asarray(whole + np.where(np.abs(steps - whole) >= 0.5, np.sign(steps), 0.0))


def _along(scale: Scale, dimensions: int) -> NDArray[np.float64]:
    steps = np.array(scale.scale)
    if len(steps) == 1:
        return steps.reshape(())
    return steps.reshape([-1 if n == scale.axis else 1 for n in range(dimensions)])


def _single(value: float) -> float:
    """Rounded to float32, in which the file keeps scales."""
    return float(np.float32(value))
