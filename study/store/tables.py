"""The tables of a study: their columns, meanings and units, and their files.

``results`` has a row a model and way of rendering: the final model of every run as it was
trained (``is_final``), streaming, so after fine-tuning, and oversampled, and one row for
every checkpoint epoch.
``history`` has the losses by epoch, ``aliasing`` a row a probe.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from data import files
from data.errors import InputError
from study.config.about import told
from study.config.run import RunConfig, effect_names
from study.store import knob_table, received
from study.store.columns import ALIASING_COLUMNS, BUDGET_COLUMNS, TIMING_COLUMNS
from study.store.columns import COLUMNS as COLUMNS
from study.store.columns import HISTORY_COLUMNS as HISTORY_COLUMNS
from study.store.columns import typed as typed
from study.store.folders import RunFolder, Store
from study.store.roles import role

METRICS = [name for name, (_, meaning) in COLUMNS.items() if meaning.startswith("test: ")]
TIMINGS = ["training_seconds", "inference_seconds_per_second"]


def write_failure(
    config: RunConfig, folder: RunFolder, reason: str, *, is_final: bool = False
) -> None:
    """Record that a run failed and why; a final failure is not tried again."""
    row = {**described(config), "status": "failed", "error": reason, "is_final": True}
    files.write_json(folder.result_file, {"status": "failed", "is_final": is_final, "rows": [row]})


def collect(store: Store) -> pd.DataFrame:
    """The table of a grid as its run folders stand now; unfinished runs are pending.

    So is, with the reason, a run whose configuration is broken or of another version.
    """
    rows: list[dict[str, Any]] = []
    for run in store.runs():
        rows += _rows(run)
    names = effect_names(store.configs())
    return typed([{**row, "effect": names.get(row["run_id"])} for row in rows])


def _rows(run: RunFolder) -> list[dict[str, Any]]:
    try:
        config = run.config()
    except InputError as error:
        return [{"run_id": run.run_id, "status": "pending", "error": str(error)}]
    own = described(config)
    # Of a sequence's split the row knows the size.
    known = {name: value for name, value in own.items() if name != "training_frames"}
    try:
        rows = [{**row, **known} for row in run.stored_result()["rows"]]
    except FileNotFoundError:
        return [{**own, "status": "pending"}]
    except InputError as error:
        return [{**own, "status": "pending", "error": str(error)}]
    return [{**row, "role": role(row) if row["status"] == "ok" else None} for row in rows]


def described(config: RunConfig) -> dict[str, Any]:
    """The columns that a run's configuration fills.

    Its effect by name; ``collect`` tells apart those of a grid.
    """
    values = config.model_dump()
    own = {name: told(values[name]) for name in COLUMNS if name in values}
    known = {"run_id": config.run_id, **own, "effect": config.effect_name}
    if config.training == "sequence":  # the whole split; counted when it is there
        known |= {"training_frames": None}
        if not config.features:
            known |= {"frame_size": None}
    return known


def history(store: Store) -> pd.DataFrame:
    """Loss by epoch of every finished run: run_id, epoch, loss, validation_loss."""
    columns = list(HISTORY_COLUMNS)
    parts = []
    for run in store.runs():
        with suppress(FileNotFoundError, InputError):  # not there yet, or broken
            parts.append(received.history(run.history_file).assign(run_id=run.run_id)[columns])
    return pd.concat(parts) if parts else pd.DataFrame(columns=columns)


def aliasing(store: Store) -> pd.DataFrame:
    """A row a probe of every model and effect; ``ALIASING_COLUMNS`` says what they hold."""
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    configs = store.configs()
    names = effect_names(configs)
    for run_id, config in configs.items():
        run = store.run(run_id)
        known = {"effect": names[run_id], "sample_rate_hz": config.sample_rate_hz}
        rows += [{**known, "run_id": run_id, **row} for row in run.probes.rows() or []]
        if config.pair_key not in seen:
            seen.add(config.pair_key)
            target = store.target(config.pair_key).rows() or []
            rows += [{**known, "rendering": "effect", **row} for row in target]
    return typed(rows, ALIASING_COLUMNS)


def require_finished(table: pd.DataFrame, store: Store) -> None:
    """Raise ``InputError``, with the first reason, when a table holds no finished run."""
    if (table["status"] == "ok").any():
        return
    reasons = table["error"].dropna().tolist()
    raise InputError(
        f"study {store.root}",
        expected="at least one finished run",
        found=f"{len(table)} runs, none finished, {(table['status'] == 'failed').sum()} failed"
        + (f" (first reason: {reasons[0]})" if reasons else ""),
        remedy=f"Run `{store.grid_command()}`.",
    )


def write(store: Store) -> pd.DataFrame:
    """Collect the table and write it as CSV and Parquet; history as Parquet."""
    table = collect(store)
    files.write_whole(store.table_file, lambda p: table.to_csv(p, index=False))
    files.write_whole(store.table_file.with_suffix(".parquet"), _parquet(table))
    files.write_whole(store.root / "history.parquet", _parquet(history(store)))
    files.write_whole(store.root / "aliasing.parquet", _parquet(aliasing(store)))
    knob_table.write(store)
    files.write_text(store.root / "columns.md", data_dictionary())
    return table


def data_dictionary() -> str:
    """What every column of the tables means, as Markdown."""
    tables = {
        "results": COLUMNS,
        "history": HISTORY_COLUMNS,
        "aliasing": ALIASING_COLUMNS,
        "settings": knob_table.SETTING_COLUMNS,
        "budget": BUDGET_COLUMNS,
        "timing": TIMING_COLUMNS,
    }
    lines = ["# Columns", ""]
    for name, columns in tables.items():
        lines += [f"## {name}.parquet", "", "| column | type | meaning |", "|---|---|---|"]
        lines += [
            f"| `{column}` | {dtype} | {meaning.replace('|', chr(92) + '|')} |"
            for column, (dtype, meaning) in columns.items()
        ]
        lines.append("")
    return "\n".join(lines)


def _parquet(table: pd.DataFrame) -> Any:
    return lambda path: table.to_parquet(path, index=False)


def read(path: Path) -> pd.DataFrame:
    """A table that ``write`` wrote as CSV, with its dtypes."""
    return pd.read_csv(path, dtype={name: dtype for name, (dtype, _) in COLUMNS.items()})
