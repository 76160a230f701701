"""Tells what this machine and its set-up have, what is missing or spoilt, and what to do.

Has to help where nothing is set up, so it runs as a file, by any Python 3 and with the standard
library alone: ``python3 -I study/doctor.py``. What only the packages in .venv can tell, it asks
of their Python, which runs the same file and prints ``inside()`` as JSON.
"""

from __future__ import annotations

import ctypes.util
import json
import math
import os
import pickle
import platform
import re
import shlex
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

VENV = Path(".venv")
CANDIDATES = ("python3.12", "python3.11", "python3.13", "python3")  # as the Makefile tries them
HAS_VENV = "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))"
SET_UP_GB, WORK_GB = 3.0, 0.5  # of free disk: to set up, and to go on
MEMORY_GB = 2.0
TIMEOUT_S = 120
SHOWN = ("keras", "jax", "numpy", "numba")  # of the packages, those that most decide results

# What is locked -> its stamp under .venv, and what it is for.
LOCKED = {
    "requirements.lock": (".ready", "make grid and most others"),
    "requirements-dev.lock": (".ready-dev", "make test, lint and fuzz"),
    "requirements-live.lock": (".ready-live", "make play"),
    "requirements-docs.lock": (".ready-docs", "make docs"),
    "requirements-tensorboard.lock": (".ready-tensorboard", "make tensorboard"),
    "requirements-bench.lock": (".ready-bench", "make bench"),
}

_SANITIZED = "clang -fsanitize=address,undefined -x c - -o /dev/null"
_FOR_BOARD = "arm-none-eabi-g++ --specs=nosys.specs -x c++ - -o /dev/null"
# Debian package -> what shows that it is there (a program, a program's answer to a small
# source, a library, files), and what it is for.
OPTIONAL = {
    "guitarix-lv2": ("files gx_*.lv2", "effects ds1, muff, ts9 and others"),
    "lilv-utils": ("program lv2apply", "running LV2 effects"),
    "gcc": ("program gcc", "make deploy; make timing of the C code"),
    "g++": ("program g++", "make deploy"),
    "gcc-arm-none-eabi": ("program arm-none-eabi-gcc", "exact budgets; tests of them"),
    "libstdc++-arm-none-eabi-newlib": (f"compiles {_FOR_BOARD}", "the same"),
    "qemu-system-arm": ("program qemu-system-arm", "the same: a simulated Cortex-M7"),
    "libportaudio2": ("library portaudio", "make play: sound cards"),
    "clang": ("program clang", "tests of the C code; models that play in the report"),
    "lld": ("program wasm-ld", "models that play in the report"),
    "llvm": ("program llvm-mca", "the same: cycles of a Cortex-M7, and what a bare target needs"),
    "libclang-rt-dev": (f"compiles {_SANITIZED}", "the same, under sanitizers"),
    "ngspice": ("program ngspice", "tests of the circuits"),
    "chromium": ("program chromium google-chrome", "tests of the report's pages"),
    "npm": ("program npm", "fetching wavesurfer.js, else by an npm from PyPI"),
    "git": ("program git", "the commit noted beside results"),
}


class Finding(NamedTuple):
    """One line.

    Attributes:
        mark: "ok"; "-", missing or spoilt, but the main job does without; "BAD", it does not.
        text: what it is about, and what was found.
        remedy: what to do, if anything.
    """

    mark: str
    text: str
    remedy: str = ""


def main() -> int:
    """Print all findings; 1 if the main job, ``make grid``, lacks something, else 0."""
    told = ask_inside()
    parts = {
        "Machine": machine(),
        "Set-up": set_up(told),
        "Programs that some things need, most of them by make system": [
            optional(package, *need) for package, need in OPTIONAL.items()
        ],
        "Caches and locks": [*caches(told), *left_in(Path("runs"))],
    }
    for title, findings in parts.items():
        print(f"\n{title}")
        for mark, text, remedy in findings:
            print(f"  {mark:3} {text}" + (f"\n      {remedy}" if remedy else ""))
    bad = [each for findings in parts.values() for each in findings if each.mark == "BAD"]
    print(f"\nmake grid {'needs what is marked BAD' if bad else 'has all that it needs'}")
    return 1 if bad else 0


