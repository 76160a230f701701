"""The command line: ``python -m study --help``."""

from __future__ import annotations

import math
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from data import audio_streams, effects
from data.devices import defects
from data.errors import InputError
from study.command_line import terminal
from study.command_line.errors import explained
from study.config import grid as grids
from study.execution import grid_runner, worker_pool
from study.execution.grid_progress import duration
from study.selection import boards, choose
from study.selection.candidates import read_budget
from study.selection.limits import Limits
from study.store import tables
from study.store.folders import CHECKPOINT_EVERY_S, RUNS, RunFolder, Store

SOME_RUNS_FAILED = 3  # 1 is Python's own for an exception that nobody caught

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Train, evaluate and compare small Keras models of guitar pedals.",
    epilog="Results go to runs/<grid>/results.csv; `make report` turns them into pages.",
)

GridArgument = Annotated[
    str, typer.Argument(help="A committed grid's name, or the path of a TOML file.")
]
RunArgument = Annotated[
    str,
    typer.Argument(
        help="A run's id or the beginning of it, or a run's folder; '' for the effect's choice."
    ),
]
EffectOption = Annotated[
    str | None,
    typer.Option("--effect", help="Whose choice, where no run is named.  [default: the first]"),
]
RenderingOption = Annotated[
    str | None,
    typer.Option(
        "--rendering",
        help="framed, streaming or streaming_tuned.  [default: the choice's; of a run its own]",
    ),
]
GridOption = Annotated[
    str, typer.Option("--grid", help="The grid that the run is one of: its name or file.")
]
RunsOption = Annotated[Path, typer.Option("--runs", help="Folder of all results.")]


@app.command("grid")
@explained
def grid_command(
    grid: GridArgument = "quick",
    dry: Annotated[str | None, typer.Option(help="Recording of the dry signal.")] = None,
    wet: Annotated[str | None, typer.Option(help="Recording of what the pedal made.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes.  [default: one a core]")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count the runs and estimate the time.")
    ] = False,
    runs: RunsOption = RUNS,
    checkpoint_seconds: Annotated[
        float, typer.Option(min=0, hidden=True, help="Training time between checkpoints.")
    ] = CHECKPOINT_EVERY_S,
) -> None:
    """Train and evaluate every run of a grid; the same command continues an interrupted one.

    Ends with 0 if every run finished, 2 for bad input, 3 if some runs failed, and 130 if
    interrupted.
    """
    console = terminal.console()
    loaded = grids.load(grid, _recording(dry, wet))
    cores = _cores(workers)
    if dry_run:
        _print_estimate(loaded, cores, console)
        return
    results = grid_runner.run_grid(loaded, runs, cores, console, checkpoint_seconds)
    _tell(results, runs / loaded.name, console)


@app.command("search")
@explained
def search_command(
    search: Annotated[
        str, typer.Argument(help="A committed search's name, or the path of a TOML file.")
    ] = "sd1_search",
    dry: Annotated[str | None, typer.Option(help="Recording of the dry signal.")] = None,
    wet: Annotated[str | None, typer.Option(help="Recording of what the pedal made.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes.  [default: one a core]")
    ] = None,
    runs: RunsOption = RUNS,
    checkpoint_seconds: Annotated[
        float, typer.Option(min=0, hidden=True, help="Training time between checkpoints.")
    ] = CHECKPOINT_EVERY_S,
) -> None:
    """Search settings by validation loss, then train the best; the same command continues it.

    Several such commands at once share the trials. Ends as `grid` does.
    """
    # Optuna takes half a second to import.
    from study.search import search_file
    from study.search.search_runner import run_search

    console = terminal.console()
    loaded = search_file.load(search, _recording(dry, wet))
    results = run_search(loaded, runs, _cores(workers), console, checkpoint_seconds)
    _tell(results, runs / loaded.name, console)


@app.command("data")
@explained
def data_command(
    grid: GridArgument = "quick",
    dry: Annotated[str | None, typer.Option(help="Recording of the dry signal.")] = None,
    wet: Annotated[str | None, typer.Option(help="Recording of what the pedal made.")] = None,
    runs: RunsOption = RUNS,
) -> None:
    """Make (or import and check) the dry/wet pairs of a grid and say what was found."""
    loaded = grids.load(grid, _recording(dry, wet))
    grid_runner.prepare_pairs(loaded.runs, runs / "pairs", terminal.console())
    print(f"Pairs: {runs / 'pairs'}")


@app.command("table")
@explained
def table_command(grid: GridArgument = "quick", runs: RunsOption = RUNS) -> None:
    """Gather a grid's results into results.csv again and print the best."""
    store = Store(runs / grids.folder_name(grid))
    tables.require_finished(tables.collect(store), store)  # before the stored one is replaced
    results = tables.write(store)
    _print_summary(results, terminal.console())


