"""The doctor finds what is missing or spoilt, with nothing but Python's standard library."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from study import doctor

ROOT = Path(__file__).parents[2]
FUNCTION = """
import numba

@numba.njit(cache=True)
def doubled(value):
    return value + value

assert doubled(1.5) == 3 and doubled(2) == 4
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone that is set up: with the lock files of this one, and its environment."""
    for file in [*ROOT.glob("requirements*.lock"), ROOT / "Makefile"]:
        shutil.copy(file, tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(python: str = sys.executable, **variables: str) -> tuple[int, str]:
    """Exit status and output of the doctor, run without any package."""
    done = subprocess.run(
        [python, "-I", "-S", ROOT / "study" / "doctor.py"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert not done.stderr
    return done.returncode, done.stdout


def lines(output: str, mark: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith(f"  {mark} ")]


def test_a_set_up_as_it_is_locked_is_well(folder: Path) -> None:
    status, output = told()
    assert lines(output, "BAD") == []
    assert status == 0
    assert "make grid has all that it needs" in output
    assert re.search(r"ok +Python 3\.1[123]\.\d+ in \.venv; keras 3\.\d+\.\d+, jax \d", output)
    assert re.search(r"ok +packages for make grid .* as requirements\.lock has them", output)


@pytest.mark.slow
def test_nothing_set_up_is_told_with_the_command_that_sets_up(folder: Path) -> None:
    (folder / ".venv").unlink()
    status, output = told()
    assert status == 1
    assert [line.split(":")[0] for line in lines(output, "BAD")] == ["  BAD no .venv"]
    assert "make grid sets itself up" in output


def test_an_environment_whose_python_is_gone_is_told(folder: Path) -> None:
    (folder / ".venv").unlink()
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/nowhere/python3")
    status, output = told()
    assert status == 1
    (line,) = lines(output, "BAD")
    assert ".venv has no Python that runs" in line and "No such file" in line
    assert "make clean" in output


def test_without_python_for_an_environment_the_package_is_named(folder: Path) -> None:
    (folder / ".venv").unlink()
    status, output = told(PATH=str(folder))
    assert status == 1
    assert "venv module" in "".join(lines(output, "BAD"))
    assert "apt-get install python3-venv" in output


def test_another_version_than_locked_is_named(folder: Path) -> None:
    lock = folder / "requirements.lock"
    lock.write_text(re.sub(r"^numpy==\S+", "numpy==1.0.1", lock.read_text(), flags=re.MULTILINE))
    status, output = told()
    assert status == 1
    (line,) = lines(output, "BAD")
    assert re.search(r"numpy \d\S+ instead of 1\.0\.1$", line)
    assert "rm .venv/.ready; make .venv/.ready" in output


def test_what_is_locked_for_other_systems_alone_may_be_missing(tmp_path: Path) -> None:
    lock = tmp_path / "some.lock"
    lock.write_text("Here_1==2.0 \\\n    --hash=x\nabsent==3 \\\nwin==4 ; os_name == 'nt' \\\n")
    assert doctor.differing(lock, {"here-1": "2.0"}) == ["absent missing instead of 3"]
    assert doctor.differing(lock, {"here-1": "2.1", "absent": "3", "win": "5"}) == [
        "Here_1 2.1 instead of 2.0",
        "win 5 instead of 4",
    ]


def compiled(folder: Path) -> list[Path]:
    """The code of one function for two types, as numba keeps it under ``data``."""
    (folder / "data" / "doubling.py").write_text(FUNCTION)
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    subprocess.run([sys.executable, "data/doubling.py"], env=environment, check=True)
    return sorted(folder.rglob("data/**/*.nbc"))


@pytest.mark.slow
def test_caches_as_numba_writes_them_are_well(folder: Path) -> None:
    assert len(compiled(folder)) == 2
    status, output = told()
    assert status == 0
    assert lines(output, "BAD") == []


@pytest.mark.slow
def test_an_index_that_leads_to_the_code_for_other_types_is_found(folder: Path) -> None:
    first, second = compiled(folder)
    first.write_bytes(second.read_bytes())
    status, output = told()
    assert status == 1
    (line,) = lines(output, "BAD")
    assert re.search(r"doubled-\S+\.nbi leads \((float64|int64),\) to the code for", line)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["nbi", "nbc"])
def test_a_cut_cache_is_found_and_the_remedy_removes_it(folder: Path, end: str) -> None:
    code, _ = compiled(folder)
    for file in code.parent.glob(f"*.{end}"):
        file.write_bytes(file.read_bytes()[:-20])
    status, output = told()
    assert status == 1
    (line,) = lines(output, "BAD")
    assert "cannot be read" in line
    (remedy,) = re.findall(r"^ +(rm data/.*)  \(", output, re.MULTILINE)
    subprocess.run(remedy, shell=True, check=True)
    assert told()[0] == 0


def test_locks_that_are_held_and_left_overs_are_told(folder: Path) -> None:
    for name in ("runs/quick", "runs/paper"):
        (folder / name).mkdir(parents=True)
        (folder / name / "lock").touch()
    (folder / "runs" / "paper" / f".pedalframe-{'0' * 32}.wav").touch()
    with (folder / "runs" / "quick" / "lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        status, output = told()
    assert status == 0
    assert "2 lock files in runs, 1 of them held" in output
    assert "runs/quick/lock: held" in output
    assert "runs/paper/lock: held" not in output
    assert "1 half-written" in output


def test_an_empty_file_among_jaxs_is_told(folder: Path) -> None:
    for name in ("good", "empty"):
        (folder / "jax" / name).parent.mkdir(exist_ok=True)
        (folder / "jax" / name).write_text("x" * (name == "good"))
    output = told(JAX_COMPILATION_CACHE_DIR="jax")[1]
    assert "in jax: 2 files, 0 MB, 1 of them empty" in output


def test_a_missing_program_is_told_with_its_package_and_harms_nothing(folder: Path) -> None:
    status, output = told(PATH=str(folder), LV2_PATH=str(folder))
    assert status == 0
    for package in set(doctor.OPTIONAL) - {"libportaudio2"}:  # a library, found without PATH
        assert f"apt-get install {package}\n" in output
    assert re.search(r"-   libclang-rt-dev, for .*: not found", output)


def test_all_that_make_system_installs_is_looked_for() -> None:
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    (packages,) = re.findall(r"^DEBIAN_PACKAGES := (.*)$", makefile, re.MULTILINE)
    # Python is looked for apart; newlib comes with the C++ library that needs it.
    looked_for = {*doctor.OPTIONAL, "python3-venv", "libnewlib-arm-none-eabi"}
    assert looked_for - {"git", "npm"} == set(packages.split())


def test_make_doctor_runs_without_an_environment(folder: Path) -> None:
    (folder / ".venv").unlink()
    (folder / "study").mkdir()
    shutil.copy(ROOT / "study" / "doctor.py", folder / "study")
    makes = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    environment = {name: value for name, value in os.environ.items() if name not in makes}
    made = subprocess.run(["make", "doctor"], env=environment, capture_output=True, text=True)
    assert made.returncode == 2
    assert "make grid sets itself up" in made.stdout
    assert not (folder / ".venv").exists()