def machine() -> list[Finding]:
    """System, processor cores, memory and disk."""
    system = f"{platform.system()} {platform.machine()}"
    tried = system == "Linux x86_64"
    cores = len(os.sched_getaffinity(0)) if tried else os.cpu_count()
    memory_gb = _memory_gb()
    free_gb = shutil.disk_usage(".").free / 1e9
    needed_gb = WORK_GB if (VENV / ".ready").exists() else SET_UP_GB
    return [
        Finding("ok", system) if tried else Finding("-", system, "Tried on Linux x86_64 alone."),
        Finding("ok", f"{cores} cores, each of which trains a run"),
        _enough("-", "memory", memory_gb, MEMORY_GB, "Close programs, or ARGS='--workers 1'."),
        _enough("BAD", "disk", free_gb, needed_gb, f"Make room: {needed_gb:g} GB are needed."),
    ]


def _enough(mark: str, what: str, free_gb: float, needed_gb: float, remedy: str) -> Finding:
    is_enough = free_gb >= needed_gb
    text = f"{what}: {free_gb:.1f} GB free"
    return Finding("ok", text) if is_enough else Finding(mark, text, remedy)


def _memory_gb() -> float:
    try:
        told = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return math.nan
    found = re.search(r"MemAvailable: +(\d+) kB", told)
    return int(found[1]) * 1024 / 1e9 if found else math.nan


def set_up(told: dict[str, Any]) -> list[Finding]:
    """Python, and whether the packages are those that are locked.

    Args:
        told: by ``inside``, or why it did not answer.
    """
    if "error" in told:
        return [_no_python(told["error"])]
    packages = told["packages"]
    versions = [f"{name} {packages.get(name, 'missing')}" for name in SHOWN]
    findings = [Finding("ok", f"Python {told['python']} in {VENV}; {', '.join(versions)}")]
    for lock, (stamp, purpose) in LOCKED.items():
        needed = "BAD" if lock == "requirements.lock" else "-"
        target = f"make {VENV / stamp}"
        if not (VENV / stamp).exists():
            remedy = f"They install themselves, or: {target}"
            findings.append(Finding(needed, f"packages for {purpose}: not set up", remedy))
        elif wrong := differing(Path(lock), packages):
            remedy = f"rm {VENV / stamp}; {target}"
            text = f"packages for {purpose} are not those of {lock}: {', '.join(wrong)}"
            findings.append(Finding(needed, text, remedy))
        else:
            findings.append(Finding("ok", f"packages for {purpose}: as {lock} has them"))
    is_drawn = (VENV / ".wavesurfer").exists()
    remedy = "" if is_drawn else "Players stay plain. make report fetches it, if npm gets through."
    findings.append(Finding("ok" if is_drawn else "-", "wavesurfer.js for the report", remedy))
    return findings


def _no_python(error: str) -> Finding:
    if os.path.lexists(VENV):
        text = f"{VENV} has no Python that runs: {error}"
        return Finding("BAD", text, "make clean, then make grid. Results under runs/ stay.")
    pythons = [name for name in CANDIDATES if _runs([name, "-c", HAS_VENV])]
    if not pythons:
        text = "no Python 3.11, 3.12 or 3.13 with its venv module"
        return Finding("BAD", text, "make system, or: apt-get install python3-venv")
    text = f"no {VENV}: nothing is set up"
    return Finding("BAD", text, f"make grid sets itself up, with {pythons[0]}, in some minutes.")


def differing(lock: Path, packages: dict[str, str]) -> list[str]:
    """Packages that are missing or of another version than the lock file's, in words.

    One that is locked for some systems alone (after a semicolon) may be missing.
    """
    wrong = []
    locked = re.findall(r"^([\w.-]+)==(\S+)( ;)?", lock.read_text(encoding="utf-8"), re.MULTILINE)
    for name, version, condition in locked:
        found = packages.get(_plain(name))
        if found != version and not (condition and found is None):
            wrong.append(f"{name} {found or 'missing'} instead of {version}")
    return wrong


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def optional(package: str, shown: str, purpose: str) -> Finding:
    """Whether something that only some targets or tests call is there."""
    kind, _, what = shown.partition(" ")
    if kind == "program":
        is_there = any(shutil.which(name) for name in what.split())
    elif kind == "compiles":
        is_there = _runs(what.split(), source="int main(void) { return 0; }\n")
    elif kind == "library":
        is_there = ctypes.util.find_library(what) is not None
    else:
        folders = os.environ.get("LV2_PATH", "/usr/lib/lv2:/usr/local/lib/lv2:~/.lv2").split(":")
        is_there = any(any(Path(each).expanduser().glob(what)) for each in folders)
    text = f"{package}, for {purpose}"
    if is_there:
        return Finding("ok", text)
    return Finding("-", f"{text}: not found", f"apt-get install {package}")


