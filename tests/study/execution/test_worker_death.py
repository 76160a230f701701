"""What is told of a worker that crashed, was killed, or ran out of memory."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from study.execution import worker_death

CRASHES = {
    "crash": "import ctypes; ctypes.string_at(0)",
    "abort": "import os; os.abort()",
    "memory": "raise MemoryError",
    "error": "raise RuntimeError('MemoryError is not the cause')",
}


def died(tmp_path: Path, how: str) -> tuple[int, Path, int]:
    """A process with ``faulthandler``, as a worker has it, that ends in this way."""
    log = tmp_path / "worker-0.log"
    before = b'Current thread 0x1 (most recent call first):\n  File "old.py", line 1 in old\n'
    log.write_bytes(before)
    program = f"import faulthandler; faulthandler.enable()\ndef fall():\n    {CRASHES[how]}\nfall()"
    with log.open("ab") as errors:
        code = subprocess.run(
            [sys.executable, "-c", program], stderr=errors, check=False
        ).returncode
    return code, log, len(before)


@pytest.mark.parametrize(("how", "name"), [("crash", "SIGSEGV"), ("abort", "SIGABRT")])
def test_a_crash_names_its_signal_its_place_and_the_log(
    tmp_path: Path, how: str, name: str
) -> None:
    told = worker_death.explain(*died(tmp_path, how))
    assert f"signal {signal.Signals[name].value}, {name}" in told
    assert "line 3 in fall" in told or "in string_at" in told
    assert "old" not in told  # the stack of a worker before it, in the same log
    assert told.endswith(f"its log is {tmp_path / 'worker-0.log'}")
    assert "memory" not in told


@pytest.mark.parametrize("code", [-9, 137])
def test_memory_is_named_where_the_kernel_killed(tmp_path: Path, code: int) -> None:
    assert "too little memory" in worker_death.explain(code, tmp_path / "no.log", 0)


@pytest.mark.parametrize(("how", "is_named"), [("memory", True), ("error", False)])
def test_memory_is_named_where_python_ran_out_of_it(
    tmp_path: Path, how: str, is_named: bool
) -> None:
    assert ("too little memory" in worker_death.explain(*died(tmp_path, how))) == is_named


def test_a_signal_without_a_name_is_told_by_its_number(tmp_path: Path) -> None:
    assert worker_death.explain(-50, tmp_path / "no.log", 0).startswith("signal 50")


@pytest.mark.slow
def test_a_worker_leaves_its_stack_in_its_log(tmp_path: Path) -> None:
    """The real entry point, with a job that crashes."""
    (tmp_path / "crashing.py").write_text("import ctypes\ndef work(*_):\n    ctypes.string_at(0)\n")
    log = tmp_path / "worker-0.log"
    root = Path(__file__).parents[3]
    with log.open("w") as errors:
        worker = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "study.execution.worker_process",
                str(tmp_path),
                "60",
                "crashing",
            ],
            stdin=subprocess.PIPE,
            stderr=errors,
            env={"PYTHONPATH": f"{root}:{tmp_path}"},
        )
        code = worker.wait()
    assert code == -signal.SIGSEGV
    assert "in string_at" in worker_death.explain(code, log, 0)
    assert "in work" in log.read_text()
