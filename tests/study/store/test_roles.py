"""A row is of a run's main model, of the same rendered otherwise, or of an epoch on the way."""

from pathlib import Path
from typing import Any

import pytest

from data import files
from study.config.grid import Grid
from study.store import tables
from study.store.folders import Store
from study.store.roles import role
from tests import tiny

FRAMED = [
    ({"rendering": "framed", "epoch": 2}, "checkpoint"),
    ({"rendering": "streaming", "epoch": 6}, "other"),
    ({"rendering": "streaming_tuned", "epoch": 6}, "other"),
    ({"rendering": "framed_x4", "epoch": 6}, "other"),
    ({"rendering": "framed", "epoch": 6, "is_final": True}, "main"),
]
# With patience the kept epoch may lie before a checkpoint of the same rendering.
SEQUENCE = [
    ({"rendering": "streaming", "epoch": 9}, "checkpoint"),
    ({"rendering": "streaming", "epoch": 6, "is_final": True}, "main"),
]


@pytest.mark.parametrize(("row", "expected"), FRAMED)
def test_rows_of_a_framed_run(row: dict[str, Any], expected: str) -> None:
    assert role({"training": "framed", **row}) == expected


@pytest.mark.parametrize(("row", "expected"), SEQUENCE)
def test_rows_of_a_run_on_sequences(row: dict[str, Any], expected: str) -> None:
    assert role({"training": "sequence", **row}) == expected


def test_the_table_tells_roles_of_folders_that_know_none(tmp_path: Path) -> None:
    configs = tiny.config(family="lstm"), tiny.sequence_config(), tiny.config(seed=1)
    store = Store(tmp_path / "grid")
    store.write_grid(Grid("grid", "Roles", configs, "grid.toml"))
    for config, rows in zip(configs, (FRAMED, SEQUENCE), strict=False):
        written = [{"status": "ok", "is_final": False, **row} for row, _ in rows]
        folder = store.run(config.run_id)
        files.write_json(folder.result_file, {"status": "ok", "rows": written})
    found = tables.collect(store)["role"]
    assert list(found.dropna()) == [expected for _, expected in (*FRAMED, *SEQUENCE)]
    assert found.isna().sum() == 1  # of the run that is pending
