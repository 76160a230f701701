"""The command line: ``python -m reports --help``."""

from __future__ import annotations

import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from reports import serving
from reports.pages import study_page
from reports.sections import verdicts
from reports.sections.choice import choice_section
from reports.sources.results import read_measured
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
    is_opened: Annotated[
        bool,
        typer.Option("--open", help="Then serve it to this machine's browser, for live playing."),
    ] = False,
    port: Annotated[int, typer.Option(help="To serve it on.  [default: any free]")] = 0,
    runs: Annotated[Path, typer.Option("--runs", help="Folder of all results.")] = RUNS,
) -> None:
    """Rebuild runs/<grid>/report/index.html from what the grid has produced so far.

    Runs that failed or have not finished are listed with the others. Figures and sounds
    whose results have not changed since the last report are kept.
    """
    store = Store(runs / folder_name(grid))
    page = study_page.build(store)
    results = read_measured(store)
    for line in verdicts.told(verdicts.cards(results, choice_section(results))):
        typer.echo(line)
    typer.echo(f"Report: {page}")
    if is_opened:
        own = serving.server(page.parent, port)
        typer.echo(f"Open {serving.address(own)} (Ctrl-C ends it)")
        webbrowser.open(serving.address(own))
        with suppress(KeyboardInterrupt):
            own.serve_forever()
        own.server_close()
