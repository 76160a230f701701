import re
from pathlib import Path

import pandas as pd
import pytest

from data import files
from data.errors import InputError
from embedded.budget import budget, cost_model
from models.architecture import Architecture
from study.selection.boards import BOARDS
from study.selection.candidates import candidates, read_budget
from study.store.columns import BUDGET_COLUMNS
from study.store.folders import Store
from study.store.tables import described
from tests import tiny

GRU_10 = Architecture("gru", 1, 10, 64)
TEENSY, DAISY = BOARDS["teensy41"], BOARDS["daisy"]
AROUND = cost_model.around_the_model("none")


def test_cycles_of_generated_c_are_estimated_within_the_error_of_the_rules() -> None:
    line = budget.line(GRU_10, 44_100, TEENSY, "c")
    cost, (instructions, cycles) = cost_model.generated_c(GRU_10), AROUND
    assert cost.cycles is not None
    assert line.instructions_per_sample == cost.instructions + instructions
    assert line.cycles_per_sample == cost.cycles + cycles
    assert line.budget_cycles == pytest.approx(600e6 / 44_100)
    error = cost_model.timing_error("gru") * cost.cycles  # LLVM's model tells more, never fewer
    assert line.cycles_optimistic == pytest.approx(line.cycles_per_sample)
    assert line.share_pessimistic == pytest.approx(
        (line.cycles_per_sample + error) / line.budget_cycles
    )
    assert (line.verdict, line.resampling, line.basis) == ("yes", "none", "measured")
    assert line.cycles_basis == "timing"


def test_where_memory_makes_the_processor_wait_an_instruction_may_take_two_cycles() -> None:
    line = budget.line(GRU_10, 48_000, DAISY, "c")
    assert line.cycles_pessimistic >= 2 * line.instructions_per_sample
    assert line.cycles_per_sample is not None
    assert line.cycles_optimistic <= line.cycles_per_sample < line.cycles_pessimistic


def test_of_tflite_micro_only_a_range_is_known() -> None:
    line = budget.line(GRU_10, 44_100, TEENSY, "tflite_float32")
    assert (line.cycles_per_sample, line.cycles_basis) == (None, "range")


def test_twice_the_rate_pays_for_filters_and_has_half_the_time() -> None:
    whole = budget.line(GRU_10, 44_100, TEENSY, "c")
    double = budget.line(GRU_10, 88_200, TEENSY, "c")
    assert double.budget_cycles == whole.budget_cycles / 2
    model = whole.instructions_per_sample - AROUND[0]
    around = 2 * (double.instructions_per_sample - model)  # two of the model's samples a board's
    assert around == pytest.approx(2 * cost_model.around_the_model("doubled")[0])
    assert double.resampling == "doubled"
    assert double.latency_ms > whole.latency_ms


def test_half_the_rate_pays_for_filters_and_has_twice_the_time() -> None:
    whole = budget.line(GRU_10, 44_100, TEENSY, "c")
    half = budget.line(GRU_10, 22_050, TEENSY, "c")
    assert half.budget_cycles == 2 * whole.budget_cycles
    added = half.instructions_per_sample - whole.instructions_per_sample
    assert added == pytest.approx(cost_model.around_the_model("halved")[0] - AROUND[0])
    assert half.cycles_per_sample is not None and whole.cycles_per_sample is not None
    assert half.cycles_per_sample - whole.cycles_per_sample > added
    assert half.resampling == "halved"
    assert half.latency_ms > whole.latency_ms


def test_what_an_estimate_may_be_wrong_by_widens_the_range() -> None:
    line = budget.line(GRU_10, 44_100, TEENSY, "tflite_float32")
    assert (line.basis, line.instructions_error > 0) == ("guess", True)
    assert line.cycles_optimistic < line.instructions_per_sample
    assert line.cycles_pessimistic > 2 * line.instructions_per_sample


def test_a_rate_that_the_board_has_not_is_no_and_says_so() -> None:
    line = budget.line(GRU_10, 22_050, DAISY, "c")
    assert (line.verdict, line.resampling) == ("no", "impossible")
    assert "48000 Hz, or between filters 24000 or 96000 Hz" in line.reason


@pytest.mark.parametrize(("units", "verdict"), [(16, "yes"), (32, "tight"), (40, "no"), (64, "no")])
def test_verdicts_by_size(units: int, verdict: str) -> None:
    line = budget.line(Architecture("lstm", 1, units, 64), 44_100, TEENSY, "c")
    assert line.verdict == verdict, line.reason


