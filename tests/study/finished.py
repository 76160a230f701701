"""Runs that count as finished, with weights that were drawn and not trained."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from data import files
from study.config.grid import Grid
from study.config.run import RunConfig
from study.rendering.weights import save_model
from study.store import tables
from study.store.folders import RunFolder, Store
from study.training import compiled
from tests import tiny


def grid(root: Path, *configs: RunConfig, **row: Any) -> Store:
    """A store with one finished run for every configuration; ``row`` joins each row."""
    store = Store(root)
    store.write_grid(Grid(root.name, "Test", configs, f"{root.name}.toml"))
    for config in configs:
        finish(store.run(config.run_id), config, **row)
    return store


def finish(folder: RunFolder, config: RunConfig, **row: Any) -> None:
    """Weights, those of input and output three times as large as drawn; rows as evaluated.

    Larger ones of the state would make it chaotic, so that no two programs agree for long.
    ``row`` holds what is measured; by default nothing is.
    """
    rng = np.random.default_rng(config.seed)
    drawn = compiled.initial_state(config.architecture, config.seed).weights
    weights = [
        jnp.asarray(
            (3 if 1 in w.shape else 1) * w + 0.05 * rng.standard_normal(w.shape).astype(np.float32)
        )
        for w in drawn
    ]
    save_model(config, weights, folder.model_file())
    shared = {**tables.described(config), "status": "ok", "epoch": config.epochs, **row}
    is_framed = config.training == "framed"
    rows = [{**shared, "is_final": True, "rendering": "framed"}] if is_framed else []
    if config.architecture.streams:
        rows.insert(0, {**shared, "is_final": not is_framed, "rendering": "streaming"})
    files.write_json(folder.result_file, {"status": "ok", "rows": rows})


def config(**changes: Any) -> RunConfig:
    """Of ``tests.tiny``, recurrent unless ``changes`` say otherwise."""
    return tiny.config(**({"family": "lstm", "units": 6} | changes))
