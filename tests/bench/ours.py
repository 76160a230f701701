"""One worker of the grid, on the one core it is bound to.

    python -m tests.bench.ours CORE LAYERS UNITS FRAME_SIZE FRAMES SECONDS

Prints one JSON object: frames per second of every epoch, rendering speed as a
multiple of real time at 22,050 Hz.
"""

from __future__ import annotations

import json
import os
import sys
import time

import numpy as np

from models.architecture import Architecture

BATCH_SIZE = 64
SAMPLE_RATE_HZ = 22_050


def main() -> None:
    """Train and render for about the given time."""
    core, layers, units, frame_size, count = (int(value) for value in sys.argv[1:6])
    os.sched_setaffinity(0, {core})
    import jax.numpy as jnp

    from study.rendering.framed import render
    from study.training import compiled

    audio = (0.1 * np.random.default_rng(0).standard_normal(count + 10_000)).astype(np.float32)
    architecture = Architecture("lstm", layers, units, frame_size)
    dry, wet = jnp.asarray(audio), jnp.asarray(np.tanh(3 * audio))
    epoch = compiled.compiled_epoch(architecture, "mae", len(audio), count, BATCH_SIZE)
    state = compiled.initial_state(architecture, seed=0)
    targets = np.arange(frame_size, frame_size + count, dtype=np.int32)
    rates: list[float] = []
    until = time.perf_counter() + float(sys.argv[6])
    while not rates or time.perf_counter() < until:
        started = time.perf_counter()
        order = np.random.default_rng(len(rates)).permutation(count)
        state, losses = epoch(state, dry, wet, *compiled.batches_of(targets[order], BATCH_SIZE))
        losses.block_until_ready()
        rates.append(count / (time.perf_counter() - started))
    rendering = render(architecture, state.weights, audio[: 4 * SAMPLE_RATE_HZ])
    figures = {
        "rates": rates,
        "real_time": len(rendering.samples) / SAMPLE_RATE_HZ / rendering.seconds,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
