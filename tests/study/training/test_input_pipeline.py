"""Validation losses compare between all settings that a search may vary."""

from typing import Any

import numpy as np
import pytest

from study.config.run import RunConfig
from study.training import compiled, input_pipeline
from study.training.input_pipeline import ValidationSet
from tests import tiny


def framed(**changes: Any) -> ValidationSet:
    return input_pipeline.framed(tiny.config(**changes), tiny.dataset())[1]


def sequences(**changes: Any) -> tuple[RunConfig, ValidationSet]:
    config = tiny.sequence_config(units=2, **changes)
    return config, input_pipeline.sequences(config, tiny.dataset(), config.loss, 16)[1]


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["mae", "esr_preemph_dc"])
def test_every_frame_size_is_validated_on_the_same_targets(loss: str) -> None:
    short, long = framed(frame_size=8, loss=loss), framed(frame_size=512, loss=loss)
    assert short.batches.size == 256
    np.testing.assert_array_equal(short.batches, long.batches)


@pytest.mark.slow
def test_every_length_of_windows_and_segments_is_validated_alike() -> None:
    config, one = sequences()
    _, other = sequences(window_samples=64, sequence_seconds=0.1)
    np.testing.assert_array_equal(one.batches, other.batches)
    weights = compiled.initial_state(config.architecture, seed=0).weights
    assert one.loss(weights) == other.loss(weights) > 0


@pytest.mark.slow
def test_a_short_stretch_is_validated_as_far_as_it_goes() -> None:
    _, validation = sequences(warmup_samples=2000)
    held_out = tiny.parts().validation
    assert validation.batches.size == len(held_out)
    assert validation.batches.ravel().tolist() == [span.start + 2000 for span in held_out]


@pytest.mark.slow
def test_all_that_is_held_out_is_validated() -> None:
    """Also what does not fill a batch, which is the end of the signal."""
    _, validation = sequences(warmup_samples=100)
    alike = validation.batches.ravel()
    held_out = tiny.parts().validation
    for span in held_out:
        assert any(span.start <= first < span.stop for first in alike)
    several = input_pipeline._equal_batches(np.arange(45, dtype=np.int32), 16)
    assert several.shape == (3, 15) and sorted(several.ravel()) == list(range(45))
    odd = input_pipeline._equal_batches(np.arange(47, dtype=np.int32), 16)
    assert odd.shape == (3, 16) and set(odd.ravel()) == set(range(47))
