"""One run: every setting that it is made of, checked, and the id that names it.

A run's id hashes its *full* configuration, defaults included, so that editing a default can
never change what an old id means. Fields that came later are hashed only where they differ
from their neutral value, so that a new field leaves all ids as they are.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data import effects, pairs
from data.effects import Effect
from data.pairs import DrySignal
from data.splits import LEAD_IN_SAMPLES, SEGMENTS_NEEDED, SplitMode
from models.architecture import (
    Architecture,
    multiply_accumulates,
    streaming_multiply_accumulates,
)
from models.families import FAMILIES
from models.losses import LOSSES
from study.config.about import About, settings_of
from study.config.rendering import MOST_TIMES, main_rendering

if TYPE_CHECKING:
    FamilyName = str
    LossName = str
else:
    FamilyName = Literal[tuple(FAMILIES)]
    LossName = Literal[tuple(LOSSES)]
Schedule = Literal["constant", "cosine"]
Training = Literal["framed", "sequence"]
Direction = Literal["forward", "reversed"]
Knobs = Literal["none", "conditioned", "faded"]
Setting = Mapping[str, float]  # of an effect's controls, by name

# Beyond what anyone can wait for or keep, and well below what numbers overflow at.
MOST_FRAMES = 1_000_000_000
MOST_EPOCHS = 1_000_000
MOST_SAMPLES = 64_000_000
MOST_SETTINGS = 256  # a pair of signals each

# Of training on sequences: the loss of most of the field, and few segments a step.
SEQUENCE_DEFAULTS: Mapping[str, Any] = {"loss": "esr_preemph_dc", "batch_size": 16}


class Strict(BaseModel):
    """Unchangeable; unknown keys, NaN and infinity are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Segment(NamedTuple):
    """A span of audio that a sequence model is trained on.

    Attributes:
        warmup_samples: run through before the first window; not counted.
        window_samples: between two steps of the optimiser, and as far as a gradient goes.
        windows: how many follow one another.
    """

    warmup_samples: int
    window_samples: int
    windows: int

    @property
    def counted_samples(self) -> int:
        """Samples with a loss."""
        return self.window_samples * self.windows


class SignalConfig(Strict):
    """What all runs of a grid share: the dry signal and how it is split."""

    seconds: Annotated[
        float,
        Field(ge=20, le=36_000),
        About("length of the built-in dry signal", note="Recordings bring their own."),
    ] = 480.0
    seed: Annotated[int, Field(ge=0), About("of the built-in dry signal")] = 0
    split: Annotated[
        SplitMode,
        About(
            "into training, validation and test",
            note="Segments dealt at random, or in the order of time.",
        ),
    ] = "random"
    segment_seconds: Annotated[float, Field(ge=0.1, le=600), About("length of a segment")] = 5.0
    split_seed: Annotated[int, Field(ge=0), About("of the random split")] = 0

    @property
    def dry(self) -> DrySignal:
        """The built-in dry signal asked for."""
        return DrySignal(self.seconds, self.seed)


