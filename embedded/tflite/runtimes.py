"""A converted model over whole signals, in the runtime that is asked for.

Each call is a process of its own with a time-out (see ``host.py``).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from data import frames
from data.audio import Samples
from data.errors import InputError
from embedded.tflite.manifest import Converted

Runtime = Literal["litert", "micro", "tflite_runtime"]
RUNTIMES: tuple[str, ...] = get_args(Runtime)

HOST = Path(__file__).parent / "runtime_process.py"
TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Answer:
    """What a runtime made of some signals.

    Attributes:
        raw: the model's own numbers, one array a signal, shape ``(samples,)``.
        wet: the same at full scale 1.
        states: after the last block, in the model's own numbers.
    """

    raw: list[NDArray[Any]]
    wet: list[Samples]
    states: list[NDArray[Any]]


class Arena(NamedTuple):
    """Memory that TFLite Micro asks for on this 64-bit host.

    Attributes:
        kept_bytes: while it runs, by its recording allocator.
        needed_bytes: the smallest arena in which it prepares and runs.
    """

    kept_bytes: int
    needed_bytes: int


def respond(
    model: Converted,
    signals: Sequence[Samples],
    runtime: Runtime,
    python: str = sys.executable,
    timeout_s: float = TIMEOUT_S,
) -> Answer:
    """The model's answers to signals, each from zero state and silence before it.

    Args:
        model: its file is run.
        signals: dry, shape ``(samples,)`` each, at least one sample.
        runtime: which one; ``python`` must have it.
        python: the interpreter to run it with.
        timeout_s: after which the process is killed.

    Raises:
        InputError: the time is up.
        RuntimeError: the runtime failed.
    """
    cut = [_blocks(model, signal) for signal in signals]
    begins = np.concatenate([np.arange(len(blocks)) == 0 for blocks in cut])
    states = {f"state_{n}": model.inputs[s.before].zeros() for n, s in enumerate(model.states)}
    blocks = model.inputs[0].encoded(np.concatenate(cut))
    _, answer = _run(model, runtime, python, timeout_s, blocks, begins, states)
    raw, start = [], 0
    for signal, own in zip(signals, cut, strict=True):
        raw.append(answer["wet"][start : start + len(own)].reshape(-1)[: len(signal)])
        start += len(own)
    port = model.outputs[0]
    return Answer(
        raw,
        [port.decoded(one) for one in raw],
        [answer[name] for name in states],
    )


def arena(model: Converted, timeout_s: float = TIMEOUT_S) -> Arena:
    """What TFLite Micro needs for a model.

    Raises:
        InputError: the time is up.
        RuntimeError: the runtime failed.
    """
    states = {f"state_{n}": model.inputs[s.before].zeros() for n, s in enumerate(model.states)}
    silence, begins = model.inputs[0].zeros()[None], np.ones(1, np.bool_)
    told, _ = _run(model, "micro", sys.executable, timeout_s, silence, begins, states, "--arena")
    kept = re.search(r"Arena allocation total (\d+) bytes", told)
    needed = re.search(r"Smallest arena (\d+) bytes", told)
    if kept is None or needed is None:
        raise RuntimeError(f"TFLite Micro told {told[-500:]!r}")
    return Arena(int(kept[1]), int(needed[1]))


def _blocks(model: Converted, signal: Samples) -> NDArray[np.float32]:
    """The signal as inputs, shape ``(count, *shape)``, filled up with silence at its end."""
    count = -(-len(signal) // model.block)
    padded = np.pad(signal, (0, count * model.block - len(signal)))
    if model.form == "streaming":
        return padded.reshape(count, *model.inputs[0].shape)
    windows = np.lib.stride_tricks.sliding_window_view(
        frames.with_history(padded, model.frame_size), model.frame_size
    )
    return windows.reshape(count, *model.inputs[0].shape)


def _run(
    model: Converted,
    runtime: Runtime,
    python: str,
    timeout_s: float,
    blocks: NDArray[Any],
    begins: NDArray[np.bool_],
    states: dict[str, NDArray[Any]],
    *options: str,
) -> tuple[str, dict[str, NDArray[Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        job, answer = Path(folder) / "job.npz", Path(folder) / "answer.npz"
        arrays: dict[str, Any] = {"blocks": blocks, "begins": begins, **states}
        np.savez(job, **arrays)
        command = [python, str(HOST), runtime, str(model.path), str(job), str(answer), *options]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=timeout_s,
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"{model.path.name} in {runtime}",
                expected=f"an answer to {len(blocks)} blocks within {timeout_s:g} s",
                found="none",
                remedy="Try a shorter signal, or report a model that hangs.",
            ) from error
        if done.returncode != 0:
            raise RuntimeError(
                f"{runtime} failed on {model.path.name} with {done.returncode}:\n"
                + done.stdout[-2000:]
            )
        with np.load(answer) as kept:
            return done.stdout, dict(kept)
