"""Folders that several processes fill at once."""

from pathlib import Path

import pytest

from reports.sources import cache
from reports.sources.cache import Cache, Facts


def test_a_folder_that_another_process_has_filled_meanwhile_stays(tmp_path: Path) -> None:
    def late(folder: Path) -> Facts:
        Cache(tmp_path).kept("shared", 1, quick)
        return quick(folder) | {"by": "late"}

    def quick(folder: Path) -> Facts:
        (folder / "sound").write_text("the same")
        return {"by": "quick"}

    kept = Cache(tmp_path).kept("shared", 1, late)
    assert kept.facts == {"by": "quick"}
    assert (tmp_path / kept.folder / "sound").is_file()
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [kept.folder]


def test_a_change_of_any_drawing_code_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "package").mkdir()
    drawing = tmp_path / "package" / "figures.py"
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "cache.py"))
    found = []
    for content in ("red", "blue", "red"):
        drawing.write_text(content)
        cache._code.cache_clear()
        found.append(cache._code())
    cache._code.cache_clear()
    assert found[0] == found[2] != found[1]
