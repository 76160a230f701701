"""What fixes a model's shape, and what one prediction costs. Needs no Keras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Family = Literal["lstm", "gru", "rnn", "dense", "conv", "conv_gru"]
# conv_gru learns from whole sequences only, not from frames.
FAMILIES: tuple[str, ...] = tuple(name for name in get_args(Family) if name != "conv_gru")

# Of the recurrent families: how many products of a unit's inputs a step takes.
GATES = {"lstm": 4, "gru": 3, "rnn": 1, "conv_gru": 3}
SEQUENCE_FAMILIES = tuple(GATES)
# Those that can take features of a frame in the newest sample's place.
FEATURE_FAMILIES = ("lstm", "gru")

# The convolution before a GRU looks at the newest sample and the two before it.
CONV_GRU_KERNEL = 3

# The first convolution looks at 12 samples, every 4; the next ones join neighbours.
CONV_FIRST_KERNEL = 12
CONV_FIRST_STRIDE = 4
CONV_NEXT_KERNEL = 2


@dataclass(frozen=True)
class Architecture:
    """What fixes a model's shape.

    Attributes:
        family: ``lstm``, ``gru``, ``rnn`` (simple tanh), ``dense`` (on the flattened
            frame), ``conv`` (kernel 12, stride 4; then kernel 2) or ``conv_gru`` (kernel 3,
            tanh, then GRU layers; on sequences only).
        layers: hidden layers, 1 or more.
        units: units (filters) of every hidden layer.
        frame_size: dry samples a frame.
        residual: whether the dry sample is added to the output, so that the network
            learns only what the effect changes (Wright et al., DAFx 2019).
        controls: settings of the effect that enter beside every dry sample, as channels of
            their own after it.
        features: of a recurrent model on sequences: so many linear features of the newest
            ``frame_size`` dry samples enter its first layer in the newest sample's place
            (the input block of Simionato & Fasciani, EURASIP JASMP 2025, arXiv 2405.04124);
            0 for the sample itself.
    """

    family: Family
    layers: int
    units: int
    frame_size: int
    residual: bool = False
    controls: int = 0
    features: int = 0

    def __post_init__(self) -> None:
        """Refuse a convolution that reaches beyond the frame."""
        if self.family == "conv" and conv_length(self, self.layers) < 1:
            raise ValueError(
                f"{self.layers} convolutional layers reach over more than "
                f"{self.frame_size} samples; use fewer layers or a longer frame"
            )
        if self.family == "conv_gru" and self.controls:
            raise ValueError("a conv_gru model takes no controls")
        if self.features and self.family not in FEATURE_FAMILIES:
            raise ValueError(
                f"features are for {', '.join(FEATURE_FAMILIES)}; a {self.family} model takes none"
            )

    @property
    def inputs(self) -> int:
        """Channels of the input: the dry sample and the controls."""
        return 1 + self.controls

    @property
    def history(self) -> int:
        """Dry samples before the newest that a streaming model still needs."""
        if self.family == "conv_gru":
            return CONV_GRU_KERNEL - 1
        return self.frame_size - 1 if self.features else 0

    @property
    def first_inputs(self) -> int:
        """Channels that enter the first recurrent layer."""
        if self.family == "conv_gru":
            return self.units
        return (self.features or 1) + self.controls


def is_recurrent(family: str) -> bool:
    """Whether a family carries a state from sample to sample."""
    return family in GATES


def conv_length(a: Architecture, layer: int) -> int:
    """Output length of the given convolutional layer (no padding)."""
    first = (a.frame_size - CONV_FIRST_KERNEL) // CONV_FIRST_STRIDE + 1
    return first - (layer - 1) * (CONV_NEXT_KERNEL - 1)


def multiply_accumulates(a: Architecture) -> int:
    """Multiply-accumulates of one framed prediction, that is per output sample.

    Counts the matrix products (kernel, recurrent kernel, output) and leaves out
    biases, gates' products and activations, as is usual for such tables.

    Raises:
        ValueError: the model has no framed form.
    """
    if a.features:
        raise ValueError("a model of features has no framed form")
    if is_recurrent(a.family):
        steps = streaming_multiply_accumulates(a) - a.units
        return a.frame_size * steps + a.units
    total, inputs = 0, a.inputs
    for layer in range(1, a.layers + 1):
        if a.family == "dense":
            total += a.units * (a.frame_size * a.inputs if layer == 1 else a.units)
        else:
            kernel = CONV_FIRST_KERNEL if layer == 1 else CONV_NEXT_KERNEL
            total += conv_length(a, layer) * kernel * inputs * a.units
        inputs = a.units
    outputs = a.units * conv_length(a, a.layers) if a.family == "conv" else a.units
    return total + outputs


def streaming_multiply_accumulates(a: Architecture) -> int:
    """Multiply-accumulates of one output sample when the state is carried on.

    Raises:
        ValueError: the family has no state.
    """
    if not is_recurrent(a.family):
        raise ValueError(f"a {a.family} model has no state to carry")
    front = a.frame_size * a.features
    if a.family == "conv_gru":
        front = CONV_GRU_KERNEL * a.units
    inputs = [a.first_inputs] + [a.units] * (a.layers - 1)
    return front + sum(GATES[a.family] * a.units * (n + a.units) for n in inputs) + a.units
