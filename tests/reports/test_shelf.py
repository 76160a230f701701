"""Folders that several processes fill at once."""

from pathlib import Path

from reports.shelf import Facts, Shelf


def test_a_folder_that_another_process_has_filled_meanwhile_stays(tmp_path: Path) -> None:
    def late(folder: Path) -> Facts:
        Shelf(tmp_path).kept("shared", 1, quick)
        return quick(folder) | {"by": "late"}

    def quick(folder: Path) -> Facts:
        (folder / "sound").write_text("the same")
        return {"by": "quick"}

    kept = Shelf(tmp_path).kept("shared", 1, late)
    assert kept.facts == {"by": "quick"}
    assert (tmp_path / kept.folder / "sound").is_file()
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [kept.folder]
