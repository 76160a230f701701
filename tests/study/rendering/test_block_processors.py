"""Blocks, one after the other, are the rendering of the whole, in every channel."""

from typing import Any

import numpy as np
import pytest

from models import families
from models.architecture import Architecture
from study.rendering import framed, streaming
from study.rendering.block_processors import FramedModel, StreamingModel
from study.training import compiled
from tests.tiny import FAMILIES

RECURRENT = [family for family in FAMILIES if families.FAMILIES[family].streams]


def stereo(samples: int) -> Any:
    return np.random.default_rng(3).standard_normal((samples, 2)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("family", RECURRENT)
def test_streamed_blocks_equal_the_whole(family: Any, residual: bool) -> None:
    a = Architecture(family, 2, 5, 16, residual)
    weights = compiled.initial_state(a, seed=2).weights
    dry = stereo(320)
    model = StreamingModel(a, weights, channels=2, block_samples=64)
    wet = np.concatenate([model(block) for block in np.split(dry, 5)])
    whole = streaming.stream(a, weights, np.ascontiguousarray(dry.T)).T
    np.testing.assert_allclose(wet, whole, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_framed_blocks_equal_the_whole(family: Any) -> None:
    a = Architecture(family, 1, 5, 16)
    weights = compiled.initial_state(a, seed=2).weights
    dry = stereo(512)
    model = FramedModel(a, weights, channels=2, block_samples=128)
    wet = np.concatenate([model(block) for block in np.split(dry, 4)])
    for k in range(2):
        whole = framed.render(a, weights, dry[:, k].copy()).samples
        np.testing.assert_allclose(wet[:, k], whole, atol=1e-6)


@pytest.mark.slow
def test_a_block_shorter_than_a_frame_keeps_all_of_the_past() -> None:
    a = Architecture("dense", 1, 4, 400)
    weights = compiled.initial_state(a, seed=2).weights
    dry = stereo(512)
    model = FramedModel(a, weights, channels=2, block_samples=128)
    wet = np.concatenate([model(block) for block in np.split(dry, 4)])
    whole = framed.render(a, weights, dry[:, 1].copy()).samples
    np.testing.assert_allclose(wet[:, 1], whole, atol=1e-6)


def test_a_framed_block_that_does_not_divide_is_refused() -> None:
    a = Architecture("dense", 1, 4, 16)
    with pytest.raises(ValueError, match="100 is no multiple of 128"):
        FramedModel(a, compiled.initial_state(a, 0).weights, 1, 100)
