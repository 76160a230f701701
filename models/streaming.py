"""The streaming form of a model: block after block, what is carried between them in arrays.

A model that was trained on frames starts every frame from zero state and so costs
``frame_size`` steps an output sample; its streaming twin takes one step. It is not the
function that was trained, which is why every table keeps the two apart.
"""

from __future__ import annotations

import keras

from models.architecture import Architecture, require_streaming_form
from models.families import FAMILIES
from models.layers import HIDDEN, samples_of


def build_streaming(architecture: Architecture) -> keras.Model:
    """A Keras model of one block of samples and the state before it.

    Inputs are the dry block, shape ``(batch, samples, 1 + controls)``, and what is carried from the
    one before, ``(batch, size)`` each of ``state_sizes``. Outputs are the wet block,
    ``(batch, samples, 1)``, and what the next block starts from, in the same order. The
    trainable variables are those of ``models.framed.build`` and ``models.sequence.build``,
    in their order.

    Raises:
        ValueError: the family has no state.
    """
    require_streaming_form(architecture)
    hidden = HIDDEN[architecture.family].streaming
    assert hidden, architecture.family
    block = keras.Input((None, architecture.inputs), name="dry")
    before = [
        keras.Input((size,), name=f"state_{number}")
        for number, size in enumerate(state_sizes(architecture), 1)
    ]
    signal, after = hidden(architecture, 0, block, before)
    wet = keras.layers.Dense(1, name="wet")(signal)
    if architecture.residual:
        wet = keras.layers.Add(name="residual")([wet, samples_of(architecture, block)])
    return keras.Model([block, *before], [wet, *after])


def state_sizes(architecture: Architecture) -> list[int]:
    """Lengths of the arrays that are carried from sample to sample, in their order.

    Of recurrent layers the hidden and, for an LSTM, the cell state; before them, where a
    convolution or features come first, the dry samples that those still need, oldest first.
    """
    return FAMILIES[architecture.family].state_sizes(architecture)
