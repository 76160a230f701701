"""The command line: ``python -m reports --help``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from data.errors import InputError
from reports import pages
from study import files
from study.grid import folder_name
from study.store import RUNS, Store

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Rebuild the report of a grid from its stored results, in seconds and without Keras.",
)


@app.command(epilog="The page opens from the file system; it needs neither server nor network.")
def report(
    grid: Annotated[
        str, typer.Argument(help="A grid's name, or the path of its TOML file.")
    ] = "quick",
    runs: Annotated[Path, typer.Option("--runs", help="Folder of all results.")] = RUNS,
) -> None:
    """Rebuild runs/<grid>/report/index.html from what the grid has produced so far.

    Runs that failed or have not finished are listed with the others. Figures and sounds
    whose results have not changed since the last report are kept.
    """
    try:
        page = _built(Store(runs / _checked(folder_name(grid))))
    except InputError as error:
        print_error(error)
        raise typer.Exit(2) from error
    typer.echo(f"Report: {page}")


def _built(store: Store) -> Path:
    try:
        return pages.build(store)
    except OSError as error:
        if error.errno not in files.DISK_FULL:
            raise
        raise files.no_room(store.root, str(error)) from error


def print_error(error: InputError) -> None:
    """One message on standard error; what the user typed is never taken for markup."""
    console = Console(stderr=True)
    console.print("error:", style="red", end=" ")
    console.print(str(error), markup=False, highlight=False, soft_wrap=True)


def _checked(name: str) -> str:
    """Refuse names that would leave the folder of results."""
    if name in ("", ".", ".."):
        raise InputError(
            f"grid {name!r}",
            expected="the name of a grid",
            found="a folder's short name",
            remedy="Give the name that `make grid` was given.",
        )
    return name
