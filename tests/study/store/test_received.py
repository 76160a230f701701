"""Folders of results that somebody sent: what is hostile or broken in them is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data import files
from data.errors import InputError
from study.config.grid import Grid
from study.selection import choose
from study.selection.candidates import read_budget
from study.store import knob_table, received, tables
from study.store.columns import BUDGET_COLUMNS
from study.store.folders import RunFolder, Store
from tests import tiny
from tests.study.stored_tables import filled

CONFIGS = (tiny.config(), tiny.config(seed=1))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two finished runs."""
    store = Store(tmp_path / "runs" / "mine")
    store.write_grid(Grid("mine", "Mine", CONFIGS, "mine"))
    for config in CONFIGS:
        files.write_json(store.run(config.run_id).result_file, result(config.run_id))
    return store


def result(run: str, **changes: Any) -> dict[str, Any]:
    row = {
        **tables.described(next(c for c in CONFIGS if c.run_id == run)),
        **{"status": "ok", "epoch": 6, "is_final": True, "rendering": "framed"},
        **{"esr": 0.1, "validation_esr": 0.2},
    }
    return {"status": "ok", "rows": [row | changes]}


def first(store: Store) -> RunFolder:
    return next(iter(store.runs()))


def spoil(path: Path, change: Callable[[Any], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    "changes",
    [
        {"rendering": "../../evil/x"},
        {"rendering": "/tmp/x"},
        {"rendering": "framed_x2/../../x"},
        {"rendering": "framed\n"},
        {"run_id": "../x"},
        {"family": "gan"},
        {"loss": "<script>"},
        {"esr": float("nan")},
        {"esr": float("inf")},
        {"esr": "0.1"},
        {"epoch": "../1"},
        {"epoch": 1.5},
        {"epoch": -1},
        {"units": 10**40},
        {"is_final": 1},
        {"is_final": False},
    ],
)
def test_a_row_of_anything_but_known_words_and_finite_numbers_is_left_out_and_told(
    store: Store, changes: dict[str, Any]
) -> None:
    run = first(store)
    run.result_file.write_text(json.dumps(result(run.run_id, **changes)))
    assert run.result() is None
    rows = tables.collect(store).set_index("run_id")
    assert rows["status"].to_list() == ["pending", "ok"]
    assert f"file {run.result_file}: expected" in rows["error"][run.run_id]


def test_what_a_run_is_only_its_configuration_says(store: Store) -> None:
    run = first(store)
    lie = result(run.run_id, run_id=CONFIGS[1].run_id, units=99, family="lstm")
    files.write_json(run.result_file, lie)
    row = tables.collect(store).iloc[0]
    assert (row["run_id"], row["units"], row["family"]) == (run.run_id, 4, "dense")


@pytest.mark.parametrize("name", ["../x", "/etc", "", ".", "-x", "a/b", "a\n", "a\0", 7])
def test_a_grid_names_no_folder_but_its_runs(store: Store, name: Any) -> None:
    spoil(store.manifest_file, lambda own: own["runs"].append(name))
    with pytest.raises(InputError, match=r"grid\.json: expected .* found 'runs\.2'"):
        store.manifest()


@pytest.mark.parametrize("at", ["grid.json", "report", "report/runs", "targets/x/aliasing.json"])
def test_a_link_in_a_grid_is_not_followed(store: Store, tmp_path: Path, at: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    place = store.root / at
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(outside)
    with pytest.raises(InputError, match="found a link"):
        store.manifest()
    with pytest.raises(InputError, match="found a link"):
        store.write_grid(Grid("mine", "Mine", CONFIGS, "mine"))


@pytest.mark.parametrize("at", ["", "config.json", "prediction.wav", "epochs", "probes/lock"])
def test_a_run_that_is_or_holds_a_link_is_left_out_and_told(
    store: Store, tmp_path: Path, at: str
) -> None:
    run = first(store)
    kept = tmp_path / "kept"
    if at:
        kept.write_bytes(b"{}")
        place = run.path / at
        place.parent.mkdir(exist_ok=True)
        place.unlink(missing_ok=True)
    else:
        place = run.path
        place.rename(kept)
    place.symlink_to(kept)
    rows = tables.collect(store).set_index("run_id")
    assert rows["status"].to_list() == ["pending", "ok"]
    assert "found a link" in rows["error"][run.run_id]
    with pytest.raises(InputError, match="found a link"):  # nor does a grid write through it
        store.write_grid(Grid("mine", "Mine", CONFIGS, "mine"))
    assert kept.is_dir() or kept.read_bytes() == b"{}"


def test_a_lock_that_is_a_link_makes_no_file_elsewhere(store: Store, tmp_path: Path) -> None:
    (store.root / "lock").symlink_to(tmp_path / "made")
    with pytest.raises(OSError), files.lock(store.root / "lock"):
        pass
    with pytest.raises(OSError), files.company(store.root / "lock", lambda is_alone: None):
        pass
    assert not (tmp_path / "made").exists()


def test_a_pipe_is_not_waited_for(store: Store) -> None:
    run = first(store)
    run.result_file.unlink()
    os.mkfifo(run.result_file)
    assert run.result() is None
    with pytest.raises(InputError, match="found a pipe or device"):
        run.config()


def test_a_file_without_end_is_not_read(store: Store) -> None:
    run = first(store)
    with run.result_file.open("r+b") as file:
        file.truncate(2**30)
    with pytest.raises(InputError, match="1,073,741,824 bytes"):
        run.stored_result()


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a": NaN}', "9" * 10_000, '"\\ud800"', "\ufeff{}", "[]", "7", "null"]
)
def test_what_is_no_document_of_ours_is_refused_everywhere(store: Store, text: str) -> None:
    run = first(store)
    choose.write(store, choose.choose(tables.collect(store)).values())
    for file in (run.config_file, run.result_file, choose.choice_file(store), store.manifest_file):
        file.write_text(text)
    with pytest.raises(InputError):
        run.config()
    with pytest.raises(InputError):
        run.stored_result()
    with pytest.raises(InputError):
        store.manifest()
    with pytest.raises(InputError):
        choose.stored(store)


@pytest.mark.parametrize(
    "changes",
    [
        {"rendering": "../x"},
        {"run_id": "../x"},
        {"by": "fate"},
        {"limits": {"max_macs": "many"}},
        {"limits": {"max_asr_db": float("inf")}},
    ],
)
def test_a_choice_names_a_run_and_a_rendering(store: Store, changes: dict[str, Any]) -> None:
    choose.write(store, choose.choose(tables.collect(store)).values())
    spoil(
        choose.choice_file(store),
        lambda own: next(iter(own["effects"].values())).update(changes),
    )
    with pytest.raises(InputError, match="make choose"):
        choose.stored(store)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": 7},
        {"name": ""},
        {"kind": "shell"},
        {"kind": "circuit", "device": "x"},
        {"kind": "lv2", "device": "--version"},
        {"controls": {"drive": "much"}},
    ],
)
def test_an_effect_that_nothing_makes_is_no_configuration(
    store: Store, changes: dict[str, Any]
) -> None:
    run = first(store)
    spoil(run.config_file, lambda own: own["effect"].update(changes))
    with pytest.raises(InputError, match=received.ANOTHER_VERSION):
        received.config(run.config_file)