def test_framed_recurrent_models_pay_for_every_sample_of_their_frame() -> None:
    framed = budget.line(GRU_10, 44_100, TEENSY, "c", rendering="framed")
    carried = budget.line(GRU_10, 44_100, TEENSY, "c", rendering="streaming")
    model = carried.instructions_per_sample - AROUND[0]
    assert framed.instructions_per_sample == pytest.approx(64 * model + AROUND[0])
    assert framed.cycles_per_sample is not None and carried.cycles_per_sample is not None
    cycles = carried.cycles_per_sample - AROUND[1]
    assert framed.cycles_per_sample == pytest.approx(64 * cycles + AROUND[1])
    assert framed.verdict == "no"


@pytest.mark.parametrize(
    ("a", "rendering", "reason"),
    [
        (Architecture("rnn", 1, 4, 64), "framed", "boards stream recurrent models"),
        (Architecture("dense", 1, 8, 32), "framed_x2", "does not oversample"),
    ],
)
def test_what_no_firmware_renders_is_no_however_cheap(
    a: Architecture, rendering: str, reason: str
) -> None:
    asked = budget.line(a, 44_100, TEENSY, "c", rendering=rendering)
    assert asked.share_optimistic < 1 - budget.RESERVE
    assert asked.verdict == "no"
    assert reason in asked.reason
    assert budget.line(a, 44_100, TEENSY, "c").verdict == "yes"


def test_too_large_a_model_does_not_fit_the_flash() -> None:
    line = budget.line(Architecture("dense", 2, 128, 64), 48_000, DAISY, "c")
    assert line.verdict == "no"
    assert line.reason.startswith("flash")


@pytest.mark.parametrize("route", ["tflite_float32", "tflite_int16x8"])
def test_tflite_micro_does_not_fit_a_daisy_without_its_bootloader(route: str) -> None:
    small = budget.line(GRU_10, 48_000, DAISY, route)
    assert re.fullmatch(r"flash: [\d,]+ bytes of 131,072; daisy_sram has more", small.reason)
    large = budget.line(GRU_10, 48_000, BOARDS["daisy_sram"], route)
    assert large.flash_bytes == small.flash_bytes
    assert not large.reason.startswith(("flash", "RAM"))


def test_where_code_is_copied_to_ram_it_has_to_fit_there() -> None:
    a = Architecture("dense", 2, 300, 64)
    line = budget.line(a, 44_100, TEENSY, "c")
    assert line.flash_bytes < TEENSY.flash_bytes
    assert line.ram_bytes > line.flash_bytes
    assert (line.verdict, line.reason[:3]) == ("no", "RAM")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Finished runs: a recurrent one with its streaming row, a dense one, one of features."""
    store, ids = Store(tmp_path / "grid"), []
    for config in (
        tiny.config(family="gru", sample_rate_hz=44_100),
        tiny.config(family="dense", sample_rate_hz=44_100),
        tiny.sequence_config(family="lstm", frame_size=16, features=4, sample_rate_hz=44_100),
    ):
        ids.append(config.run_id)
        folder = store.run(config.run_id)
        folder.write_config(config)
        known = described(config) | {"status": "ok", "epoch": 6, "validation_esr": 0.1}
        is_sequence = config.training == "sequence"
        rows = []
        if not is_sequence:
            rows.append(known | {"rendering": "framed", "is_final": True})
        if config.family != "dense":
            rows.append(known | {"rendering": "streaming", "is_final": is_sequence})
        files.write_json(folder.result_file, {"status": "ok", "rows": rows})
    manifest = {"name": "grid", "title": "t", "source": "grid", "dry": "", "wet": "", "runs": ids}
    files.write_json(store.manifest_file, manifest)
    return store


def test_the_table_has_every_model_board_and_route(store: Store) -> None:
    found = budget.write(store)
    assert list(found.columns) == list(BUDGET_COLUMNS)
    assert len(found) == 4 * len(BOARDS) * len(budget.ROUTES)
    pd.testing.assert_frame_equal(pd.read_parquet(store.root / "budget.parquet"), found)
    sentences = budget.told(found)
    assert sentences[0].startswith("Teensy 4.1: ")
    assert sentences[2] == "Daisy Seed: 0 yes, 0 tight, 4 no"


def test_the_choice_reads_it(store: Store) -> None:
    from study.store import tables

    budget.write(store)
    rows = candidates(tables.collect(store), read_budget(store))
    verdicts = {(r.row["family"], r.rendering): r.costs["teensy41"].verdict for r in rows}
    assert verdicts["gru", "streaming"] == "yes"
    assert verdicts["dense", "framed"] == "yes"
    assert verdicts["lstm", "streaming"] == "yes"


def test_without_a_finished_run_there_is_no_budget(tmp_path: Path) -> None:
    store = Store(tmp_path / "grid")
    manifest = {"name": "grid", "title": "t", "source": "g", "dry": "", "wet": "", "runs": []}
    files.write_json(store.manifest_file, manifest)
    with pytest.raises(InputError, match="at least one finished run"):
        budget.write(store)
