"""Files that appear whole or not at all."""

import errno
from pathlib import Path

import pytest

from data import files


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), ValueError("bad"), OSError(errno.ENOSPC, "No space left")]
)
def test_a_write_that_fails_leaves_the_old_file_alone(error: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    files.write_text(path, "old")

    def half(aside: Path) -> None:
        aside.write_text("ne")
        raise error

    with pytest.raises(type(error)):
        files.write_whole(path, half)
    assert path.read_text() == "old"
    assert names(path.parent) == ["a.txt"]


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    seen = []

    def slow(aside: Path) -> None:
        aside.write_text("new")
        seen.append(path.read_text())
        assert aside.suffix == ".txt"  # writers choose their format by it

    files.write_whole(path, slow)
    assert seen == ["old"]
    assert path.read_text() == "new"


def test_a_file_system_that_is_full_shows_in_the_errno(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        files.write_whole(tmp_path / "a", lambda _: Path("/dev/full").write_text("x"))
    assert caught.value.errno in files.DISK_FULL
    assert names(tmp_path) == []
    message = str(files.no_room(tmp_path, str(caught.value)))
    assert message.startswith(f"folder {tmp_path}: expected room on the disk; found [Errno 28]")


def test_json_round_trip_and_no_number_that_json_lacks(tmp_path: Path) -> None:
    value = {"a": [1, 2.5, None, "ä"], "b": {"c": 0.1 + 0.2}}
    files.write_json(tmp_path / "a.json", value)
    assert files.read_json(tmp_path / "a.json") == value
    with pytest.raises(ValueError, match="JSON compliant"):
        files.write_json(tmp_path / "b.json", float("nan"))
    assert names(tmp_path) == ["a.json"]
