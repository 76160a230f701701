"""The command line: ``python -m reports --help``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.pages import study_page
from study.command_line.errors import explained
from study.config.grid import folder_name
from study.store.folders import RUNS, Store

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Rebuild the report of a grid from its stored results, in seconds and without Keras.",
)


@app.command(epilog="The page opens from the file system; it needs neither server nor network.")
@explained
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
    page = study_page.build(Store(runs / folder_name(grid)))
    typer.echo(f"Report: {page}")
