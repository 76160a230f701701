"""On what a run was made: machine, commit and the versions that decide its numbers."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

# The packages whose code a result went through.
PACKAGES = ("keras", "jax", "jaxlib", "numpy", "scipy", "numba", "soundfile", "soxr")


@cache
def environment() -> dict[str, str]:
    """Name and value of whatever another machine or day may have differently."""
    return {
        "commit": _commit(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": str(os.cpu_count() or "unknown"),
        "Python": platform.python_version(),
        **{package: metadata.version(package) for package in PACKAGES},
    }


def _commit() -> str:
    """The commit of the code, marked if files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    """The processor's name as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"
