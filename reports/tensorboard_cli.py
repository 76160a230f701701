"""The stored results of a grid as event files of TensorBoard.

A folder a run with its losses by epoch, its settings as hyperparameters and what the grid is
compared by as metrics. TensorBoard's own writer and messages; TensorFlow has no part in it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from reports.sources.results import Results, Row, read
from study.command_line.errors import explained
from study.config.about import told
from study.config.grid import folder_name
from study.config.run import SETTINGS, RunConfig
from study.store.folders import RUNS, Store

METRICS = {
    "validation_esr": "validation ESR",
    "asr_worst_db": "worst ASR, dB",
    "board_share": "least share of a board",
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@explained
def events(
    grid: Annotated[str, typer.Argument(help="A grid's name, or the path of its TOML file.")],
    runs: Annotated[Path, typer.Option("--runs", help="Folder of all results.")] = RUNS,
) -> None:
    """Write runs/<grid>/tensorboard/ anew from what the grid has produced so far."""
    store = Store(runs / folder_name(grid))
    results = read(store)
    typer.echo(f"{write(results)}: {len(results.finals)} runs")


def write(results: Results) -> Path:
    """A folder of event files a finished run, older ones replaced.

    Returns:
        The folder that ``tensorboard --logdir`` takes.
    """
    folder = results.store.root / "tensorboard"
    shutil.rmtree(folder, ignore_errors=True)
    shares = board_shares(results.store)
    for row in results.finals:
        config = results.configs[row["run_id"]]
        history = results.history[results.history["run_id"] == row["run_id"]]
        measured = {**row, "board_share": shares.get((row["run_id"], row["rendering"]))}
        write_run(folder / row["run_id"], config, row, history, measured)
    return folder


def board_shares(store: Store) -> dict[tuple[str, str], float]:
    """Of each model and rendering the least share of a board's time, if all goes badly."""
    with suppress(FileNotFoundError):
        table = pd.read_parquet(store.root / "budget.parquet").dropna(subset=["share_pessimistic"])
        keys = zip(table["run_id"], table["rendering"], strict=True)
        falling = sorted(zip(table["share_pessimistic"], keys, strict=True), reverse=True)
        return {key: float(share) for share, key in falling}  # the least is the last
    return {}


def write_run(
    folder: Path,
    config: RunConfig,
    row: Row,
    history: pd.DataFrame,
    measured: Mapping[str, Any],
) -> None:
    """Losses a step an epoch, hyperparameters, and metrics at the last epoch."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))

    def add(step: int, *values: Summary.Value) -> None:
        writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))

    start = plugin_data_pb2.SessionStartInfo(group_name=config.run_id)
    for name, value in settings(config, row).items():
        kind = {bool: "bool_value", str: "string_value"}.get(type(value), "number_value")
        setattr(start.hparams[name], kind, value)
    end = plugin_data_pb2.SessionEndInfo(status="STATUS_SUCCESS")
    for tag, content in (
        (metadata.SESSION_START_INFO_TAG, {"session_start_info": start}),
        (metadata.SESSION_END_INFO_TAG, {"session_end_info": end}),
    ):
        data = plugin_data_pb2.HParamsPluginData(**content)
        about = metadata.create_summary_metadata(data)
        add(0, Summary.Value(tag=tag, metadata=about, tensor=metadata.NULL_TENSOR))
    for name in ("loss", "validation_loss"):
        for epoch, value in zip(history["epoch"], history[name], strict=True):
            add(int(epoch), Summary.Value(tag=name, simple_value=value))
    for name, label in METRICS.items():
        if measured.get(name) is not None:
            add(int(row["epoch"]), Summary.Value(tag=label, simple_value=measured[name]))
    writer.close()


def settings(config: RunConfig, row: Row) -> dict[str, bool | str | float]:
    """The settings that are columns of the results, the effect by the grid's name of it."""
    values = {name: told(getattr(config, name)) for name, own in SETTINGS.items() if own.in_results}
    values |= {"effect": row["effect"]}
    return {name: value for name, value in values.items() if value is not None}


if __name__ == "__main__":
    app(prog_name="python -m reports.tensorboard_cli")
