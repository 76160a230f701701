"""What the estimates claim, against counts that they were not fitted to."""

from dataclasses import replace

import pytest

from embedded.budget import cost_model
from embedded.c.generate import golden_input
from embedded.simulator import qemu, trace
from embedded.tflite.quantization import Kind
from models.architecture import Architecture
from tests.embedded.c.generated import source

FAMILIES = ["lstm", "gru", "rnn", "dense", "conv", "tcn"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("quantity", ["instructions", "cycles"])
def test_held_out_models_are_estimated_well(family: str, quantity: str) -> None:
    assert (
        0
        < cost_model.held_out_error(family, quantity)
        < {"instructions": 0.1, "cycles": 0.2}[quantity]
    )


def test_cycles_carry_the_error_of_the_fit() -> None:
    known = cost_model.generated_c(Architecture("gru", 1, 10, 64))
    estimated = cost_model.generated_c(Architecture("gru", 1, 11, 64))
    assert known.cycles is not None and estimated.cycles is not None
    assert 1 < known.cycles / known.instructions < 2
    assert known.cycles_error == 0
    assert estimated.cycles_error == cost_model.held_out_error("gru", "cycles")
    assert cost_model.tflite_micro(Architecture("gru", 1, 10, 64), "float32").cycles is None


@pytest.mark.parametrize("family", FAMILIES)
def test_llvms_model_tells_more_cycles_but_not_half_as_many_again(family: str) -> None:
    """It makes a convolution of two channels, whose two sums wait for themselves, the slowest."""
    assert 0 <= cost_model.timing_error(family) < (0.45 if family == "tcn" else 0.25)


@pytest.mark.parametrize("kind", ["float32", "int8", "int16x8"])
def test_tflite_estimates_state_an_error_below_a_third(kind: str) -> None:
    cost = cost_model.tflite_micro(Architecture("lstm", 1, 16, 64), kind)  # type: ignore[arg-type]
    assert cost.basis == "model"
    assert 0 < cost.error < 0.33
    assert cost.instructions > cost_model.generated_c(Architecture("lstm", 1, 16, 64)).instructions


@pytest.mark.parametrize("kind", ["float32", "int8", "int16x8"])
def test_tflite_errors_are_of_models_that_were_not_fitted_to(kind: Kind) -> None:
    def told(part: str) -> list[Architecture]:
        return [
            cost_model.architecture_of(r)
            for r in cost_model._tflite_measured(part)
            if r["kind"] == kind
        ]

    held_out = told("held_out")
    assert held_out
    assert not set(held_out) & set(told("fit"))
    untried = cost_model.tflite_micro(Architecture("gru", 1, 10, 64), kind)
    assert untried.error >= cost_model.UNTRIED_ERROR
    assert untried.basis == "guess"
    assert cost_model.tflite_micro(Architecture("lstm", 1, 20, 64), kind).basis == "model"


@pytest.mark.parametrize("kind", ["float32", "int8", "int16x8"])
def test_features_cost_their_taps_in_tflite_and_are_a_guess(kind: Kind) -> None:
    plain = cost_model.tflite_micro(Architecture("lstm", 1, 20, 64), kind)
    few, many, long = (
        cost_model.tflite_micro(Architecture("lstm", 1, 20, frame, features=features), kind)
        for frame, features in ((16, 2), (16, 8), (64, 8))
    )
    for quantity in ("instructions", "flash_bytes", "ram_bytes"):
        values = [getattr(cost, quantity) for cost in (plain, few, many, long)]
        assert values == sorted(set(values)), quantity
    assert long.instructions - many.instructions > 48 * 8  # taps, each a product or more
    assert (few.basis, few.error >= cost_model.UNTRIED_ERROR) == ("guess", True)


def test_measured_models_are_told_as_measured() -> None:
    cost = cost_model.generated_c(Architecture("gru", 1, 10, 64))
    assert (cost.basis, cost.error) == ("measured", 0)
    assert 360 < cost.instructions < 1300
    other_frames = cost_model.generated_c(Architecture("gru", 1, 10, 32))
    assert other_frames == cost  # streaming, whatever frames it was trained on
    assert cost_model.generated_c(Architecture("gru", 1, 10, 64, residual=True)).instructions == (
        cost.instructions + 1
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_estimates_grow_with_units_and_stay_above_the_products(family: str) -> None:
    found = [
        cost_model.generated_c(Architecture(family, 1, units, 64))
        for units in (18, 28, 52, 100, 300)
    ]
    assert all(cost.basis == "model" for cost in found)
    for quantity in ("instructions", "flash_bytes", "ram_bytes"):
        values = [getattr(cost, quantity) for cost in found]
        assert values == sorted(values)
    assert found[-1].flash_bytes > 4 * 300


@pytest.mark.system
@pytest.mark.slow
@pytest.mark.skipif(bool(qemu.missing_tools()), reason="needs make system")
@pytest.mark.parametrize(
    "a",
    [
        Architecture("gru", 1, 10, 64),
        Architecture("lstm", 1, 12, 64),
        Architecture("conv", 1, 8, 64),
        Architecture("tcn", 4, 8, 64, kernel_sizes=(6,)),
    ],
)
def test_the_stored_counts_are_those_of_todays_code(a: Architecture) -> None:
    """Fails when the templates change: measure the list anew then."""
    stored = cost_model.generated_c(a)
    found = qemu.simulate(source(a), golden_input(1024, 44100, 9))
    assert stored.basis == "measured"
    assert stored.instructions == pytest.approx(found.instructions_per_sample, rel=0.01)
    assert stored.cycles == pytest.approx(trace.of_model(source(a)).cycles_per_sample, rel=0.01)
    assert stored.flash_bytes == pytest.approx(found.footprint.flash_bytes, rel=0.02)


def test_a_frame_from_zero_state_takes_a_step_a_sample() -> None:
    cost = cost_model.generated_c(Architecture("lstm", 1, 16, 64))
    assert cost.cycles is not None
    assert cost.repeated(64) == replace(
        cost, instructions=64 * cost.instructions, cycles=64 * cost.cycles
    )