class RunConfig(Strict):
    """One grid point, complete: nothing else decides its result.

    What each field means stands beside it; ``docs/grids.md`` is written from that.
    """

    effect: Annotated[
        dict[str, Any],
        About(
            "what is modelled; with its controls where only they differ",
            note="A name (`python -m study effects`), a table with controls, "
            '`{name = "x", dry = "a.wav", wet = "b.wav"}`, or `{name = "x", lv2 = "URI"}`.',
        ),
    ]
    signal: Annotated[SignalConfig, About("dry signal and split", in_results=False)] = (
        SignalConfig()
    )
    family: Annotated[
        FamilyName,
        About(
            f"{', '.join([*FAMILIES][:-1])} or {[*FAMILIES][-1]}",
            note="On sequences not `dense` and `conv`. On them alone `conv_gru`, a convolution of "
            "3 samples before a GRU, and `tcn`, dilated convolutions over the past, as in the "
            "WaveNet of Neural Amp Modeler.",
            searched="choices",
        ),
    ] = "lstm"
    layers: Annotated[
        int,
        Field(ge=1, le=32),
        About("hidden layers", note="More than 8 of a `tcn` alone.", searched="integers"),
    ] = 1
    units: Annotated[
        int, Field(ge=1, le=1024), About("units a hidden layer", searched="integers")
    ] = 16
    frame_size: Annotated[
        int,
        Field(ge=2, le=LEAD_IN_SAMPLES + 1),
        About(
            "dry samples a frame; on sequences only with features",
            applies_to="frames",
            searched="integers",
        ),
    ] = 64
    features: Annotated[
        int,
        Field(ge=0, le=256),
        About(
            "linear features of a frame that enter in the sample's place, or 0",
            note="On sequences, of an `lstm` or `gru`: of the newest `frame_size` samples. A "
            "frame of 32 to 4 features makes a GRU 1x10 cost a quarter more of a board.",
            searched="integers",
            neutral=0,
        ),
    ] = 0
    kernel_sizes: Annotated[
        tuple[Annotated[int, Field(ge=2, le=64)], ...],
        Field(max_length=32),
        About(
            "of dilated convolutions, layer by layer; empty for 3",
            note="Of a `tcn`: the samples that a layer sees. A list is for its layers in turn, and "
            "begins anew after its last.",
            neutral=(),
        ),
    ] = ()
    dilations: Annotated[
        tuple[Annotated[int, Field(ge=1, le=4096)], ...],
        Field(max_length=32),
        About(
            "of dilated convolutions, layer by layer; empty for 1, 2, 4 to 512",
            note="Of a `tcn`: how far apart those samples lie. Ten layers of the usual ones reach "
            "back 2,046 samples: as many `warmup_samples`, and each window's past is exact.",
            neutral=(),
        ),
    ] = ()
    residual: Annotated[
        bool, About("whether the dry sample is added to the model's output", searched="choices")
    ] = False
    training: Annotated[
        Training,
        About(
            "framed, or sequence: on segments of audio, the state carried",
            note="The second is how most of the field trains. Each epoch passes over all segments "
            "that fit into the training split.",
        ),
    ] = "framed"
    direction: Annotated[
        Direction,
        About(
            "forward, or reversed: dry and wet have changed places",
            note='Tables call the effect of the second "... (wet to dry)".',
        ),
    ] = "forward"
    training_frames: Annotated[
        int,
        Field(ge=1, le=MOST_FRAMES),
        About(
            "samples with a loss an epoch: frames drawn, or all segments",
            note="Drawn once, from the training split.",
            applies_to="frames",
        ),
    ] = 40_000
    epochs: Annotated[int, Field(ge=1, le=MOST_EPOCHS), About("epochs asked for")] = 50
    batch_size: Annotated[
        int,
        Field(ge=1, le=1_000_000),
        About("frames a step", note="On sequences, segments.", searched="integers"),
    ] = 64
    learning_rate: Annotated[
        float, Field(gt=0, le=1), About("Adam's highest", searched="numbers")
    ] = 1e-2
    schedule: Annotated[
        Schedule,
        About(
            "of the learning rate",
            note="`constant`, or half a `cosine` that reaches 1 % as the last epoch ends.",
            searched="choices",
        ),
    ] = "cosine"
    weight_decay: Annotated[
        float,
        Field(ge=0, le=1),
        About(
            "AdamW's; 0 is Adam",
            note="Each step also shrinks all weights by this times the rate.",
            searched="numbers",
        ),
    ] = 0.0
    clip_norm: Annotated[
        float,
        Field(ge=0, le=1e6),
        About(
            "longest gradient of a step; 0 for any length",
            note="Over all weights.",
            searched="numbers",
            neutral=0.0,
        ),
    ] = 0.0
    loss: Annotated[
        LossName,
        About(
            "training loss",
            note="`esr_preemph_dc`: 0.75 ESR after 1 - 0.85 z⁻¹ + 0.25 DC. On sequences alone "
            "`esr_preemph_dc_stft`: the same + 0.2 times a distance of spectra of 64, 128 and 256 "
            "samples (not the `mr_stft` of the tables, whose spectra are longer).",
        ),
    ] = "mae"
    sample_rate_hz: Annotated[
        int,
        Field(ge=8_000, le=192_000),
        About(
            "of dry and wet",
            note="44100 and 48000 are the other usual ones; at 88200 and 96000 the effect runs at "
            "that rate too, and a board of half of it filters on both sides.",
        ),
    ] = 22_050
    seed: Annotated[
        int,
        Field(ge=0, lt=2**31),
        About("of weights, draw and order of frames", adds_rows=True),
    ] = 0
    validation_frames: Annotated[
        int,
        Field(ge=64, le=MOST_FRAMES),
        About("frames that training is followed by", in_results=False, applies_to="frames"),
    ] = 4096
    patience: Annotated[
        int,
        Field(ge=0, le=MOST_EPOCHS),
        About(
            "epochs without a better validation loss before training stops",
            note="The best weights are kept; 0 trains all epochs and keeps the last. A short one "
            "ends a training before its `cosine` has fallen, where most is gained.",
            in_results=False,
            of_the_end=True,
        ),
    ] = 0
    checkpoint_epochs: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...],
        Field(max_length=1000),
        About(
            "epochs that are kept",
            note="Their weights become rows of their own.",
            in_results=False,
            of_the_end=True,
            adds_rows=True,
        ),
    ] = ()
    antialias_epochs: Annotated[
        int,
        Field(ge=0, le=MOST_EPOCHS),
        About(
            "epochs of fine-tuning against aliases",
            note="After the training, each on as many frames of sines as of music.",
            applies_to="frames",
            of_the_end=True,
        ),
    ] = 0
    oversampling: Annotated[
        tuple[Annotated[int, Field(ge=2, le=MOST_TIMES)], ...],
        Field(max_length=15),
        About(
            "factors that are rendered at",
            note="The final model, once more at so many times its rate, as rows of their own: "
            "fewer aliases for so many times the cost.",
            in_results=False,
            applies_to="frames",
            of_the_end=True,
            adds_rows=True,
        ),
    ] = ()
    sequence_seconds: Annotated[
        float,
        Field(ge=0.01, le=600),
        About(
            "sequences and tuning: length of a segment", applies_to="segments", searched="numbers"
        ),
    ] = 0.5
    warmup_samples: Annotated[
        int,
        Field(ge=0, le=MOST_SAMPLES),
        About("sequences and tuning: run through before a segment counts", applies_to="segments"),
    ] = 1000
    window_samples: Annotated[
        int,
        Field(ge=64, le=MOST_SAMPLES, multiple_of=64),
        About(
            "sequences and tuning: steps that a gradient goes back",
            note="The optimiser steps after so many. On sd1, black65 and a Muff 256 left 1.2 to 27 "
            "times less error than 2048 in the same time.",
            applies_to="segments",
            searched="integers",
        ),
    ] = 256
    streaming_epochs: Annotated[
        int,
        Field(ge=0, le=MOST_EPOCHS),
        About(
            "epochs of fine-tuning for streaming",
            note="They train the framed weights of a recurrent model on with the state carried, "
            "for a `streaming_tuned` row of their own.",
            applies_to="frames",
            of_the_end=True,
            adds_rows=True,
        ),
    ] = 0
    knobs: Annotated[
        Knobs,
        About(
            "none; conditioned (told the setting); faded (a model a setting)",
            note="[Knobs](#knobs) tells more.",
            of_the_end=True,
        ),
    ] = "none"
    controls: Annotated[
        dict[str, list[float]],
        About(
            "values of each control that models were trained at",
            note="`{drive = [0.1, 0.5, 0.9]}`, all their combinations.",
            in_results=False,
        ),
    ] = {}
    unseen: Annotated[
        dict[str, list[float]],
        About("values that they were judged at besides", in_results=False),
    ] = {}

    @model_validator(mode="before")
    @classmethod
    def _with_usual_settings(cls, values: Any) -> Any:
        """Sequences have defaults of their own."""
        if isinstance(values, dict) and values.get("training") == "sequence":
            return {**SEQUENCE_DEFAULTS, **values}
        return values

    @model_validator(mode="after")
    def _fits_together(self) -> RunConfig:
        _ = self.architecture  # raises for a convolution longer than the frame
        self._refuse_what_does_not_apply()
        signal, needed = self.signal, SEGMENTS_NEEDED * self.signal.segment_seconds
        if self.made_by.kind != "recording" and signal.seconds < needed:
            raise ValueError(
                f"a signal of {signal.seconds:g} s holds fewer than {SEGMENTS_NEEDED} segments of "
                f"{signal.segment_seconds:g} s; under [signal], set seconds to {needed:g} or "
                "more, or segment_seconds to less"
            )
        self._refuse_unfit_segments()
        self._refuse_unfit_knobs()
        late = [epoch for epoch in self.checkpoint_epochs if epoch > self.epochs]
        if late:
            raise ValueError(f"checkpoint_epochs {late} lie beyond the {self.epochs} epochs")
        return self

    def _refuse_unfit_segments(self) -> None:
        """A segment to train on lies within a segment of the split, its warm-up included."""
        if self.training != "sequence" and not self.streaming_epochs:
            return
        room = round(self.signal.segment_seconds * self.sample_rate_hz)
        needed = self.warmup_samples + self.segment.counted_samples
        if self.signal.split == "random" and needed > room:
            raise ValueError(
                f"warmup_samples and sequence_seconds take {needed} samples together, and a "
                f"segment of the split holds {room}; set them to less, or segment_seconds "
                "under [signal] to more"
            )

    def _refuse_what_does_not_apply(self) -> None:
        """Settings that would change a run's id and nothing else are mistakes."""
        is_sequence = self.training == "sequence"
        family = FAMILIES[self.family]
        if is_sequence and not family.streams:
            streaming = ", ".join(name for name, own in FAMILIES.items() if own.streams)
            raise ValueError(
                f"training on sequences takes {streaming}; a {self.family} model has no state to "
                "carry"
            )
        if not is_sequence and not family.has_framed_form:
            raise ValueError(f'a {self.family} model takes training = "sequence"')
        loss = LOSSES[self.loss]
        if loss.is_for_sequences and not is_sequence:
            raise ValueError(
                f'loss = "{loss.name}" compares spans of consecutive samples, so it takes '
                'training = "sequence"'
            )
        if loss.is_for_sequences and self.window_samples < loss.shortest_window:
            raise ValueError(
                f'loss = "{loss.name}" compares {loss.shortest_window} samples at a time; set '
                f"window_samples to {loss.shortest_window} or more"
            )
        if self.streaming_epochs and not family.streams:
            raise ValueError(f"a {self.family} model has no state, so no streaming_epochs")
        if self.features and not is_sequence:
            raise ValueError('features of a frame take training = "sequence"')
        without_use = FRAMED_ONLY if is_sequence else () if self.streaming_epochs else SEGMENT_KEYS
        for name in without_use:
            if name == "frame_size" and self.features:
                continue
            if getattr(self, name) != RunConfig.model_fields[name].default:
                raise ValueError(
                    f"{name} does not apply to training on sequences; leave it out"
                    if is_sequence
                    else f'{name} needs training = "sequence" or streaming_epochs'
                )

    def _refuse_unfit_knobs(self) -> None:
        """Controls must exist, and a knob must turn between settings that are trained on."""
        if self.knobs == "none":
            if self.controls or self.unseen:
                raise ValueError('controls and unseen need knobs = "conditioned" or "faded"')
            return
        if not self.controls or any(len(set(own)) < 2 for own in self.controls.values()):
            raise ValueError(
                f'knobs = "{self.knobs}" needs two or more values of each control to train on, '
                "such as controls = {drive = [0.1, 0.5, 0.9]}"
            )
        for own in (self.controls, self.unseen):
            if (settings := math.prod(map(len, own.values()))) > MOST_SETTINGS:
                raise ValueError(
                    f"controls and unseen stand for at most {MOST_SETTINGS} settings each, and "
                    f"one of them for {settings:,}; name fewer values"
                )
        if self.unseen and set(self.unseen) != set(self.controls):
            raise ValueError("unseen needs values of the same controls as controls")
        seen = self.seen_settings
        if any(setting in seen for setting in self.unseen_settings):
            raise ValueError("unseen holds a setting that controls trains on")
        for setting in (*self.seen_settings, *self.unseen_settings):
            effects.at_setting(self.made_by, setting)
        if self.knobs == "faded" and len(self.controls) > 1:
            raise ValueError("fading blends two neighbours, so it takes one control")
        if self.own_setting not in self.seen_settings:
            raise ValueError(
                f"the effect's own setting, {self.own_setting}, is what the run's main row is "
                "judged at; add it to controls, or give the effect one of them"
            )
        if self.antialias_epochs or self.oversampling or self.streaming_epochs:
            raise ValueError(
                "knobs do not go with antialias_epochs, oversampling or streaming_epochs"
            )
        if self.direction == "reversed":
            raise ValueError('knobs are for the direction "forward"')

    @property
    def seen_settings(self) -> list[dict[str, float]]:
        """Settings of the controls that are trained on; none without knobs."""
        return _combinations(self.controls)

    @property
    def unseen_settings(self) -> list[dict[str, float]]:
        """Settings that are judged besides."""
        # In the order of the controls, which is that of the model's inputs.
        return _combinations({name: self.unseen[name] for name in self.controls if self.unseen})

    @property
    def own_setting(self) -> dict[str, float]:
        """The setting of the run's main row: the effect's own."""
        given = effects.own_controls(self.made_by)
        return {name: given[name] for name in self.controls if name in given}

    @property
    def own_controls(self) -> tuple[float, ...]:
        """What the model is told for it."""
        return tuple(self.own_setting.values()) if self.knobs == "conditioned" else ()

    def at(self, setting: Setting) -> RunConfig:
        """The plain run of the effect at another setting."""
        effect = effects.at_setting(self.made_by, setting).to_dict()
        plain = {"knobs": "none", "controls": {}, "unseen": {}}
        return self.model_copy(update={"effect": effect, **plain})

    @property
    def architecture(self) -> Architecture:
        """What fixes the model's shape."""
        controls = len(self.controls) if self.knobs == "conditioned" else 0
        return Architecture(
            self.family,
            self.layers,
            self.units,
            self.frame_size,
            self.residual,
            controls,
            self.features,
            self.kernel_sizes,
            self.dilations,
        )

    @property
    def fir_taps(self) -> int:
        """Of the linear filter that the model is compared with."""
        default: int = RunConfig.model_fields["frame_size"].default
        return default if self.training == "sequence" else self.frame_size

    @property
    def made_by(self) -> Effect:
        """The effect, as an object."""
        return Effect(**self.effect)

    @property
    def effect_name(self) -> str:
        """The effect's name, the direction told; ``effect_names`` for a grid's."""
        return self.directed(str(self.effect["name"]))

    def directed(self, effect: str) -> str:
        """A name of the effect, the direction told."""
        return effect if self.direction == "forward" else f"{effect} (wet to dry)"

    @property
    def pair_key(self) -> str:
        """Name of the dry/wet pair; it changes whenever the pair's samples do."""
        key = pairs.key(self.made_by, self.signal.dry, self.sample_rate_hz)
        return key if self.direction == "forward" else f"{key}-reversed"

    @property
    def main_rendering(self) -> str:
        """How the run's final row is rendered: as it was trained."""
        return main_rendering(self.training)

    @property
    def segment(self) -> Segment:
        """What training on sequences and fine-tuning for streaming pass over."""
        windows = max(1, int(self.sequence_seconds * self.sample_rate_hz) // self.window_samples)
        return Segment(self.warmup_samples, self.window_samples, windows)

    @property
    def trained_models(self) -> int:
        """How many models the run trains: a faded one has one a setting."""
        return len(self.seen_settings) if self.knobs == "faded" else 1

    @property
    def settings_played(self) -> int:
        """How many settings' audio training on sequences passes over."""
        return max(1, len(self.seen_settings))

    @property
    def training_cost(self) -> float:
        """Forward multiply-accumulates of the whole training, to weigh runs by."""
        cost = 0.0
        if self.training == "framed":
            macs = self.trained_models * multiply_accumulates(self.architecture)
            cost += float(macs) * self.training_frames * self.epochs
        if epochs := self.epochs if self.training == "sequence" else self.streaming_epochs:
            # A recording's length is not known here; as if it were the built-in signal's.
            samples = self.settings_played * 0.8 * self.signal.seconds * self.sample_rate_hz
            cost += streaming_multiply_accumulates(self.architecture) * samples * epochs
        return cost

    @property
    def run_id(self) -> str:
        """Readable name of the run, closed by a hash of every field and of its pair's key.

        The key changes whenever the same fields stand for other samples.
        """
        fields = {
            name: value
            for name, value in self.model_dump(mode="json").items()
            if name not in NEUTRAL or getattr(self, name) != NEUTRAL[name]
        }
        # A recording is known by its content, wherever its files lie.
        fields["effect"] |= {"dry_file": "", "wet_file": ""}
        fields["pair"] = self.pair_key
        content = json.dumps(fields, sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:10]
        effect = "".join(c if c.isalnum() else "-" for c in self.effect["name"])[:24]
        effect = effect.lstrip("-") or "effect"  # a command would take it for an option
        shape = f"{self.family}-{self.layers}x{self.units}"
        seen = f"f{self.frame_size}-n{_short(self.training_frames)}"
        if self.training == "sequence":
            seen = f"w{self.window_samples}"
            if self.features:
                seen = f"f{self.frame_size}to{self.features}-{seen}"
        return f"{effect}-{shape}-{seen}-e{self.epochs}-s{self.seed}-{digest}"


SETTINGS = settings_of(RunConfig)
"""What the program knows of each setting."""

# Settings that say nothing of a run on sequences, and those that only such runs and a
# fine-tuning for streaming have a use for.
FRAMED_ONLY = tuple(name for name, own in SETTINGS.items() if own.applies_to == "frames")
SEGMENT_KEYS = tuple(name for name, own in SETTINGS.items() if own.applies_to == "segments")
NEUTRAL = {name: own.neutral for name, own in SETTINGS.items() if own.neutral is not None}


def effect_names(configs: Mapping[str, RunConfig]) -> dict[str, str]:
    """What tables and pages of a grid call the effect of its runs, by run id.

    Its name and direction, with its controls where the grid has several of the name.
    """
    kinds: dict[str, set[str]] = defaultdict(set)
    for config in configs.values():
        kinds[config.effect["name"]].add(json.dumps(config.effect, sort_keys=True))
    return {
        run_id: config.effect_name
        if len(kinds[config.effect["name"]]) == 1
        else config.directed(_with_controls(config.effect))
        for run_id, config in configs.items()
    }


def _with_controls(effect: Mapping[str, Any]) -> str:
    own = ", ".join(f"{name}={digits(value)}" for name, value in effect["controls"].items())
    return f"{effect['name']} ({own or effect['content'][:8] or effect['device']})"


def digits(value: float) -> str:
    """As few as tell the number, six of them unless they round it."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def _combinations(values: Mapping[str, list[float]]) -> list[dict[str, float]]:
    """Every combination of the values, by name; none of nothing."""
    names = list(values)
    combined = itertools.product(*values.values()) if names else ()
    return [dict(zip(names, own, strict=True)) for own in combined]


def _short(count: int) -> str:
    return f"{count // 1000}k" if count % 1000 == 0 else str(count)
