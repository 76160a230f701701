"""Hook of MkDocs: which pages the site has, and where.

Every document lies at its path in the repository, so that its links hold in both; what they link
to besides comes along. Every room of the code has a page, written from its docstrings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

ROOT = Path(__file__).parents[2]
ELSEWHERE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "embedded/exports/README.md")
ROOMS = ("data", "models", "study", "reports", "embedded")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The rooms' pages close the navigation."""
    assert config.nav is not None
    pages = [{name(room): api_page(room)} for room in rooms()]
    config.nav.append({"API": pages})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Documents, what they link to, and a page a room; the theme's own files stay."""
    documents = [*ELSEWHERE, *(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md"))]
    own = {uri: ROOT / uri for uri in documents}
    for document in documents:
        own |= {uri: ROOT / uri for uri in linked(ROOT / document)}
    laid = [File.generated(config, uri, abs_src_path=str(path)) for uri, path in own.items()]
    pages = [File.generated(config, api_page(room), content=api(room)) for room in rooms()]
    theirs = [file for file in files if not str(file.abs_src_path).startswith(config.docs_dir)]
    return Files([*laid, *pages, *theirs])


def linked(document: Path) -> Iterator[str]:
    """Files of the repository that a document links to or shows."""
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8")):
        path = document.parent.joinpath(target.partition("#")[0]).resolve()
        if "://" not in target and path.is_file() and path.is_relative_to(ROOT):
            yield str(path.relative_to(ROOT))


def rooms() -> list[Path]:
    """Packages of the program, each before those inside it."""
    found = [file.parent for room in ROOMS for file in (ROOT / room).rglob("__init__.py")]
    return sorted(found, key=lambda room: (ROOMS.index(name(room).split(".")[0]), room))


def name(path: Path) -> str:
    """As imports write it."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def api_page(room: Path) -> str:
    """Where a room's page lies in the site."""
    return f"api/{name(room)}.md"


def api(room: Path) -> str:
    """A room's page: what it is for, then its modules, for mkdocstrings to fill in."""
    modules = sorted(file for file in room.glob("*.py") if not file.name.startswith("_"))
    hidden = "{members: false, show_root_heading: false, show_root_toc_entry: false}"
    parts = [f"# {name(room)}", f"::: {name(room)}\n    options: {hidden}"]
    parts += [f"::: {name(module)}" for module in modules]
    return "\n\n".join(parts) + "\n"
