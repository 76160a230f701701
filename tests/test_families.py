"""Every family is computed by each backend, or refused by it with a reason; never mistaken."""

from collections.abc import Callable

import numpy as np
import pytest

from data.errors import InputError
from embedded.budget import cost_model
from embedded.c import cells
from embedded.c.generate import Metadata, generate
from embedded.network import reference
from embedded.network import weights as network
from embedded.tflite import networks
from models import framed, sequence, streaming
from models.architecture import (
    Architecture,
    multiply_accumulates,
    streaming_multiply_accumulates,
)
from models.families import FAMILIES
from models.layers import HIDDEN
from study.rendering import numba_cells

Drawn = list[np.ndarray]


def shape(family: str) -> Architecture:
    return Architecture(family, 2, 4, 16)


def drawn(a: Architecture) -> Drawn:
    rng = np.random.default_rng(0)
    return [
        rng.normal(0, 0.3, size).astype(np.float32) for size in FAMILIES[a.family].weight_shapes(a)
    ]


def steps(a: Architecture, own: Drawn) -> None:
    numba_cells.SteppedModel(a, own, 8)


def c(a: Architecture, own: Drawn) -> None:
    generate(a, own, Metadata("model", "noise", 44_100, "test"))


def tflite(a: Architecture, own: Drawn) -> None:
    networks.build(a, own, "streaming" if a.streams else "framed", 4, "float32")


def cost(a: Architecture, _: Drawn) -> None:
    assert cost_model.generated_c(a).instructions > 0


def tflite_cost(a: Architecture, _: Drawn) -> None:
    assert cost_model.tflite_micro(a, "float32").instructions > 0


def answer(a: Architecture, own: Drawn) -> None:
    network.check(a, own)
    assert np.isfinite(reference.respond(a, own, np.ones(20))).all()


# What says no, and what then has to refuse; what says nothing has to work.
BACKENDS: dict[
    str, tuple[Callable[[Architecture], str | None], Callable[[Architecture, Drawn], None]]
] = {
    "compiled loops": (numba_cells.objection, steps),
    "reference": (network.objection, answer),
    "C": (cells.objection, c),
    "TFLite": (networks.objection, tflite),
    "cost of C": (cost_model.objection, cost),
    "cost of TFLite Micro": (cost_model.tflite_objection, tflite_cost),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_backend_computes_a_family_or_says_why_not(family: str, backend: str) -> None:
    a, (objection, make) = shape(family), BACKENDS[backend]
    reason = objection(a)
    if reason is None:
        make(a, drawn(a))
        return
    assert family in reason
    with pytest.raises((InputError, ValueError), match=family):
        make(a, drawn(a))


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_descriptor_promises_is_written(family: str) -> None:
    a, own = shape(family), FAMILIES[family]
    assert own.name == family
    assert own.has_framed_form or own.streams
    assert HIDDEN[family].framed or not own.has_framed_form
    assert HIDDEN[family].streaming or not own.streams
    assert (family in reference.HIDDEN) == (family in cells.CELLS) == own.has_firmware
    assert (cost_model.objection(a) is None) == own.has_firmware


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("layers", [1, 2])
def test_the_weights_are_of_the_shapes_that_the_descriptor_says(family: str, layers: int) -> None:
    a = Architecture(family, layers, 4, 16)
    own = FAMILIES[family]
    forms = [framed.build(a, 0)] if own.has_framed_form else []
    forms += [sequence.build(a, 0), streaming.build_streaming(a)] if own.streams else []
    for model in forms:
        assert [tuple(v.shape) for v in model.trainable_variables] == own.weight_shapes(a)
    if own.streams:
        *_, twin = forms
        sizes = own.state_sizes(a)
        assert [tensor.shape for tensor in twin.inputs[1:]] == [(None, size) for size in sizes]
        assert len(twin.outputs) == len(twin.inputs)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_form_that_a_family_lacks_is_refused(family: str) -> None:
    a, own = shape(family), FAMILIES[family]
    if not own.has_framed_form:
        for refused in (lambda: framed.build(a, 0), lambda: multiply_accumulates(a)):
            with pytest.raises(ValueError, match="no framed form"):
                refused()
    if not own.streams:
        for refused in (
            lambda: sequence.build(a, 0),
            lambda: streaming.build_streaming(a),
            lambda: streaming_multiply_accumulates(a),
        ):
            with pytest.raises(ValueError, match="no state to carry"):
                refused()


def test_an_unknown_family_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="there is no transformer"):
        Architecture("transformer", 1, 4, 16)
