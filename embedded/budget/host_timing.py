"""Seconds of computing a second of audio, against the block's size, on this machine.

The table of the Klon Centaur paper (Chowdhury, "A Comparison of Virtual Analog Modelling
Techniques for Desktop and Embedded Implementations", 2020): the circuit's own model, which
learns nothing, beside the best network of each effect in Keras (framed and streaming), in
LiteRT and as generated C. Times are of this process's processor, on one core; compiling and
a first block are apart.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data import files
from data.audio import Samples
from data.devices.circuits import CIRCUITS
from data.devices.oversampling import oversampling_factor
from data.effects import Effect
from data.errors import InputError
from embedded.budget import budget
from embedded.c import generate
from embedded.c.generate import Metadata
from embedded.tflite import convert, networks
from embedded.tflite.flatbuffer import serialized
from models.architecture import Architecture
from study.config.run import RunConfig
from study.rendering import trained_model
from study.rendering.block_processors import FramedModel, StreamingModel
from study.rendering.framed import FRAMES_AT_ONCE
from study.selection import choose
from study.store import tables
from study.store.columns import TIMING_COLUMNS, typed
from study.store.folders import RunFolder, Store

BLOCKS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
MEASURED_S = 0.2
"""Processor time that a figure is taken over, at least."""

Process = Callable[[Samples], object]
Weights = list[NDArray[np.float32]]


def measure(store: Store) -> pd.DataFrame:
    """The table of a grid; ``TIMING_COLUMNS`` says what it holds.

    Of each effect the best model that every method can compute is taken. Methods are
    ``circuit`` (built-in effects only), ``keras_framed`` (models trained on frames, blocks of
    128 and more), ``keras_streaming`` (recurrent models only), ``tflite`` and ``c`` (where there
    is gcc, and the model magnifies no rounding).

    Raises:
        InputError: the grid has no finished run, or none of a model that firmware is written for.
    """
    results = tables.collect(store)
    tables.require_finished(results, store)
    done = results[results["status"] == "ok"]
    built = [name for name in done["run_id"].unique() if _is_computed(store.run(str(name)))]
    done = done[done["run_id"].isin(built)]
    if done.empty:
        raise InputError(
            f"timing of {store.root.name}",
            expected="a finished run without knobs, of a family that firmware is written for",
            found="none",
            remedy="Train such a run: the keys family and knobs of a grid file say what.",
        )
    lines = []
    for effect in done["effect"].unique():
        choice = choose.choose(done, effect=str(effect))[str(effect)]
        lines += list(_lines(store, str(effect), choice.run_id))
    return typed(lines, TIMING_COLUMNS)


def write(store: Store) -> pd.DataFrame:
    """Measure and keep the table as ``timing.parquet``."""
    found = measure(store)
    path = store.root / "timing.parquet"
    files.write_whole(path, lambda aside: found.to_parquet(aside, index=False))
    return found


def _is_computed(folder: RunFolder) -> bool:
    return not any(budget.objection(folder.config(), route) for route in budget.ROUTES)


def _lines(store: Store, effect: str, run_id: str) -> Iterator[dict[str, Any]]:
    model = trained_model.load(store.run(run_id))
    weights = [np.asarray(array, np.float32) for array in model.weights]
    rate_hz = model.sample_rate_hz
    with tempfile.TemporaryDirectory() as folder:
        methods = _methods(model.config, weights, folder)
        for method, prepare in methods.items():
            for block in BLOCKS:
                process = prepare(block)
                if process is not None:
                    yield {
                        "effect": effect,
                        "run_id": run_id,
                        "method": method,
                        "block_samples": block,
                        "sample_rate_hz": rate_hz,
                        "seconds_per_second": seconds_per_second(process, block, rate_hz),
                    }


def seconds_per_second(process: Process, block: int, rate_hz: int) -> float:
    """Processor time of a second of audio, over blocks of noise."""
    dry = (0.2 * np.random.default_rng(0).standard_normal(block)).astype(np.float32)
    process(dry)
    blocks, started = 0, time.process_time()
    while (taken := time.process_time() - started) < MEASURED_S:
        process(dry)
        blocks += 1
    return taken / (blocks * block / rate_hz)


def _methods(
    config: RunConfig, weights: Weights, folder: str
) -> dict[str, Callable[[int], Process | None]]:
    """By name, what prepares a method for a block's size, or gives None where it has no such."""
    effect, a, rate_hz = config.made_by, config.architecture, config.sample_rate_hz
    methods: dict[str, Callable[[int], Process | None]] = {}
    if effect.kind == "circuit" and config.direction == "forward":
        methods["circuit"] = lambda block: _circuit(effect, rate_hz)
    if config.training == "framed":
        methods["keras_framed"] = lambda block: _framed(a, weights, block)
    if a.streams:
        methods["keras_streaming"] = lambda block: _streaming(a, weights, block)
    methods["tflite"] = lambda block: _tflite(a, weights, block)
    if shutil.which("gcc"):
        with suppress(InputError):  # no C is written of a model that magnifies rounding
            c = _generated_c(a, weights, rate_hz, Path(folder))
            methods["c"] = lambda block: c
    return methods


