"""The rule, its limits, the user's override, and what is said when nothing is left."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from data import files
from data.effects import Effect
from data.errors import InputError
from study.cli import app
from study.config.grid import Grid
from study.selection import choose
from study.selection.choose import Choice
from study.selection.limits import Limits
from study.store import tables
from study.store.folders import Store
from tests import tiny
from tests.study import finished

CONFIGS = tuple(tiny.config(seed=seed) for seed in range(4))
IDS = [config.run_id for config in CONFIGS]


def row(run: int, validation_esr: float | None, **values: Any) -> dict[str, Any]:
    return {
        **tables.described(CONFIGS[run]),
        "status": "ok",
        "epoch": 6,
        "is_final": values.get("rendering", "framed") == "framed",
        "rendering": "framed",
        "validation_esr": validation_esr,
        "esr": 0.5,
        "asr_worst_db": -40.0,
        "macs_per_sample": 1000,
        **values,
    }


# Run 0 is best but costs most, run 1 aliases most, run 2 is cheapest and worst.
ROWS = [
    row(0, 0.001, epoch=3, is_final=False, macs_per_sample=1),  # a checkpoint
    row(0, 0.010, macs_per_sample=64_000),
    row(0, 0.020, macs_per_sample=1_000, rendering="streaming", asr_worst_db=-38.0),
    row(1, 0.012, macs_per_sample=9_000, asr_worst_db=-12.0),
    row(2, 0.300, macs_per_sample=100, asr_worst_db=-60.0),
]
TABLE = tables.typed([*ROWS, {**tables.described(CONFIGS[3]), "status": "pending"}])


def budget(**verdicts: tuple[str, float]) -> pd.DataFrame:
    """``r0_framed=("no", 4.0)`` and so on, for one board."""
    return pd.DataFrame(
        [
            {
                "run_id": IDS[int(key[1])],
                "rendering": key.split("_", 1)[1].partition("__")[0],
                "board": "teensy41",
                "route": key.partition("__")[2] or "c",
                "share_pessimistic": share,
                "verdict": verdict,
                "reason": f"time: {100 * share:.0f} % of the cycles",
            }
            for key, (verdict, share) in verdicts.items()
        ]
    )


def chosen(
    table: pd.DataFrame, limits: Limits | None = None, budget: pd.DataFrame | None = None
) -> Choice:
    """What the rule says of the table's only effect."""
    [choice] = choose.choose(table, limits, budget).values()
    return choice


BUDGET = budget(
    r0_framed=("no", 12.0),
    r0_streaming__tflite_float32=("no", 1.9),
    r0_streaming=("tight", 1.2),
    r1_framed=("no", 3.0),
    r2_framed=("yes", 0.2),
)


def test_the_rule_takes_the_lowest_validation_esr_of_final_models() -> None:
    choice = chosen(TABLE)
    assert (choice.run_id, choice.rendering, choice.by) == (IDS[0], "framed", "rule")
    assert "0.01" in choice.reason and "4 models" in choice.reason
    assert f"Next: {IDS[1]}, framed with 0.012" in choice.reason


def test_test_figures_take_no_part() -> None:
    best = chosen(TABLE)
    flattering = TABLE.assign(esr=[0.0 if run_id == IDS[2] else 1.0 for run_id in TABLE["run_id"]])
    assert chosen(flattering).candidate.name == best.candidate.name
    assert chosen(flattering).reason == best.reason


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(max_macs=10_000), (1, "framed")),
        (Limits(max_macs=64_000), (0, "framed")),
        (Limits(max_macs=10_000, max_asr_db=-20), (0, "streaming")),
        (Limits(max_asr_db=-39), (0, "framed")),
        (Limits(max_macs=999), (2, "framed")),
        (Limits(board="teensy41"), (2, "framed")),
        (Limits(board="teensy41", accept_tight=True), (0, "streaming")),
    ],
)
def test_limits_exclude(limits: Limits, expected: tuple[int, str]) -> None:
    choice = chosen(TABLE, limits, BUDGET if limits.board else None)
    assert (choice.run_id, choice.rendering) == (IDS[expected[0]], expected[1])
    assert choice.limits == limits
    assert limits.described() in choice.reason