@pytest.mark.parametrize(
    "text",
    ["", "\0", "epoch,loss\n1,2", *(f"epoch,loss,validation_loss\n1,{x},1" for x in ("nan", "y"))],
)
def test_a_history_is_of_finite_numbers_or_none(store: Store, text: str) -> None:
    run = first(store)
    run.history_file.write_text(text)
    with pytest.raises(InputError):
        received.history(run.history_file)
    assert tables.history(store).empty


def test_arrays_are_finite_and_small(tmp_path: Path) -> None:
    file = tmp_path / "spectra.npz"
    np.savez(file, framed=np.array([1, 2], np.float16))
    assert received.arrays(file)["framed"].tolist() == [1, 2]
    whole = file.read_bytes()
    for spoilt in (whole[:100], whole.replace(b"NUMPY", b"NUMBY"), b""):
        file.write_bytes(spoilt)
        with pytest.raises(InputError):
            received.arrays(file)
    np.savez(file, framed=np.array([np.nan], np.float16))
    with pytest.raises(InputError, match="finite"):
        received.arrays(file)
    np.savez_compressed(file, framed=np.zeros(received.MOST_BYTES, np.uint8))
    assert file.stat().st_size < 1_000_000
    with pytest.raises(InputError, match="unpacked"):
        received.arrays(file)
    np.savez(file, framed=np.array([{}], object))
    with pytest.raises(InputError):
        received.arrays(file)


