"""Multiply-accumulates, counted by hand."""

from typing import Any

import pytest

from models.architecture import (
    Architecture,
    multiply_accumulates,
    streaming_multiply_accumulates,
)

# Per step: gates x units x (inputs + units), layer by layer; then one output.
STEPS = [("lstm", 1, 4 * 3 * (1 + 3)), ("gru", 1, 3 * 3 * 4), ("rnn", 2, 3 * 4 + 3 * 6)]


@pytest.mark.parametrize(("family", "layers", "step"), STEPS)
def test_a_frame_costs_its_steps_and_streaming_one(family: Any, layers: int, step: int) -> None:
    a = Architecture(family, layers, 3, 10)
    assert streaming_multiply_accumulates(a) == step + 3
    assert multiply_accumulates(a) == 10 * step + 3


def test_without_a_state_there_is_nothing_to_stream() -> None:
    with pytest.raises(ValueError, match="no state"):
        streaming_multiply_accumulates(Architecture("conv", 1, 3, 32))
