"""Generated C to WebAssembly, by Debian's clang and lld or by the ziglang wheel.

Both were tried on the chosen models of the grid ``quick``: modules of 7 to 8 kB from either, in
less than a second, that compute the same bits; lld is 1 MB beside a clang, the wheel 101 MB. So
clang goes first where it can link.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from data.errors import InputError
from embedded.c.generate import CSource

HERE = Path(__file__).parent
NAME = "pedal_model"  # of the generated files that ``player.c`` includes
TIMEOUT_S = 120
MISSING = (
    "no compiler for WebAssembly here: `make system` installs Debian's clang and lld, and "
    "`.venv/bin/pip install ziglang` does without the system's"
)

_FLAGS = (
    *("-std=c99", "-O3", "-mbulk-memory", "-ffreestanding", "-nostdlib", "-nostdlibinc"),
    *("-Wl,--no-entry", "-Wl,--strip-all"),
)


def found() -> list[str] | None:
    """The words that begin a compilation; None where nothing can compile and link."""
    clang = shutil.which("clang")
    if clang and _can_link(clang):
        return [clang, "--target=wasm32", *_FLAGS]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc", "--target=wasm32-freestanding", *_FLAGS]
    return None


def compiled(source: CSource, words: list[str]) -> bytes:
    """A module that exports ``memory``, ``block``, ``samples``, ``reset`` and ``process``.

    Args:
        source: files called ``NAME``.
        words: of ``found``.

    Raises:
        InputError: the compiler refuses.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source.write(folder)
        module = folder / "player.wasm"
        includes = ["-isystem", str(HERE / "include"), f"-I{folder}"]
        files = [str(folder / f"{NAME}.c"), str(HERE / "player.c"), "-o", str(module)]
        done = subprocess.run(
            [*words, *includes, *files], capture_output=True, text=True, timeout=TIMEOUT_S
        )
        if done.returncode != 0:
            raise InputError(
                f"compiler {words[0]} for WebAssembly",
                expected="a module",
                found=f"exit status {done.returncode}: {done.stderr[-500:].strip()}",
                remedy="Install the newest clang and lld of your system.",
            )
        return module.read_bytes()


def _can_link(clang: str) -> bool:
    """Whether the linker that this clang would call is there."""
    asked = subprocess.run(
        [clang, "--target=wasm32", "-###", "-nostdlib", "-x", "c", "-"],
        capture_output=True, text=True, timeout=TIMEOUT_S, input="",
    )  # fmt: skip
    linkers = re.findall(r'^ "([^"]*wasm-ld[^"]*)"', asked.stderr, re.MULTILINE)
    return bool(linkers) and shutil.which(linkers[-1]) is not None
