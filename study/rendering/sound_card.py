"""A model in real time: blocks from a sound card, through the model, and back.

``Player`` does the work and knows no sound card; ``play`` joins it to one by PortAudio. The
card runs at the model's own rate, so that nothing is resampled and the only delay is the
card's.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from data.audio_streams import Chunk
from data.errors import InputError
from study.config.rendering import Rendering
from study.rendering import numba_cells
from study.rendering.block_processors import BlockModel
from study.rendering.files import block_model
from study.rendering.framed import FRAMES_AT_ONCE
from study.rendering.numba_cells import SteppedModel
from study.rendering.trained_model import Trained, load, load_as
from study.store.folders import RunFolder

WARM_UP_BLOCKS = 20
MEASURED_S = 1.0
RECENT_S = 2.0


class Load(NamedTuple):
    """Computing time as a share of the time that the sound takes.

    Attributes:
        mean: over the recent blocks.
        worst: of them.
    """

    mean: float
    worst: float


class Player:
    """Takes dry blocks as they come and gives wet ones, timing itself.

    Args:
        model: mono, from zero state.
        sample_rate_hz: of the sound card.
    """

    def __init__(self, model: BlockModel, sample_rate_hz: int) -> None:
        self.block_samples = model.block_samples
        self.sample_rate_hz = sample_rate_hz
        self._model = model
        self._shares: deque[float] = deque(maxlen=math.ceil(RECENT_S / self.block_s))

    @property
    def block_s(self) -> float:
        """How long a block sounds."""
        return self.block_samples / self.sample_rate_hz

    def process(self, dry: Chunk) -> Chunk:
        """The wet block of the next dry one, ``(block_samples, 1)``, within full scale."""
        started = time.perf_counter()
        wet = np.clip(self._model(dry), -1, 1)
        self._shares.append((time.perf_counter() - started) / self.block_s)
        return wet

    def load(self) -> Load:
        """Of the last two seconds."""
        shares = list(self._shares)  # the card's thread goes on meanwhile
        return Load(float(np.mean(shares)), max(shares)) if shares else Load(0.0, 0.0)


def loaded(folder: RunFolder, rendering: str | None = None) -> Trained:
    """The model of a run as it plays: its state carried on, or framed if it has none.

    Args:
        folder: of the run.
        rendering: whether with or without weights tuned for it; by default with, if there are.

    Raises:
        InputError: the run is not finished.
    """
    if rendering and Rendering.parse(rendering).carries_state:
        return load_as(folder, rendering)
    return load(folder, "streaming" if folder.config().architecture.streams else "framed")


def live_model(trained: Trained, block_samples: int) -> BlockModel:
    """The model from zero state, in the form that answers soonest."""
    is_stepped = trained.mode == "streaming" and not numba_cells.objection(trained.architecture)
    if is_stepped and trained.config.knobs == "none":
        return SteppedModel(trained.architecture, trained.weights, block_samples)
    return block_model(trained, 1, block_samples)


def player(trained: Trained, block_samples: int) -> Player:
    """A player of a model that has been found to be fast enough here.

    Raises:
        InputError: it is slower than real time, or cannot take such blocks.
    """
    is_framed = trained.mode == "framed"
    if is_framed and trained.architecture.streams:
        raise ValueError("a recurrent model plays with its state carried on")
    if is_framed and block_samples % FRAMES_AT_ONCE:
        raise InputError(
            f"--block {block_samples}",
            expected=f"a multiple of {FRAMES_AT_ONCE} for a {trained.config.family} model",
            found="another number",
            remedy=f"Use --block {FRAMES_AT_ONCE}.",
        )
    found = measured_load(trained, block_samples)
    if found.mean >= 1:
        raise InputError(
            f"{trained.config.run_id} in blocks of {block_samples}",
            expected="less computing time than the sound takes",
            found=f"{100 * found.mean:.0f} % of it, measured on this machine just now",
            remedy="Try a larger --block, a smaller model, or `python -m study render`.",
        )
    return Player(live_model(trained, block_samples), trained.sample_rate_hz)


def measured_load(trained: Trained, block_samples: int) -> Load:
    """The load of a second of noise, after a moment to warm up."""
    trial = Player(live_model(trained, block_samples), trained.sample_rate_hz)
    rng = np.random.default_rng(0)
    noise = rng.uniform(-0.5, 0.5, (block_samples, 1)).astype(np.float32)
    for _ in range(WARM_UP_BLOCKS):
        trial.process(noise)
    trial._shares.clear()
    for _ in range(math.ceil(MEASURED_S / trial.block_s)):
        trial.process(noise)
    return trial.load()


def play(
    player: Player,
    device: str | int | None,
    seconds: float,
    tell: Callable[[Load, float, int], None],
) -> None:
    """Play until the time is over or somebody interrupts.

    Args:
        player: of the model.
        device: name (or part of it) or number of the card; the default one if None.
        seconds: how long; infinity until interrupted.
        tell: called four times a second with the load, the card's delay from input to
            output in seconds, and how many blocks came too late so far.

    Raises:
        InputError: no PortAudio, no such card, or one that cannot run at the model's rate.
    """
    cards = sounddevice()
    late = 0

    def callback(dry: Chunk, wet: Chunk, samples: int, at: Any, status: Any) -> None:
        nonlocal late
        late += bool(status)
        wet[:] = player.process(dry)

    try:
        outputs = min(2, int(cards.query_devices(device, "output")["max_output_channels"]))
        stream = cards.Stream(
            samplerate=player.sample_rate_hz,
            blocksize=player.block_samples,
            device=device,
            channels=(1, outputs),
            dtype="float32",
            latency="low",
            callback=callback,
        )
    except (cards.PortAudioError, ValueError) as error:
        raise InputError(
            f"sound card {'(the default one)' if device is None else device}",
            expected=f"one with an input and an output that runs at {player.sample_rate_hz} Hz",
            found=str(error),
            remedy="`python -m sounddevice` lists the cards; name one with --device.",
        ) from error
    ends = time.monotonic() + seconds
    with stream:
        while time.monotonic() < ends:
            time.sleep(0.25)
            tell(player.load(), sum(stream.latency), late)


def sounddevice() -> ModuleType:
    """The optional package that speaks to sound cards.

    Raises:
        InputError: it, or the PortAudio library, is not installed.
    """
    try:
        import sounddevice as found
    except ImportError as error:
        raise InputError(
            "playing live",
            expected="the optional package sounddevice",
            found="none",
            remedy="Run `.venv/bin/pip install sounddevice`; "
            "`python -m study render` needs no sound card.",
        ) from error
    except OSError as error:
        raise InputError(
            "playing live",
            expected="the PortAudio library",
            found=str(error),
            remedy="On Debian or Ubuntu install libportaudio2 (`make system` does).",
        ) from error
    return found
