"""The terminal as every command writes to it."""

from __future__ import annotations

from typing import IO

from rich.console import Console


def console(
    file: IO[str] | None = None, width: int | None = None, force_terminal: bool | None = None
) -> Console:
    """A console that shows texts as they are; by default on standard output.

    Titles, paths and names come from users: what looks like markup in them is not.
    """
    return Console(
        file=file,
        width=width,
        force_terminal=force_terminal,
        markup=False,
        emoji=False,
        highlight=False,
    )
