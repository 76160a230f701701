"""What many tests share. Importing ``models`` first selects Keras' JAX backend."""

import os
import signal
from pathlib import Path

# Many tests, and the processes that they start, compile the same functions: once is enough.
os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "jax")
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")

# A shell that runs this in the background makes it, and what it starts, deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

import models  # noqa: E402, F401
