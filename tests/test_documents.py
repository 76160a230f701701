"""What the documents name exists: files, links, functions, targets of make."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

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
