"""The families of models: what each is called, which forms it has and what it carries.

A new family starts with its descriptor here; tables, pages, grid files and commands follow.
``models/layers.py`` builds it, and what else computes it (compiled loops, C, TFLite) has a
table of its own. Needs no Keras.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.architecture import Architecture

Shape = tuple[int, ...]

# The convolution before a GRU looks at the newest sample and the two before it.
CONV_GRU_KERNEL = 3

# The first convolution looks at 12 samples, every 4; the next ones join neighbours.
CONV_FIRST_KERNEL = 12
CONV_FIRST_STRIDE = 4
CONV_NEXT_KERNEL = 2

# Of dilated convolutions where nothing else is said; both begin anew after their last.
TCN_KERNELS = (3,)
TCN_DILATIONS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
TCN_MOST_PAST_SAMPLES = 65_536  # that all layers together may reach back
LEAKY_SLOPE = 0.01  # of LeakyReLU below 0


@dataclass(frozen=True, kw_only=True)
class Family(ABC):
    """One family, whatever its layers are.

    Attributes:
        name: in grid files, tables and run ids.
        label: on pages.
        colour: of its marks, as ``#rrggbb``.
        marker: of Matplotlib.
        symbol: the same marker as an SVG path about 12 wide, so that nobody needs colours.
        has_framed_form: whether it answers single frames, each from zero state.
        streams: whether it has a sequence form: every sample in, every sample out, what is
            carried between them of ``state_sizes``.
        has_firmware: whether C is written for it (``embedded/c/cells.py``).
        takes_features: whether linear features of a frame can enter in the sample's place.
        takes_controls: whether settings of an effect can enter beside the sample.
        is_dilated: whether kernels and dilations can be set.
        has_feedback: whether what it carries comes from its own answers, so that it need not come
            to rest; without, it has forgotten everything after as many samples as it reaches back.
        most_layers: that it can have.
    """

    name: str
    label: str
    colour: str
    marker: str
    symbol: str
    has_framed_form: bool = True
    streams: bool = False
    has_firmware: bool = False
    takes_features: bool = False
    takes_controls: bool = True
    is_dilated: bool = False
    has_feedback: bool = True
    most_layers: int = 8

    @abstractmethod
    def weight_shapes(self, a: Architecture) -> list[Shape]:
        """Shapes of the trainable variables, in Keras' order."""

    def framed_macs(self, a: Architecture) -> int:
        """Multiply-accumulates of one frame, if it has a framed form."""
        raise NotImplementedError

    def streaming_macs(self, a: Architecture) -> int:
        """Multiply-accumulates of one sample with the state carried, if it streams."""
        raise NotImplementedError

    def state_sizes(self, a: Architecture) -> list[int]:
        """Lengths of the arrays that are carried from sample to sample, in their order."""
        del a
        return []

    def history(self, a: Architecture) -> int:
        """Dry samples before the newest that enter its first layer; carried where it streams."""
        del a
        return 0

    def reach(self, a: Architecture) -> int:
        """Samples of silence after which a model without feedback has left its first state."""
        del a
        return 0

    def first_inputs(self, a: Architecture) -> int:
        """Channels that enter its first layer, or its first layer after a history."""
        return 1 + a.controls

    def objection(self, a: Architecture) -> str | None:
        """Why there is no such model, or None."""
        if a.controls and not self.takes_controls:
            return f"a {self.name} model takes no controls"
        if a.features and not self.takes_features:
            takers = ", ".join(f.name for f in FAMILIES.values() if f.takes_features)
            return f"features are for {takers}; a {self.name} model takes none"
        if a.layers > self.most_layers:
            return f"a {self.name} model has {self.most_layers} layers at most, not {a.layers}"
        if (a.kernel_sizes or a.dilations) and not self.is_dilated:
            takers = ", ".join(f.name for f in FAMILIES.values() if f.is_dilated)
            return f"kernel_sizes and dilations are for {takers}; a {self.name} model takes none"
        return None


