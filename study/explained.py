"""How every command line of the project ends where it cannot go on: one message, one code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from data.errors import InputError
from study import files
from study.store import RUNS


def explained(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn bad input into one message and exit code 2, an interrupt into 130."""

    @wraps(command)
    def wrapper(*args: Any, **options: Any) -> Any:
        try:
            return _with_room(command, *args, **options)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            raise typer.Exit(2) from error
        except KeyboardInterrupt:
            print("Interrupted. The same command continues where it stopped.", file=sys.stderr)
            raise typer.Exit(130) from None

    return wrapper


def _with_room(command: Callable[..., Any], *args: Any, **options: Any) -> Any:
    try:
        return command(*args, **options)
    except OSError as error:
        if error.errno not in files.DISK_FULL:
            raise
        raise files.no_room(options.get("runs", RUNS), str(error)) from error
