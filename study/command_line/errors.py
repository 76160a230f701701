"""How every command line of the project ends where it cannot go on: one message, one code."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

import typer

from data import system_errors
from data.errors import InputError
from study.command_line import stopping
from study.store.folders import RUNS


def explained(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn bad input and whatever the system refuses into one message and exit code 2.

    An interrupt ends with 130, SIGTERM with 143, a closed terminal with 129.
    """

    @wraps(command)
    def wrapper(*args: Any, **options: Any) -> Any:
        try:
            with stopping.raising():
                return command(*args, **options)
        except BrokenPipeError:
            raise  # nobody reads the output any more: Typer ends in silence
        except (
            InputError, OSError, sqlite3.DatabaseError, KeyboardInterrupt, stopping.Stopped
        ) as error:  # fmt: skip
            raise typer.Exit(_end(error, options.get("runs", RUNS))) from error
        except Exception as error:
            if stopping.code(error) is None:
                raise
            raise typer.Exit(_end(error, options.get("runs", RUNS))) from error

    return wrapper


def _end(error: BaseException, folder: Any) -> int:
    """Tell why a command ends; its exit code."""
    code = stopping.code(error)
    if code is not None:
        _tell("Interrupted. The same command continues where it stopped.")
        return code
    if isinstance(error, OSError):
        error = system_errors.told(error, folder)
    elif isinstance(error, sqlite3.DatabaseError):
        error = _unusable_database(error, folder)
    _tell(f"error: {error}")
    return 2


def _unusable_database(error: sqlite3.DatabaseError, folder: Any) -> InputError:
    return InputError(
        f"database in {folder}",
        expected="one that can be read and written",
        found=str(error),
        remedy="Check its permissions, its disk, and that no other program holds it.",
    )


def _tell(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone
        print(text, file=sys.stderr, flush=True)
