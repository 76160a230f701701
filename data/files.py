"""Files that appear whole or not at all, and locks that die with their process."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data import partial_files
from data.errors import InputError
from data.locks import lock as lock

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a file beside ``path``, then rename it into place.

    A reader finds the old file or the new one. When ``write`` raises (a full disk, an
    interrupt) nothing is left behind; what a kill leaves, the next write to the folder
    removes. The suffix is kept, since writers such as Keras' choose their format by it.
    """
    with partial_files.file(path) as aside:
        write(aside)
        aside.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole."""
    write_whole(path, lambda aside: aside.write_text(text, encoding="utf-8"))


def write_if_changed(path: Path, text: str) -> None:
    """Write a text file whole, unless it holds this text already."""
    try:
        if path.read_text(encoding="utf-8") == text:
            return
    except (FileNotFoundError, UnicodeDecodeError):
        pass
    write_text(path, text)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, whole."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read what ``write_json`` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def no_room(where: str | Path, reason: str) -> InputError:
    """What to tell when the disk is full (an ``OSError`` of ``DISK_FULL``)."""
    return InputError(
        f"folder {where}",
        expected="room on the disk",
        found=reason,
        remedy="Free some space; the same command then continues.",
    )


@contextmanager
def company(path: Path, enter: Callable[[bool], None]) -> Iterator[None]:
    """Hold a lock that several processes may share, if ``enter`` lets this one in.

    ``enter`` is told whether nobody else holds the lock, and refuses by raising. It is
    called by one process at a time, and nobody joins meanwhile. The kernel releases the
    lock when the process ends, however it ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        with lock(path.with_name(f"{path.name}-gate"), wait=True):
            enter(_is_alone(descriptor))
            fcntl.flock(descriptor, fcntl.LOCK_SH)  # at once: nobody keeps it exclusively
        yield
    finally:
        os.close(descriptor)


def _is_alone(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