def test_what_does_not_come_to_rest_is_left_out_unless_its_user_wants_it() -> None:
    howls = "it sounds in silence (-20 dB of full scale)"
    rows = [
        row(0, 0.010, is_final=False, rendering="streaming", instability=howls),
        row(0, 0.020, instability=None),
        row(1, 0.030, rendering="streaming", is_final=True, instability=""),
    ]
    table = tables.typed(rows)
    choice = chosen(table)
    assert (choice.run_id, choice.rendering) == (IDS[0], "framed")
    assert "among 2 models" in choice.reason
    assert "; 1 more do not come to rest in silence" in choice.reason
    assert f"it has instability ({howls})" in choice.reason
    alone = {**rows[0], "is_final": True}
    with pytest.raises(InputError, match=r"none of 1: instability none excludes 1"):
        chosen(tables.typed([alone]))
    wanted = choose.by_user(table, IDS[0], "streaming")
    assert f"It breaks limits: instability ({howls}), not none" in wanted.reason


def test_the_reason_tells_what_the_limits_cost() -> None:
    reason = chosen(TABLE, Limits(max_macs=10_000)).reason
    assert f"Without limits it would be {IDS[0]}, framed with 0.01" in reason
    assert "multiply-accumulates 64,000" in reason
    assert "3 of 4 models meet the limits" in reason


def test_nothing_left_says_what_excludes_what_and_what_is_nearest() -> None:
    with pytest.raises(InputError) as raised:
        chosen(TABLE, Limits(max_macs=500, max_asr_db=-70))
    text = str(raised.value)
    assert "none of 4" in text
    assert "worst ASR at most -70 dB excludes 4" in text
    assert "multiply-accumulates at most 500 a sample excludes 3" in text
    assert f"Nearest is {IDS[2]}, framed with worst ASR -60.0 dB" in text
    assert "multiply-accumulates 100" not in text


def test_what_was_not_measured_meets_no_limit_on_it() -> None:
    unprobed = TABLE.assign(asr_worst_db=pd.Series([None] * len(TABLE), dtype="Float64"))
    with pytest.raises(InputError, match="worst ASR not measured"):
        chosen(unprobed, Limits(max_asr_db=0))
    assert chosen(unprobed, Limits(max_macs=10_000)).run_id == IDS[1]


def test_a_board_needs_its_budget() -> None:
    with pytest.raises(InputError, match=r"budget\.parquet"):
        chosen(TABLE, Limits(board="teensy41"))
    with pytest.raises(InputError, match="Did you mean 'teensy41'"):
        chosen(TABLE, Limits(board="teensy"), BUDGET)
    with pytest.raises(
        InputError, match=r"no \(time: 190 % of the cycles; by TFLite Micro, float32\)"
    ):
        chosen(
            TABLE[TABLE["rendering"] == "streaming"].assign(is_final=True),
            Limits(board="teensy41"),
            BUDGET[BUDGET["route"] != "c"],
        )


def test_every_effect_has_a_choice_of_its_own() -> None:
    two = TABLE.assign(effect=["fuzz" if run_id == IDS[2] else "sd1" for run_id in TABLE["run_id"]])
    choices = choose.choose(two)
    assert {name: own.run_id for name, own in choices.items()} == {"sd1": IDS[0], "fuzz": IDS[2]}
    assert "3 models" in choices["sd1"].reason and "1 models" in choices["fuzz"].reason
    assert list(choose.choose(two, effect="fuzz")) == ["fuzz"]
    with pytest.raises(InputError, match="Did you mean 'fuzz'"):
        choose.choose(two, effect="fuz")


