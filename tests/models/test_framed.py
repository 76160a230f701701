"""What every family of framed models must do, and what one prediction costs."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest

from models.architecture import Architecture, multiply_accumulates
from models.families import conv_length
from models.framed import build
from tests.tiny import FAMILIES

FRAME_SIZE = 16
UNITS = 4

# Weights of layers 1 and 2 and of the output, by hand: (inputs + units + 1) * units * gates,
# but a GRU of Keras has two biases; kernel 5 * inputs * filters + filters.
PARAMETERS = {
    ("lstm", 1): 4 * (1 + 4 + 1) * 4 + 5,
    ("lstm", 2): 4 * (1 + 4 + 1) * 4 + 4 * (4 + 4 + 1) * 4 + 5,
    ("gru", 1): 3 * (1 + 4 + 2) * 4 + 5,
    ("gru", 2): 3 * (1 + 4 + 2) * 4 + 3 * (4 + 4 + 2) * 4 + 5,
    ("rnn", 1): (1 + 4 + 1) * 4 + 5,
    ("rnn", 2): (1 + 4 + 1) * 4 + (4 + 4 + 1) * 4 + 5,
    ("dense", 1): (16 + 1) * 4 + 5,
    ("dense", 2): (16 + 1) * 4 + (4 + 1) * 4 + 5,
    ("conv", 1): (12 * 1 * 4 + 4) + (2 * 4 + 1),
    ("conv", 2): (12 * 1 * 4 + 4) + (2 * 4 * 4 + 4) + (1 * 4 + 1),
}
# Products of an input, a state or an activation with a weight, by hand.
MACS = {
    ("lstm", 1): 16 * (1 * 16 + 4 * 16) + 4,
    ("lstm", 2): 16 * (1 * 16 + 4 * 16) + 16 * (4 * 16 + 4 * 16) + 4,
    ("gru", 1): 16 * (1 * 12 + 4 * 12) + 4,
    ("gru", 2): 16 * (1 * 12 + 4 * 12) + 16 * (4 * 12 + 4 * 12) + 4,
    ("rnn", 1): 16 * (1 * 4 + 4 * 4) + 4,
    ("rnn", 2): 16 * (1 * 4 + 4 * 4) + 16 * (4 * 4 + 4 * 4) + 4,
    ("dense", 1): 16 * 4 + 4,
    ("dense", 2): 16 * 4 + 4 * 4 + 4,
    ("conv", 1): 2 * 12 * 1 * 4 + 2 * 4,  # samples 0 to 11 and 4 to 15: 2 positions
    ("conv", 2): 2 * 12 * 1 * 4 + 1 * 2 * 4 * 4 + 1 * 4,
}


def frames(count: int) -> npt.NDArray[np.float32]:
    noise = np.random.default_rng(0).standard_normal((count, FRAME_SIZE, 1))
    return noise.astype(np.float32)


def weights(model: keras.Model) -> list[npt.NDArray[np.float32]]:
    return [np.asarray(v.value) for v in model.trainable_variables]


def output(model: keras.Model, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(model(inputs))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("family", FAMILIES)
class TestEveryFamily:
    @pytest.fixture
    def architecture(self, family: Any, layers: int) -> Architecture:
        return Architecture(family, layers, UNITS, FRAME_SIZE)

    def test_a_frame_becomes_one_sample(self, architecture: Architecture) -> None:
        wet = output(build(architecture, seed=0), frames(4))
        assert wet.shape == (4, 1)
        assert wet.dtype == np.float32

    def test_all_weights_are_float32(self, architecture: Architecture) -> None:
        assert {w.dtype for w in weights(build(architecture, 0))} == {np.dtype(np.float32)}

    def test_parameters_are_as_many_as_by_hand(
        self, architecture: Architecture, family: str, layers: int
    ) -> None:
        model = build(architecture, 0)
        assert model.count_params() == PARAMETERS[family, layers]
        assert sum(w.size for w in weights(model)) == PARAMETERS[family, layers]

    def test_multiply_accumulates_are_as_many_as_by_hand(
        self, architecture: Architecture, family: str, layers: int
    ) -> None:
        assert multiply_accumulates(architecture) == MACS[family, layers]

    def test_the_same_seed_draws_the_same_weights(self, architecture: Architecture) -> None:
        keras.utils.set_random_seed(1)
        one = weights(build(architecture, seed=7))
        keras.utils.set_random_seed(2)  # the global seed has no say
        for a, b in zip(one, weights(build(architecture, seed=7)), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_another_seed_draws_other_weights(self, architecture: Architecture) -> None:
        one, other = build(architecture, 7), build(architecture, 8)
        kernels = [v.path.endswith("kernel") for v in one.trainable_variables]
        assert sum(kernels) >= 2
        for a, b, is_kernel in zip(weights(one), weights(other), kernels, strict=True):
            assert np.array_equal(a, b) != is_kernel  # biases start alike

    def test_a_saved_model_predicts_the_same_bits(
        self, architecture: Architecture, tmp_path: Path
    ) -> None:
        model = build(architecture, seed=1)
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        np.testing.assert_array_equal(output(loaded, frames(4)), output(model, frames(4)))

    def test_every_frame_is_predicted_by_itself(self, architecture: Architecture) -> None:
        model, many = build(architecture, seed=1), frames(4)
        changed = many.copy()
        changed[[0, 1, 3]] += 1
        before, after = output(model, many), output(model, changed)
        np.testing.assert_array_equal(after[2], before[2])
        assert (after != before).sum() == 3

    def test_the_oldest_and_the_newest_sample_count(self, architecture: Architecture) -> None:
        model, many = build(architecture, seed=1), frames(4)
        many[:] = many[0]
        many[1, 0] += 10
        many[2, FRAME_SIZE - 1] += 10
        whole, oldest, newest, same = output(model, many)[:, 0]
        assert oldest != whole
        assert newest != whole
        assert same == whole


@pytest.mark.parametrize("family", FAMILIES)
def test_a_residual_model_adds_the_newest_dry_sample(family: Any, tmp_path: Path) -> None:
    plain = build(Architecture(family, 2, UNITS, FRAME_SIZE), seed=1)
    residual = build(Architecture(family, 2, UNITS, FRAME_SIZE, residual=True), seed=1)
    expected = output(plain, frames(4)) + frames(4)[:, -1]
    np.testing.assert_allclose(output(residual, frames(4)), expected, rtol=1e-6)
    residual.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(output(loaded, frames(4)), output(residual, frames(4)))
    for one, other in zip(weights(plain), weights(residual), strict=True):
        np.testing.assert_array_equal(one, other)


def test_layers_of_one_model_start_from_different_weights() -> None:
    by_path = {
        v.path: np.asarray(v.value)
        for v in build(Architecture("rnn", 3, UNITS, FRAME_SIZE), 0).trainable_variables
    }
    recurrent = [value for path, value in by_path.items() if "recurrent_kernel" in path]
    assert len(recurrent) == 3
    assert not np.array_equal(recurrent[0], recurrent[1])
    assert not np.array_equal(recurrent[1], recurrent[2])


def test_a_convolution_longer_than_the_frame_is_refused() -> None:
    assert conv_length(Architecture("conv", 2, UNITS, 16), 2) == 1
    with pytest.raises(ValueError, match="more than 15 samples"):
        Architecture("conv", 2, UNITS, 15)


@pytest.mark.parametrize("frame_size", [64, 65, 66, 67])
def test_a_convolution_always_sees_the_newest_sample(frame_size: int) -> None:
    model = build(Architecture("conv", 1, UNITS, frame_size), 0)
    silence = np.zeros((1, frame_size, 1), np.float32)
    click = silence.copy()
    click[0, -1] = 1.0
    assert abs(float(model(click)[0, 0]) - float(model(silence)[0, 0])) > 1e-3
