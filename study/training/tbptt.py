"""Truncated back-propagation through time over segments of audio, in one compiled scan an epoch.

After Wright et al. (DAFx 2019): a batch of segments is run through from zero state; its
warm-up only brings the state near where music would have brought it. Then window
follows window: the loss of a window's output moves the weights at once, gradients stop at
the window's start, and the state is carried on. Segments are gathered on the device from
the audio by index, and none reaches out of its span.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from data.errors import InputError
from data.frames import Indices, Span
from models import sequence
from models.architecture import Architecture
from models.losses import LOSSES
from models.streaming import state_sizes
from study.config.run import Segment
from study.training import compiled
from study.training.compiled import Passes, Variables


def starts(
    spans: Sequence[Span], segment: Segment, rng: np.random.Generator | None = None
) -> Indices:
    """First counted samples of segments that fill the spans.

    Warm-ups overlap what was counted before them; the first of a span never counts. What
    is left over of each span lies at its end, or is dealt at random to both ends, so
    that in time every later sample counts.

    Raises:
        InputError: no span holds a segment.
    """
    found = []
    for span in spans:
        room = span.samples - segment.warmup_samples
        count = max(0, room) // segment.counted_samples
        left_over = room - count * segment.counted_samples
        shift = rng.integers(left_over + 1) if rng is not None and count else 0
        first = span.start + segment.warmup_samples + shift
        found.append(first + segment.counted_samples * np.arange(count))
    together = np.concatenate(found).astype(np.int32)
    if not len(together):
        needed = segment.warmup_samples + segment.counted_samples
        raise InputError(
            "segments to train on",
            expected=f"spans of at least {needed} samples (warm-up and windows)",
            found=f"spans of at most {max(s.samples for s in spans)}",
            remedy="Set a smaller window_samples or sequence_seconds, or a longer "
            "segment_seconds under [signal].",
        )
    return together


@lru_cache(maxsize=32)
def passes(
    architecture: Architecture, loss_name: str, asked: compiled.Adam, segment: Segment
) -> Passes:
    """Functions compiled on first use and shared by every run of the same shape.

    Examples are the first counted samples of segments. The loss of one batch is its mean
    over the windows; without training it is taken over whole segments at once.
    """
    window = sequence.Window(architecture)
    optimiser = compiled.adam(sequence.build(architecture, seed=0), asked)
    loss_fn = LOSSES[loss_name].make()

    def warm(weights: list[jax.Array], dry: jax.Array, first: jax.Array) -> sequence.States:
        zeros = [jnp.zeros((first.shape[0], size)) for size in state_sizes(architecture)]
        if not segment.warmup_samples:
            return zeros
        before = _time_first(first - segment.warmup_samples, segment.warmup_samples)
        return jax.lax.stop_gradient(window(weights, dry[before], zeros)[1])

    def loss_of(
        weights: list[jax.Array], dry: jax.Array, wet: jax.Array, states: sequence.States
    ) -> tuple[jax.Array, sequence.States]:
        predicted, after = window(weights, dry, states)
        return loss_fn(wet.T, predicted.T), jax.lax.stop_gradient(after)

    def learn(
        state: Variables, dry: jax.Array, wet: jax.Array, first: jax.Array
    ) -> tuple[Variables, jax.Array]:
        def step(
            reached: tuple[Variables, sequence.States], offset: jax.Array
        ) -> tuple[tuple[Variables, sequence.States], jax.Array]:
            state, states = reached
            at = _time_first(first + offset, segment.window_samples)
            (loss, after), gradients = jax.value_and_grad(loss_of, has_aux=True)(
                state.weights, dry[at], wet[at], states
            )
            return (compiled.moved(optimiser, state, gradients), after), loss

        states = warm(state.weights, dry, first)
        offsets = segment.window_samples * jnp.arange(segment.windows, dtype=jnp.int32)
        (state, _), losses = jax.lax.scan(step, (state, states), offsets)
        return state, losses.mean()

    def batch_loss(
        weights: list[jax.Array], dry: jax.Array, wet: jax.Array, first: jax.Array
    ) -> jax.Array:
        at = _time_first(first, segment.counted_samples)
        return loss_of(weights, dry[at], wet[at], warm(weights, dry, first))[0]

    return compiled.passes(learn, batch_loss)


def _time_first(first: jax.Array, samples: int) -> jax.Array:
    """Indices of consecutive samples from each start, shape ``(samples, starts)``."""
    return first + np.arange(samples, dtype=np.int32)[:, None]


@lru_cache(maxsize=8)
def compiled_epoch(
    architecture: Architecture,
    loss_name: str,
    asked: compiled.Adam,
    segment: Segment,
    sizes: tuple[int, int, int],
) -> compiled.Epoch:
    """The epoch function, compiled ahead so that epochs can be timed without that.

    Args:
        architecture: of the model.
        loss_name: of the training loss.
        asked: of the optimiser.
        segment: what an example is.
        sizes: length of the pair, segments an epoch, and segments a step.
    """
    epoch = passes(architecture, loss_name, asked, segment).epoch
    state = compiled.initial_state(architecture, seed=0)
    return compiled.compiled(epoch, state, *sizes, architecture.controls)
