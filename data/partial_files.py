"""Files and folders as they are filled, beside their places; a killed process leaves them there.

Whoever fills one holds a lock on it, which dies with the process, so the next that writes to
the same folder knows what nobody works on any more, and removes that.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_PREFIX = ".pedalframe-"
_NAME = re.compile(rf"{re.escape(_PREFIX)}[0-9a-f]{{32}}(\.\w+)?")

_swept: set[Path] = set()  # by this process: once is enough, and folders may be large


@contextmanager
def file(path: Path) -> Iterator[Path]:
    """An empty file beside ``path`` and of its suffix, gone at the end unless renamed."""
    _sweep_once(path.parent)
    with _held(path.with_name(f"{_PREFIX}{uuid.uuid4().hex}{path.suffix}"), Path.touch) as aside:
        yield aside


@contextmanager
def folder(parent: Path) -> Iterator[Path]:
    """An empty folder in ``parent``, gone at the end unless renamed."""
    _sweep_once(parent)
    with _held(parent / f"{_PREFIX}{uuid.uuid4().hex}", Path.mkdir) as aside:
        yield aside


def remove(path: Path) -> None:
    """Remove a folder at once, so that a kill leaves no half of it under its name."""
    with folder(path.parent) as aside:
        path.rename(aside)


def sweep(folder: Path) -> None:
    """Remove what killed processes left half written in a folder. Nothing else is touched."""
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in [Path(entry) for entry in os.scandir(folder) if _NAME.fullmatch(entry.name)]:
            _remove_if_left(path)


def _sweep_once(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if folder not in _swept:
        _swept.add(folder)
        sweep(folder)


def _remove_if_left(path: Path) -> None:
    with suppress(OSError), _opened(path) as descriptor:  # refused, or held by its writer
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(path)


@contextmanager
def _held(path: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    try:
        with ExitStack() as stack:
            while not path.exists():  # a sweep may take it before it is locked
                make(path)
                with suppress(FileNotFoundError):
                    descriptor = stack.enter_context(_opened(path))
                    with suppress(OSError):  # some network drives know no locks, so no sweep
                        fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield path
    finally:
        _remove(path)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
