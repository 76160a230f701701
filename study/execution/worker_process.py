"""A worker process: takes runs that nobody works on, one after the other, until none is left.

    python -m study.execution.worker_process runs/<grid> <seconds between checkpoints> <module>

The module's ``work`` does it: ``study.execution.run_worker``, or for trials
``study.search.trial_worker``. Workers need no master (see there). Events go to standard
output, a JSON object a line. The worker ends at once when its standard input closes, so it
never outlives the process that started it, even if that one was killed.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

EXIT_SYSTEM_REFUSES = 74  # EX_IOERR of sysexits.h


def _end_with_parent() -> None:
    """Leave as soon as standard input closes. Every file is whole at every moment."""

    def watch() -> None:
        while os.read(0, 4096):  # not sys.stdin, whose lock would block the exit
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Entry point: the arguments are the store's folder, the checkpoint interval, the module."""
    faulthandler.enable()  # a crash in compiled code leaves the Python stack in the log
    _end_with_parent()
    # Only now, since it takes seconds and the parent may be gone before.
    from study.store.folders import Store

    # Keras imports TensorFlow, 650 MB, when it saves a model, only to ask whether a
    # value is one of its shapes. A worker on JAX does without: the import now fails.
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    lines = sys.stdout

    def send(event: dict[str, Any]) -> None:
        print(json.dumps(event), file=lines, flush=True)

    sys.stdout = sys.stderr  # whatever else prints must not look like an event
    try:
        job = importlib.import_module(sys.argv[3])
        job.work(Store(Path(sys.argv[1])), send, float(sys.argv[2]))
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # nobody listens any more
            raise
        name = error.filename2 or error.filename
        told = [error.errno, error.strerror or str(error), name and str(name)]
        send({"event": "fatal", "error": told})
        sys.exit(EXIT_SYSTEM_REFUSES)


if __name__ == "__main__":
    main()
