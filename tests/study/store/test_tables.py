"""The results table: every column typed, there and back through CSV and Parquet."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data import files
from data.effects import Effect
from data.errors import InputError
from study.config.grid import Grid
from study.config.run import RunConfig
from study.execution import grid_runner
from study.selection.choose import choose
from study.store import tables
from study.store.folders import Store
from tests import tiny

CONFIGS = tuple(tiny.config(seed=seed) for seed in (0, 1, 2))
MEASURED = {
    name: 0.1 * place + 0.1 + 0.2
    for place, (name, (dtype, _)) in enumerate(tables.COLUMNS.items())
    if dtype == "Float64" and name != "learning_rate"
}


def row(config: RunConfig, epoch: int, is_final: bool, **changes: Any) -> dict[str, Any]:
    return {
        **tables.described(config),
        "status": "ok",
        **MEASURED,
        "epoch": epoch,
        "is_final": is_final,
        "parameters": 73,
        "macs_per_sample": 68,
        **changes,
    }


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three runs: one finished with two rows, one failed, one pending."""
    made = Store(tmp_path / "mine")
    made.write_grid(Grid("mine", "Mine", CONFIGS, "mine"))
    finished, failed, _ = made.runs()
    rows = [row(CONFIGS[0], 3, False), row(CONFIGS[0], 6, True, esr_above_8khz=None)]
    files.write_json(finished.result_file, {"status": "ok", "rows": rows})
    files.write_text(finished.history_file, "epoch,loss,validation_loss\n1,0.5,0.6\n2,0.25,0.3\n")
    tables.write_failure(CONFIGS[1], failed, "too hot, by far\nand wet")
    return made


def test_a_table_has_every_column_with_its_dtype_in_order(store: Store) -> None:
    written = tables.write(store)
    assert list(written) == list(tables.COLUMNS)
    for name, (dtype, _) in tables.COLUMNS.items():
        assert written[name].dtype == pd.Series(dtype=dtype).dtype, name
    assert written["status"].tolist() == ["ok", "ok", "failed", "pending"]
    assert written["seed"].tolist() == [0, 0, 1, 2]


def test_csv_and_parquet_hold_the_same_table_to_the_last_bit(store: Store) -> None:
    written = tables.write(store)
    from_csv = tables.read(store.table_file)
    from_parquet = pd.read_parquet(store.table_file.with_suffix(".parquet"))
    pd.testing.assert_frame_equal(from_csv, written, check_exact=True)
    pd.testing.assert_frame_equal(from_parquet, written, check_exact=True)
    assert from_csv.loc[0, "esr"] == MEASURED["esr"]
    assert from_csv["esr_above_8khz"].isna().tolist()[:2] == [False, True]
    assert from_csv.loc[2, "error"] == "too hot, by far\nand wet"


def test_an_empty_measurement_stays_empty_and_is_not_zero(store: Store) -> None:
    pending = tables.write(store).iloc[3]
    assert pending[["esr", "epoch", "parameters", "error"]].isna().all()


def test_history_has_a_row_an_epoch_of_finished_runs(store: Store) -> None:
    tables.write(store)
    history = pd.read_parquet(store.root / "history.parquet")
    assert history["run_id"].unique().tolist() == [CONFIGS[0].run_id]
    assert history["epoch"].tolist() == [1, 2]
    assert history["validation_loss"].tolist() == [0.6, 0.3]


@pytest.mark.parametrize("content", ["", "\0\0", "epoch,lo"])
def test_a_history_that_a_power_cut_broke_is_left_out(store: Store, content: str) -> None:
    files.write_text(next(store.runs()).history_file, content)
    tables.write(store)
    assert pd.read_parquet(store.root / "history.parquet").empty


def test_a_run_of_another_version_is_pending_and_says_so(store: Store) -> None:
    finished, *_ = store.runs()
    files.write_json(finished.config_file, {**files.read_json(finished.config_file), "reverb": 1})
    collected = tables.collect(store)
    assert collected["status"].tolist() == ["pending", "failed", "pending"]
    assert collected.loc[0, "run_id"] == finished.run_id
    assert "another version" in str(collected.loc[0, "error"])


def test_two_effects_of_one_name_are_told_apart(tmp_path: Path) -> None:
    other = Effect("clipper", "recording", content="another1").to_dict()
    configs = CONFIGS[0], tiny.config(effect=other)
    store = Store(tmp_path / "mine")
    store.write_grid(Grid("mine", "Mine", configs, "mine"))
    for config, esr in zip(configs, (0.25, 0.125), strict=True):
        rows = [row(config, 6, True, rendering="framed", validation_esr=esr)]
        files.write_json(store.run(config.run_id).result_file, {"status": "ok", "rows": rows})
        probe = {"epoch": 6, "rendering": "framed", "probe": "standard"}
        probe |= {"f0_hz": 110.0, "amplitude": 0.5}
        store.run(config.run_id).probes.write([probe], {})
    names = ["clipper (tiny)", "clipper (another1)"]
    collected = tables.collect(store)
    assert collected["effect"].tolist() == names
    assert tables.aliasing(store)["effect"].tolist() == names
    assert choose(collected, effect=names[0])[names[0]].run_id == configs[0].run_id
    assert set(choose(collected)) == set(names)


def test_nothing_but_the_tables_is_left_in_the_folder(store: Store) -> None:
    tables.write(store)
    assert sorted(p.name for p in store.root.iterdir() if p.is_file()) == [
        "aliasing.parquet",
        "columns.md",
        "grid.json",
        "history.parquet",
        "results.csv",
        "results.parquet",
    ]


def test_timings_and_metrics_are_columns() -> None:
    assert set(tables.TIMINGS) <= set(tables.COLUMNS)
    assert {"mae", "r2", "esr", "fir_esr"} <= set(tables.METRICS)
    assert not set(tables.METRICS) & {*tables.TIMINGS, "validation_esr", "parameters"}


def test_a_summary_ranks_finished_runs_by_validation(store: Store) -> None:
    worse, better = (dict(row(c, 6, True)) for c in (CONFIGS[1], CONFIGS[2]))
    better["validation_esr"] = worse["validation_esr"] / 2
    results = tables.typed([worse, better, row(CONFIGS[0], 3, False)])
    assert grid_runner.summary(results)["seed"].tolist() == [2, 1]


def test_failures_are_listed_with_their_reason(store: Store) -> None:
    results = tables.write(store)
    failed, pending = grid_runner.unfinished(results)
    assert failed == (CONFIGS[1].run_id, "too hot, by far\nand wet")
    assert pending[0] == CONFIGS[2].run_id and "went away" in pending[1]


def test_a_table_without_a_finished_run_is_refused_with_the_first_reason(store: Store) -> None:
    tables.require_finished(tables.collect(store), store)
    next(store.runs()).result_file.unlink()
    with pytest.raises(InputError, match=r"none finished, 1 failed \(first reason: too hot"):
        tables.require_finished(tables.collect(store), store)


def test_failed_runs_are_tried_again_unless_they_would_fail_the_same_way(store: Store) -> None:
    _, failed, pending = store.runs()
    tables.write_failure(CONFIGS[2], pending, "diverged", is_final=True)
    grid_runner._forget_failures(store)
    assert failed.state() == "pending"
    assert pending.state() == "failed"