@pytest.mark.parametrize(
    "changes",
    [{"esr": None}, {"way": 7}, {"control_drive": "x"}, {"rendering": "../x"}, {"mae": 1e999}],
)
def test_a_setting_is_of_known_words_and_finite_numbers(
    store: Store, changes: dict[str, Any]
) -> None:
    row = {"setting": "drive=1", "control_drive": 1.0, "is_seen": True, "way": "fixed"}
    row |= {"rendering": "framed", "esr": 0.1, "macs_per_sample": 9}
    file = first(store).path / knob_table.SETTINGS_FILE
    file.write_text(json.dumps([row]))
    assert knob_table.collect(store)["run_id"].to_list() == [first(store).run_id]
    file.write_text(json.dumps([row | changes]))
    assert knob_table.collect(store).empty


def test_a_broken_budget_is_one_sentence(store: Store) -> None:
    assert read_budget(store) is None
    (store.root / "budget.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    with pytest.raises(InputError, match=received.BROKEN):
        read_budget(store)


def a_budget() -> pd.DataFrame:
    return filled([{}], BUDGET_COLUMNS)


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda table: table.drop(columns="verdict"),
        lambda table: table.assign(share_pessimistic="much"),
        lambda table: table.assign(ram_bytes=0.5),
        lambda table: table.assign(verdict="perhaps"),
        lambda table: table.assign(rendering="../../x"),
        lambda table: table.assign(share_pessimistic=None),
        lambda table: table.assign(share_pessimistic=float("inf")),
    ],
)
def test_a_budget_of_other_columns_or_values_is_one_sentence(
    store: Store, spoilt: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    path = store.root / "budget.parquet"
    a_budget().to_parquet(path)
    assert read_budget(store) is not None
    spoilt(a_budget()).to_parquet(path)
    with pytest.raises(InputError, match=r"budget\.parquet"):
        read_budget(store)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("budget.parquet", "make budget"),
        ("timing.parquet", "make timing"),
        ("trials.parquet", "make search"),
        ("results.parquet", "make grid"),
    ],
)
def test_a_broken_table_is_made_anew_by_the_command_that_made_it(
    tmp_path: Path, name: str, command: str
) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match=f"{command}` with the same .* makes it anew"):
        received.parquet(tmp_path / name, BUDGET_COLUMNS)


PARITY = {
    "kind": "int8",
    "form": "streaming",
    "block": 32,
    "model_bytes": 7000,
    "arena_needed_bytes": None,
    "carried_seconds": 10.0,
    "test_seconds": 30.0,
    "keras_esr": 0.1,
    "runtimes": {
        "litert": {"largest_error": 0.01, "esr_against_keras": 0.01, "esr_against_target": 0.1}
    },
}


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "float16"},
        {"form": "../x"},
        {"keras_esr": 0.0},
        {"block": "32"},
        {"runtimes": {}},
        {"runtimes": {"mine": PARITY["runtimes"]}},
    ],
)
def test_a_conversion_is_told_in_known_words(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "parity.json"
    path.write_text(json.dumps({"int8.tflite": PARITY}))
    assert received.parity(path) == {"int8.tflite": PARITY}
    path.write_text(json.dumps({"int8.tflite": PARITY | changes}))
    with pytest.raises(InputError, match=r"parity\.json"):
        received.parity(path)


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"name": "units", "share": "0.5"}]'])
def test_importances_are_finite_shares(tmp_path: Path, text: str) -> None:
    path = tmp_path / "importances.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"importances\.json"):
        received.importances(path)
