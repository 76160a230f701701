"""What a grid shows where no terminal is: a line a finished run, and the whole now and then."""

import io
from pathlib import Path

import pytest

from data.effects import Effect, resolve
from study.command_line import terminal
from study.config.grid import Grid
from study.config.run import RunConfig
from study.execution import live_view
from study.execution.grid_progress import GridProgress, duration
from study.store import tables
from tests import tiny

CONFIGS = tuple(tiny.config(seed=seed) for seed in (0, 1, 2))
GRID = Grid("mine", "Mine", CONFIGS, "mine")


def row(place: int, esr: float) -> dict[str, object]:
    described = tables.described(CONFIGS[place])
    return {**described, "status": "ok", "esr": esr, "validation_esr": esr}


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def shown(output: io.StringIO) -> GridProgress:
    return GridProgress(GRID, [], terminal.console(file=output, width=200))


def test_finished_failed_and_dead_are_a_line_each(shown: GridProgress, output: io.StringIO) -> None:
    one, two, _ = (config.run_id for config in CONFIGS)
    failed = {**row(1, 0), "status": "failed", "error": "too hot [really]"}
    with shown:
        shown.follow({"event": "start", "run": one})
        shown.follow({"event": "done", "run": one, "row": row(0, 0.25)})
        shown.follow({"event": "died", "run": two, "cause": "signal 9, SIGKILL", "given_up": False})
        shown.follow({"event": "done", "run": two, "row": failed})
    assert output.getvalue().splitlines() == [
        f"1/3 {one}: ESR 0.2500",
        f"a worker died (signal 9, SIGKILL) on {two}: restarted, it continues",
        f"2/3 {two}: FAILED: too hot [really]",
    ]


def test_a_worker_that_dies_as_it_starts_was_on_no_run(
    shown: GridProgress, output: io.StringIO
) -> None:
    shown.follow({"event": "died", "run": None, "cause": "exit code 1", "given_up": False})
    assert output.getvalue() == "a worker died (exit code 1) as it started: started again\n"


def test_a_run_of_several_models_is_done_with_the_last() -> None:
    """Each of a faded run's models counts its epochs from one."""
    values = CONFIGS[0].model_dump() | {
        "effect": resolve({"name": "sd1", "drive": 0.5}, Path()).to_dict(),
        "knobs": "faded",
        "controls": {"drive": [0.1, 0.5]},
    }
    faded = RunConfig(**values)
    progress = GridProgress(
        Grid("g", "G", (faded,), "g.toml"), [], terminal.console(file=io.StringIO())
    )
    epoch = {
        "event": "epoch",
        "stage": "training",
        "run": faded.run_id,
        "validation_loss": 0.5,
        "frames_per_second": 1.0,
    }
    shares = []
    for model in (0, 1):
        for number in (1, faded.epochs):
            progress.follow({**epoch, "model": model, "epoch": number})
            shares.append(progress.share())
    assert shares == sorted(shares) and shares[1] == 0.5 and shares[-1] == 1.0


def test_the_whole_is_told_now_and_then(
    shown: GridProgress, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = {
        "event": "epoch",
        "stage": "training",
        "model": 0,
        "run": CONFIGS[0].run_id,
        "epoch": 1,
        "validation_loss": 0.5,
    }
    shown.follow({**epoch, "frames_per_second": 1234.0})
    assert output.getvalue() == ""
    monkeypatch.setattr(live_view, "PLAIN_EVERY_S", 0.0)
    shown.follow({**epoch, "frames_per_second": 1234.0})
    assert "0/3 runs, 1,234 frames/s" in output.getvalue()
    shown.follow({"event": "evaluate", "run": CONFIGS[0].run_id})
    assert "0/3 runs, 1 evaluating" in output.getvalue()


def test_a_run_that_goes_on_says_from_where(shown: GridProgress, output: io.StringIO) -> None:
    run_id = CONFIGS[0].run_id
    epoch = {
        "event": "epoch",
        "stage": "training",
        "model": 0,
        "run": run_id,
        "validation_loss": 0.5,
        "frames_per_second": 1.0,
    }
    shown.follow({**epoch, "epoch": 3})
    shown.follow({**epoch, "epoch": 4})
    shown.follow({"event": "died", "run": run_id, "cause": "signal 9, SIGKILL", "given_up": False})
    shown.follow({**epoch, "epoch": 4})
    assert output.getvalue().splitlines() == [
        f"{run_id} goes on from epoch 2",
        f"a worker died (signal 9, SIGKILL) on {run_id}: restarted, it continues",
        f"{run_id} goes on from epoch 3",
    ]


def test_a_narrow_terminal_breaks_no_line(output: io.StringIO) -> None:
    console = terminal.console(file=output, width=60, force_terminal=True)
    with GridProgress(GRID, [dict(row(0, 0.5))], console) as shown:
        shown.follow({"event": "start", "run": CONFIGS[2].run_id})
    drawn = [line for line in output.getvalue().splitlines() if "best clipper so far" in line]
    assert drawn and all("\u2026" in line for line in drawn)


def test_the_best_of_each_effect_is_told_with_the_whole(
    shown: GridProgress, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_view, "PLAIN_EVERY_S", 0.0)
    shown.follow({"event": "done", "run": CONFIGS[0].run_id, "row": row(0, 0.25)})
    shown.follow({"event": "start", "run": CONFIGS[1].run_id})
    assert "; best clipper so far: dense 1x4, frame 16, 200 frames, ESR 0.2500" in output.getvalue()


def test_runs_of_another_command_and_runs_given_up_count_once(
    shown: GridProgress, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = (config.run_id for config in CONFIGS)
    failed = {**row(1, 0), "status": "failed", "error": "its worker process died"}
    shown.follow({"event": "found", "run": one, "row": row(0, 0.5)})
    shown.follow({"event": "died", "run": two, "cause": "signal 9, SIGKILL", "given_up": True})
    for _ in range(2):  # every worker comes across it
        shown.follow({"event": "found", "run": two, "row": failed})
    monkeypatch.setattr(live_view, "PLAIN_EVERY_S", 0.0)
    shown.follow({"event": "start", "run": three})
    assert "2/3 runs, 1 failed" in output.getvalue()
    assert "best clipper so far" in output.getvalue()


def test_a_terminal_shows_the_best_of_each_effect(output: io.StringIO) -> None:
    console = terminal.console(file=output, width=200, force_terminal=True)
    with GridProgress(GRID, [dict(row(0, 0.5))], console) as shown:
        shown.follow({"event": "done", "run": CONFIGS[1].run_id, "row": row(1, 0.125)})
        shown.follow({"event": "start", "run": CONFIGS[2].run_id})
    assert "best clipper so far: dense 1x4, frame 16, 200 frames, ESR 0.1250" in output.getvalue()
    assert f"{CONFIGS[2].run_id}: starting" in output.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (89, "89 s"), (91, "2 min"), (5399, "90 min"), (12_240, "3.4 h")],
)
def test_a_length_of_time_has_one_fitting_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_two_effects_of_one_name_have_a_best_each() -> None:
    other = tiny.config(effect=Effect("clipper", "recording", content="another1").to_dict())
    grid = Grid("mine", "Mine", (CONFIGS[0], other), "mine")
    found = [row(0, 0.25), {**row(0, 0.125), **tables.described(other)}]
    told = GridProgress(grid, found, terminal.console(file=io.StringIO())).plain()
    assert "best clipper (tiny) so far" in told and "best clipper (another1) so far" in told
