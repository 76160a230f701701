"""``make bench``: the grid's engine against stock Keras on TensorFlow, on this machine.

Rounds alternate between the two, so that a machine whose speed drifts treats both
alike; figures are medians over the rounds, the ratio is taken round by round.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from study.execution.worker_pool import ONE_THREAD, cores
from tests.bench import memory

CASES = ((1, 16, 64), (2, 32, 64))  # layers, units, frame size
MEMORY_TARGET_MB = 100  # over a waiting worker, the audio apart


def main(rounds: int = 3, seconds: float = 12.0) -> None:
    """Measure training speed, rendering speed and memory; takes about six minutes."""
    console = Console()
    listing = Table(
        "LSTM",
        "stock, frames/s",
        "ours, frames/s",
        "ratio (range)",
        "rendering, x real time, all cores",
    )
    for case in CASES:
        stock, ours, real_time = [], [], []
        for _ in range(rounds):
            with console.status(f"LSTM {case[0]}x{case[1]}, frame {case[2]}"):
                stock.append(statistics.median(_stock(case, seconds)))
                workers = _ours(case, seconds)
            ours.append(sum(statistics.median(each["rates"]) for each in workers))
            real_time.append(sum(each["real_time"] for each in workers))
        ratios = [a / b for a, b in zip(ours, stock, strict=True)]
        listing.add_row(
            f"{case[0]}x{case[1]}, frame {case[2]}",
            f"{statistics.median(stock):,.0f}",
            f"{statistics.median(ours):,.0f}",
            f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})",
            f"{statistics.median(real_time):.1f}",
        )
    console.print(listing)
    with console.status("memory of a large run"):
        used = _memory()
    stored_mb = memory.FRAMES * memory.FRAME_SIZE * 4 / 1e6
    over_mb, target_mb = used["peak"] - used["idle"], used["audio"] + MEMORY_TARGET_MB
    console.print(
        f"Memory of training and evaluating with {memory.FRAMES:,} frames of "
        f"{memory.FRAME_SIZE} ({stored_mb:.0f} MB if they were stored), in MB: a worker that "
        f"has started {used['bare']:.0f}; one that has done a small run and waits "
        f"{used['idle']:.0f}; peak {used['peak']:.0f}, which is {over_mb:.0f} more than waiting, "
        f"{used['audio']:.0f} of it the pair of {memory.SECONDS / 60:.0f} minutes. At most "
        f"{target_mb:.0f} are wanted: {'met' if over_mb <= target_mb else 'not met'}.",
        highlight=False,
    )


def _memory() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as runs:
        memory.lay_out(Path(runs))
        return dict(_run("tests.bench.memory", cores()[0], runs, environment=ONE_THREAD))


def _stock(case: tuple[int, int, int], seconds: float) -> list[float]:
    return list(_run("tests.bench.stock", *case, seconds, environment={}))


def _ours(case: tuple[int, int, int], seconds: float) -> list[dict[str, Any]]:
    started = [
        _start("tests.bench.ours", core, *case, 12_800, seconds, environment=ONE_THREAD)
        for core in cores()
    ]
    return [_finish(process) for process in started]


def _run(module: str, *arguments: float | str, environment: dict[str, str]) -> Any:
    return _finish(_start(module, *arguments, environment=environment))


def _start(
    module: str, *arguments: float | str, environment: dict[str, str]
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    )


def _finish(process: subprocess.Popen[str]) -> Any:
    output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"error: {process.args!r} ended with code {process.returncode}")
    return json.loads(output.splitlines()[-1])


if __name__ == "__main__":
    typer.run(main)
