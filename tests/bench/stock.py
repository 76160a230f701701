"""The stock way, in a process of its own: Keras on TensorFlow, ``fit`` on frames in memory.

    python -m tests.bench.stock LAYERS UNITS FRAME_SIZE SECONDS

Prints one JSON object: frames per second of every epoch after the first.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ["KERAS_BACKEND"] = "tensorflow"

FRAMES = 12_800
BATCH_SIZE = 64


def main() -> None:
    """Train epochs for about the given time on every core that TensorFlow takes."""
    import keras
    import numpy as np

    from models.architecture import Architecture
    from models.framed import build

    layers, units, frame_size = (int(value) for value in sys.argv[1:4])
    audio = 0.1 * np.random.default_rng(0).standard_normal(FRAMES + frame_size - 1)
    frames = np.lib.stride_tricks.sliding_window_view(audio.astype(np.float32), frame_size)
    frames = np.ascontiguousarray(frames)[..., None]
    model = build(Architecture("lstm", layers, units, frame_size), seed=0)
    model.compile(keras.optimizers.Adam(1e-3), "mae")
    rates: list[float] = []
    until = time.perf_counter() + float(sys.argv[4])
    while len(rates) < 4 or time.perf_counter() < until:
        started = time.perf_counter()
        model.fit(frames, np.tanh(3 * frames[:, -1]), batch_size=BATCH_SIZE, verbose=0)
        rates.append(FRAMES / (time.perf_counter() - started))
    print(json.dumps(rates[1:]))


if __name__ == "__main__":
    main()
