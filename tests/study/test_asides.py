"""What a killed process leaves half written is removed by the next, and nothing else ever is."""

import subprocess
import sys
from pathlib import Path

import pytest

from study import asides, files
from tests.study.commands import ROOT

FILLER = """
import sys, time
from pathlib import Path
from study import asides

where = Path(sys.argv[2])
with asides.file(where / "a.wav") if sys.argv[1] == "file" else asides.folder(where) as aside:
    (aside / "b.txt" if aside.is_dir() else aside).write_text("half")
    print(flush=True)
    time.sleep(60)
"""


@pytest.fixture(params=["file", "folder"])
def filling(request: pytest.FixtureRequest, tmp_path: Path) -> subprocess.Popen[bytes]:
    """A process with something half filled in ``tmp_path``."""
    process = subprocess.Popen(
        [sys.executable, "-c", FILLER, request.param, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stdout.readline() == b"\n"
    request.addfinalizer(process.wait)
    request.addfinalizer(process.kill)
    return process


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_kill_leaves_goes_with_the_next_write(
    filling: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    filling.kill()
    filling.wait()
    assert len(names(tmp_path)) == 1
    files.write_text(tmp_path / "out.txt", "whole")
    assert names(tmp_path) == ["out.txt"]


def test_what_another_process_works_on_stays(
    filling: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    asides.sweep(tmp_path)
    assert len(names(tmp_path)) == 1
    filling.kill()
    filling.wait()
    asides.sweep(tmp_path)
    assert names(tmp_path) == []


def test_what_this_process_works_on_stays(tmp_path: Path) -> None:
    with asides.file(tmp_path / "a.txt") as own, asides.folder(tmp_path) as folder:
        asides.sweep(tmp_path)
        assert own.exists() and folder.exists()
    assert names(tmp_path) == []


def test_nothing_foreign_is_removed(tmp_path: Path) -> None:
    ours = f"{asides._PREFIX}{'a' * 32}"
    foreign = [".hidden", ".pedalframe-notes", f".{'a' * 32}.wav", f"{ours}.tar.gz"]
    for name in foreign:
        (tmp_path / name).write_text("mine")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    target = tmp_path / "target"
    target.write_text("mine")
    (tmp_path / ours).symlink_to(target)
    asides.sweep(tmp_path)
    assert names(tmp_path) == sorted([*foreign, ".ipynb_checkpoints", "target", ours])
