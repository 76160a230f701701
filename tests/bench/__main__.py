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
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from study.scheduler import ONE_THREAD, cores

CASES = ((1, 16, 64), (2, 32, 64))  # layers, units, frame size
MEMORY_FRAMES = 500_000


def main(rounds: int = 3, seconds: float = 12.0) -> None:
    """Measure training speed, rendering speed and memory; takes about four minutes."""
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
    memory = _run(
        "tests.bench.ours", cores()[0], 1, 16, 64, MEMORY_FRAMES, 1, environment=ONE_THREAD
    )
    console.print(
        f"Memory with {MEMORY_FRAMES:,} frames of 64 ({MEMORY_FRAMES * 64 * 4 / 1e6:.0f} MB if "
        f"they were stored): peak {memory['peak']:.0f} MB, which is "
        f"{memory['peak'] - memory['idle']:.0f} MB over the idle worker, "
        f"{memory['audio']:.0f} MB of it audio, and {memory['peak'] - memory['bare']:.0f} MB over "
        "its bare imports (compilation and Keras' start-up are the rest)",
        highlight=False,
    )


def _stock(case: tuple[int, int, int], seconds: float) -> list[float]:
    return list(_run("tests.bench.stock", *case, seconds, environment={}))


def _ours(case: tuple[int, int, int], seconds: float) -> list[dict[str, Any]]:
    started = [
        _start("tests.bench.ours", core, *case, 12_800, seconds, environment=ONE_THREAD)
        for core in cores()
    ]
    return [_finish(process) for process in started]


def _run(module: str, *arguments: float, environment: dict[str, str]) -> Any:
    return _finish(_start(module, *arguments, environment=environment))


def _start(module: str, *arguments: float, environment: dict[str, str]) -> subprocess.Popen[str]:
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
