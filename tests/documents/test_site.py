"""The site of the documents is built whole, and not with a link that leads nowhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="needs requirements-docs")
from tests.documents import site_hook

ROOT = site_hook.ROOT
COPIED = ("docs", "mkdocs.yml", "tests/documents", *site_hook.ELSEWHERE)


def build(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=folder,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_site_has_every_document_what_it_shows_and_the_functions(tmp_path: Path) -> None:
    told = build(ROOT, tmp_path)
    assert told.returncode == 0, told.stderr
    for page in ("index.html", "CHANGELOG.html", "docs/grids.html", "docs/start-guitarist.html"):
        assert "<h1" in (tmp_path / page).read_text("utf-8"), page
    assert "embedded/exports/index.html" in (tmp_path / "docs/using-a-model.html").read_text()
    shown = re.findall(r'src="(docs/[^"]+)"', (tmp_path / "index.html").read_text("utf-8"))
    assert shown
    assert all((tmp_path / each).is_file() for each in shown)
    assert 'id="study.config.grid.load"' in (tmp_path / "api/study.config.html").read_text("utf-8")
    assert 'id="data.splits.split"' in (tmp_path / "api/data.html").read_text("utf-8")
    fetched = re.compile(r'<(?:script|link|img)[^>]*(?:src|href)="https?://')
    assert not [page for page in tmp_path.rglob("*.html") if fetched.search(page.read_text())]


@pytest.mark.slow
def test_a_link_or_an_anchor_that_leads_nowhere_ends_the_build(tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    for name in COPIED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    page = folder / "docs" / "citing.md"
    page.write_text(page.read_text() + "\n[a](grids.md#nowhere)\n[b](no-page.md)\n")
    told = build(folder, tmp_path / "site")
    assert told.returncode != 0
    assert "grids.md#nowhere" in told.stderr
    assert "no-page.md" in told.stderr
