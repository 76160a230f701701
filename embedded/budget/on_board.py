"""What a board told of its own time: the firmware's bench, taken in and preferred by the budget.

The bench (``embedded/firmware/core/bench.h``) prints a line of JSON over serial: counts a block,
least, middle, 99th of a hundred and greatest, with warm caches and with empty ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data import files
from data.errors import InputError
from study.selection import boards
from study.store import received
from study.store.folders import Store

FILE_NAME = "measured.json"
MARK = "pedalframe_bench"
VERSION = 1
_BEGINNING = f'{{"{MARK}":'
_COUNTS = ("warm", "cold")
_NUMBERS = (
    "clock_hz", "board_rate_hz", "model_rate_hz", "block", "golden_error_ppb", "golden_allowed_ppb",
)  # fmt: skip
_TEXTS = ("run", "rendering", "board", "route", "unit")


Key = tuple[str, str, str, str, str]
"""Run, rendering, board, route and unit."""


@dataclass(frozen=True)
class Measured:
    """A bench's answer.

    Attributes:
        run, rendering, board, route: whose times these are, as in the budget.
        unit: ``cycles``, or ``instructions`` in a simulator.
        clock_hz: of the processor.
        board_rate_hz, model_rate_hz: sample rates of the converters and of the model.
        block: samples a block at the board's rate.
        golden_error_ppb, golden_allowed_ppb: of the golden vectors, in billionths of full scale.
        warm, cold: counts a block with warm and with empty caches: least, middle, 99th of a
            hundred, greatest.
    """

    run: str
    rendering: str
    board: str
    route: str
    unit: str
    clock_hz: int
    board_rate_hz: int
    model_rate_hz: int
    block: int
    golden_error_ppb: int
    golden_allowed_ppb: int
    warm: tuple[int, ...]
    cold: tuple[int, ...]

    @property
    def key(self) -> Key:
        """What there is one of; a later answer takes the place of an earlier."""
        return self.run, self.rendering, self.board, self.route, self.unit

    def per_sample(self, count: int) -> float:
        """A count of a block, for each sample of the model."""
        return count / (self.block * self.model_rate_hz / self.board_rate_hz)


def taken_in(store: Store, log: Path) -> list[Measured]:
    """Read what a serial port told and keep it in the grid's folder; returns what was new.

    Args:
        store: of the grid that the firmware's run is of.
        log: text with lines of a bench among others.

    Raises:
        InputError: there is none, one is broken, of another grid or board, or its firmware does
            not compute what was proved.
    """
    text = received.content(log).decode("utf-8", "replace")
    found = [one for line in text.splitlines() if (one := _line(line, log)) is not None]
    if not found:
        raise InputError(
            str(log), expected=f"a line that begins with {_BEGINNING}", found="none",
            remedy="Flash the bench firmware and save what its serial port tells.",
        )  # fmt: skip
    runs = {run.run_id for run in store.runs()}
    for one in found:
        _refuse(one, runs, log)
    kept = read(store) | {one.key: one for one in found}
    files.write_json(store.root / FILE_NAME, [asdict(one) for one in kept.values()])
    return list({one.key: one for one in found}.values())


def read(store: Store) -> dict[Key, Measured]:
    """What boards told of a grid's models, by ``Measured.key``.

    Raises:
        InputError: the file is broken.
    """
    path = store.root / FILE_NAME
    if not path.exists():
        return {}
    try:
        stored = json.loads(received.content(path))
        if not isinstance(stored, list):
            raise TypeError
        found = [_measured(one) for one in stored]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _broken(path) from error
    return {one.key: one for one in found}


def _line(text: str, log: Path) -> Measured | None:
    """A bench's answer, where a line is one; a port that was opened too late tells half of one."""
    if _BEGINNING not in text or not text.rstrip().endswith("}"):
        return None
    try:
        stored = json.loads(text[text.index(_BEGINNING) :])
        if stored.pop(MARK) != VERSION:
            raise ValueError
        return _measured(stored)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _broken(log) from error


def _measured(stored: Mapping[str, Any]) -> Measured:
    """Raises ``ValueError``, ``TypeError`` or ``KeyError`` if it is none."""
    texts = {name: stored[name] for name in _TEXTS}
    numbers = {name: stored[name] for name in _NUMBERS}
    counts = {name: tuple(stored[name]) for name in _COUNTS}
    if not all(isinstance(value, str) for value in texts.values()):
        raise TypeError
    everything = [*numbers.values(), *(count for own in counts.values() for count in own)]
    if not all(type(value) is int and 0 <= value < 2**32 for value in everything):
        raise TypeError
    if not all(len(own) == 4 and list(own) == sorted(own) for own in counts.values()):
        raise ValueError
    if min(numbers["block"], numbers["board_rate_hz"], numbers["model_rate_hz"]) == 0:
        raise ValueError
    return Measured(**texts, **numbers, warm=counts["warm"], cold=counts["cold"])


def _refuse(one: Measured, runs: set[str], log: Path) -> None:
    def refused(expected: str, found: str, remedy: str) -> InputError:
        return InputError(f"bench in {log}", expected=expected, found=found, remedy=remedy)

    if one.run not in runs:
        raise refused("a run of this grid", repr(one.run), "Name its grid: GRID=name.")
    board = boards.board(one.board)
    if one.unit not in ("cycles", "instructions"):
        raise refused("a count of cycles or instructions", repr(one.unit), "Build it anew.")
    if one.golden_error_ppb > one.golden_allowed_ppb:
        told = f"{one.golden_error_ppb / 1e9:.3g}, allowed {one.golden_allowed_ppb / 1e9:.3g}"
        raise refused("golden vectors within their tolerance", told, "Build the firmware anew.")
    if one.unit == "cycles" and abs(one.clock_hz / board.clock_hz - 1) > 0.01:
        told = f"{one.clock_hz / 1e6:.0f} MHz"
        wanted = f"{board.clock_hz / 1e6:.0f} MHz"
        raise refused(wanted, told, "Build it for the board's usual clock.")


def _broken(path: Path) -> InputError:
    return InputError(
        str(path), expected="what a bench tells, whole",
        found="a broken line, or one of another version",
        remedy="Take it in again from the serial port.",
    )  # fmt: skip