def _circuit(effect: Effect, rate_hz: int) -> Process:
    """The circuit at its internal rate, without the filters that bring signals there."""
    circuit, factor = CIRCUITS[effect.device], oversampling_factor(rate_hz)
    model = circuit.model(factor * rate_hz, **circuit.settings(**effect.controls))
    volts = circuit.dry_full_scale_v
    return lambda dry: model.process(np.repeat(volts * dry.astype(np.float64), factor))


def _framed(a: Architecture, weights: Weights, block: int) -> Process | None:
    if block % FRAMES_AT_ONCE:
        return None
    model = FramedModel(a, list(weights), 1, block)  # type: ignore[arg-type]
    return lambda dry: model(dry[:, None])


def _streaming(a: Architecture, weights: Weights, block: int) -> Process:
    model = StreamingModel(a, list(weights), 1, block)  # type: ignore[arg-type]
    return lambda dry: model(dry[:, None])


def _tflite(a: Architecture, weights: Weights, block: int) -> Process:
    """LiteRT's own kernels; blocks beyond the largest graph take several invokes."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    form, size = convert.form_of(a), min(block, networks.LARGEST_BLOCK)
    graph = networks.build(a, weights, form, size, "float32")
    interpreter = Interpreter(
        model_content=serialized(graph, "float32", {}),
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    inputs = [detail["index"] for detail in interpreter.get_input_details()]
    outputs = [detail["index"] for detail in interpreter.get_output_details()]
    history = np.zeros(a.frame_size - 1, np.float32)

    def process(dry: Samples) -> None:
        nonlocal history
        for start in range(0, len(dry), size):
            part = dry[start : start + size]
            if form == "streaming":
                interpreter.set_tensor(inputs[0], part[None])
            else:
                seen = np.concatenate([history, part])
                frames = np.lib.stride_tricks.sliding_window_view(seen, a.frame_size)
                interpreter.set_tensor(inputs[0], frames)
                history = seen[len(part) :]
            interpreter.invoke()
            for before, after in zip(inputs[1:], outputs[1:], strict=True):
                interpreter.set_tensor(before, interpreter.get_tensor(after))
            interpreter.get_tensor(outputs[0])

    return process


def _generated_c(a: Architecture, weights: Weights, rate_hz: int, folder: Path) -> Process:
    model = generate.generate(a, weights, Metadata("model", "timing", rate_hz, "timing"))
    model.write(folder)
    command = ["gcc", "-std=c99", "-O2", "-shared", "-fPIC", "model.c", "-o", "model.so", "-lm"]
    subprocess.run(command, cwd=folder, check=True, timeout=120)
    library = ctypes.CDLL(str(folder / "model.so"))
    state = ctypes.create_string_buffer(1 << 20)  # more than the largest state
    library.model_reset(state)
    number = ctypes.POINTER(ctypes.c_float)

    def process(dry: Samples) -> None:
        wet = np.empty_like(dry)
        library.model_process(
            state,
            dry.ctypes.data_as(number),
            wet.ctypes.data_as(number),
            ctypes.c_size_t(len(dry)),
        )

    return process
