"""Runs that count as finished, with weights that were drawn and not trained."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from study import engine, files, training
from study.grid import Grid, RunConfig
from study.store import RunFolder, Store
from tests import tiny


def grid(root: Path, *configs: RunConfig, **row: Any) -> Store:
    """A store with one finished run for every configuration; ``row`` joins each row."""
    store = Store(root)
    store.write_grid(Grid(root.name, "Test", configs, f"{root.name}.toml"))
    for config in configs:
        finish(store.run(config.run_id), config, **row)
    return store


def finish(folder: RunFolder, config: RunConfig, **row: Any) -> None:
    """Weights three times as large as drawn, and rows that say so little as ``row``."""
    rng = np.random.default_rng(config.seed)
    drawn = engine.initial_state(config.architecture, config.seed).weights
    weights = [
        jnp.asarray(3 * w + 0.05 * rng.standard_normal(w.shape).astype(np.float32)) for w in drawn
    ]
    training.save_model(config, weights, folder.model_file())
    rows = [{"status": "ok", "is_final": True, "rendering": "framed", **row}]
    files.write_json(folder.result_file, {"status": "ok", "rows": rows})


def config(**changes: Any) -> RunConfig:
    """Of ``tests.tiny``, recurrent unless ``changes`` say otherwise."""
    return tiny.config(**({"family": "lstm", "units": 6} | changes))
