from pathlib import Path
from typing import Any

import pandas as pd

from reports import results
from reports.boards import boards_section
from reports.shelf import Shelf
from study.store import Store
from tests.study import finished


def store_of(tmp_path: Path) -> Store:
    config = finished.config(family="gru", units=10)
    return finished.grid(tmp_path / "grid", config, validation_esr=0.1, esr=0.1)


def budget_row(run_id: str, board: str, verdict: str, **changes: Any) -> dict[str, Any]:
    return {
        "run_id": run_id, "rendering": "streaming", "board": board, "route": "c",
        "instructions_per_sample": 1247.0, "share_optimistic": 0.1, "share_pessimistic": 0.2,
        "latency_ms": 5.8, "verdict": verdict, "basis": "measured", "instructions_error": 0.0,
        "resampling": "none", "reason": "10 to 20 % of the cycles",
    } | changes  # fmt: skip


def test_nothing_reckoned_is_no_section(tmp_path: Path) -> None:
    read = results.read(store_of(tmp_path))
    assert boards_section(read, Shelf(tmp_path / "report")) is None


def test_verdicts_are_told_by_model_and_board(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    [run] = store.runs()
    rate = {"resampling": "impossible", "reason": "rate: not this one"}
    slow = {"route": "tflite_int8", "instructions_per_sample": 33_000.0, "reason": "time: 500 %"}
    rows = [
        budget_row(run.run_id, "teensy41", "yes"),
        budget_row(run.run_id, "teensy41", "no", **slow),
        budget_row(run.run_id, "daisy", "no", **rate),
        budget_row(run.run_id, "daisy", "no", **(slow | rate)),
        budget_row("gone", "teensy41", "yes"),
    ]
    pd.DataFrame(rows).to_parquet(store.root / "budget.parquet")
    section = boards_section(results.read(store), Shelf(tmp_path / "report"))
    assert section is not None
    assert section.boards == ("Teensy 4.1", "Daisy Seed")
    [line] = section.lines  # the route that keeps up nowhere is left out
    assert (line.route, line.instructions, line.basis) == ("generated C", "1,250", "counted")
    assert [cell.verdict for cell in line.cells] == ["yes", "no"]
    assert line.cells[1].share == "other sample rate"
    assert section.sentences[0].startswith("Teensy 4.1: 1 of 1 model surely keep up.")
    assert "sample rate is not one that it runs at" in section.sentences[1]
    assert section.timings == ()


def test_times_stand_in_a_table_and_a_picture(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    [run] = store.runs()
    rows = [
        {"effect": "clipper", "run_id": run.run_id, "method": method, "block_samples": block,
         "sample_rate_hz": 8000, "seconds_per_second": seconds}
        for method, block, seconds in
        [("circuit", 8, 0.5), ("circuit", 64, 0.25), ("c", 8, 0.02), ("keras_framed", 64, 0.4)]
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(store.root / "timing.parquet")
    section = boards_section(results.read(store), Shelf(tmp_path / "report"))
    assert section is not None
    [timing] = section.timings
    assert timing.blocks == (8, 64)
    assert [line.seconds for line in timing.lines] == [
        ("0.50", "0.25"),
        ("0.020", ""),
        ("", "0.40"),
    ]
    assert "generated C 0.020" in timing.picture.alt
    drawn = (tmp_path / "report" / timing.picture.source).read_text("utf-8")
    assert "mathdefault" not in drawn