def test_what_no_board_renders_is_for_research_and_chosen_only_where_nothing_else_is() -> None:
    config = tiny.config(family="gru")
    known = {**tables.described(config), "status": "ok", "epoch": 6, "esr": 0.5}
    rows = [
        {**known, "rendering": name, "is_final": name == "framed", "validation_esr": esr}
        for name, esr in (("streaming", 0.3), ("framed_x4", 0.2), ("framed", 0.1))
    ]
    choice = chosen(tables.typed(rows))
    assert choice.rendering == "streaming" and not choice.candidate.research
    assert "For research only" in choice.reason and "0.1: boards stream" in choice.reason
    assert choose.by_user(tables.typed(rows), config.run_id).rendering == "streaming"
    left = chosen(tables.typed(rows[1:]))
    assert left.rendering == "framed"
    assert left.reason.endswith("For research only: boards stream recurrent models.")
    forced = choose.by_user(tables.typed(rows), config.run_id, "framed_x4")
    assert "For research only: the firmware does not oversample." in forced.reason


def test_what_keeps_up_on_a_board_goes_before_what_might() -> None:
    choice = chosen(TABLE, None, BUDGET)
    assert choice.run_id == IDS[2] and choice.candidate.costs["teensy41"].verdict == "yes"
    assert "among 1 that keep up on a board, of 4 models" in choice.reason
    assert (
        f"Without limits it would be {IDS[0]}, framed with 0.01; it has no board" in choice.reason
    )
    only_tight = chosen(TABLE, None, BUDGET[BUDGET["verdict"] != "yes"])
    assert (only_tight.run_id, only_tight.rendering) == (IDS[0], "streaming")
    assert "might keep up on a board" in only_tight.reason
    none = chosen(TABLE, None, BUDGET[BUDGET["verdict"] == "no"])
    assert none.run_id == IDS[0] and "keep up on no board, as none here does" in none.reason


def test_the_user_overrides_the_rule() -> None:
    choice = choose.by_user(TABLE, IDS[1], limits=Limits(max_asr_db=-20))
    assert (choice.run_id, choice.rendering, choice.by) == (IDS[1], "framed", "user")
    assert "breaks limits: worst ASR -12.0 dB, not at most -20 dB" in choice.reason
    assert f"lowest validation ESR of the effect is 0.01 ({IDS[0]}, framed)" in choice.reason
    assert choose.by_user(TABLE, IDS[0]).rendering == "framed"
    assert choose.by_user(TABLE, IDS[0], "streaming").rendering == "streaming"
    with pytest.raises(InputError, match="one of framed, streaming"):
        choose.by_user(TABLE, IDS[0], "streamed")


def test_an_unknown_run_is_told_what_comes_near() -> None:
    assert choose.by_user(TABLE, IDS[2][:-4]).run_id == IDS[2]
    with pytest.raises(InputError, match=f"Did you mean {IDS[1]!r}"):
        choose.by_user(TABLE, IDS[1].replace("clipper", "cliper"))
    with pytest.raises(InputError, match=f"3 runs that begin so: {IDS[0]}, "):
        choose.by_user(TABLE, "clipper-")
    with pytest.raises(InputError, match="no such run"):
        choose.by_user(TABLE, IDS[3])  # pending
    with pytest.raises(InputError, match="no such run"):
        choose.by_user(TABLE, "")


def test_nothing_finished_is_said() -> None:
    with pytest.raises(InputError, match="none finished"):
        chosen(TABLE[TABLE["status"] == "pending"])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "mine")
    made.write_grid(Grid("mine", "Mine", CONFIGS, "mine"))
    for number in range(3):
        own = [line for line in ROWS if line["run_id"] == IDS[number]]
        files.write_json(made.run(IDS[number]).result_file, {"status": "ok", "rows": own})
    return made


def command(store: Store, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["choose", "mine", "--runs", str(store.root.parent), *options])
    return result.exit_code, result.output + result.stderr


