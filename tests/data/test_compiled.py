"""Functions compiled by many processes at once, in an empty cache."""

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from data.compiled import compiled

ROOT = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("PEDALFRAME_RACE_ROUNDS", "1"))
# Every type leads to code of its own, and each process needs them in another order.
# Before a cache's index and its code lie pauses, as on a busy disk: without the lock
# every round then fails.
PROGRAM = """
import sys, time
import numpy as np
from numba.core.caching import IndexDataCacheFile as Cache
save_index, save_code = Cache._save_index, Cache._save_data
Cache._save_index = lambda *saved: (time.sleep(0.3), save_index(*saved))
Cache._save_data = lambda *saved: (time.sleep(0.1 * first), save_code(*saved))
from data.compiled import compiled
from racing import summed
numbers = [(np.ones(8, kind), factor, total) for kind, factor, total in
           [("f8", 2.0, 16.0), ("f4", 2.0, 16.0), ("i8", 3, 24), ("i4", 3, 24)]]
start, first = float(sys.argv[1]), int(sys.argv[2])
time.sleep(max(0, start - time.time()))
for n in range(4):
    values, factor, total = numbers[(first + n) % 4]
    assert summed(values, factor) == total
"""
FUNCTION = """
from data.compiled import compiled

@compiled
def summed(values, factor):
    total = values[0] * 0
    for value in values:
        total += value * factor
    return total
"""


def codes(folder: Path, processes: int, start_in_s: float = 2.5) -> list[int]:
    """How processes end that compile the same function at once."""
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", "NUMBA_CACHE_DIR": str(folder)}
    start = time.time() + start_in_s
    started = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, str(start), str(n)], env=environment)
        for n in range(processes)
    ]
    return [process.wait() for process in started]


@pytest.mark.slow
@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_processes_that_meet_in_one_function_all_end_well(
    tmp_path: Path, round_number: int
) -> None:
    (tmp_path / "racing.py").write_text(FUNCTION)
    assert codes(tmp_path, 4) == [0] * 4
    assert codes(tmp_path, 1, 0) == [0], "the cache that they left"
    assert list(tmp_path.rglob("*.nbi")), "nothing was kept for the next process"


def test_a_function_is_compiled_once_for_each_types() -> None:
    @compiled
    def doubled(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return values + values

    for kind in ("f4", "f8"):
        values = np.arange(3, dtype=kind)
        np.testing.assert_array_equal(doubled(values), 2 * values)
        assert doubled(values).dtype == kind


@pytest.mark.slow
@pytest.mark.parametrize(
    "module",
    [
        "data.strings",
        "data.devices.sd1",
        "data.devices.black65",
        "study.rendering.numba_cells",
        "study.execution.run_worker",
    ],
)
def test_nothing_that_a_run_imports_brings_functions_compiled_without_a_lock(module: str) -> None:
    """librosa fills numba's cache as it is imported, in whichever process comes first."""
    program = f"import sys, {module}; sys.exit('librosa' in sys.modules)"
    assert importlib.util.find_spec("librosa") is not None
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
