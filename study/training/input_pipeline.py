"""What a training passes over: examples, their order, and the compiled epoch over them.

An example is known by one index into the audio: the target of a frame, or the first
counted sample of a segment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from data import frames, splits
from data.audio import Samples
from data.frames import Indices
from models.carried import CHUNK_SAMPLES
from models.losses import LOSSES
from study.config.run import RunConfig, Segment
from study.dataset import Dataset
from study.training import compiled, tbptt
from study.training.compiled import Epoch, Variables


@dataclass(frozen=True)
class TrainingSet:
    """Everything about an epoch but the state that it changes.

    Attributes:
        dry, wet: the audio on the device.
        examples: all examples of an epoch in their order, from a seeded generator.
        batch_size: examples a step.
        targets: samples with a loss an epoch.
        pass_over: the compiled epoch.
    """

    dry: jax.Array
    wet: jax.Array
    examples: Callable[[np.random.Generator], Indices]
    batch_size: int
    targets: int
    pass_over: Epoch

    def epoch(
        self, state: Variables, seed: Sequence[int], learning_rate: float
    ) -> tuple[Variables, float]:
        """The state after one epoch, decided by these arguments alone, and the mean loss."""
        examples = self.examples(np.random.default_rng(seed))
        state, losses = self.pass_over(
            compiled.with_learning_rate(state, learning_rate),
            self.dry,
            self.wet,
            *compiled.batches_of(examples, self.batch_size),
        )
        return state, float(losses.mean())


@dataclass(frozen=True)
class ValidationSet:
    """The validation loss: that of the training, on examples that are always the same."""

    dry: jax.Array
    wet: jax.Array
    batches: Indices
    mean_loss: Any

    def loss(self, weights: list[jax.Array]) -> float:
        """Mean over the batches."""
        return float(self.mean_loss(weights, self.dry, self.wet, self.batches))


def of_frames(config: RunConfig, dry: Samples, wet: Samples, targets: Indices) -> TrainingSet:
    """Epochs over frames, in a new order each."""
    return TrainingSet(
        jax.device_put(dry),
        jax.device_put(wet),
        lambda rng: targets[rng.permutation(len(targets))],
        config.batch_size,
        len(targets),
        compiled.compiled_epoch(
            config.architecture,
            config.loss,
            len(dry),
            len(targets),
            config.batch_size,
            _adam(config),
        ),
    )


def _adam(config: RunConfig) -> compiled.Adam:
    return compiled.Adam(config.weight_decay, config.clip_norm)


def framed(config: RunConfig, dataset: Dataset) -> tuple[TrainingSet, ValidationSet]:
    """Frames drawn once from the training split, and from the validation split.

    Raises:
        InputError: the training split holds fewer frames than asked for.
    """
    training = of_frames(config, dataset.pair.dry, dataset.pair.wet, music(config, dataset))
    held_out = dataset.split.validation
    # The same validation targets for all seeds and frame sizes, so that their losses
    # compare: each has room for the longest frame.
    reach = splits.LEAD_IN_SAMPLES + 1 + LOSSES[config.loss].lookback
    count = min(config.validation_frames, frames.frames_in(held_out, reach))
    drawn = frames.draw(held_out, reach, count, seed=0)
    functions = compiled.program(config.architecture, config.loss, _adam(config))
    return training, ValidationSet(
        training.dry, training.wet, _equal_batches(drawn, 256), functions.loss
    )


def music(config: RunConfig, dataset: Dataset) -> Indices:
    """Targets of the frames that a run trains on."""
    reach = compiled.receptive_field(config.architecture, config.loss)
    return frames.draw(dataset.split.train, reach, config.training_frames, config.seed)


def sequences(
    config: RunConfig, dataset: Dataset, loss: str, batch_size: int
) -> tuple[TrainingSet, ValidationSet]:
    """Segments that fill the training split, shifted and shuffled anew each epoch.

    The validation set is the same whatever the length of windows and segments, so that
    losses compare.

    Raises:
        InputError: a split has no room for a segment.
    """
    segment, split = config.segment, dataset.split

    def shuffled(rng: np.random.Generator) -> Indices:
        return rng.permutation(tbptt.starts(split.train, segment, rng))

    count = len(tbptt.starts(split.train, segment))
    dry, wet = jax.device_put(dataset.pair.dry), jax.device_put(dataset.pair.wet)
    kind = (config.architecture, loss, _adam(config), segment)
    sizes = (len(dataset.pair.dry), count, batch_size)
    training = TrainingSet(
        dry,
        wet,
        shuffled,
        batch_size,
        count * segment.counted_samples,
        tbptt.compiled_epoch(*kind, sizes),
    )
    asked = _validation_segment(config, dataset)
    batches = _equal_batches(tbptt.starts(split.validation, asked), 16)
    functions = tbptt.passes(config.architecture, loss, _adam(config), asked)
    return training, ValidationSet(dry, wet, batches, functions.loss)


def _validation_segment(config: RunConfig, dataset: Dataset) -> Segment:
    """Half a second, or what the spans have room for; in one window, as nothing is learnt."""
    longest = max(span.samples for span in dataset.split.validation)
    room = min(longest - config.warmup_samples, config.sample_rate_hz // 2)
    whole_chunks = max(1, room // CHUNK_SAMPLES)
    return Segment(config.warmup_samples, whole_chunks * CHUNK_SAMPLES, 1)


def training_targets(config: RunConfig, dataset: Dataset) -> int:
    """Samples with a loss in an epoch of a model.

    Args:
        config: of the run.
        dataset: at the effect's own setting; the audio of every other one is as long.
    """
    if config.training == "framed":
        return config.training_frames
    count = len(tbptt.starts(dataset.split.train, config.segment))
    settings = config.settings_played if config.knobs == "conditioned" else 1
    return settings * count * config.segment.counted_samples


def _equal_batches(examples: Indices, most: int) -> Indices:
    """All examples in batches of one size; so that they come out even, the first come again."""
    count = -(-len(examples) // most)
    return np.resize(examples, (count, -(-len(examples) // count)))
