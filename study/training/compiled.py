"""The fast path of training: one compiled scan over all batches of an epoch.

Keras owns the model, the loss and the optimiser; here they are called statelessly
(``stateless_call``, ``stateless_apply``) inside ``jax.jit``, so an epoch is one call.
Frames are gathered on the device from the audio by target index, one batch at a time.
The losses equal those of ``model.fit`` on the same batches.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np

from data import frames
from data.frames import Indices
from models import sequence
from models.architecture import Architecture
from models.framed import build
from models.losses import LOSSES


class Adam(NamedTuple):
    """What Keras' Adam is asked for besides its rate.

    Attributes:
        weight_decay: AdamW's: w -= rate * weight_decay * w (Loshchilov & Hutter, ICLR 2019);
            0 is Adam.
        clip_norm: longest gradient of a step, over all weights; 0 for any length.
    """

    weight_decay: float = 0.0
    clip_norm: float = 0.0


_PLAIN = Adam()


class Variables(NamedTuple):
    """Everything that an epoch changes, as flat lists of arrays.

    Attributes:
        weights: trainable variables of the model, in Keras' order.
        optimiser: variables of the optimiser, in Keras' order.
    """

    weights: list[jax.Array]
    optimiser: list[jax.Array]


class Passes(NamedTuple):
    """Compiled passes over examples, each known by an index into the audio."""

    epoch: Any  # (state, dry, wet, batches, rest) -> (state, losses)
    loss: Any  # (weights, dry, wet, batches) -> mean loss


# (state, dry, wet, batches, rest) -> (state, losses), compiled
Epoch = Callable[..., tuple[Variables, jax.Array]]
# (state, dry, wet, examples of a batch) -> (state, loss)
Learn = Callable[[Variables, jax.Array, jax.Array, jax.Array], tuple[Variables, jax.Array]]
# (weights, dry, wet, examples of a batch) -> loss
BatchLoss = Callable[[list[jax.Array], jax.Array, jax.Array, jax.Array], jax.Array]


def initial_state(architecture: Architecture, seed: int) -> Variables:
    """Weights drawn from the seed and an optimiser that has not moved yet."""
    framed = architecture.has_framed_form
    model = build(architecture, seed) if framed else sequence.build(architecture, seed)
    optimiser = adam(model, Adam())
    return Variables(
        [jnp.asarray(v.value) for v in model.trainable_variables],
        [jnp.asarray(v.value) for v in optimiser.variables],
    )


def learning_rate_at(epoch: int, epochs: int, peak: float, schedule: str) -> float:
    """Learning rate of an epoch (from 0): constant, or half a cosine that ends at 1 %.

    The end is where the epoch after the last would be.
    """
    if schedule == "constant":
        return peak
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * epoch / epochs)))


def with_learning_rate(state: Variables, learning_rate: float) -> Variables:
    """The state with the optimiser's rate replaced."""
    variables = list(state.optimiser)
    variables[_LEARNING_RATE] = jnp.asarray(learning_rate, jnp.float32)
    return state._replace(optimiser=variables)


# Where Keras' optimisers keep their rate among their variables (after the step count).
_LEARNING_RATE = 1


def adam(model: keras.Model, asked: Adam) -> keras.optimizers.Optimizer:
    """Keras' optimiser for the model's weights, which has not moved yet."""
    optimiser = keras.optimizers.Adam(
        1e-3, weight_decay=asked.weight_decay or None, global_clipnorm=asked.clip_norm or None
    )
    optimiser.build(model.trainable_variables)
    assert optimiser.variables[_LEARNING_RATE].path.endswith("learning_rate")
    return optimiser