@dataclass(frozen=True, kw_only=True)
class Recurrent(Family):
    """Layers of gates that see their input and their own last answer.

    Attributes:
        gates: products of a unit's inputs that a step takes.
        states: names of the arrays of ``units`` numbers that a layer carries; its answer first.
        biases: rows of a layer's bias: 2 where input and state have each their own.
    """

    gates: int
    states: tuple[str, ...] = ("h",)
    biases: int = 1
    streams: bool = True

    def weight_shapes(self, a: Architecture) -> list[Shape]:
        """Of features if there are any; kernel, recurrent kernel and bias a layer; the output."""
        wide = self.gates * a.units
        bias = (self.biases, wide) if self.biases > 1 else (wide,)
        layers = [
            shape for inputs in self._inputs(a) for shape in ((inputs, wide), (a.units, wide), bias)
        ]
        return [*self._front_shapes(a), *layers, (a.units, 1), (1,)]

    def framed_macs(self, a: Architecture) -> int:
        """A step a sample of the frame, and one answer."""
        return a.frame_size * (self.streaming_macs(a) - a.units) + a.units

    def streaming_macs(self, a: Architecture) -> int:
        """What enters the first layer, the gates' products and the output."""
        steps = sum(self.gates * a.units * (inputs + a.units) for inputs in self._inputs(a))
        return self._front_macs(a) + steps + a.units

    def state_sizes(self, a: Architecture) -> list[int]:
        """The dry samples that a front still needs, oldest first; then layer by layer."""
        history = self.history(a)
        return ([history] if history else []) + [a.units] * (a.layers * len(self.states))

    def history(self, a: Architecture) -> int:
        """Of the features' frame."""
        return a.frame_size - 1 if a.features else 0

    def first_inputs(self, a: Architecture) -> int:
        """The features or the sample, and the controls."""
        return (a.features or 1) + a.controls

    def _inputs(self, a: Architecture) -> list[int]:
        return [self.first_inputs(a)] + [a.units] * (a.layers - 1)

    def _front_macs(self, a: Architecture) -> int:
        return a.frame_size * a.features

    def _front_shapes(self, a: Architecture) -> list[Shape]:
        return [(a.frame_size, 1, a.features)] if a.features else []


@dataclass(frozen=True, kw_only=True)
class ConvRecurrent(Recurrent):
    """The same behind a convolution of as many filters as units."""

    takes_controls: bool = False

    def history(self, a: Architecture) -> int:
        """Of the convolution."""
        del a
        return CONV_GRU_KERNEL - 1

    def first_inputs(self, a: Architecture) -> int:
        """The convolution's filters."""
        return a.units

    def _front_macs(self, a: Architecture) -> int:
        return CONV_GRU_KERNEL * a.units

    def _front_shapes(self, a: Architecture) -> list[Shape]:
        return [(CONV_GRU_KERNEL, 1, a.units), (a.units,)]


@dataclass(frozen=True, kw_only=True)
class Dense(Family):
    """Dense layers over the flattened frame."""

    def weight_shapes(self, a: Architecture) -> list[Shape]:
        """Kernel and bias a layer, and the output's."""
        layers = [s for inputs in self._inputs(a) for s in ((inputs, a.units), (a.units,))]
        return [*layers, (a.units, 1), (1,)]

    def framed_macs(self, a: Architecture) -> int:
        """Products of all layers."""
        return sum(inputs * a.units for inputs in self._inputs(a)) + a.units

    def _inputs(self, a: Architecture) -> list[int]:
        return [a.frame_size * self.first_inputs(a)] + [a.units] * (a.layers - 1)


@dataclass(frozen=True, kw_only=True)
class Conv(Family):
    """Convolutions without padding over a frame, and a dense output over their positions."""

    def weight_shapes(self, a: Architecture) -> list[Shape]:
        """Kernel and bias a layer, and the output's."""
        layers = [
            s for taps, inputs, _ in self._layers(a) for s in ((taps, inputs, a.units), (a.units,))
        ]
        return [*layers, (a.units * conv_length(a, a.layers), 1), (1,)]

    def framed_macs(self, a: Architecture) -> int:
        """Products of all positions of all layers."""
        layers = sum(length * taps * inputs * a.units for taps, inputs, length in self._layers(a))
        return layers + a.units * conv_length(a, a.layers)

    def objection(self, a: Architecture) -> str | None:
        """Layers that reach beyond the frame."""
        if conv_length(a, a.layers) < 1:
            return (
                f"{a.layers} convolutional layers reach over more than "
                f"{a.frame_size} samples; use fewer layers or a longer frame"
            )
        return super().objection(a)

    def _layers(self, a: Architecture) -> list[tuple[int, int, int]]:
        """Taps, inputs and output length of each."""
        first = [(CONV_FIRST_KERNEL, self.first_inputs(a), conv_length(a, 1))]
        return first + [
            (CONV_NEXT_KERNEL, a.units, conv_length(a, layer)) for layer in range(2, a.layers + 1)
        ]


def conv_length(a: Architecture, layer: int) -> int:
    """Output length of the given convolutional layer (no padding)."""
    first = (a.frame_size - CONV_FIRST_KERNEL) // CONV_FIRST_STRIDE + 1
    return first - (layer - 1) * (CONV_NEXT_KERNEL - 1)


