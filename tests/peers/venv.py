"""Neural Amp Modeler in a virtual environment of its own: ``python -m tests.peers.venv``.

PyPI's wheel of PyTorch for Linux holds CUDA and does not import without its libraries, even
to run on a processor: wheel and libraries take 5 GB on the disk. So nothing installs this
by itself; what needs it looks here, and skips.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAM_VERSION = "0.13.0"


def nam_python() -> Path:
    """The Python that neural-amp-modeler is (or would be) installed for."""
    folder = os.environ.get("PEDALFRAME_NAM_VENV") or ROOT / ".venv" / "peers" / "nam"
    return Path(folder) / "bin" / "python"


def missing() -> str | None:
    """Why neural-amp-modeler cannot be used, or None if it can."""
    if nam_python().exists():
        return None
    return "neural-amp-modeler is not installed; `python -m tests.peers.venv` does it (5 GB)"


def install() -> None:
    """Make the environment, or bring it to the version."""
    python = nam_python()
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
    packages = [f"neural-amp-modeler=={NAM_VERSION}"]
    subprocess.run([python, "-m", "pip", "install", *packages], check=True)


if __name__ == "__main__":
    install()
