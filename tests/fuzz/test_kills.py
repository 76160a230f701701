"""Every command that makes something of a finished grid, killed at random and started again.

What it writes is at no moment half there, and in the end what an undisturbed one has written;
nothing else is left. Grids and searches: tests/study/execution/test_interruptions.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from reports.listening import building, database
from reports.listening import key as keys
from study.store.folders import Store
from tests.fuzz.fuzzing import rounds
from tests.study.commands import ROOT, start, until

pytestmark = pytest.mark.slow

GRID = """
title = "Tiny"

[signal]
seconds = 40
segment_seconds = 4

[[runs]]
effect = "sd1"
family = "lstm"
units = [4, 5]
frame_size = 16
training_frames = 500
epochs = 4
checkpoint_epochs = [2]
validation_frames = 256
"""

FOREIGN = ".ipynb_checkpoints"
PLACES = ("", "pairs", "tiny", "tiny/runs", "tiny/report", "tiny/firmware", "tiny/exports")

# As the Makefile calls them; the run is named, since none so small comes to rest in silence.
COMMANDS = {
    "report": ["reports", "--", "{grid}"],
    "choose": ["study", "choose", "--run={run}", "--", "{grid}"],
    "render": ["study", "render", "--grid={grid}", "--", "{run}", "{dry}", "{root}/out.wav"],
    "deploy": ["embedded", "deploy", "--board=teensy41", "--run={run}", "--force", "--", "{grid}"],
    "convert": ["embedded", "convert", "--run={run}", "--", "{grid}"],
    "export": ["embedded", "export", "--format=nam", "--run={run}", "--force", "--", "{grid}"],
    "budget": ["embedded", "budget", "--", "{grid}"],
}
LISTEN = ["reports.listening_cli", "build", "--", "{grid}"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a grid, with folders of another program among them."""
    folder = tmp_path_factory.mktemp("kills")
    (folder / "tiny.toml").write_text(GRID)
    for place in PLACES:
        (folder / "runs" / place / FOREIGN).mkdir(parents=True)
    command = start(folder / "tiny.toml", folder / "runs")
    assert command.wait(300) == 0, command.printed
    return folder / "runs"


