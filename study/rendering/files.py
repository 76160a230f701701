"""A trained model over an audio file of any length, rate and number of channels.

The file flows through in chunks, so memory does not grow with its length: read, brought
to the model's rate, rendered, brought back, written. Nothing is delayed, and the result
is exactly as long as the input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from data import audio_streams, files
from data.audio_streams import Bits, Chunk, Form
from data.errors import InputError
from study.rendering.block_processors import BlockModel, FramedModel, StreamingModel
from study.rendering.trained_model import Trained

BLOCK_SAMPLES = {"streaming": 4096, "framed": 2048}


@dataclass(frozen=True)
class Rendered:
    """What came of it.

    Attributes:
        form: rate, channels and length of input and output.
        peak: largest magnitude of the output, before any clipping.
        clipped: samples cut off at full scale.
    """

    form: Form
    peak: float
    clipped: int


def block_model(trained: Trained, channels: int, block_samples: int) -> BlockModel:
    """The model from zero state, for blocks of that size.

    Raises:
        InputError: the model has knobs.
    """
    if trained.config.knobs != "none":
        raise InputError(
            f"run {trained.config.run_id}",
            expected="a model of one setting",
            found=f"one with knobs ({', '.join(trained.config.controls)})",
            remedy="Rendering does not turn knobs yet: choose a run without.",
        )
    kind = StreamingModel if trained.mode == "streaming" else FramedModel
    return kind(trained.architecture, trained.weights, channels, block_samples)


def render_file(
    trained: Trained,
    source: Path,
    destination: Path,
    bits: Bits,
    advance: Callable[[int], None] = lambda samples: None,
) -> Rendered:
    """Render one audio file into another.

    Args:
        trained: the model.
        source: a WAV or FLAC file. Its channels are rendered each on its own.
        destination: a ``.wav`` or ``.flac``, written aside and renamed.
        bits: ``24`` or ``32f``.
        advance: told the number of samples whenever some more have been rendered.

    Raises:
        InputError: a file that cannot be read, or an output that cannot be made.
        OSError: a file that cannot be written.
    """
    form = audio_streams.form(source)
    audio_streams.container_of(destination, form, bits)
    audio_streams.require_room(destination, form, bits)
    if destination.exists() and destination.samefile(source):
        raise InputError(
            f"output {destination}",
            expected="another file than the input",
            found="the same",
            remedy="Choose another name.",
        )
    written: list[audio_streams.Written] = []

    def write(aside: Path) -> None:
        chunks = _told(rendered(trained, audio_streams.read(source), form), advance)
        written.append(audio_streams.write(aside, chunks, form, bits))

    files.write_whole(destination, write)
    return Rendered(form, written[0].peak, written[0].clipped)


def rendered(trained: Trained, chunks: Iterator[Chunk], form: Form) -> Iterator[Chunk]:
    """The wet signal of a dry one, chunk by chunk, at the rate and of the length of the dry."""
    model = block_model(trained, form.channels, BLOCK_SAMPLES[trained.mode])
    rate_hz, channels = trained.sample_rate_hz, form.channels
    dry = audio_streams.resampled(chunks, form.sample_rate_hz, rate_hz, channels)
    wet = (model(block) for block in audio_streams.blocks(dry, model.block_samples))
    back = audio_streams.resampled(wet, rate_hz, form.sample_rate_hz, channels)
    return audio_streams.of_length(back, form.samples)


def _told(chunks: Iterator[Chunk], advance: Callable[[int], None]) -> Iterator[Chunk]:
    for chunk in chunks:
        yield chunk
        advance(len(chunk))
