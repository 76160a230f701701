"""Every package has a range, and a lock file within it that pip can check by hash."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ENGINES = {"pyarrow"}  # that others load: pandas' for Parquet
OPTIONAL = {"sounddevice", "tensorboard", "tflite_runtime"}  # of `make play`, ...; small boards
ROOT = Path(__file__).parents[1]
ROOMS = ["data", "models", "study", "reports", "embedded"]
RANGES = sorted(ROOT.glob("requirements*.txt"))
LOCKS = [file.with_suffix(".lock") for file in RANGES]


def lines(file: Path) -> list[str]:
    """A requirements file's lines, continued ones joined, comments left out."""
    joined = file.read_text(encoding="utf-8").replace("\\\n", " ")
    bare = (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines())
    return [line for line in bare if line]


def ranges(file: Path) -> list[Requirement]:
    """Of a requirements file and those that it takes in by -r."""
    found = []
    for line in lines(file):
        other = re.fullmatch(r"-r (\S+)", line)
        found += ranges(ROOT / other[1]) if other else [Requirement(line)]
    return found


def locked(file: Path) -> dict[str, Version]:
    versions: dict[str, Version] = {}
    for line in lines(file):
        package = Requirement(line.split("--hash", 1)[0])
        (pin,) = package.specifier
        assert pin.operator == "==", line
        versions[canonicalize_name(package.name)] = Version(pin.version)
    return versions


def imported() -> set[str]:
    """Top-level names of all that the rooms import, wherever in a file."""
    names: set[str] = set()
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    names |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.add(node.module)
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("file", RANGES, ids=lambda file: file.name)
def test_every_range_has_both_ends(file: Path) -> None:
    for wanted in ranges(file):
        bounds = {part.operator: Version(part.version) for part in wanted.specifier}
        assert bounds.keys() == {">=", "<"}, wanted
        assert bounds[">="] < bounds["<"], wanted


@pytest.mark.parametrize("file", RANGES, ids=lambda file: file.name)
def test_the_lock_holds_a_version_within_every_range(file: Path) -> None:
    versions = locked(file.with_suffix(".lock"))
    for wanted in ranges(file):
        version = versions.get(canonicalize_name(wanted.name))
        assert version is not None, f"{wanted} is not locked: make lock"
        assert wanted.specifier.contains(version, prereleases=True), f"{wanted}: make lock"


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.name)
def test_all_that_is_locked_has_hashes_and_no_address(file: Path) -> None:
    assert locked(file)
    for line in lines(file):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}( |$)", line), line
    assert "://" not in file.read_text(encoding="utf-8")


def test_locks_agree_so_that_all_can_be_installed_together() -> None:
    versions: dict[str, set[Version]] = {}
    for file in LOCKS:
        for name, version in locked(file).items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_nothing_is_set_up_for_every_target_that_no_room_imports() -> None:
    distributions = packages_distributions()
    names = [name for module in imported() for name in distributions.get(module, [])]
    used = {canonicalize_name(name) for name in names}
    wanted = {canonicalize_name(each.name) for each in ranges(ROOT / "requirements.txt")}
    assert wanted - used == ENGINES


def test_what_the_rooms_import_is_set_up_for_every_target() -> None:
    wanted = {canonicalize_name(each.name) for each in ranges(ROOT / "requirements.txt")}
    distributions = packages_distributions()
    others = imported() - set(ROOMS) - sys.stdlib_module_names - OPTIONAL
    assert others >= {"keras", "numpy"}
    for module in others:
        providers = {canonicalize_name(name) for name in distributions.get(module, [])}
        assert providers & wanted, f"{module} is imported, but not in requirements.txt"
