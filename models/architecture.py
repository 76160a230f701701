"""What fixes a model's shape, and what one prediction costs. Needs no Keras."""

from __future__ import annotations

from dataclasses import dataclass

from models.families import FAMILIES


@dataclass(frozen=True)
class Architecture:
    """What fixes a model's shape.

    Attributes:
        family: a name of ``models.families.FAMILIES``: ``lstm``, ``gru``, ``rnn`` (simple tanh),
            ``dense`` (on the flattened frame), ``conv`` (kernel 12, stride 4; then kernel 2),
            ``conv_gru`` (kernel 3, tanh, then GRU layers; on sequences only) or ``tcn`` (dilated
            convolutions over the past; on sequences only).
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
        kernel_sizes, dilations: of the convolutions of a ``tcn``, layer by layer and from the
            first again where there are more layers; by default 3, and 1, 2, 4 and so on to 512.

    Raises:
        ValueError: no such family, or it has no such model.
    """

    family: str
    layers: int
    units: int
    frame_size: int
    residual: bool = False
    controls: int = 0
    features: int = 0
    kernel_sizes: tuple[int, ...] = ()
    dilations: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what the family does not know."""
        if self.family not in FAMILIES:
            raise ValueError(f"a family of {', '.join(FAMILIES)}; there is no {self.family}")
        if objection := FAMILIES[self.family].objection(self):
            raise ValueError(objection)

    @property
    def inputs(self) -> int:
        """Channels of the input: the dry sample and the controls."""
        return 1 + self.controls

    @property
    def history(self) -> int:
        """Dry samples before the newest that a streaming model still needs."""
        return FAMILIES[self.family].history(self)

    @property
    def first_inputs(self) -> int:
        """Channels that enter the first recurrent layer."""
        return FAMILIES[self.family].first_inputs(self)

    @property
    def has_framed_form(self) -> bool:
        """Whether it answers single frames, each from zero state."""
        return FAMILIES[self.family].has_framed_form and not self.features

    @property
    def streams(self) -> bool:
        """Whether it answers sample by sample, its state carried on."""
        return FAMILIES[self.family].streams


def multiply_accumulates(a: Architecture) -> int:
    """Multiply-accumulates of one framed prediction, that is per output sample.

    Counts the matrix products (kernel, recurrent kernel, output) and leaves out
    biases, gates' products and activations, as is usual for such tables.

    Raises:
        ValueError: the model has no framed form.
    """
    require_framed_form(a)
    return FAMILIES[a.family].framed_macs(a)


def streaming_multiply_accumulates(a: Architecture) -> int:
    """Multiply-accumulates of one output sample when the state is carried on.

    Raises:
        ValueError: the family has no state.
    """
    require_streaming_form(a)
    return FAMILIES[a.family].streaming_macs(a)


def require_framed_form(a: Architecture) -> None:
    """Refuse a model that takes sequences alone.

    Raises:
        ValueError: it has no framed form.
    """
    if not a.has_framed_form:
        what = "model of features" if a.features else f"{a.family} model"
        raise ValueError(f"a {what} has no framed form")


def require_streaming_form(a: Architecture) -> None:
    """Refuse a model without a state.

    Raises:
        ValueError: the family has none.
    """
    if not a.streams:
        raise ValueError(f"a {a.family} model has no state to carry")