@app.command("choose")
@explained
def choose_command(
    grid: GridArgument = "quick",
    run: Annotated[
        str | None, typer.Option(help="Choose this run yourself: its id, or its beginning.")
    ] = None,
    rendering: Annotated[
        str | None, typer.Option(help="Of that run, as in results.csv.  [default: the best]")
    ] = None,
    effect: Annotated[
        str | None, typer.Option(help="Choose for this effect only.  [default: each]")
    ] = None,
    max_asr_db: Annotated[
        float | None, typer.Option(help="Highest worst aliasing-to-signal ratio.")
    ] = None,
    max_macs: Annotated[
        int | None, typer.Option(min=1, help="Most multiply-accumulates a sample.")
    ] = None,
    board: Annotated[
        str | None, typer.Option(help=f"Must run in real time on it: {boards.names()}.")
    ] = None,
    tight: Annotated[
        bool, typer.Option("--tight", help="A budget that holds only if all goes well will do.")
    ] = False,
    runs: RunsOption = RUNS,
) -> None:
    """Choose the model to build of each effect: lowest validation ESR within the limits.

    Written with the reason to chosen.json, which the report shows and the firmware is
    made from. What no board renders, such as a recurrent model on frames, is not chosen.
    """
    store = Store(runs / grids.folder_name(grid))
    results, budget = tables.collect(store), read_budget(store)
    limits = Limits(max_asr_db, max_macs, board, tight)
    if run is None and rendering is not None:
        raise InputError(
            "--rendering",
            expected="the run that it belongs to",
            found="no --run",
            remedy="Name both, or leave the choice to the rule.",
        )
    choices = (
        list(choose.choose(results, limits, budget, effect).values())
        if run is None
        else [choose.by_user(results, run, rendering, limits, budget)]
    )
    for choice in choices:
        print(f"Chosen for {choice.effect}: {choice.candidate.name}\n{choice.reason}")
    print(f"Written: {choose.write(store, choices)}")


@app.command("grids")
@explained
def grids_command() -> None:
    """List the grids that come with the project."""
    listing = Table("grid", "title")
    for name in grids.committed_names():
        listing.add_row(name, grids.title(name))
    terminal.console().print(listing)


@app.command("effects")
@explained
def effects_command() -> None:
    """List the effects that a grid file can name: what they are, and their controls."""
    console = terminal.console()
    for effect in effects.listing():
        kind = "circuit, built in" if effect.kind == "circuit" else "LV2 plugin"
        if not effect.is_installed:
            kind += ", not installed: run make system"
        console.print(f"{effect.name} ({kind}): {effect.meaning}")
        for setting in effect.settings:
            console.print(f"    {setting}")


@app.command("render")
@explained
def render_command(
    run: RunArgument,
    source: Annotated[Path, typer.Argument(metavar="IN", help="Dry WAV or FLAC, any rate.")],
    destination: Annotated[Path, typer.Argument(metavar="OUT", help="Wet .wav or .flac.")],
    grid: GridOption = "quick",
    effect: EffectOption = None,
    rendering: RenderingOption = None,
    bits: Annotated[
        Literal["24", "32f"] | None,
        typer.Option(help="Integers or float.  [default: 32f, for FLAC 24]"),
    ] = None,
    runs: RunsOption = RUNS,
) -> None:
    """Play an audio file of any length through a trained model.

    The result has the rate, the channels and the length of the input, without delay.
    Stereo is rendered as two channels, each on its own.
    """
    from study.rendering import files, trained_model

    folder, chosen = _wanted(run, effect, Store(runs / grids.folder_name(grid)))
    form = audio_streams.form(source)
    coding = _coding(bits, destination)
    audio_streams.container_of(destination, form, coding)  # before a model is loaded for seconds
    way = rendering or chosen
    model = trained_model.load_as(folder, way) if way else trained_model.load(folder)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    ) as progress:
        task = progress.add_task(f"{folder.run_id}, {model.rendering}", total=form.samples)
        rendered = files.render_file(
            model, source, destination, coding, lambda samples: progress.advance(task, samples)
        )
    typer.echo(
        f"{destination}: {form.seconds:.1f} s, {form.channels} x {form.sample_rate_hz} Hz, "
        f"peak {defects.dbfs(rendered.peak):.1f} dBFS"
    )
    if rendered.clipped:
        typer.echo(
            f"warning: {rendered.clipped} samples were cut off at full scale; "
            "--bits 32f into a .wav keeps them",
            err=True,
        )


