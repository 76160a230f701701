"""Does a model keep up? Every run on every board, by every route, before anything is built.

Instructions are counted or estimated (``embedded.budget.cost_model``), and for generated C their
cycles are estimated by rules of the processor's pipeline (``embedded.simulator.timing``), for
memory without wait states. Tightly coupled memory, where a Teensy has code and constants, is such.
Elsewhere caches hide some of the waiting, and of TFLite Micro's loops nothing is known, so a
budget has two ends: optimistically the estimate less its error, or one cycle an instruction;
pessimistically the estimate and its error, or two. GRU-10 in RTNeural, 3,400 instructions a
sample, is the largest that is known to run on a Daisy Seed, whose 10,000 cycles it fills to 68 %
at two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

import pandas as pd

from data import files
from embedded.budget import cost_model, on_board
from embedded.budget.cost_model import Cost
from embedded.budget.on_board import Measured
from embedded.tflite.quantization import Kind
from models.architecture import Architecture
from study.config.rendering import FRAMED, STREAMING, Rendering
from study.config.run import RunConfig
from study.selection.boards import BOARDS, Board
from study.selection.candidates import VERDICTS, Verdict, research_reason
from study.store import tables
from study.store.columns import BUDGET_COLUMNS, typed
from study.store.folders import Store

CYCLES_OPTIMISTIC = 1.0
CYCLES_PESSIMISTIC = 2.0

# Of the cycles, what converters, the audio library and the rest of the program may take.
RESERVE = 0.1

KINDS: dict[str, Kind] = {
    "tflite_float32": "float32",
    "tflite_int8": "int8",
    "tflite_int16x8": "int16x8",
}
ROUTES = ("c", *KINDS)


@dataclass(frozen=True)
class BudgetLine:
    """A model on a board by a route; the columns of ``budget.parquet``.

    Attributes:
        run_id, rendering: of the results table.
        board: name.
        route: ``c`` or ``tflite_<kind>``.
        instructions_per_sample: a sample of the model's rate, with the core and resampling.
        cycles_per_sample: the same in cycles, without wait states or as measured; None where not
            known.
        cycles_basis: ``timing`` where they are estimated by rules, ``board`` where a board told
            them, ``range`` where an instruction takes one cycle or two.
        cycles_optimistic, cycles_pessimistic: the same in cycles, an estimate's error
            taken off or added.
        budget_cycles: that the processor has until the next sample of the model.
        share_optimistic, share_pessimistic: of the budget.
        ram_bytes, flash_bytes: with the board's library; code and constants count as both
            where they are copied to RAM.
        latency_ms: from converter to converter.
        verdict: yes, tight (if all goes well) or no.
        basis: whether the model's instructions were measured or come from the cost model, and
            whether its error is a guess there; as in ``cost_model.Cost``.
        instructions_error: the largest relative one; 0 where measured.
        resampling: of the board's rate for the model: ``none``, ``halved``, ``doubled`` or
            ``impossible``.
        reason: for the verdict, in words.
    """

    run_id: str
    rendering: str
    board: str
    route: str
    instructions_per_sample: float
    cycles_per_sample: float | None
    cycles_basis: str
    cycles_optimistic: float
    cycles_pessimistic: float
    budget_cycles: float
    share_optimistic: float
    share_pessimistic: float
    ram_bytes: int
    flash_bytes: int
    latency_ms: float
    verdict: Verdict
    basis: str
    instructions_error: float
    resampling: str
    reason: str


def compute(store: Store) -> pd.DataFrame:
    """The budget of every finished model that can be built; ``BUDGET_COLUMNS`` says what it holds.

    Raises:
        InputError: the grid has no finished run.
    """
    lines = [asdict(line) for line in _lines(store)]
    return typed(lines, BUDGET_COLUMNS)


def write(store: Store) -> pd.DataFrame:
    """Compute the budget and keep it as ``budget.parquet``."""
    found = compute(store)
    path = store.root / "budget.parquet"
    files.write_whole(path, lambda aside: found.to_parquet(aside, index=False))
    return found


def told(found: pd.DataFrame) -> list[str]:
    """Board by board, how many models keep up; the best route of each counts."""
    sentences = []
    for name, own in found.groupby("board", sort=False):
        best = own["verdict"].map(VERDICTS.index).groupby([own["run_id"], own["rendering"]]).min()
        counts = [f"{(best == place).sum()} {verdict}" for place, verdict in enumerate(VERDICTS)]
        sentences.append(f"{BOARDS[str(name)].title}: {', '.join(counts)}")
    return sentences


def line(
    architecture: Architecture,
    sample_rate_hz: int,
    board: Board,
    route: str,
    run_id: str = "",
    rendering: str | None = None,
    told: Mapping[on_board.Key, Measured] | None = None,
) -> BudgetLine:
    """The budget of one model.

    Args:
        architecture: its shape.
        sample_rate_hz: that it was trained at.
        board: to run it on.
        route: one of ``ROUTES``.
        run_id: for the table.
        rendering: a recurrent model's ``framed`` takes ``frame_size`` steps a sample, and
            ``framed_x<factor>`` as many times what ``framed`` takes; firmware does neither.
            By default as boards do it, recurrent models streaming and the others framed.
        told: what boards told of their own time (``on_board.read``), preferred to estimates.
    """
    rendering = rendering or (STREAMING if architecture.streams else FRAMED)
    cost = _cost(architecture, route, rendering)
    resampling = board.resampling(sample_rate_hz)
    budget = board.clock_hz / sample_rate_hz
    key = (run_id, rendering, board.name, route)
    time = _time(cost, architecture.family, board, sample_rate_hz, key, told or {})
    shares = [one / budget for one in (time.least, time.most)]
    ram = cost.ram_bytes + board.library_ram_bytes
    flash = cost.flash_bytes + board.library_flash_bytes
    if board.runs_from_ram:
        ram += flash
    verdict, reason = _verdict(board, sample_rate_hz, shares[0], shares[1], ram, flash)
    if objection := research_reason(architecture.family, "none", rendering):
        verdict, reason = "no", f"rendering: {objection}"
    return BudgetLine(
        run_id=run_id,
        rendering=rendering,
        board=board.name,
        route=route,
        instructions_per_sample=time.instructions,
        cycles_per_sample=time.cycles,
        cycles_basis=time.cycles_basis,
        cycles_optimistic=time.least,
        cycles_pessimistic=time.most,
        budget_cycles=budget,
        share_optimistic=shares[0],
        share_pessimistic=shares[1],
        ram_bytes=ram,
        flash_bytes=flash,
        latency_ms=board.latency_ms(sample_rate_hz),
        verdict=verdict,
        basis=time.basis,
        instructions_error=time.error,
        resampling=resampling,
        reason=reason,
    )


def objection(config: RunConfig, route: str) -> str | None:
    """Why no firmware is written for a model by a route, or None."""
    if config.knobs != "none":
        return "no firmware has knobs"
    a = config.architecture
    return cost_model.objection(a) if route == "c" else cost_model.tflite_objection(a)


def _lines(store: Store) -> Iterator[BudgetLine]:
    runs = {run.run_id: run for run in store.runs()}
    told = on_board.read(store)
    collected = tables.collect(store)
    tables.require_finished(collected, store)
    done = collected[collected["status"] == "ok"]
    for row in done.drop_duplicates(["run_id", "rendering"]).to_dict("records"):
        config = runs[row["run_id"]].config()
        routes = [route for route in ROUTES if objection(config, route) is None]
        for board in BOARDS.values():
            for route in routes:
                yield line(
                    config.architecture, config.sample_rate_hz, board, route,
                    config.run_id, row["rendering"], told,
                )  # fmt: skip


def _cost(a: Architecture, route: str, rendering: str) -> Cost:
    cost = cost_model.generated_c(a) if route == "c" else cost_model.tflite_micro(a, KINDS[route])
    way = Rendering.parse(rendering)
    steps = a.frame_size if a.streams and not way.carries_state else 1
    return cost.repeated(way.factor * steps)


class _Time(NamedTuple):
    """What a sample takes, as ``BudgetLine`` tells it: ``least`` and ``most`` are cycles."""

    instructions: float
    basis: str
    error: float
    cycles: float | None
    cycles_basis: str
    least: float
    most: float


def _time(
    cost: Cost,
    family: str,
    board: Board,
    sample_rate_hz: int,
    key: tuple[str, str, str, str],
    told: Mapping[on_board.Key, Measured],
) -> _Time:
    """As a board told, where it did, or else estimated; errors widen the range."""
    around = cost_model.around_the_model(board.resampling(sample_rate_hz))
    instructions, basis, error = cost.instructions + around[0], cost.basis, cost.error
    if counted := told.get((*key, "instructions")):
        instructions, basis, error = counted.per_sample(counted.warm[1]), "measured", 0.0
    uncertain = error * cost.instructions
    least = CYCLES_OPTIMISTIC * (instructions - uncertain)
    most = CYCLES_PESSIMISTIC * (instructions + uncertain)
    if measured := told.get((*key, "cycles")):
        middle, worst = measured.warm[1], max(measured.warm[3], measured.cold[3])
        cycles, least, most = map(measured.per_sample, (middle, measured.warm[0], worst))
        return _Time(instructions, basis, error, cycles, "board", least, most)
    if cost.cycles is None:
        return _Time(instructions, basis, error, None, "range", least, most)
    cycles, wrong = cost.cycles + around[1], cost.cycles_error * cost.cycles
    # LLVM's model of the processor tells more cycles, never fewer. Only tightly coupled memory
    # never makes it wait.
    highest = cycles + wrong + cost_model.timing_error(family) * cost.cycles
    most = highest if board.runs_from_ram else max(highest, most)
    return _Time(instructions, basis, error, cycles, "timing", cycles - wrong, most)


def _roomier(board: Board) -> str:
    """The variant of a board that has more room for a program."""
    own = [other for other in BOARDS.values() if other.kind == board.kind]
    found = [other.name for other in own if other.flash_bytes > board.flash_bytes]
    return f"; {found[0]} has more" if found else ""


def _verdict(
    board: Board,
    sample_rate_hz: int,
    share_optimistic: float,
    share_pessimistic: float,
    ram_bytes: int,
    flash_bytes: int,
) -> tuple[Verdict, str]:
    if board.resampling(sample_rate_hz) == "impossible":
        own = board.sample_rate_hz
        rates = f"{own} Hz, or between filters {own // 2} or {2 * own} Hz"
        return "no", f"rate: the board runs at {rates}; the model has {sample_rate_hz} Hz"
    if flash_bytes > board.flash_bytes:
        return "no", f"flash: {flash_bytes:,} bytes of {board.flash_bytes:,}{_roomier(board)}"
    if ram_bytes > board.ram_bytes:
        return "no", f"RAM: {ram_bytes:,} bytes of {board.ram_bytes:,}"
    used = f"{100 * share_optimistic:.0f} to {100 * share_pessimistic:.0f} % of the cycles"
    if share_optimistic > 1 - RESERVE:
        return "no", f"time: {used}"
    if share_pessimistic > 1 - RESERVE:
        return "tight", f"time: {used}, so only the board can tell"
    return "yes", used
