"""Fine-tuning against aliases: the model learns to answer sines without folding.

After Carson, Wright & Bilbao, "Anti-aliasing of neural distortion effects via model
fine-tuning" (DAFx 2025): the model is its own teacher. Its answer to a sine whose period
is prime is taken apart (``study.measures.aliasing``), the aliases are left out, and what remains is
the target for the frames of that sine. As many frames of music keep it to the effect.
Nothing is asked of the effect itself, so recordings can be treated too.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from scipy import fft

from data import frames
from data.audio import Samples
from data.frames import Span
from models.architecture import Architecture
from study.config.run import RunConfig
from study.dataset import Dataset
from study.measures.aliasing import Probe, probe_of_period
from study.rendering.framed import render
from study.training import compiled, input_pipeline

TONES = 64
PERIOD_SAMPLES = 4093  # prime
LOWEST_HZ, HIGHEST_HZ = 80.0, 5000.0
LOWEST_AMPLITUDE, HIGHEST_AMPLITUDE = 0.05, 1.0
# Of the training's own highest rate: enough to move, too little to forget the music.
RATE_SHARE = 0.3


class AliasFreeTargets(NamedTuple):
    """Tones and what the model should answer.

    Attributes:
        dry: the tones end to end, shape ``(samples,)``.
        wet: the model's answers without their aliases.
        spans: each tone's place; its first ``frame_size - 1`` samples lead in, and
            no frame ends there.
    """

    dry: Samples
    wet: Samples
    spans: list[Span]


def fine_tune(
    config: RunConfig,
    dataset: Dataset,
    weights: list[jax.Array],
) -> list[jax.Array]:
    """The weights after ``config.antialias_epochs`` epochs of music and tones.

    Decided by the run's seed alone; starts with a fresh optimiser whose rate falls along
    a half cosine.

    Args:
        config: the run.
        dataset: its pair.
        weights: as trained.
    """
    music = input_pipeline.music(config, dataset)
    taught = tones(config.architecture, weights, config.sample_rate_hz, config.seed)
    offset = len(dataset.pair.dry)
    dry = np.concatenate([dataset.pair.dry, taught.dry])
    wet = np.concatenate([dataset.pair.wet, taught.wet])
    spans = [Span(s.start + offset, s.stop + offset) for s in taught.spans]
    reach = compiled.receptive_field(config.architecture, config.loss)
    count = min(len(music), frames.frames_in(spans, reach))
    targets = np.concatenate([music, frames.draw(spans, reach, count, config.seed)])
    training = input_pipeline.of_frames(config, dry, wet, targets)
    state = compiled.initial_state(config.architecture, config.seed)._replace(weights=weights)
    for epoch in range(config.antialias_epochs):
        rate = compiled.learning_rate_at(
            epoch, config.antialias_epochs, RATE_SHARE * config.learning_rate, "cosine"
        )
        # Three numbers, so that no order of the training itself comes again.
        state, _ = training.epoch(state, [config.seed, epoch, 1], rate)
    return state.weights


def tones(
    architecture: Architecture, weights: list[jax.Array], sample_rate_hz: int, seed: int
) -> AliasFreeTargets:
    """Sines of random pitch and level (both log-uniform, seeded) and their targets."""
    rng = np.random.default_rng([seed, TONES])
    highest_hz = min(HIGHEST_HZ, 0.45 * sample_rate_hz)
    dry, wet, spans = [], [], []
    lead_in = architecture.frame_size - 1
    for number in range(TONES):
        wanted_hz = np.exp(rng.uniform(np.log(LOWEST_HZ), np.log(highest_hz)))
        amplitude = np.exp(rng.uniform(np.log(LOWEST_AMPLITUDE), np.log(HIGHEST_AMPLITUDE)))
        tone = probe_of_period(sample_rate_hz, PERIOD_SAMPLES, wanted_hz, amplitude)
        samples = tone.signal(lead_in + PERIOD_SAMPLES).astype(np.float32)
        answer = render(architecture, weights, samples).samples[lead_in:]
        dry.append(samples)
        wet.append(np.concatenate([np.zeros(lead_in, np.float32), without_aliases(answer, tone)]))
        start = number * len(samples)
        spans.append(Span(start, start + len(samples)))
    return AliasFreeTargets(np.concatenate(dry), np.concatenate(wet), spans)


def without_aliases(answer: Samples, tone: Probe) -> Samples:
    """One period of a settled answer with nothing but DC and harmonics below Nyquist."""
    spectrum = fft.rfft(answer.astype(np.float64))
    kept = np.zeros_like(spectrum)
    kept[0] = spectrum[0]
    kept[tone.harmonics] = spectrum[tone.harmonics]
    return np.asarray(fft.irfft(kept, len(answer)), np.float32)