@app.command("play")
@explained
def play_command(
    run: RunArgument,
    grid: GridOption = "quick",
    effect: EffectOption = None,
    rendering: RenderingOption = None,
    device: Annotated[
        str | None, typer.Option(help="Number, name or part of the name of a sound card.")
    ] = None,
    block: Annotated[int, typer.Option(min=16, max=4096, help="Samples a block.")] = 128,
    seconds: Annotated[
        float, typer.Option(min=0, help="How long.  [default: until Ctrl-C]", show_default=False)
    ] = math.inf,
    runs: RunsOption = RUNS,
) -> None:
    """Play a trained model live: the sound card's input through it to the output.

    Needs the optional package sounddevice. Recurrent models carry their state on. A model
    that this machine does not compute faster than it sounds is refused.
    """
    from study.rendering import sound_card

    sound_card.sounddevice()  # missed before a model is loaded
    folder, chosen = _wanted(run, effect, Store(runs / grids.folder_name(grid)))
    player = sound_card.player(sound_card.loaded(folder, rendering or chosen), block)
    card = int(device) if device is not None and device.isdigit() else device
    console = terminal.console()
    with console.status("starting") as status:

        def tell(load: sound_card.Load, delay_s: float, late: int) -> None:
            status.update(
                Text(
                    f"{folder.run_id}: {block} samples ({1000 * player.block_s:.1f} ms) at "
                    f"{player.sample_rate_hz} Hz, load {100 * load.mean:.0f} % (worst "
                    f"{100 * load.worst:.0f} %), delay {1000 * delay_s:.0f} ms, {late} late"
                )
            )

        with suppress(KeyboardInterrupt):
            sound_card.play(player, card, seconds, tell)
    load = player.load()
    console.print(f"load {100 * load.mean:.0f} %, at worst {100 * load.worst:.0f} %")


def _coding(bits: Literal["24", "32f"] | None, destination: Path) -> Literal["24", "32f"]:
    return bits or ("24" if destination.suffix.lower() == ".flac" else "32f")


def _wanted(run: str, effect: str | None, store: Store) -> tuple[RunFolder, str | None]:
    """The run that is named, or the effect's choice and how it is rendered, which is told."""
    from study.rendering import trained_model

    if run:
        return trained_model.find(run, store), None
    choice = choose.chosen(store, effect)
    typer.echo(f"{choice.candidate.name}: {choice.whose}", err=True)
    return store.run(choice.run_id), choice.rendering


def _recording(dry: str | None, wet: str | None) -> tuple[str, str] | None:
    if bool(dry) != bool(wet):
        raise InputError(
            "recording",
            expected="both files, DRY=a.wav and WET=b.wav",
            found="only " + ("DRY" if dry else "WET"),
            remedy="Give both, or neither for the grid's own effects.",
        )
    return (dry, wet) if dry and wet else None


def _cores(workers: int | None) -> list[int]:
    available = worker_pool.cores()
    if workers is not None and workers > len(available):
        raise InputError(
            "--workers",
            expected=f"at most {len(available)}, the cores of this machine",
            found=str(workers),
            remedy="Each worker is bound to a core of its own.",
        )
    return available[:workers]


def _print_estimate(grid: grids.Grid, cores: list[int], console: Console) -> None:
    # As a worker is set up, and before JAX starts and counts its processors.
    os.environ.update(worker_pool.ONE_THREAD)
    os.sched_setaffinity(0, {cores[0]})
    from study.execution.estimate import estimate

    with console.status("measuring each architecture for a moment, twice"):
        result, again = estimate(grid, len(cores)), estimate(grid, len(cores))
    for (architecture, way), rate in result.frames_per_second.items():
        seen = "sequences" if way == "sequence" else f"frame {architecture.frame_size}"
        console.print(
            f"{architecture.family} {architecture.layers}x{architecture.units}, {seen}: "
            f"{rate:,.0f} samples/s a core",
        )
    console.print(
        f"{grid.title}: {result.runs} runs, about {_between(result.hours, again.hours)} "
        f"of training and evaluation with {len(cores)} workers",
    )
    load = os.getloadavg()[0]
    console.print(
        f"Measured while {max(0.0, load - 1):.1f} other programs were busy on "
        f"{len(worker_pool.cores())} cores"
        + ("; without them it takes less." if load > 1.5 else "."),
        highlight=False,
    )


def _between(one_hours: float, other_hours: float) -> str:
    """Two measurements of a time, or one where they agree."""
    low, high = (duration(3600 * hours) for hours in sorted((one_hours, other_hours)))
    return low if low == high else f"{low} to {high}"


def _tell(results: Any, folder: Path, console: Console) -> None:
    """Print what a command has found, and end with an exit code of its own if runs failed."""
    _print_summary(results, console)
    console.print(f"Table: {folder / 'results.csv'}")
    left = grid_runner.unfinished(results)
    for run_id, reason in left:
        print(f"failed {run_id}: {reason}", file=sys.stderr)
    if left:
        raise typer.Exit(SOME_RUNS_FAILED)


def _print_summary(results: Any, console: Console) -> None:
    best = grid_runner.summary(results)
    # Narrow enough for a terminal of 80 columns, so that no figure is cut short.
    listing = Table(
        box=None, title="finished runs: test figures, by effect, best on validation first"
    )
    for name in best.columns:
        listing.add_column(name, no_wrap=True)
    for row in best.head(20).itertuples(index=False):
        listing.add_row(*(f"{v:.4f}" if isinstance(v, float) else str(v) for v in row))
    console.print(listing)
    if len(best) > 20:
        console.print(f"... and {len(best) - 20} more in results.csv")