def _runs(command: list[str], source: str = "") -> bool:
    try:
        subprocess.run(
            command, input=source, capture_output=True, check=True, text=True, timeout=TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def caches(told: dict[str, Any]) -> list[Finding]:
    """What numba and JAX keep for the next process: spoilt, it crashes or slows it."""
    findings = []
    if "error" not in told:
        good, bad = told["numba"]
        findings.append(Finding("ok", f"numba's: {good} functions, each index leads to its code"))
        for name, reason in bad:
            stem = shlex.quote(str(Path(name).with_suffix("")))
            remedy = f"rm {stem}.*  (the function is compiled anew)"
            mark = "-" if name.startswith(".") else "BAD"  # only tests run functions of others
            findings.append(Finding(mark, f"numba's {name} {reason}", remedy))
    folder = Path(os.environ.get("JAX_COMPILATION_CACHE_DIR", ".pytest_cache/jax"))
    sizes = [file.stat().st_size for file in folder.glob("*") if file.is_file()]
    text = f"JAX's, of tests, in {folder}: {len(sizes)} files, {sum(sizes) / 1e6:.0f} MB"
    if empty := sizes.count(0):
        findings.append(Finding("-", f"{text}, {empty} of them empty", f"rm -r {folder}"))
    else:
        findings.append(Finding("ok", text))
    return findings


def left_in(runs: Path) -> list[Finding]:
    """Lock files, which bind nobody once their process has ended, and half-written files."""
    held = _locked_inodes()
    files = [file for file in runs.rglob("*") if file.name == "lock" or file.suffix == ".lock"]
    busy = [file for file in files if file.stat().st_ino in held]
    text = f"{len(files)} lock files in {runs}, {len(busy)} of them held; the others bind nobody"
    findings = [Finding("ok", text)]
    findings += [Finding("ok", f"{file}: held by a running command") for file in sorted(busy)]
    if half_written := list(runs.rglob(".pedalframe-*")):
        text = f"{len(half_written)} half-written by commands that run or were killed"
        findings.append(Finding("-", text, "The next command that writes there removes them."))
    return findings


def _locked_inodes() -> set[int]:
    try:
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return set()
    return {int(found[1]) for line in lines if (found := re.search(r":(\d+) \d+ \S+$", line))}


def ask_inside() -> dict[str, Any]:
    """What ``inside`` tells, run by the Python of .venv; or why not, as "error"."""
    command = [str(VENV / "bin" / "python"), "-I", str(Path(__file__).resolve()), "--inside"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
        return dict(json.loads(done.stdout))
    except ValueError:
        return {"error": (done.stderr.strip() or f"exit {done.returncode}").splitlines()[-1]}
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"error": str(error)}


def inside() -> dict[str, Any]:
    """What the Python of .venv knows: its version, its packages, the state of numba's caches."""
    versions = {_plain(each.metadata["Name"]): each.version for each in metadata.distributions()}
    folders = ("data", "models", "study", "reports", "embedded", ".pytest_cache/numba")
    indexes = [index for folder in folders for index in Path(folder).rglob("*.nbi")]
    sys.path.insert(0, str(Path.cwd()))  # a cache names modules of ours
    told = [(str(index), spoilt(index, versions.get("numba"))) for index in indexes]
    bad = [(name, reason) for name, reason in told if reason]
    return {
        "python": platform.python_version(),
        "packages": versions,
        "numba": (len(indexes) - len(bad), bad),
    }


def spoilt(index: Path, numba_version: str | None) -> str:
    """What is wrong with one function's cache; nothing where numba can use or will ignore it.

    Two processes that write at once can leave an index that leads one type's calls to the code
    of another: numba runs that, and the process dies. Layout: ``numba.core.caching``.
    """
    try:
        with index.open("rb") as file:
            if pickle.load(file) != numba_version:
                return ""
            _, overloads = pickle.load(file)
        for (wanted, *_), name in overloads.items():
            code = pickle.loads((index.parent / name).read_bytes())
            # Functions that are compiled as they are defined have a text there, ufuncs no types.
            if isinstance(wanted, tuple) and (types := code[3].args) != wanted:
                return f"leads {wanted} to the code for {types}"
    except (FileNotFoundError, ImportError):
        return ""  # still being written, or of a module that is gone
    except Exception as error:  # whatever spoilt bytes lead to
        return f"cannot be read ({type(error).__name__}: {error})"
    return ""


if __name__ == "__main__":
    if sys.argv[1:] == ["--inside"]:
        print(json.dumps(inside()))
    else:
        sys.exit(main())
