"""The only frame-index arithmetic of the project, and its inverse.

A frame is ``frame_size`` consecutive dry samples whose target is the wet sample at
the frame's *last* index. A frame is therefore named by its target's index. Frames
are gathered by index where they are needed and never stored: memory grows with the
audio, not with frames x frame size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from data.audio import Samples
from data.errors import InputError

Indices = npt.NDArray[np.int32]


class Span(NamedTuple):
    """Samples ``start`` to ``stop`` (exclusive) of a signal, contiguous in time."""

    start: int
    stop: int

    @property
    def samples(self) -> int:
        """How many samples it holds."""
        return self.stop - self.start


def gather(signal: Any, targets: Any, frame_size: int) -> Any:
    """Frames that end at ``targets``, shape ``(*targets.shape, frame_size, 1)``.

    A signal with channels, ``(samples, channels)``, gives ``(..., frame_size, channels)``.

    Both arguments are numpy or JAX arrays; inside a compiled function the gather
    happens on the device. Every target must be at least ``frame_size - 1``.
    """
    reach = np.arange(1 - frame_size, 1, dtype=np.int32)
    gathered = signal[targets[..., None] + reach]
    return gathered if signal.ndim == 2 else gathered[..., None]


def with_controls(signal: Samples, controls: Sequence[float]) -> Samples:
    """The signal with constant channels beside it, shape ``(samples, 1 + controls)``.

    Without controls it stays ``(samples,)``.
    """
    if not controls:
        return signal
    constant = np.broadcast_to(np.asarray(controls, np.float32), (len(signal), len(controls)))
    return np.column_stack([signal, constant])


def with_history(signal: Samples, frame_size: int) -> Samples:
    """The signal after ``frame_size - 1`` zeros.

    Frame ``n`` of the result (samples ``n`` to ``n + frame_size``) has sample ``n``
    of the signal as its last one, so a rendering is as long as its input.
    """
    return np.concatenate([np.zeros(frame_size - 1, np.float32), signal])


def frames_in(spans: Sequence[Span], frame_size: int) -> int:
    """How many frames lie wholly inside one span or another."""
    return sum(max(0, span.samples - frame_size + 1) for span in spans)


def target_at(spans: Sequence[Span], frame_size: int, ordinals: Indices) -> Indices:
    """Target indices of the frames counted through all spans in order.

    Args:
        spans: where frames may lie; none straddles two of them.
        frame_size: samples a frame.
        ordinals: frame numbers in ``[0, frames_in(spans, frame_size))``.
    """
    counts = np.array([max(0, s.samples - frame_size + 1) for s in spans])
    first_ordinal = np.concatenate([[0], np.cumsum(counts)[:-1]])
    first_target = np.array([s.start for s in spans]) + frame_size - 1
    home = np.searchsorted(np.cumsum(counts), ordinals, side="right")
    return (first_target[home] + ordinals - first_ordinal[home]).astype(np.int32)


def draw(spans: Sequence[Span], frame_size: int, count: int, seed: int) -> Indices:
    """Draw ``count`` different frames, seeded, and return their target indices.

    Raises ``InputError`` when the spans hold fewer frames than asked for.
    """
    available = frames_in(spans, frame_size)
    if count > available:
        raise InputError(
            "training_frames",
            expected=f"at most {available} frames of {frame_size} samples in this split",
            found=str(count),
            remedy="Ask for fewer frames or supply a longer signal.",
        )
    ordinals = np.random.default_rng(seed).choice(available, size=count, replace=False)
    return target_at(spans, frame_size, ordinals.astype(np.int32))