@dataclass(frozen=True, kw_only=True)
class DilatedConv(Family):
    """Dilated convolutions over the past, whose answers are summed: a WaveNet without gates.

    Of the input u (dry sample and controls) a first product makes the signal x. Every layer l
    answers a[l] = LeakyReLU(W[l] * x[l-1] + b[l] + m[l] u), the convolution reaching back to every
    ``dilation``-th of ``kernel`` samples, and hands x[l] = x[l-1] + V[l] a[l] + c[l] to the next;
    the output layer sees the sum of all a[l]. (van den Oord et al., "WaveNet", arXiv 1609.03499,
    in the form in which Neural Amp Modeler has it, of one array of layers.)
    """

    has_framed_form: bool = False
    streams: bool = True
    is_dilated: bool = True
    has_feedback: bool = False
    most_layers: int = 32

    def weight_shapes(self, a: Architecture) -> list[Shape]:
        """First product; W, b, m and, of all but the last layer, V, c; the output's."""
        shapes: list[Shape] = [(self.first_inputs(a), a.units)]
        for layer, kernel in enumerate(kernels(a), 1):
            shapes += [(kernel, a.units, a.units), (a.units,), (self.first_inputs(a), a.units)]
            if layer < a.layers:
                shapes += [(a.units, a.units), (a.units,)]
        return [*shapes, (a.units, 1), (1,)]

    def streaming_macs(self, a: Architecture) -> int:
        """All products; nothing is computed twice."""
        from_input = (a.layers + 1) * self.first_inputs(a) * a.units
        return from_input + (sum(kernels(a)) + a.layers - 1) * a.units**2 + a.units

    def state_sizes(self, a: Architecture) -> list[int]:
        """What each layer's convolution still needs of its signal, oldest vector first."""
        return [samples * a.units for samples in pasts(a)]

    def reach(self, a: Architecture) -> int:
        """Of all layers together."""
        return sum(pasts(a))

    def objection(self, a: Architecture) -> str | None:
        """Kernels or dilations that no layer has, too small a kernel, or too far a reach."""
        for name, own in (("kernel_sizes", a.kernel_sizes), ("dilations", a.dilations)):
            if len(own) > a.layers:
                return f"{a.layers} layers have no use for {len(own)} {name}; name fewer"
        if min(kernels(a)) < 2 or min(dilations(a)) < 1:
            return "kernel_sizes are 2 or more and dilations 1 or more"
        if sum(pasts(a)) > TCN_MOST_PAST_SAMPLES:
            return (
                f"its layers reach back {sum(pasts(a)):,} samples, and {TCN_MOST_PAST_SAMPLES:,} "
                "are the most; use smaller dilations or fewer layers"
            )
        return super().objection(a)


def kernels(a: Architecture) -> tuple[int, ...]:
    """Samples that each layer of dilated convolutions sees."""
    return _cycled(a.kernel_sizes or TCN_KERNELS, a.layers)


def dilations(a: Architecture) -> tuple[int, ...]:
    """How far apart they lie, layer by layer."""
    return _cycled(a.dilations or TCN_DILATIONS, a.layers)


def pasts(a: Architecture) -> list[int]:
    """How many samples each layer reaches back beyond the newest."""
    return [(k - 1) * d for k, d in zip(kernels(a), dilations(a), strict=True)]


def _cycled(values: tuple[int, ...], count: int) -> tuple[int, ...]:
    return tuple(values[n % len(values)] for n in range(count))


# Colours are those of seaborn's palette "colorblind".
FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Recurrent(
            name="lstm",
            label="LSTM",
            colour="#0173b2",
            marker="o",
            symbol="M-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0-11 0z",
            gates=4,
            states=("h", "c"),
            has_firmware=True,
            takes_features=True,
        ),
        Recurrent(
            name="gru",
            label="GRU",
            colour="#de8f05",
            marker="s",
            symbol="M-5-5h10v10h-10z",
            gates=3,
            biases=2,
            has_firmware=True,
            takes_features=True,
        ),
        Recurrent(
            name="rnn",
            label="RNN",
            colour="#029e73",
            marker="^",
            symbol="M0-6.5L6 4.5H-6z",
            gates=1,
            has_firmware=True,
        ),
        Dense(
            name="dense",
            label="Dense",
            colour="#d55e00",
            marker="D",
            symbol="M0-6.5L6.5 0L0 6.5L-6.5 0z",
            has_firmware=True,
        ),
        Conv(
            name="conv",
            label="Conv",
            colour="#cc78bc",
            marker="v",
            symbol="M0 6.5L6-4.5H-6z",
            has_firmware=True,
        ),
        ConvRecurrent(
            name="conv_gru",
            label="Conv-GRU",
            colour="#ca9161",
            marker="P",
            symbol="M-2-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
            gates=3,
            biases=2,
            has_framed_form=False,
        ),
        DilatedConv(
            name="tcn",
            label="TCN",
            colour="#56b4e9",
            marker="X",
            symbol="M-5-6l5 4l5-4l1 1l-4 5l4 5l-1 1l-5-4l-5 4l-1-1l4-5l-4-5z",
            has_firmware=True,
        ),
    )
}
