"""Imports go one way, so that a room can be read knowing only the rooms before it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ["data", "models", "study", "reports", "embedded", "tests"]
MAY_IMPORT = {
    "data": {"data"},
    "models": {"models"},
    "study": {"study", "data", "models"},
    "reports": {"reports", "study", "data"},
    "embedded": {"embedded", "models", "data", "study"},
}
HEAVY = {"keras", "jax", "tensorflow"}


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Full names of the modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:  # relative: count the dots from the file's own package
                package = path.relative_to(ROOT).parts[: -node.level]
                module = ".".join([*package, *([module] if module else [])])
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_the_rooms_before_it(room: str) -> None:
    assert sources(room)
    for path in sources(room):
        wrong = tops(path) & set(ROOMS) - MAY_IMPORT[room]
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def test_data_and_reports_never_import_a_framework() -> None:
    for path in [*sources("data"), *sources("reports")]:
        wrong = tops(path) & HEAVY
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def closure(module: str, seen: set[str]) -> set[str]:
    """Modules of ours that a module imports, directly or through others."""
    path = ROOT / (module.replace(".", "/") + ".py")
    if not path.exists():
        path = ROOT / module.replace(".", "/") / "__init__.py"
    if module in seen or not path.exists():
        return seen
    seen.add(module)
    for name in imported(path):
        for candidate in (name, name.rpartition(".")[0]):
            if candidate.split(".")[0] in ROOMS:
                closure(candidate, seen)
    return seen


def test_nothing_that_reports_import_reaches_a_framework() -> None:
    reached: set[str] = set()
    for path in sources("reports"):
        closure(".".join(path.relative_to(ROOT).with_suffix("").parts), reached)
    assert reached >= {"study.store.tables", "data.audio"}
    for module in sorted(reached):
        path = ROOT / (module.replace(".", "/") + ".py")
        if path.exists():
            assert not tops(path) & HEAVY, f"{module} imports a framework"


def test_the_walk_sees_every_form_of_import(tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    file.write_text("import data.audio as a\ndef f():\n    from study import engine\n")
    assert imported(file) == {"data.audio", "study.training.compiled"}
