"""Models with random weights, their generated C, and host programs that run it."""

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedded.c.generate import CSource, Metadata, generate
from embedded.network.weights import expected_shapes
from models.architecture import Architecture

RATE_HZ = 44100
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")

# Every family, one layer and several, units that fill blocks and units that do not,
# some added to their input.
SHAPES = [
    Architecture("lstm", 1, 16, 64),
    Architecture("lstm", 2, 5, 64, residual=True),
    Architecture("gru", 1, 10, 64),
    Architecture("gru", 2, 7, 64, residual=True),
    Architecture("gru", 1, 10, 32, residual=True, features=4),
    Architecture("gru", 2, 6, 48, features=13),
    Architecture("lstm", 1, 7, 37, features=3),
    Architecture("rnn", 1, 9, 64),
    Architecture("rnn", 2, 14, 64, residual=True),
    Architecture("dense", 1, 3, 33),
    Architecture("dense", 2, 32, 64, residual=True),
    Architecture("conv", 1, 4, 12),
    Architecture("conv", 2, 16, 64, residual=True),
    Architecture("conv", 3, 5, 37),
    Architecture("tcn", 1, 1, 64, kernel_sizes=(2,), dilations=(5,)),
    Architecture("tcn", 4, 3, 64, residual=True, kernel_sizes=(3, 6), dilations=(1, 9)),
    Architecture("tcn", 2, 13, 64, dilations=(1, 7)),
]

# Takes samples in blocks of any length from standard input; a header gives the length.
FILTER = """
#include "MODEL.h"
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **words)
{
    static float samples[4096];
    MODEL_state state;
    const size_t block = (size_t)atoi(words[1]);
    size_t got;
    if (count != 3) return 2;
    MODEL_reset(&state);
    if (words[2][0] == 'r') { /* something before, then reset */
        for (got = 0; got < 300; ++got) {
            const float loud = got % 2 ? 1.0f : -0.5f;
            float ignored;
            MODEL_process(&state, &loud, &ignored, 1);
        }
        MODEL_reset(&state);
    }
    while ((got = fread(samples, sizeof samples[0], block, stdin)) > 0) {
        MODEL_process(&state, samples, samples, got);
        if (fwrite(samples, sizeof samples[0], got, stdout) != got) return 1;
    }
    return 0;
}
"""


def name(a: Architecture) -> str:
    features = f"to{a.features}" if a.features else ""
    return f"{a.family}_{a.layers}x{a.units}_f{a.frame_size}{features}"


def random_weights(a: Architecture, seed: int = 0) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(size=s) / (np.sqrt(s[0]) if s[1:] else 3)).astype(np.float32)
        for s in expected_shapes(a)
    ]


def source(a: Architecture, seed: int = 0) -> CSource:
    metadata = Metadata("model", "clipper", RATE_HZ, name(a))
    return generate(a, random_weights(a, seed), metadata)


def build(model: CSource, folder: Path, *flags: str, compiler: str = "gcc") -> Path:
    """A program that filters standard input: ``program BLOCK n|r``."""
    model.write(folder)
    (folder / "filter.c").write_text(FILTER.replace("MODEL", model.name))
    command = [compiler, *STRICT, "-O2", *flags, f"{model.name}.c", "filter.c", "-o", "filter"]
    subprocess.run([*command, "-lm"], cwd=folder, check=True, timeout=60)
    return folder / "filter"


def run(
    program: Path, dry: NDArray[np.float32], block: int = 64, way: str = "n"
) -> NDArray[np.float32]:
    done = subprocess.run(
        [str(program), str(block), way],
        input=dry.astype("<f4").tobytes(),
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return np.frombuffer(done.stdout, "<f4")


def esr(expected: NDArray[np.floating], found: NDArray[np.floating]) -> float:
    error = expected.astype(np.float64) - found
    return float(np.sum(error**2) / np.sum(expected.astype(np.float64) ** 2))
