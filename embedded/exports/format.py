"""What a file format is to the exporter: what its hosts load, and how it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from embedded.exports.model import Model
from models.architecture import Architecture
from models.families import FAMILIES


@dataclass(frozen=True)
class Format:
    """One file format.

    Attributes:
        name: as the command line calls it.
        hosts: who loads it.
        loads: what they load, in words.
        how: what to do with the file, in a sentence.
        suffix: of the file name, after the run's id.
        objection: what a model is, if no host loads such a structure, else None.
        rates_hz: the rates that a model may be trained at, empty for any: hosts that
            neither resample nor ask play it at their own.
        text: the file's content.
    """

    name: str
    hosts: str
    loads: str
    how: str
    suffix: str
    objection: Callable[[Architecture], str | None]
    rates_hz: tuple[int, ...]
    text: Callable[[Model], str]

    def rate_objection(self, sample_rate_hz: int) -> str | None:
        """What the model is, if it would sound wrong for its rate, else None."""
        if not self.rates_hz or sample_rate_hz in self.rates_hz:
            return None
        played = " or ".join(str(rate) for rate in self.rates_hz)
        return f"a model trained at {sample_rate_hz} Hz, which hosts would play at {played} Hz"


def described(a: Architecture) -> str:
    """A structure in words."""
    residual = "with residual" if a.residual else "without residual"
    knobs = f", told {a.controls} controls" if a.controls else ""
    features = f", on {a.features} features of {a.frame_size} samples" if a.features else ""
    return f"{FAMILIES[a.family].label} {a.layers}x{a.units} {residual}{knobs}{features}"


def is_plain(a: Architecture) -> bool:
    """Whether the dry sample alone enters the first layer, as hosts have it."""
    return not a.controls and not a.features


def one_layer(a: Architecture, families: tuple[str, ...], units: tuple[int, ...]) -> str | None:
    """The objection to all but one recurrent layer of these families and sizes."""
    if a.family in families and a.layers == 1 and a.units in units:
        return None if is_plain(a) else described(a)
    return described(a)
