"""A model at a multiple of its rate: the same function of the same frames, fewer aliases."""

from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from models.architecture import Architecture
from study.measures import aliasing
from study.measures.aliasing import Float64s
from study.rendering.framed import render
from study.rendering.oversampled import render_oversampled
from study.training import compiled

RATE_HZ = 8000
A = Architecture("dense", 1, 8, 16)


@lru_cache
def weights() -> list[Any]:
    """Of a model that distorts: its first layer is driven hard."""
    drawn = compiled.initial_state(A, seed=1).weights
    return [drawn[0] * 12, *drawn[1:]]


@pytest.mark.slow
def test_where_no_alias_arises_it_is_the_plain_rendering() -> None:
    """A slow, soft sine makes no harmonic near Nyquist, so the rate does not matter."""
    dry = np.asarray(0.02 * np.sin(2 * np.pi * 50 * np.arange(4000) / RATE_HZ), np.float32)
    plain = render(A, weights(), dry).samples
    raised = render_oversampled(A, weights(), dry, RATE_HZ, 4).samples
    assert raised.shape == plain.shape
    np.testing.assert_allclose(raised[500:-500], plain[500:-500], atol=2e-4 * np.abs(plain).max())


def ratio_db(factor: int) -> float:
    probe = aliasing.probe(RATE_HZ, 1249, 0.5)

    def process(x: Float64s) -> aliasing.Signals:
        dry = x.astype(np.float32)
        return render_oversampled(A, weights(), dry, RATE_HZ, factor).samples

    answer = aliasing.responses(aliasing.one_by_one(process), [probe])[0]
    return aliasing.analyse(answer, probe).asr_db or 0.0


def test_each_doubling_lowers_the_aliases() -> None:
    ratios = [ratio_db(factor) for factor in (1, 2, 4)]
    assert ratios[0] > ratios[1] + 3 > ratios[2] + 6, ratios


@pytest.mark.parametrize("samples", [1, 100, 2049])
def test_it_is_as_long_as_its_input(samples: int) -> None:
    rendered = render_oversampled(A, weights(), np.zeros(samples, np.float32), RATE_HZ, 3)
    assert rendered.samples.shape == (samples,)
