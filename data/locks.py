"""Locks that die with their process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def lock(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold an exclusive lock on a file; yields whether it was got.

    The kernel releases it when the process ends, however it ends, so a killed worker
    leaves no stale lock. With ``wait`` the call blocks until the lock is free.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        yield _got(descriptor, wait)
    finally:
        os.close(descriptor)


def _got(descriptor: int, wait: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
