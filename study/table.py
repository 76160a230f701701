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

from data.errors import InputError
from study import files, settings
from study.run_config import RunConfig, effect_names
from study.store import RunFolder, Store

# Column -> (pandas dtype, meaning). The order is the order in the files.
COLUMNS: dict[str, tuple[str, str]] = {
    "run_id": ("string", "folder under runs/<grid>/runs"),
    "status": ("string", "ok, failed, or pending"),
    "error": ("string", "why the run failed or is not counted"),
    "effect": ("string", "what is modelled; with its controls where only they differ"),
    "direction": ("string", "forward, or reversed: dry and wet have changed places"),
    "family": ("string", "lstm, gru, rnn, dense, conv or conv_gru"),
    "layers": ("Int64", "hidden layers"),
    "units": ("Int64", "units a hidden layer"),
    "training": ("string", "framed, or sequence: on segments of audio, the state carried"),
    "frame_size": ("Int64", "dry samples a frame; none for sequences"),
    "window_samples": ("Int64", "sequences and tuning: steps that a gradient goes back"),
    "sequence_seconds": ("Float64", "sequences and tuning: length of a segment"),
    "warmup_samples": ("Int64", "sequences and tuning: run through before a segment counts"),
    "residual": ("boolean", "whether the dry sample is added to the model's output"),
    "training_frames": ("Int64", "samples with a loss an epoch: frames drawn, or all segments"),
    "epochs": ("Int64", "epochs asked for"),
    "epoch": ("Int64", "epoch whose weights this row describes"),
    "is_final": ("boolean", "whether this is the run's main row: model.keras as it was trained"),
    "rendering": (
        "string",
        "framed; streaming (state carried); streaming_tuned (so, after fine-tuning for it); "
        "framed_x<k> (at k times the rate)",
    ),
    "batch_size": ("Int64", "frames a step"),
    "learning_rate": ("Float64", "Adam's highest"),
    "schedule": ("string", "of the learning rate"),
    "weight_decay": ("Float64", "AdamW's; 0 is Adam"),
    "loss": ("string", "training loss"),
    "sample_rate_hz": ("Int64", "of dry and wet"),
    "seed": ("Int64", "of weights, draw and order of frames"),
    "knobs": ("string", "none; conditioned (told the setting); faded (a model a setting)"),
    "antialias_epochs": ("Int64", "epochs of fine-tuning against aliases"),
    "streaming_epochs": ("Int64", "epochs of fine-tuning for streaming"),
    "mae": ("Float64", "test: mean |y - p|"),
    "r2": ("Float64", "test: 1 - sum (y-p)^2 / sum (y - mean y)^2"),
    "esr": ("Float64", "test: sum (y-p)^2 / sum y^2"),
    "esr_preemph": ("Float64", "test: ESR after 1 - 0.85 z^-1"),
    "dc": ("Float64", "test: (mean (y-p))^2 / mean y^2"),
    "mr_stft": ("Float64", "test: multi-resolution STFT distance"),
    "esr_above_8khz": ("Float64", "test: ESR of the band above 8 kHz; high-frequency error"),
    "lsd_db": ("Float64", "test: log-spectral distance in dB"),
    "lsd_above_8khz_db": ("Float64", "test: the same above 8 kHz"),
    "onsets": ("Int64", "notes found in the test split"),
    "esr_transient": ("Float64", "test: ESR of the first 10 ms of notes"),
    "esr_sustained": ("Float64", "test: ESR of notes from 50 to 500 ms"),
    "asr_110hz_db": ("Float64", "probe: aliasing-to-signal ratio of a sine near 110 Hz, 0.5 peak"),
    "asr_440hz_db": ("Float64", "probe: the same near 440 Hz"),
    "asr_1249hz_db": ("Float64", "probe: the same near 1249 Hz"),
    "asr_4201hz_db": ("Float64", "probe: the same near 4201 Hz"),
    "asr_worst_db": ("Float64", "probe: the highest of these and of those at 0.1 peak"),
    "effect_asr_worst_db": ("Float64", "probe: the effect's own, at the same sample rate"),
    "validation_esr": ("Float64", "ESR on the validation split, by which to choose"),
    "dry_mae": ("Float64", "test: MAE of the dry signal as prediction"),
    "dry_r2": ("Float64", "test: R2 of the dry signal as prediction"),
    "dry_esr": ("Float64", "test: ESR of the dry signal as prediction"),
    "fir_mae": ("Float64", "test: MAE of the best FIR with frame_size taps (64 for sequences)"),
    "fir_r2": ("Float64", "test: R2 of that FIR"),
    "fir_esr": ("Float64", "test: ESR of that FIR"),
    "parameters": ("Int64", "trainable numbers"),
    "macs_per_sample": ("Int64", "multiply-accumulates an output sample, as rendered"),
    "training_seconds": ("Float64", "up to this epoch, on one core, compilation apart"),
    "inference_seconds_per_second": ("Float64", "as rendered, on one core, a second of audio"),
}