def test_a_choice_is_kept_and_read_again(store: Store) -> None:
    assert choose.stored(store) == {}
    assert choose.chosen(store).run_id == IDS[0]
    code, printed = command(store, "--max-macs", "10000")
    assert code == 0 and IDS[1] in printed
    [kept] = json.loads((store.root / "chosen.json").read_text())["effects"].values()
    assert set(kept) == {"run_id", "rendering", "reason", "by", "limits"}
    assert kept["limits"]["max_macs"] == 10_000
    assert choose.chosen(store).reason == chosen(TABLE, Limits(max_macs=10_000)).reason
    code, printed = command(store, "--run", IDS[2])
    assert code == 0 and choose.chosen(store).by == "user"


@pytest.mark.parametrize(
    "options", [["--run", "x"], ["--max-macs", "1"], ["--board", "b"], ["--rendering", "framed"]]
)
def test_a_refusal_keeps_the_former_choice(store: Store, options: list[str]) -> None:
    command(store, "--run", IDS[2])
    code, printed = command(store, *options)
    assert code == 2 and printed.startswith("error: ")
    assert choose.chosen(store).run_id == IDS[2]


@pytest.mark.parametrize("text", ["", "{}", '{"effects": {"x": {}}}', "[]"])
def test_a_broken_choice_is_an_error(store: Store, text: str) -> None:
    choose.choice_file(store).write_text(text)
    with pytest.raises(InputError, match="make choose"):
        choose.chosen(store)


def test_a_choice_that_left_the_grid_is_an_error(store: Store) -> None:
    command(store, "--run", IDS[2])
    store.run(IDS[2]).result_file.unlink()
    with pytest.raises(InputError, match=f"run {IDS[2]}, framed"):
        choose.chosen(store)


def test_effects_are_chosen_one_by_one_and_the_first_is_taken_unless_named(
    tmp_path: Path,
) -> None:
    configs = [finished.config(effect=Effect(name, "recording").to_dict()) for name in "ab"]
    store = finished.grid(tmp_path / "two", *configs, esr=0.1, validation_esr=0.1)
    assert choose.chosen(store).effect == "a" and choose.chosen(store, "b").effect == "b"
    by_user = choose.by_user(tables.collect(store), configs[1].run_id, "framed")
    choose.write(store, [by_user])
    assert (choose.chosen(store).by, choose.chosen(store, "b").by) == ("rule", "user")
    choose.write(store, choose.choose(tables.collect(store), effect="a").values())
    assert {own.effect: own.by for own in choose.stored(store).values()} == {
        "a": "rule",
        "b": "user",
    }
    with pytest.raises(InputError, match="one of a, b"):
        choose.chosen(store, "c")


def test_a_choice_that_left_the_grid_takes_no_other_with_it(tmp_path: Path) -> None:
    a, b = (Effect(name, "recording").to_dict() for name in "ab")
    configs = [finished.config(effect=a), *(finished.config(effect=b, seed=n) for n in (0, 1))]
    store = finished.grid(tmp_path / "two", *configs, esr=0.1, validation_esr=0.1)
    results = tables.collect(store)
    choose.write(store, [choose.by_user(results, own.run_id, "framed") for own in configs[:2]])
    store.run(configs[1].run_id).result_file.unlink()
    with pytest.raises(InputError, match=f"run {configs[1].run_id}, framed, which it has not"):
        choose.stored(store)
    choose.write(store, choose.choose(tables.collect(store), effect="b").values())
    assert {own.run_id: own.by for own in choose.stored(store).values()} == {
        configs[0].run_id: "user",
        configs[2].run_id: "rule",
    }


def test_a_late_checkpoint_of_a_sequence_run_is_no_candidate() -> None:
    """With patience the kept epoch may lie before a checkpoint of the same rendering."""
    rows = [
        row(0, 0.001, epoch=8, training="sequence", rendering="streaming", is_final=False),
        row(0, 0.010, epoch=6, training="sequence", rendering="streaming", is_final=True),
    ]
    choice = chosen(tables.typed(rows))
    assert "1 models" in choice.reason
    assert "0.01" in choice.reason
