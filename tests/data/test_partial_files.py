"""What a killed process leaves half written is removed by the next, and nothing else ever is."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from data import audio, files, partial_files
from tests.study.commands import ROOT

FILLER = """
import sys, time
from pathlib import Path
from data import partial_files

where = Path(sys.argv[2])
is_file = sys.argv[1] == "file"
filling = partial_files.file(where / "a.wav") if is_file else partial_files.folder(where)
with filling as aside:
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
    partial_files.sweep(tmp_path)
    assert len(names(tmp_path)) == 1
    filling.kill()
    filling.wait()
    partial_files.sweep(tmp_path)
    assert names(tmp_path) == []


def test_what_this_process_works_on_stays(tmp_path: Path) -> None:
    with partial_files.file(tmp_path / "a.txt") as own, partial_files.folder(tmp_path) as folder:
        partial_files.sweep(tmp_path)
        assert own.exists() and folder.exists()
    assert names(tmp_path) == []


def test_a_removed_folder_is_never_half_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is gone before the first of its files is."""
    for name in ("a.txt", "b.txt"):
        files.write_text(tmp_path / "whole" / name, name)
    seen = []

    def rmtree(path: Path, ignore_errors: bool) -> None:
        seen.append((names(path), names(tmp_path) == [path.name] and path.name != "whole"))
        shutil.rmtree(path, ignore_errors)

    monkeypatch.setattr(partial_files, "shutil", SimpleNamespace(rmtree=rmtree))
    partial_files.remove(tmp_path / "whole")
    assert seen == [(["a.txt", "b.txt"], True)]
    assert names(tmp_path) == []


def test_audio_that_a_kill_left_half_written_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(path: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(partial_files, "_remove", lambda path: None)  # as after a kill
        patch.setattr(Path, "replace", killed)
        audio.write(tmp_path / "a.wav", np.zeros(100, np.float32), 8000)
    assert len(names(tmp_path)) == 1
    partial_files.sweep(tmp_path)
    assert names(tmp_path) == []


def test_nothing_foreign_is_removed(tmp_path: Path) -> None:
    ours = f"{partial_files._PREFIX}{'a' * 32}"
    foreign = [".hidden", ".pedalframe-notes", f".{'a' * 32}.wav", f"{ours}.tar.gz"]
    for name in foreign:
        (tmp_path / name).write_text("mine")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    target = tmp_path / "target"
    target.write_text("mine")
    (tmp_path / ours).symlink_to(target)
    partial_files.sweep(tmp_path)
    assert names(tmp_path) == sorted([*foreign, ".ipynb_checkpoints", "target", ours])
