"""What training and evaluating one large run take of memory, in a worker of its own.

    python -m tests.bench.memory CORE RUNS

The folder RUNS is one that ``lay_out`` has filled. Prints one JSON object, all in MB:
``audio`` (the pair, 8 minutes), ``bare`` (a worker that has started and done nothing),
``idle`` (one that has done a small run and waits for its next), ``peak`` (the highest
while that next one, of 500,000 frames of 64, was trained and evaluated).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from data import effects
from study.config.grid import Grid
from study.config.run import RunConfig, SignalConfig
from study.execution.grid_runner import prepare_pairs
from study.store.folders import Store

FRAMES = 500_000
FRAME_SIZE = 64
SECONDS = 480.0
SMALL, LARGE = "small", "large"


def lay_out(runs: Path) -> None:
    """Make the pairs and the folders of both runs, as ``make grid`` does for its workers."""
    effect = effects.resolve("sd1", Path()).to_dict()
    shape: dict[str, Any] = {"effect": effect, "units": 8, "frame_size": FRAME_SIZE, "epochs": 2}
    small = RunConfig(
        **shape, signal=SignalConfig(seconds=20, segment_seconds=1), training_frames=1280
    )
    large = RunConfig(**shape, signal=SignalConfig(seconds=SECONDS), training_frames=FRAMES)
    prepare_pairs([small, large], runs / "pairs", Console(file=sys.stderr))
    for name, config in ((SMALL, small), (LARGE, large)):
        Store(runs / name).write_grid(Grid(name, name, (config,), name))


def main() -> None:
    """Work on the small run, then on the large one."""
    os.sched_setaffinity(0, {int(sys.argv[1])})
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # as study.execution.worker_process does
    from study.dataset import Datasets
    from study.execution.run_worker import work

    def pass_over(event: dict[str, Any]) -> None:
        if event["event"] == "done" and event["row"]["status"] != "ok":
            raise SystemExit(event["row"]["error"])

    runs = Path(sys.argv[2])
    bare = _status_mb("VmRSS")
    work(Store(runs / SMALL), pass_over)
    idle = _status_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # VmHWM counts from now on
    large = Store(runs / LARGE)
    work(large, pass_over)
    peak = _status_mb("VmHWM")
    pair = Datasets(large.pairs).of(next(large.runs()).config()).pair
    audio = (pair.dry.nbytes + pair.wet.nbytes) / 1e6
    print(json.dumps({"audio": audio, "bare": bare, "idle": idle, "peak": peak}))


def _status_mb(name: str) -> float:
    """A figure of this process; unlike ``getrusage``'s, none is inherited from the parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    [kilobytes] = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(kilobytes) * 1024 / 1e6


if __name__ == "__main__":
    main()
