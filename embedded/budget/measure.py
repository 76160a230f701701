"""``measured/c99.json`` made anew: instructions of generated C, counted in QEMU, and their cycles.

The list of models is the file's own; a model is added by a line with its shape alone. What
was held out of the fit stays so.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data import files
from embedded.budget import cost_model
from embedded.c.generate import Metadata, generate, golden_input
from embedded.network.weights import expected_shapes
from embedded.simulator import qemu, trace
from models.architecture import Architecture

SAMPLES = 2048
RATE_HZ = 44_100


def measure(path: Path, tell: Callable[[str], None]) -> None:
    """Count every model of a list again and write the list.

    Args:
        path: of the list.
        tell: is told of every model as it is counted.

    Raises:
        InputError: a tool is missing, or the simulation fails.
    """
    listed = files.read_json(path)
    counted: dict[str, Any] = {"measured_with": _tools()}
    for part in ("fit", "held_out"):
        counted[part] = []
        for row in listed[part]:
            counted[part].append(_row(row))
            tell(", ".join(f"{name} {value}" for name, value in counted[part][-1].items()))
    files.write_text(path, _text(counted))


def _text(counted: dict[str, Any]) -> str:
    """JSON with a line a model, so that a change shows as a line."""
    parts = [f' "measured_with": {json.dumps(counted["measured_with"])}']
    for part in ("fit", "held_out"):
        rows = ",\n".join(f"  {json.dumps(row)}" for row in counted[part])
        parts.append(f' "{part}": [\n{rows}\n ]')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _row(row: dict[str, Any]) -> dict[str, Any]:
    a = cost_model.architecture_of(row)
    source = generate(a, _weights(a), Metadata("model", "measured", RATE_HZ, "measured"))
    executed = trace.of_model(source)
    done = qemu.simulate(source, golden_input(SAMPLES, RATE_HZ, seed=1))
    shape = {name: row[name] for name in cost_model.SHAPE if name in row}
    return {
        **shape,
        "instructions": round(done.instructions_per_sample, 1),
        "cycles": round(executed.cycles_per_sample, 1),
        "llvm_cycles": round(executed.llvm_cycles_per_sample(), 1),
        "flash": done.footprint.flash_bytes,
        "state": done.footprint.state_bytes,
        "stack": done.footprint.stack_bytes,
    }


def _weights(a: Architecture) -> list[NDArray[np.float32]]:
    """Drawn small enough that no model magnifies; the count does not depend on them."""
    rng = np.random.default_rng(0)
    return [
        (0.3 * rng.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32)
        for shape in expected_shapes(a)
    ]


def _tools() -> str:
    compiler = _told("arm-none-eabi-gcc", "--version")[0]
    simulator = _told("qemu-system-arm", "--version")[0]
    opinion = next(line for line in _told("llvm-mca", "--version") if "version" in line)
    return f"{compiler}, -O2 -ffp-contract=off; {simulator}, mps2-an500; {opinion.strip()}"


def _told(*words: str) -> list[str]:
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.splitlines()