@contextmanager
def working(name: str, runs: Path) -> Iterator[subprocess.Popen[str]]:
    """A command at work on results."""
    values = {
        "grid": str(runs.parent / "tiny.toml"),
        "root": str(runs / "tiny"),
        "run": next(Store(runs / "tiny").runs()).run_id,
        "dry": str(next(runs.glob("pairs/sd1-*/dry.wav"))),
    }
    module, *words = (word.format(**values) for word in COMMANDS.get(name, LISTEN))
    place = words.index("--")
    words[place:place] = ["--runs", str(runs)]
    process = subprocess.Popen(
        [sys.executable, "-m", module, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PEDALFRAME_KILLS": str(runs)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finish(name: str, runs: Path) -> None:
    with working(name, runs) as process:
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said


def copied(runs: Path, name: str) -> Path:
    """The same results in a folder beside."""
    other = runs.with_name(f"runs-{name}")
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(runs, other, symlinks=True)
    return other


def is_aside(path: Path) -> bool:
    return any(part.startswith(".pedalframe-") for part in path.parts)


def visible(runs: Path) -> dict[str, bytes]:
    """Every file under its final name, less the time of writing of a WAV file, and paths."""
    found = {}
    for path in sorted(runs.rglob("*")):
        own = path.relative_to(runs)
        if not path.is_file() or is_aside(own) or "lock" in path.name:
            continue
        found[own.as_posix()] = _timeless(path, runs)
    return found


def _timeless(path: Path, runs: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix == ".wav" and b"PEAK" in content[:200]:
        place = content.index(b"PEAK")
        content = content[:place] + content[place + 24 :]
    return content.replace(str(runs).encode(), b"runs")


def folders(runs: Path) -> set[str]:
    return {path.relative_to(runs).as_posix() for path in runs.rglob("*") if path.is_dir()}


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_random_and_started_again_a_command_leaves_what_an_undisturbed_one_does(
    name: str, runs: Path
) -> None:
    began_s = time.monotonic()
    undisturbed = copied(runs, "undisturbed")
    finish(name, undisturbed)
    taken_s = time.monotonic() - began_s
    before, after = visible(runs), visible(undisturbed)
    killed = copied(runs, "killed")
    for random in rounds(1):
        with working(name, killed) as process:
            await_moment(process, killed, taken_s, random)
        await_end_of_all(killed)
        for path, content in visible(killed).items():
            assert content in (before.get(path), after.get(path)), path
        if random.random() < 0.5:  # otherwise what goes on is killed, too
            finish(name, killed)
            assert_same(killed, undisturbed)
            killed = copied(runs, "killed")
    finish(name, killed)
    assert_same(killed, undisturbed)


def await_moment(
    process: subprocess.Popen[str], runs: Path, taken_s: float, random: np.random.Generator
) -> None:
    """Until any moment or, as often, until shortly after something begins to be written."""
    began_s = time.monotonic()
    is_any = random.random() < 0.5
    limit_s = random.uniform(0, taken_s) if is_any else 3 * taken_s
    known = entries(runs)
    while process.poll() is None and time.monotonic() - began_s < limit_s:
        if not is_any and entries(runs) != known:
            time.sleep(random.uniform(0, 0.05))
            break
        time.sleep(0.001)
    print(f"killed after {time.monotonic() - began_s:.2f} s of {taken_s:.2f}")


def entries(runs: Path) -> set[Path]:
    return {*runs.glob("tiny/*"), *runs.glob("tiny/*/.pedalframe-*")}


def await_end_of_all(runs: Path) -> None:
    """Until what a killed command had started is gone as well."""
    mark = f"PEDALFRAME_KILLS={runs}".encode()

    def is_at_work(entry: Path) -> bool:
        with suppress(OSError):
            return mark in entry.read_bytes().split(b"\0")
        return False

    assert until(lambda: not any(map(is_at_work, Path("/proc").glob("[0-9]*/environ"))), 10)


def assert_same(runs: Path, undisturbed: Path) -> None:
    own, expected = visible(runs), visible(undisturbed)
    assert own.keys() == expected.keys()
    assert [path for path in own if own[path] != expected[path]] == []
    assert [path for path in runs.rglob(".*") if is_aside(path)] == []
    assert folders(runs) == folders(undisturbed)
    assert len(list(runs.rglob(FOREIGN))) == len(PLACES)


def test_a_killed_listening_page_is_whole_with_the_next_command(runs: Path) -> None:
    """Its tokens are drawn anew, so that no two are alike."""
    killed = copied(runs, "listening")
    store = Store(killed / "tiny")
    began_s = time.monotonic()
    finish("listen", killed)
    taken_s = time.monotonic() - began_s
    killed = copied(runs, "listening")
    for random in rounds(1):
        with working("listen", killed) as process:
            await_moment(process, killed, taken_s, random)
        builds = database.builds(store) if database.database_file(store).exists() else {}
        database.load_all(store)
        if keys.key_file(store).exists():
            key = keys.require(store)
            assert builds.get(key.build) in (None, key)
        if random.random() < 0.5:
            finish("listen", killed)
            require_whole(store)
            killed = copied(runs, "listening")
    finish("listen", killed)
    require_whole(store)


def require_whole(store: Store) -> None:
    key, page = keys.require(store), building.page_folder(store)
    assert database.builds(store)[key.build] == key
    assert {path.stem for path in (page / key.build).iterdir()} == key.file_tokens
    assert [path.name for path in page.iterdir() if path.is_dir()] == [key.build]
    assert [path for path in store.root.rglob(".*") if is_aside(path)] == []
    assert (page / "index.html").read_text("utf-8").rstrip().endswith("</html>")
