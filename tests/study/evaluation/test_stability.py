"""Networks small enough to know by hand whether they come to rest."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from models.architecture import Architecture
from study.evaluation import stability
from study.training import compiled

RATE_HZ = 8000


def rnn(
    recurrent: list[list[float]], bias: float = 0.0, offset: float = 0.0
) -> stability.Stability:
    """Of ``h = tanh(x + R h + bias)``, whose output is the first unit and an offset."""
    units = len(recurrent)
    weights = [
        np.ones((1, units)),
        np.array(recurrent),
        np.full(units, bias),
        np.eye(units)[:, :1],
        np.array([offset]),
    ]
    a = Architecture("rnn", 1, units, 64)
    return stability.measure(a, [jnp.asarray(w, jnp.float32) for w in weights], RATE_HZ)


@pytest.mark.parametrize("pole", [0.0, 0.5, -0.9])
def test_a_pole_within_the_circle_is_found_and_comes_to_rest(pole: float) -> None:
    found = rnn([[pole]])
    assert found.rest_radius == pytest.approx(abs(pole), abs=1e-4)
    assert found.idle_dc_db == found.idle_noise_db == -240
    assert found.recovery_db < -200
    assert found.objections() == []


def test_a_pair_of_poles_has_its_modulus() -> None:
    turn = 0.8 * np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    assert rnn(turn.tolist()).rest_radius == pytest.approx(0.8, abs=1e-4)


def test_a_latch_stays_where_a_burst_has_left_it() -> None:
    found = rnn([[1.5]])
    assert found.rest_radius == pytest.approx(1.5, abs=1e-3)
    # h = tanh(1.5 h) holds at 0.8586.
    assert found.recovery_db == pytest.approx(20 * np.log10(0.8586), abs=0.01)
    assert [text.split(" (")[0] for text in found.objections()] == [
        "its state leaves rest",
        f"1 s after a loud burst it is {found.recovery_db:.0f} dB off its rest",
    ]


def test_what_forgets_too_slowly_is_told() -> None:
    found = rnn([[0.99999]])
    assert found.rest_radius < 1
    assert found.recovery_db > -40
    assert len(found.objections()) == 1


def test_an_oscillator_sounds_in_silence() -> None:
    turn = 1.3 * np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    found = rnn(turn.tolist(), bias=0.01)
    assert found.idle_noise_db > -20
    assert any("sounds in silence" in text for text in found.objections())


def test_an_offset_is_told_from_noise() -> None:
    found = rnn([[0.5]], offset=-0.1)
    assert found.idle_dc_db == pytest.approx(-20, abs=1e-4)
    assert found.idle_noise_db == -240
    assert found.recovery_db < -100  # from its own rest
    assert found.objections() == ["silence comes out as an offset of -20 dB"]


def test_a_model_that_left_all_bounds_has_finite_figures() -> None:
    a = Architecture("gru", 1, 3, 64)
    weights = [jnp.full_like(w, jnp.nan) for w in compiled.initial_state(a, 0).weights]
    found = stability.measure(a, weights, RATE_HZ)
    assert np.isfinite(found).all()
    assert len(found.objections()) == 4


def test_features_and_controls_are_told_as_they_play() -> None:
    a = Architecture("gru", 1, 3, 40, controls=1, features=2)
    weights = compiled.initial_state(a, 0).weights
    assert stability.measure(a, weights, RATE_HZ, [0.3]).rest_radius < 1


def test_what_only_remembers_the_past_comes_to_rest_and_is_not_linearised() -> None:
    """Its 8,184 numbers would have to be moved one by one."""
    a = Architecture("tcn", 10, 4, 64)
    weights = [jnp.asarray(w) for w in compiled.initial_state(a, seed=0).weights]
    found = stability.measure(a, weights, RATE_HZ)
    assert found.rest_radius == 0
    assert found.recovery_db == found.idle_noise_db == -240
    assert found.objections() == []
