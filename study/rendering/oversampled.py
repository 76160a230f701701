"""A framed model rendered at a multiple of its sample rate: fewer aliases, for their price.

A framed model is a fixed function of the last ``frame_size`` samples. At ``factor`` times
the rate it reads every ``factor``-th sample, so each sample in between gets a frame of its
own with the spacing that the model was trained on; the harmonics that it makes up to
``factor`` times Nyquist no longer fold, and are filtered out on the way down. (The same
dilation makes recurrent networks independent of the rate: Carson, Wright, Chowdhury,
Välimäki & Bilbao, "Sample rate independent recurrent neural networks for audio effects
processing", DAFx 2024.)
"""

from __future__ import annotations

import time

import jax
import numpy as np

from data import audio
from data.audio import Samples
from models.architecture import Architecture
from study.rendering.framed import Prediction, render


def render_oversampled(
    architecture: Architecture,
    weights: list[jax.Array],
    dry: Samples,
    sample_rate_hz: int,
    factor: int,
) -> Prediction:
    """Predict the wet signal of a dry one at ``factor`` times its rate, then come back down.

    Both conversions have linear phase and no delay, so the result is aligned with
    ``dry`` and as long. The seconds include them.
    """
    started = time.perf_counter()
    raised = audio.resample(dry, sample_rate_hz, factor * sample_rate_hz)[: factor * len(dry)]
    wet = np.zeros(factor * len(dry), np.float32)
    converting = time.perf_counter() - started
    rendering = 0.0
    for phase in range(factor):
        part = render(architecture, weights, raised[phase::factor])
        wet[phase::factor] = part.samples
        rendering += part.seconds
    started = time.perf_counter()
    lowered = audio.resample(wet, factor * sample_rate_hz, sample_rate_hz)[: len(dry)]
    return Prediction(lowered, converting + rendering + time.perf_counter() - started)
