from pathlib import Path
from typing import Any

import pandas as pd

from reports.sections.boards import BoardsSection, boards_section
from reports.sources import results
from reports.sources.cache import Cache
from study.config.run import RunConfig
from study.store.columns import BUDGET_ADDED, BUDGET_COLUMNS
from study.store.folders import Store
from tests.reports.synthetic import config, write_study
from tests.study import finished
from tests.study.stored_tables import filled


def store_of(tmp_path: Path) -> Store:
    run = finished.config(family="gru", units=10)
    return finished.grid(tmp_path / "grid", run, validation_esr=0.1, esr=0.1)


def budget_row(run_id: str, board: str, verdict: str, **changes: Any) -> dict[str, Any]:
    return {
        "run_id": run_id, "rendering": "streaming", "board": board, "route": "c",
        "instructions_per_sample": 1247.0, "share_optimistic": 0.1, "share_pessimistic": 0.2,
        "cycles_optimistic": 1247.0, "cycles_pessimistic": 2494.0,
        "cycles_per_sample": 2150.0, "cycles_basis": "timing",
        "latency_ms": 5.8, "verdict": verdict, "basis": "measured", "instructions_error": 0.0,
        "resampling": "none", "reason": "10 to 20 % of the cycles",
    } | changes  # fmt: skip


def test_nothing_computed_is_no_section(tmp_path: Path) -> None:
    read = results.read(store_of(tmp_path))
    assert boards_section(read, Cache(tmp_path / "report")) is None


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
    filled(rows, BUDGET_COLUMNS).to_parquet(store.root / "budget.parquet")
    section = boards_section(results.read(store), Cache(tmp_path / "report"))
    assert section is not None
    assert section.boards == ("Teensy 4.1", "Daisy Seed")
    [line] = section.lines  # the route that keeps up nowhere is left out
    assert (line.route, line.instructions, line.basis) == ("generated C", "1,250", "counted")
    assert [cell.verdict for cell in line.cells] == ["yes", "no"]
    assert line.cells[1].share == "other sample rate"
    assert section.sentences[0].startswith("Teensy 4.1: 1 of 1 model surely keeps up.")
    assert "sample rate is not one that it runs at" in section.sentences[1]
    assert section.timings == ()


def test_a_table_from_before_there_were_cycles_tells_their_range(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    [run] = store.runs()
    table = filled([budget_row(run.run_id, "teensy41", "yes")], BUDGET_COLUMNS)

    def told() -> str:
        section = boards_section(results.read(store), Cache(tmp_path / "report"))
        assert section is not None
        return section.lines[0].cycles

    table.to_parquet(store.root / "budget.parquet")
    assert told() == "2,150"
    table.assign(cycles_basis="board").to_parquet(store.root / "budget.parquet")
    assert told() == "2,150, measured on a board"
    table.drop(columns=list(BUDGET_ADDED)).to_parquet(store.root / "budget.parquet")
    assert told() == "1,250 to 2,490"


def budget_of(tmp_path: Path, *configs: RunConfig, rendering: str = "framed") -> BoardsSection:
    """The section of runs that all have one budget as they are rendered so."""
    store = write_study(tmp_path / "grid", configs)
    rows = [budget_row(c.run_id, "teensy41", "yes", rendering=rendering) for c in configs]
    filled(rows, BUDGET_COLUMNS).to_parquet(store.root / "budget.parquet")
    section = boards_section(results.read(store), Cache(tmp_path / "report"))
    assert section is not None
    return section


def test_what_costs_another_sum_has_a_line_of_its_own_whatever_its_effect(tmp_path: Path) -> None:
    short, long = config("fuzz", frame_size=16), config("other", frame_size=32)
    section = budget_of(tmp_path, short, long)
    shape = "LSTM 1\N{MULTIPLICATION SIGN}8"
    assert [line.model for line in section.lines] == [f"{shape}, frame 16", f"{shape}, frame 32"]


def test_what_costs_the_same_has_one_line(tmp_path: Path) -> None:
    configs = config(frame_size=16), config(frame_size=32), config(learning_rate=3e-3)
    section = budget_of(tmp_path, *configs, rendering="streaming")
    assert [line.model for line in section.lines] == ["LSTM 1\N{MULTIPLICATION SIGN}8"]
    assert "1 of 1 model surely" in section.sentences[0]


def test_an_error_that_was_never_tried_is_called_a_guess(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    [run] = store.runs()
    for basis, told in [
        ("guess", "estimated; up to 30 % wrong is a guess"),
        ("model", "estimated, up to 30 % wrong"),
    ]:
        row = budget_row(run.run_id, "teensy41", "yes", basis=basis, instructions_error=0.3)
        filled([row], BUDGET_COLUMNS).to_parquet(store.root / "budget.parquet")
        section = boards_section(results.read(store), Cache(tmp_path / "report"))
        assert section is not None and section.lines[0].basis == told


def test_what_firmware_does_not_render_is_not_counted(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    [run] = store.runs()
    reason = "rendering: boards stream recurrent models"
    framed = budget_row(run.run_id, "teensy41", "no", rendering="framed", reason=reason)
    rows = [budget_row(run.run_id, "teensy41", "yes"), framed]
    filled(rows, BUDGET_COLUMNS).to_parquet(store.root / "budget.parquet")
    section = boards_section(results.read(store), Cache(tmp_path / "report"))
    assert section is not None
    assert section.sentences[0].startswith("Teensy 4.1: 1 of 1 model surely keeps up.")
    assert len(section.lines) == 2

    filled([framed], BUDGET_COLUMNS).to_parquet(store.root / "budget.parquet")
    section = boards_section(results.read(store), Cache(tmp_path / "report"))
    assert section is not None
    assert section.sentences[0].startswith("No model of this grid was rendered as boards do it")


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
    section = boards_section(results.read(store), Cache(tmp_path / "report"))
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