ALIASING_COLUMNS: dict[str, tuple[str, str]] = {
    "run_id": ("string", "as in the results; empty for an effect"),
    "effect": ("string", "what is modelled"),
    "sample_rate_hz": ("Int64", "at which it was probed; ratios at others do not compare"),
    "rendering": ("string", "effect, or as in the results"),
    "epoch": ("Int64", "epoch whose weights answered"),
    "probe": ("string", "standard (four pitches, two levels) or note (of a piano)"),
    "f0_hz": ("Float64", "frequency of the sine"),
    "amplitude": ("Float64", "its peak, 1 is full scale"),
    "asr_db": ("Float64", "energy of all aliases against the harmonics below Nyquist"),
    "strongest_alias_db": ("Float64", "the strongest alias against the fundamental (dBc)"),
    "strongest_alias_hz": ("Float64", "its frequency"),
    "dc_db": ("Float64", "energy of the offset against the harmonics"),
    "residue_db": ("Float64", "energy of what does not repeat against the harmonics"),
}
HISTORY_COLUMNS: dict[str, tuple[str, str]] = {
    "run_id": ("string", "as in the results"),
    "epoch": ("Int64", "passes over the training frames"),
    "loss": ("Float64", "training loss, mean over the epoch's batches"),
    "validation_loss": ("Float64", "the same loss on frames of the validation split"),
}

METRICS = [name for name, (_, meaning) in COLUMNS.items() if meaning.startswith("test: ")]
TIMINGS = ["training_seconds", "inference_seconds_per_second"]


def typed(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a table with every column, in order and with its dtype."""
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({name: dtype for name, (dtype, _) in COLUMNS.items()})


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
    result = run.result()
    return list(result["rows"]) if result else [{**described(config), "status": "pending"}]


def described(config: RunConfig) -> dict[str, Any]:
    """The columns that a run's configuration fills.

    Its effect by name; ``collect`` tells apart those of a grid.
    """
    values = config.model_dump()
    own = {name: values[name] for name in COLUMNS if name in values}
    known = {"run_id": config.run_id, **own, "effect": config.effect_name}
    if config.training == "sequence":  # the whole split; counted when it is there
        known |= {"frame_size": None, "training_frames": None}
    return known


def history(store: Store) -> pd.DataFrame:
    """Loss by epoch of every finished run: run_id, epoch, loss, validation_loss."""
    columns = list(HISTORY_COLUMNS)
    parts = []
    for run in store.runs():
        # Not there yet, or broken by a power cut: no column of the name, or none at all.
        with suppress(FileNotFoundError, ValueError, KeyError):
            parts.append(pd.read_csv(run.history_file).assign(run_id=run.run_id)[columns])
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
    typed_rows = pd.DataFrame(rows, columns=list(ALIASING_COLUMNS))
    return typed_rows.astype({name: dtype for name, (dtype, _) in ALIASING_COLUMNS.items()})


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
    settings.write(store)
    files.write_text(store.root / "columns.md", data_dictionary())
    return table


def data_dictionary() -> str:
    """What every column of the tables means, as Markdown."""
    tables = {
        "results": COLUMNS,
        "history": HISTORY_COLUMNS,
        "aliasing": ALIASING_COLUMNS,
        "settings": settings.SETTING_COLUMNS,
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
