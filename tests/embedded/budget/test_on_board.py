"""The bench's answers: what is taken in, what is refused, and that the budget prefers them."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from data.errors import InputError
from embedded.budget import budget, on_board
from embedded.cli import app
from study.selection.boards import board
from study.store.folders import Store
from tests.study import finished

CONFIG = finished.config(family="gru", units=10, sample_rate_hz=22_050)
ANSWER: dict[str, Any] = {
    "pedalframe_bench": 1, "run": CONFIG.run_id, "rendering": "streaming", "board": "teensy41",
    "route": "c", "unit": "cycles", "clock_hz": 600_000_000, "board_rate_hz": 44_100,
    "model_rate_hz": 22_050, "block": 128, "golden_error_ppb": 900, "golden_allowed_ppb": 1_000_000,
    "warm": [128_000, 134_400, 140_800, 147_200], "cold": [140_800, 147_200, 153_600, 160_000],
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return finished.grid(tmp_path / "grid", CONFIG, validation_esr=0.1, esr=0.1)


def log(folder: Path, **changes: Any) -> Path:
    path = folder / "log.json"
    line = json.dumps(ANSWER | changes)
    path.write_text(f'd":[1,2,3,4]}}\n{line}\r\nbusiest block\n{line}\n{line[:90]}')
    return path


def line(store: Store) -> budget.BudgetLine:
    return budget.line(
        CONFIG.architecture, 22_050, board("teensy41"), "c", CONFIG.run_id, "streaming",
        on_board.read(store),
    )  # fmt: skip


def test_the_budget_prefers_what_a_board_told(store: Store, tmp_path: Path) -> None:
    assert line(store).cycles_basis == "timing"
    [taken] = on_board.taken_in(store, log(tmp_path))
    found = line(store)
    assert found.cycles_basis == "board"
    assert found.cycles_per_sample == taken.per_sample(134_400) == 134_400 / 64
    assert (found.cycles_optimistic, found.cycles_pessimistic) == (2000, 2500)
    assert found.share_pessimistic == pytest.approx(2500 / (600e6 / 22_050))
    table = budget.compute(store)
    own = table[(table["board"] == "teensy41") & (table["route"] == "c")]
    assert set(own.loc[own["rendering"] == "streaming", "cycles_basis"]) == {"board"}
    assert set(table.loc[table["board"] != "teensy41", "cycles_basis"]) == {"timing", "range"}


def test_instructions_of_a_simulator_replace_the_count_and_no_cycles(
    store: Store, tmp_path: Path
) -> None:
    before = line(store)
    on_board.taken_in(store, log(tmp_path, unit="instructions"))
    found = line(store)
    assert found.instructions_per_sample == 134_400 / 64
    assert found.cycles_basis == "timing"
    assert found.cycles_per_sample == before.cycles_per_sample


def test_a_later_answer_takes_the_place_of_an_earlier(store: Store, tmp_path: Path) -> None:
    on_board.taken_in(store, log(tmp_path))
    on_board.taken_in(store, log(tmp_path, warm=[1, 2, 3, 4]))
    [kept] = on_board.read(store).values()
    assert kept.warm == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"run": "other"}, "a run of this grid"),
        ({"board": "arduino"}, "one of teensy41"),
        ({"unit": "seconds"}, "cycles or instructions"),
        ({"golden_error_ppb": 4_294_967_295}, "golden vectors within their tolerance"),
        ({"clock_hz": 528_000_000}, "expected 600 MHz; found 528 MHz"),
        ({"pedalframe_bench": 2}, "another version"),
        ({"warm": [4, 3, 2, 1]}, "broken line"),
        ({"warm": [1, 2, 3]}, "broken line"),
        ({"cold": [1, 2, 3, -4]}, "broken line"),
        ({"block": 0}, "broken line"),
        ({"run": 7}, "broken line"),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_and_nothing_kept(
    store: Store, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        on_board.taken_in(store, log(tmp_path, **changes))
    assert on_board.read(store) == {}


def test_a_log_without_a_bench_and_a_broken_file_are_one_sentence(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "empty").write_text("busiest block 3 %\n")
    with pytest.raises(InputError, match="save what its serial port tells"):
        on_board.taken_in(store, tmp_path / "empty")
    (tmp_path / "deep").write_text('{"pedalframe_bench":' + "[" * 100_000 + "}")
    with pytest.raises(InputError, match="whole"):
        on_board.taken_in(store, tmp_path / "deep")
    for spoilt in ("[", "{}", "[{}]", '["a"]', "[" * 100_000):
        (store.root / on_board.FILE_NAME).write_text(spoilt)
        with pytest.raises(InputError, match="whole"):
            on_board.read(store) or pytest.fail("it was read")


def test_the_command_takes_it_in_and_computes_the_budget(store: Store, tmp_path: Path) -> None:
    words = ["measured", str(log(tmp_path)), "grid", "--runs", str(tmp_path)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "on Teensy 4.1: 2,100 cycles a sample of the model, at most 2,500" in done.output
    assert (store.root / "budget.parquet").exists()
