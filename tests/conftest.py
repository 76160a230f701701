"""What many tests share. Importing ``models`` first selects Keras' JAX backend."""

import importlib
import os
import signal
from pathlib import Path
from types import ModuleType

# Many tests, and the processes that they start, compile the same functions: once is enough.
os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "jax")
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

# A shell that runs this in the background makes it, and what it starts, deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest  # noqa: E402
from numba import config as numba_config  # noqa: E402

import models  # noqa: E402, F401
from data import locks  # noqa: E402


@pytest.fixture(scope="session")
def librosa() -> ModuleType:
    """The reference for signals, its compiled functions kept apart and written under a lock.

    As it is imported it fills numba's cache, which two processes at once can spoil.
    """
    cache = Path(__file__).parents[1] / ".pytest_cache" / "numba"
    names: dict[str, str] = vars(numba_config)
    before, names["CACHE_DIR"] = names["CACHE_DIR"], str(cache)
    try:
        with locks.lock(cache / "lock", wait=True):
            for part in ("onset", "feature", "filters", "util"):
                importlib.import_module(f"librosa.{part}")
            return importlib.import_module("librosa")
    finally:
        names["CACHE_DIR"] = before
