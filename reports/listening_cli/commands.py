"""The commands about listening tests."""

from __future__ import annotations

import os
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from reports.listening import addresses, building, importing, items, server, sessions
from reports.listening.building import Settings
from reports.listening.key import Key
from reports.sections.listening import section
from study.command_line.errors import explained
from study.config.grid import folder_name
from study.store.folders import RUNS, Store

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Blind listening tests of a study: ABX (can the difference be heard?) and MUSHRA "
    "after ITU-R BS.1534-3 (how large is it?).",
    epilog="The page is runs/<grid>/listening/index.html. It opens from the file system too: "
    "copy the folder to a listener, who saves a file of answers for `import`. What its random "
    "file names stand for is in runs/<grid>/listening-key.json; keep that to yourself.",
)

GridArgument = Annotated[str, typer.Argument(help="A grid's name, or its TOML file.")]
RunsOption = Annotated[Path, typer.Option("--runs", help="Folder of all results.")]
CompareOption = Annotated[
    str,
    typer.Option(help="Ids of runs, by commas. [default: each family's best, and the worst]"),
]
EffectOption = Annotated[
    str | None, typer.Option(help="Of a grid with several.  [default: the first]")
]
TrialsOption = Annotated[
    int, typer.Option(min=1, max=sessions.MOST_TRIALS, help="Of an ABX session, fixed beforehand.")
]
ItemsOption = Annotated[
    int, typer.Option("--items", min=1, max=16, help="Pieces of music, at most.")
]
SecondsOption = Annotated[float, typer.Option(min=0.5, max=20, help="Longest item.")]


@app.command()
@explained
def serve(
    grid: GridArgument = "quick",
    compare: CompareOption = "",
    effect: EffectOption = None,
    trials: TrialsOption = building.TRIALS,
    item_count: ItemsOption = items.ITEMS,
    seconds: SecondsOption = items.ITEM_S,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets the local network in.")
    ] = server.HOST,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help=f"[default: {server.PORT}, or the next free one]"),
    ] = None,
    show: Annotated[
        bool, typer.Option("--open/--no-open", help="Open a browser where there is a desktop.")
    ] = True,
    runs: RunsOption = RUNS,
) -> None:
    """Build the page, serve it on this machine and store answers as they are given.

    Stop it with Ctrl-C at any time: listeners go on where they were when it runs again.
    """
    store, key = _page(grid, runs, compare, effect, trials, item_count, seconds)
    site = server.Site.of(store, key, host)
    with server.listening_on(site, port) as running:
        typer.echo(f"Listening tests: {running.url}  (Ctrl-C stops)")
        _warn_of_others(running)
        if show and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            webbrowser.open(running.url)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            typer.echo(f"Stopped. `make report GRID={store.source()}` shows the results.")


@app.command()
@explained
def build(
    grid: GridArgument = "quick",
    compare: CompareOption = "",
    effect: EffectOption = None,
    trials: TrialsOption = building.TRIALS,
    item_count: ItemsOption = items.ITEMS,
    seconds: SecondsOption = items.ITEM_S,
    runs: RunsOption = RUNS,
) -> None:
    """Only write the page; it opens from the file system, without server and network."""
    store, _ = _page(grid, runs, compare, effect, trials, item_count, seconds)
    typer.echo(f"Page: {building.page_folder(store) / 'index.html'}")


@app.command("import")
@explained
def import_command(
    file: Annotated[Path, typer.Argument(help="What a listener saved from the page.")],
    grid: GridArgument = "quick",
    runs: RunsOption = RUNS,
) -> None:
    """Check a file of answers from the static page and store it with the others."""
    session = importing.import_file(_store(grid, runs), file)
    state = "finished" if session.is_finished else "unfinished"
    typer.echo(f"Imported: {session.test} session {session.session}, {state}")


@app.command()
@explained
def results(grid: GridArgument = "quick", runs: RunsOption = RUNS) -> None:
    """Print what listeners have answered so far."""
    found = section.listening_section(_store(grid, runs))
    for sentence in found.sentences if found else ("Nobody has listened yet.",):
        typer.echo(sentence)


def _warn_of_others(running: server.Server) -> None:
    """Say who else is let in, if the address lets in more than this machine."""
    if addresses.is_open(running.site.host):
        where = " or ".join(running.urls_from_elsewhere) or "no network is up now"
        typer.echo(
            "warning: everyone on the networks of this machine can take part, and hand in "
            f"answers under any name, unencrypted: {where}",
            err=True,
        )


def _page(
    grid: str,
    runs: Path,
    compare: str,
    effect: str | None,
    trials: int,
    count: int,
    seconds: float,
) -> tuple[Store, Key]:
    """The study, and the key of its page, built as asked for."""
    run_ids = tuple(part.strip() for part in compare.split(",") if part.strip())
    store = _store(grid, runs)
    return store, building.build(store, Settings(run_ids, effect, trials, count, seconds))


def _store(grid: str, runs: Path) -> Store:
    """The study of a grid, which must be laid out: nothing is written into another folder."""
    store = Store(runs / folder_name(grid))
    store.manifest()
    return store
