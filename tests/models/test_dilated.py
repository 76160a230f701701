"""Dilated convolutions: what they hear, how far they reach, and that blocks leave no seam."""

from functools import lru_cache

import jax.numpy as jnp
import keras
import numpy as np
import pytest

from models import sequence
from models.architecture import Architecture, streaming_multiply_accumulates
from models.families import FAMILIES, LEAKY_SLOPE, dilations, kernels, pasts
from models.streaming import build_streaming, state_sizes

A = Architecture("tcn", 4, 3, 64, kernel_sizes=(3, 2), dilations=(1, 4, 7))
REACH = 2 * 1 + 1 * 4 + 2 * 7 + 1 * 1  # of its four layers, by hand
SAMPLES = 96


def drawn(a: Architecture) -> list[np.ndarray]:
    """Weights without zeros, so that biases are seen too."""
    rng = np.random.default_rng(7)
    return [rng.normal(0, 0.4, s).astype(np.float32) for s in FAMILIES[a.family].weight_shapes(a)]


@lru_cache
def twin() -> keras.Model:
    model = build_streaming(A)
    for variable, value in zip(model.trainable_variables, drawn(A), strict=True):
        variable.assign(value)
    return model


def respond(dry: np.ndarray, block: int) -> np.ndarray:
    """Block after block, by the streaming twin."""
    states = [jnp.zeros((1, size)) for size in state_sizes(A)]
    wet = []
    for start in range(0, len(dry), block):
        part, *states = twin()([jnp.asarray(dry[None, start : start + block, None]), *states])
        wet.append(np.asarray(part)[0, :, 0])
    return np.concatenate(wet)


def noise(samples: int = SAMPLES) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.5, samples).astype(np.float32)


def test_settings_begin_anew_after_their_last() -> None:
    assert kernels(A) == (3, 2, 3, 2)
    assert dilations(A) == (1, 4, 7, 1)
    assert sum(pasts(A)) == REACH
    usual = Architecture("tcn", 12, 4, 64)
    assert kernels(usual) == (3,) * 12
    assert dilations(usual) == (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1, 2)


def test_the_whole_signal_is_its_blocks_of_any_size() -> None:
    """Down to one sample, which is shorter than any layer's past."""
    whole = respond(noise(), SAMPLES)
    assert np.abs(whole).max() > 0.3
    model = sequence.build(A, 0)
    for variable, value in zip(model.trainable_variables, drawn(A), strict=True):
        variable.assign(value)
    np.testing.assert_allclose(model(noise()[None, :, None])[0, :, 0], whole, atol=1e-6)
    for block in (1, 5, 37):
        np.testing.assert_allclose(respond(noise(), block), whole, atol=1e-6)


def test_windows_of_training_follow_one_another_without_a_seam() -> None:
    window, own = sequence.Window(A), [jnp.asarray(w) for w in drawn(A)]
    dry, states = noise(), [jnp.zeros((1, size)) for size in state_sizes(A)]
    wet = []
    for start in range(0, SAMPLES, 32):
        part, states = window(own, jnp.asarray(dry[start : start + 32, None]), states)
        wet.append(part[:, 0])
    np.testing.assert_allclose(jnp.concatenate(wet), respond(dry, SAMPLES), atol=1e-6)


def test_a_sample_is_heard_from_now_to_the_last_of_its_reach() -> None:
    changed = noise()
    changed[20] += 1e4  # what the slopes leave of it has to be seen
    moved = np.abs(respond(changed, SAMPLES) - respond(noise(), SAMPLES))
    assert not moved[:20].any()
    assert moved[20] > 1e-3 and moved[20 + REACH] > 1e-7
    assert not moved[20 + REACH + 1 :].any()


def test_two_layers_by_hand() -> None:
    """One channel, an impulse of 1: every product can be followed."""
    a = Architecture("tcn", 2, 1, 64, kernel_sizes=(2,), dilations=(1, 3))
    values = [2.0, [0.5, 1.0], 0.1, -3.0, 0.25, 0.2, [1.0, -1.0], -0.3, 0.5, 4.0, 0.7]
    shapes = FAMILIES["tcn"].weight_shapes(a)
    own = [jnp.asarray(v, jnp.float32).reshape(s) for v, s in zip(values, shapes, strict=True)]
    dry = np.zeros(6, np.float32)
    dry[0] = 1
    states = [jnp.zeros((1, size)) for size in state_sizes(a)]
    wet, _ = sequence.Window(a)(own, jnp.asarray(dry[:, None]), states)

    def leaky(x: float) -> float:
        return x if x > 0 else LEAKY_SLOPE * x

    u = dry.tolist()
    x = [2 * v for v in u]  # the older tap comes first in a kernel
    first = [leaky(0.1 + 1.0 * x[n] + 0.5 * (x[n - 1] if n else 0) - 3 * u[n]) for n in range(6)]
    x = [x[n] + 0.25 * first[n] + 0.2 for n in range(6)]
    second = [
        leaky(-0.3 - 1.0 * x[n] + 1.0 * (x[n - 3] if n > 2 else 0) + 0.5 * u[n]) for n in range(6)
    ]
    expected = [4 * (first[n] + second[n]) + 0.7 for n in range(6)]
    np.testing.assert_allclose(wet[:, 0], expected, rtol=1e-6)


def test_ten_layers_of_four_channels_by_hand() -> None:
    a = Architecture("tcn", 10, 4, 64)
    # First product; convolutions with the dry sample; products between layers; the output.
    assert streaming_multiply_accumulates(a) == 4 + 10 * (3 * 16 + 4) + 9 * 16 + 4
    parameters = sum(int(np.prod(s)) for s in FAMILIES["tcn"].weight_shapes(a))
    assert parameters == 4 + 10 * (3 * 16 + 4 + 4) + 9 * (16 + 4) + 5
    assert sum(state_sizes(a)) == 4 * 2 * 1023


def test_a_knob_enters_beside_the_sample() -> None:
    a = Architecture("tcn", 2, 4, 64, controls=1)
    assert streaming_multiply_accumulates(a) == 3 * 2 * 4 + (2 * 3 + 1) * 16 + 4
    window, own = sequence.Window(a), [jnp.asarray(w) for w in drawn(a)]
    states = [jnp.zeros((1, size)) for size in state_sizes(a)]
    answers = []
    for knob in (0.1, 0.9):
        inputs = np.stack([noise(), np.full(SAMPLES, knob, np.float32)], axis=-1)
        answers.append(window(own, jnp.asarray(inputs[:, None]), states)[0])
    assert np.abs(answers[0] - answers[1]).max() > 0.01


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"dilations": (1, 2, 4)}, "2 layers have no use for 3 dilations"),
        ({"kernel_sizes": (3, 3, 3)}, "2 layers have no use for 3 kernel_sizes"),
        ({"kernel_sizes": (1,)}, "kernel_sizes are 2 or more"),
        ({"dilations": (0,)}, "dilations 1 or more"),
        ({"dilations": (40_000,)}, "reach back 160,000 samples"),
        ({"features": 2}, "a tcn model takes none"),
    ],
)
def test_what_has_no_sense_is_refused(asked: dict[str, tuple[int, ...]], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Architecture("tcn", 2, 4, 64, **asked)  # type: ignore[arg-type]


def test_other_families_have_neither_kernels_nor_so_many_layers() -> None:
    with pytest.raises(ValueError, match="dilations are for tcn; a gru model takes none"):
        Architecture("gru", 1, 4, 64, dilations=(2,))
    with pytest.raises(ValueError, match="a gru model has 8 layers at most, not 9"):
        Architecture("gru", 9, 4, 64)