@lru_cache(maxsize=32)
def program(architecture: Architecture, loss_name: str, asked: Adam = _PLAIN) -> Passes:
    """Functions compiled on first use and shared by every run of the same shape.

    The model in here is a template: weights always come in as arguments.
    """
    model = build(architecture, seed=0, fused=True)
    optimiser = adam(model, asked)
    loss_fn, lookback = LOSSES[loss_name].make(), LOSSES[loss_name].lookback
    size = architecture.frame_size
    # Recurrent layers keep a random seed for dropout, which none of ours has.
    fixed = [jnp.asarray(v.value) for v in model.non_trainable_variables]

    def predictions(weights: list[jax.Array], inputs: jax.Array) -> jax.Array:
        outputs: jax.Array = model.stateless_call(weights, fixed, inputs)[0]
        return outputs

    def batch_loss(
        weights: list[jax.Array], dry: jax.Array, wet: jax.Array, targets: jax.Array
    ) -> jax.Array:
        consecutive = targets[:, None] + np.arange(-lookback, 1, dtype=np.int32)
        inputs = frames.gather(dry, consecutive, size).reshape(-1, size, architecture.inputs)
        predicted = predictions(weights, inputs).reshape(consecutive.shape)
        value: jax.Array = loss_fn(wet[consecutive], predicted)
        return value

    def learn(
        state: Variables, dry: jax.Array, wet: jax.Array, targets: jax.Array
    ) -> tuple[Variables, jax.Array]:
        loss, gradients = jax.value_and_grad(batch_loss)(state.weights, dry, wet, targets)
        return moved(optimiser, state, gradients), loss

    return passes(learn, batch_loss)


def moved(
    optimiser: keras.optimizers.Optimizer, state: Variables, gradients: list[jax.Array]
) -> Variables:
    """The state after one step of the optimiser."""
    weights, variables = optimiser.stateless_apply(state.optimiser, gradients, state.weights)
    return Variables(list(weights), list(variables))


def passes(learn: Learn, batch_loss: BatchLoss) -> Passes:
    """Passes over all batches, compiled.

    Args:
        learn: what a batch of examples does to the state, and its loss.
        batch_loss: the loss of a batch alone.
    """

    @jax.jit
    def epoch(
        state: Variables, dry: jax.Array, wet: jax.Array, batches: jax.Array, rest: jax.Array
    ) -> tuple[Variables, jax.Array]:
        """One pass over ``batches`` (batch count, batch size) and a shorter ``rest``."""
        state, losses = jax.lax.scan(lambda s, batch: learn(s, dry, wet, batch), state, batches)
        if rest.size:
            state, last = learn(state, dry, wet, rest)
            losses = jnp.append(losses, last)
        return state, losses

    @jax.jit
    def loss(
        weights: list[jax.Array], dry: jax.Array, wet: jax.Array, batches: jax.Array
    ) -> jax.Array:
        """Mean loss over batches of equal size, without training."""
        losses: jax.Array = jax.lax.map(lambda b: batch_loss(weights, dry, wet, b), batches)
        return losses.mean()

    return Passes(epoch, loss)


def receptive_field(architecture: Architecture, loss_name: str) -> int:
    """Dry samples that a target needs before and with it, the loss's look back included."""
    return architecture.frame_size + LOSSES[loss_name].lookback


def batches_of(targets: Indices, batch_size: int) -> tuple[Indices, Indices]:
    """Whole batches, shape ``(batches, batch_size)``, and the shorter rest."""
    whole = len(targets) // batch_size * batch_size
    return targets[:whole].reshape(-1, batch_size), targets[whole:]


@lru_cache(maxsize=8)
def compiled_epoch(
    architecture: Architecture,
    loss_name: str,
    samples: int,
    count: int,
    batch_size: int,
    asked: Adam = _PLAIN,
) -> Epoch:
    """The epoch function, compiled ahead so that epochs can be timed without that.

    Args:
        architecture: of the model.
        loss_name: of the training loss.
        samples: length of the pair.
        count: frames an epoch.
        batch_size: frames a step.
        asked: of the optimiser.
    """
    functions = program(architecture, loss_name, asked)
    state = initial_state(architecture, seed=0)
    return compiled(functions.epoch, state, samples, count, batch_size, architecture.controls)


def compiled(
    epoch: Any, state: Variables, samples: int, count: int, batch_size: int, controls: int = 0
) -> Epoch:
    """An epoch function compiled ahead for arguments of these sizes."""
    dry, wet = _signal(samples, controls), _signal(samples)
    batches, rest = batches_of(np.zeros(count, np.int32), batch_size)
    done: Epoch = epoch.lower(state, dry, wet, batches, rest).compile()
    return done


def _signal(samples: int, controls: int = 0) -> jax.ShapeDtypeStruct:
    """The shape of a signal with controls beside it."""
    shape = (samples, 1 + controls) if controls else (samples,)
    return jax.ShapeDtypeStruct(shape, np.float32)  # type: ignore[no-untyped-call]
