"""What readers are told instead of the identifiers of tables: models and ways of rendering."""

from __future__ import annotations

from data.devices import lv2
from data.devices.circuits import CIRCUITS
from data.effects import Effect
from models.families import FAMILIES
from reports.sources.numbers import counted
from study.config.rendering import FRAMED, Rendering
from study.config.run import RunConfig

# What is told on hover; the words as sections use them.
GLOSSARY = {
    "ESR": "error-to-signal ratio: the error's energy over the target's. 0 is perfect, 0.01 lies "
    "20 dB below the sound, silence scores 1",
    "Aliases": "tones that were not played: distortion beyond half the sample rate, folded back",
    "memory": "a recurrent model remembers what it heard; boards carry it from sample to sample",
    "linear filter": "the best equalizer of the length that the model hears: what costs nothing",
    "golden vectors": "samples with the exact answer, which the model on this page has to repeat",
    "multiply-accumulates": "products that are summed for an output sample: what a model costs",
}


def model(config: RunConfig) -> str:
    """A model by what it is made of."""
    size = counted(config.units, "unit")
    layers = f"{config.layers} layers of {size}" if config.layers > 1 else size
    return f"{FAMILIES[config.family].label}, {layers}"


def candidate(config: RunConfig, rendering_name: str) -> str:
    """A model and how it is rendered, where it could be rendered otherwise."""
    if not FAMILIES[config.family].streams and rendering_name == FRAMED:
        return model(config)
    return f"{model(config)}, {Rendering.parse(rendering_name).meaning}"


def effect(own: Effect) -> str:
    """What was modelled."""
    if own.kind == "recording":
        return f"Your recording of {own.name}"
    known = CIRCUITS if own.kind == "circuit" else lv2.EFFECTS
    meaning = known[own.device].meaning if own.device in known else own.name
    what = meaning.partition(":")[0]
    return what[:1].upper() + what[1:]
