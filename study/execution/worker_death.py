"""What is known of how a worker process died: its exit, its stack, its log."""

from __future__ import annotations

import re
import signal
from pathlib import Path

_KILLED_CODES = (-signal.SIGKILL, 128 + signal.SIGKILL)
_TAIL_BYTES = 64_000
# What ``faulthandler`` writes of the thread that crashed, innermost frame first.
_CRASHED_IN = re.compile(r'^(?:Current thread|Stack) .*:\n  (File ".*", line \d+ in .*)$', re.M)
_OUT_OF_MEMORY = re.compile(r"^(?:\w+\.)*_?(?:ArrayMemoryError|MemoryError)\b", re.M)


def explain(code: int, log: Path, from_byte: int) -> str:
    """One sentence: the exit, where in Python it happened, whether memory was short.

    Args:
        code: of the process, negative for a signal.
        log: standard error of the process, with the stack that ``faulthandler`` left.
        from_byte: where in the log this process began.
    """
    written = _read_tail(log, from_byte)
    parts = [_exit(code)]
    if frame := _CRASHED_IN.search(written):
        parts.append(f"in {frame[1]}")
    if code in _KILLED_CODES:
        parts.append("as the system does where too little memory is left")
    elif _OUT_OF_MEMORY.search(written):
        parts.append("too little memory")
    return f"{', '.join(parts)}; its log is {log}"


def _exit(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code}, {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal has no name
        return f"signal {-code}"


def _read_tail(log: Path, from_byte: int) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(from_byte, log.stat().st_size - _TAIL_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
