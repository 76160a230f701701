"""Functions compiled by numba, kept on disk for the next process.

numba writes its cache on disk without a lock: two processes that meet in one function can
leave an index that leads a third one to another function's code, or to none (seen as
SIGSEGV in every later process). Here a process compiles, or loads, under a lock.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

import numba

from data import locks

LOCK_NAME = "pedalframe-compiled.lock"

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


def compiled(function: Callable[[*Arguments], Result]) -> Callable[[*Arguments], Result]:
    """Compile a function of arrays and numbers at its first call, once an environment.

    What it calls in turn is compiled into it, so a plain ``numba.njit`` does there. The
    interpreter's lock is free while it runs.
    """
    dispatcher: Any = numba.njit(cache=True, nogil=True)(function)
    lock_file = Path(dispatcher.stats.cache_path) / LOCK_NAME
    ready: set[tuple[Any, ...]] = set()

    @wraps(function)
    def call(*args: *Arguments) -> Result:
        types = tuple(map(numba.typeof, args))
        if types not in ready:
            with locks.lock(lock_file, wait=True):
                dispatcher.compile(types)
            ready.add(types)
        return dispatcher(*args)

    return call
