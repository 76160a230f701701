"""The command line: ``python -m embedded --help``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from study.command_line.errors import explained
from study.config.grid import folder_name
from study.execution import worker_pool
from study.selection import boards, choose
from study.store.folders import RUNS, Store

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Bring a trained model to hosts and boards.",
    epilog="`make choose` says which model of a grid these commands take.",
)

GridArgument = Annotated[str, typer.Argument(help="A grid's name, or the path of its TOML file.")]
RunOption = Annotated[
    str | None,
    typer.Option("--run", help="A run's id or its beginning.  [default: the effect's choice]"),
]
EffectOption = Annotated[
    str | None,
    typer.Option("--effect", help="Whose choice, where no run is named.  [default: the first]"),
]
RunsOption = Annotated[Path, typer.Option("--runs", help="Folder of all results.")]


@app.callback()
def main() -> None:
    """Keep command names even while there is one command."""


@app.command("export")
@explained
def export_command(
    grid: GridArgument = "quick",
    format_name: Annotated[
        str, typer.Option("--format", help="nam, aidax, proteus or neuralseed.")
    ] = "nam",
    run: RunOption = None,
    effect: EffectOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also a model of another sample rate.")
    ] = False,
    runs: RunsOption = RUNS,
) -> None:
    """Write a run in the file format of a host, into runs/<grid>/exports/.

    Without --run it takes the effect's choice, or where the rule's is none that the hosts load,
    the one that they load with the lowest validation ESR in streaming use.
    """
    from embedded.exports import exporting

    store = Store(runs / folder_name(grid))
    written = exporting.export(store, format_name, run, force, effect)
    typer.echo(f"{written.path}: {written.run_id}, ESR {written.esr:.4f} in streaming use")
    if written.whose:
        typer.echo(f"This is {written.whose}.")
    typer.echo(written.how)
    for warning in written.warnings:
        typer.echo(f"warning: {warning}", err=True)


@app.command("budget")
@explained
def budget_command(grid: GridArgument = "quick", runs: RunsOption = RUNS) -> None:
    """Reckon which models of a grid keep up on which board; writes budget.parquet."""
    from embedded.budget import budget

    store = Store(runs / folder_name(grid))
    for sentence in budget.told(budget.write(store)):
        typer.echo(sentence)
    typer.echo(f"Budget: {store.root / 'budget.parquet'}")


@app.command("browser")
@explained
def browser_command(grid: GridArgument = "quick", runs: RunsOption = RUNS) -> None:
    """Compile the candidates of a grid for the browser; writes browser.json for the report.

    Without a compiler for WebAssembly it says what to install, and the report does without.
    """
    from embedded.wasm import browser

    store = Store(runs / folder_name(grid))
    made = browser.write(store)
    if made.problem:
        typer.echo(f"warning: {made.problem}", err=True)
    typer.echo(f"For the browser: {len(made.models)} models, {browser.path(store)}")


@app.command("convert")
@explained
def convert_command(
    grid: GridArgument = "quick",
    run: RunOption = None,
    effect: EffectOption = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="float32, int8 or int16x8; may be given again. [default: all]"),
    ] = None,
    block: Annotated[int, typer.Option(help="Samples a call of the model, 1 to 128.")] = 16,
    form: Annotated[
        str | None,
        typer.Option(help="streaming or framed. [default: recurrent models stream]"),
    ] = None,
    runs: RunsOption = RUNS,
) -> None:
    """Write a run as TFLite models into runs/<grid>/tflite/ and prove them on this host.

    Ends with 3 if a float model does not compute what Keras computes.
    """
    from embedded.tflite.convert_command import prove, tell

    store = Store(runs / folder_name(grid))
    proved = prove(store, run or choose.chosen(store, effect).run_id, kind or [], block, form)
    if not tell(proved):
        raise typer.Exit(3)


@app.command("measure")
@explained
def measure_command() -> None:
    """Count anew, in QEMU, what the cost model of the generated C rests on.

    Writes embedded/measured/c99.json; needed when the generated code or the compiler changes.
    """
    from embedded.budget import cost_model, measure

    measure.measure(cost_model.MEASURED, typer.echo)


@app.command("measured")
@explained
def measured_command(
    log: Annotated[Path, typer.Argument(help="What the serial port of a bench firmware told.")],
    grid: GridArgument = "quick",
    runs: RunsOption = RUNS,
) -> None:
    """Take in what a board told of its own time, and compute the grid's budget anew by it."""
    from embedded.budget import budget, on_board

    store = Store(runs / folder_name(grid))
    for one in on_board.taken_in(store, log):
        typer.echo(
            f"{one.run}, {one.rendering}, on {boards.title(one.board)}: "
            f"{one.per_sample(one.warm[1]):,.0f} {one.unit} a sample of the model, at most "
            f"{one.per_sample(max(one.warm[3], one.cold[3])):,.0f}"
        )
    budget.write(store)
    typer.echo(f"Budget: {store.root / 'budget.parquet'}; `make report` shows it.")


@app.command("deploy")
@explained
def deploy_command(
    grid: GridArgument = "quick",
    board: Annotated[str, typer.Option(help=f"{boards.names()}.")] = "teensy41",
    run: RunOption = None,
    effect: EffectOption = None,
    route: Annotated[
        str, typer.Option(help="c (generated C), tflite_float32, tflite_int8 or tflite_int16x8.")
    ] = "c",
    force: Annotated[
        bool, typer.Option("--force", help="Also a model that cannot keep up.")
    ] = False,
    runs: RunsOption = RUNS,
) -> None:
    """Write the firmware of a run for a board, into runs/<grid>/firmware/, and prove it here."""
    from embedded.firmware import deploy

    store = Store(runs / folder_name(grid))
    deployed = deploy.deploy(store, board, run, route=route, force=force, effect=effect)
    for sentence in deployed.told:
        typer.echo(sentence)
    typer.echo(f"Firmware: {deployed.folder}; its README.md says how to build and flash it.")


@app.command("timing")
@explained
def timing_command(grid: GridArgument = "quick", runs: RunsOption = RUNS) -> None:
    """Measure computing time against block size on this machine; writes timing.parquet."""
    # One core, before JAX starts and counts its processors.
    os.environ.update(worker_pool.ONE_THREAD)
    os.sched_setaffinity(0, {worker_pool.cores()[0]})
    from embedded.budget import host_timing

    store = Store(runs / folder_name(grid))
    found = host_timing.write(store)
    for effect, own in found.groupby("effect", sort=False):
        typer.echo(f"{effect}: seconds of computing a second of audio, below 1 keeps up")
        for method, rows in own.groupby("method", sort=False):
            best = rows.sort_values("seconds_per_second").to_dict("records")[0]
            typer.echo(
                f"  {str(method).replace('_', ', ')}: {best['seconds_per_second']:.4f} "
                f"at blocks of {best['block_samples']:,} samples"
            )
    typer.echo(f"By block size: {store.root / 'timing.parquet'}, and `make report` draws it")
