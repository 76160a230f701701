"""The table of models at settings of an effect's controls. Needs no Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pandas as pd

from data import files
from data.errors import InputError
from study.config.about import dtype, told
from study.config.run import FRAMED_ONLY, SEGMENT_KEYS, SETTINGS, RunConfig, Setting, digits
from study.store import received
from study.store.columns import METRIC_COLUMNS
from study.store.folders import Store

SETTINGS_FILE = "settings.json"

# What a run is, its seed apart: where all of it is the same, rows are of one model. Settings that
# do not go with knobs tell none apart; those first and last have their places.
_FIRST = (
    "effect",
    "family",
    "layers",
    "units",
    "training",
    "frame_size",
    "features",
    "residual",
    "loss",
    "sample_rate_hz",
    "epochs",
    "training_frames",
)
_LAST = (
    "patience",
    "validation_frames",
    "window_samples",
    "sequence_seconds",
    "warmup_samples",
    "controls",
    "unseen",
)
_WITHOUT_KNOBS = ("signal", "direction", "seed", "knobs", "antialias_epochs")
_BETWEEN = [
    name
    for name, own in SETTINGS.items()
    if name not in (*_FIRST, *_LAST, *_WITHOUT_KNOBS) and not own.adds_rows
]

MODEL_COLUMNS: dict[str, tuple[str, str]] = {
    **{
        name: (dtype(RunConfig, name), SETTINGS[name].meaning)
        for name in (*_FIRST, *_BETWEEN, *_LAST)
    },
    "other_controls": ("string", "controls of the effect that stay where they are"),
}

SETTING_COLUMNS: dict[str, tuple[str, str]] = {
    "run_id": ("string", "as in the results"),
    **MODEL_COLUMNS,
    "seed": ("Int64", "as in the results"),
    "setting": ("string", "of the effect's controls"),
    "is_seen": ("boolean", "whether models were trained at it"),
    "way": ("string", "conditioned; fixed (a seen setting's own model); faded; nearest"),
    "rendering": ("string", "framed, or streaming"),
    **METRIC_COLUMNS,
    "dry_esr": ("Float64", "test: ESR of the dry signal as prediction"),
    "macs_per_sample": ("Int64", "multiply-accumulates an output sample; two models when faded"),
}


def setting_name(setting: Setting) -> str:
    """``drive=0.3, tone=0.5``; two settings never have the same name."""
    return ", ".join(f"{name}={digits(value)}" for name, value in setting.items())


def collect(store: Store) -> pd.DataFrame:
    """A row a setting and way of every finished run with knobs; ``control_<name>`` in number."""
    rows: list[dict[str, Any]] = []
    for run in store.runs():
        if run.result() is None:
            continue
        with suppress(InputError, FileNotFoundError):
            known = _described(run.config()) | {"run_id": run.run_id}
            stored = received.settings(run.path / SETTINGS_FILE, SETTING_COLUMNS)
            rows += [{**row, **known} for row in stored]
    table = pd.DataFrame(rows)
    own = sorted(name for name in table.columns if name.startswith("control_"))
    table = table.reindex(columns=[*SETTING_COLUMNS, *own])
    return table.astype({name: dtype for name, (dtype, _) in SETTING_COLUMNS.items()})


def _described(config: RunConfig) -> dict[str, Any]:
    """The columns that a run's configuration fills, with what says something of the run."""
    idle = SEGMENT_KEYS if config.training == "framed" else FRAMED_ONLY
    composed = {
        "effect": config.effect["name"],
        "controls": _values(config.controls),
        "unseen": _values(config.unseen),
        "other_controls": setting_name(_left_alone(config)),
    }
    plain = [n for n in (*MODEL_COLUMNS, "seed") if n not in composed and n not in idle]
    return {**composed, **{name: told(getattr(config, name)) for name in plain}}


def _values(controls: Mapping[str, Sequence[float]]) -> str:
    """``drive=0.1/0.5/0.9``; the order in which they were given says nothing."""
    return ", ".join(
        f"{name}={'/'.join(map(digits, sorted(values)))}"
        for name, values in sorted(controls.items())
    )


def _left_alone(config: RunConfig) -> Setting:
    given: Setting = config.effect["controls"]
    return {name: value for name, value in given.items() if name not in config.controls}


def write(store: Store) -> None:
    """Write settings.csv and settings.parquet, where a run has knobs."""
    table = collect(store)
    if table.empty:
        return
    files.write_whole(store.root / "settings.csv", lambda p: table.to_csv(p, index=False))
    files.write_whole(store.root / "settings.parquet", lambda p: table.to_parquet(p, index=False))
