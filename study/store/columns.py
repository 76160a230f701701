"""The columns of a study's tables: their types, meanings and units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from study.config.about import dtype
from study.config.run import SETTINGS, RunConfig
from study.measures.metrics import METRICS

Columns = Mapping[str, tuple[str, str]]  # name -> (pandas dtype, meaning), in a file's order

METRIC_COLUMNS = {metric.name: ("Float64", metric.explanation) for metric in METRICS}

# Settings that stand before the epoch and the rendering, and those at the end of the others.
_FIRST = (
    "effect",
    "direction",
    "family",
    "layers",
    "units",
    "training",
    "frame_size",
    "features",
    "window_samples",
    "sequence_seconds",
    "warmup_samples",
    "residual",
    "training_frames",
    "epochs",
)
_LAST = ("knobs", "antialias_epochs", "streaming_epochs")


def _between() -> list[str]:
    placed = (*_FIRST, *_LAST)
    return [name for name, own in SETTINGS.items() if own.in_results and name not in placed]


def _settings(*names: str) -> Columns:
    return {name: (dtype(RunConfig, name), SETTINGS[name].meaning) for name in names}


COLUMNS: dict[str, tuple[str, str]] = {
    "run_id": ("string", "folder under runs/<grid>/runs"),
    "status": ("string", "ok, failed, or pending"),
    "error": ("string", "why the run failed or is not counted"),
    **_settings(*_FIRST),
    "epoch": ("Int64", "epoch whose weights this row describes"),
    "is_final": ("boolean", "whether this is the run's main row: model.keras as it was trained"),
    "role": (
        "string",
        "main (is_final); other (the final model rendered otherwise); checkpoint (of an epoch)",
    ),
    "rendering": (
        "string",
        "framed; streaming (state carried); streaming_tuned (so, after fine-tuning for it); "
        "framed_x<k> (at k times the rate)",
    ),
    **_settings(*_between(), *_LAST),
    **METRIC_COLUMNS,
    "onsets": ("Int64", "notes found in the test split"),
    "esr_transient": ("Float64", "test: ESR of the first 10 ms of notes"),
    "esr_sustained": ("Float64", "test: ESR of notes from 50 to 500 ms"),
    "asr_110hz_db": ("Float64", "probe: aliasing-to-signal ratio of a sine near 110 Hz, 0.5 peak"),
    "asr_440hz_db": ("Float64", "probe: the same near 440 Hz"),
    "asr_1249hz_db": ("Float64", "probe: the same near 1249 Hz"),
    "asr_4201hz_db": ("Float64", "probe: the same near 4201 Hz"),
    "asr_worst_db": ("Float64", "probe: the highest of these and of those at 0.1 peak"),
    "asr_guitar_db": ("Float64", "probe: the highest at the notes of a guitar, at 0.5 peak"),
    "effect_asr_worst_db": ("Float64", "probe: the effect's own, at the same sample rate"),
    "rest_radius": (
        "Float64",
        "state carried: largest eigenvalue of its step at rest; 1 or more never comes back to it",
    ),
    "idle_dc_db": ("Float64", "state carried: mean output in silence, dB of full scale"),
    "idle_noise_db": ("Float64", "state carried: what else is heard in silence"),
    "recovery_db": ("Float64", "state carried: distance from rest 1 s after a loud burst"),
    "instability": ("string", "state carried: why it must not be chosen; empty if it is stable"),
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
    "asr_db": ("Float64", "energy of all aliases against the harmonics, as a board plays them"),
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
BUDGET_COLUMNS: dict[str, tuple[str, str]] = {
    "run_id": ("string", "as in the results"),
    "rendering": ("string", "as in the results"),
    "board": ("string", "name of the board"),
    "route": ("string", "c, or tflite_ and the kind of numbers"),
    "instructions_per_sample": ("Float64", "a sample of the model's rate, resampling included"),
    "cycles_per_sample": ("Float64", "the same in cycles, without waiting; empty where not known"),
    "cycles_basis": (
        "string",
        "where cycles come from: timing (rules of the processor), board (measured) or range",
    ),
    "cycles_optimistic": ("Float64", "the same in cycles, if all goes well"),
    "cycles_pessimistic": ("Float64", "the same in cycles, if nothing does"),
    "budget_cycles": ("Float64", "that the processor has until the next sample of the model"),
    "share_optimistic": ("Float64", "of that budget"),
    "share_pessimistic": ("Float64", "of that budget"),
    "ram_bytes": ("Int64", "with the board's library"),
    "flash_bytes": ("Int64", "with the board's library"),
    "latency_ms": ("Float64", "from converter to converter"),
    "verdict": ("string", "yes, tight (if all goes well) or no"),
    "basis": ("string", "whether the instructions were measured or estimated"),
    "instructions_error": ("Float64", "the largest relative one; 0 where measured"),
    "resampling": ("string", "between the model's rate and the board's"),
    "reason": ("string", "for the verdict"),
}
BUDGET_ADDED: frozenset[str] = frozenset(["cycles_per_sample", "cycles_basis"])
"""Of these, what tables lack that were written before there was such a column."""
TRIAL_COLUMNS: dict[str, tuple[str, str]] = {
    "trial": ("Int64", "its number, in the order of their beginning"),
    "state": ("string", "complete, pruned or fail"),
    "validation_loss": ("Float64", "the lowest"),
    "epochs": ("Int64", "trained"),
    "reason": ("string", "why it failed"),
}
TIMING_COLUMNS: dict[str, tuple[str, str]] = {
    "effect": ("string", "what is modelled"),
    "run_id": ("string", "as in the results; the best model of the effect"),
    "method": ("string", "circuit, keras_framed, keras_streaming, tflite or c"),
    "block_samples": ("Int64", "computed at once"),
    "sample_rate_hz": ("Int64", "of dry and wet"),
    "seconds_per_second": ("Float64", "of processor time, a second of audio, on one core"),
}


def typed(
    rows: Sequence[Mapping[str, Any]] | pd.DataFrame, columns: Columns = COLUMNS
) -> pd.DataFrame:
    """Rows as a table with these columns, each of its own type."""
    table = pd.DataFrame(rows, columns=list(columns))
    return table.astype({name: dtype for name, (dtype, _) in columns.items()})
