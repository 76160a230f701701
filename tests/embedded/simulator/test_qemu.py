import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from data import dry as dry_signal
from data.errors import InputError
from embedded.c import generate
from embedded.network import reference
from embedded.simulator import qemu, trace
from models.architecture import Architecture
from tests.embedded.c.generated import (
    RATE_HZ,
    SHAPES,
    build,
    esr,
    name,
    random_weights,
    run,
    source,
)

DRY = generate.golden_input(1024, RATE_HZ, seed=9)
LSTM_16 = Architecture("lstm", 1, 16, 64)
GRU_10 = Architecture("gru", 1, 10, 64)

needs_tools = pytest.mark.skipif(bool(qemu.missing_tools()), reason="needs make system")


@pytest.mark.system
@needs_tools
@pytest.mark.parametrize("a", SHAPES, ids=name)
def test_the_board_gives_the_bits_of_the_host(a: Architecture, tmp_path: Path) -> None:
    model = source(a)
    board = qemu.simulate(model, DRY)
    assert np.array_equal(board.samples, run(build(model, tmp_path, "-DMODEL_FUSED"), DRY))
    assert esr(reference.respond(a, random_weights(a), DRY), board.samples) < 1e-9


@pytest.mark.system
@needs_tools
@pytest.mark.parametrize("optimisation", ["-O2", "-O3"])
@pytest.mark.parametrize(("a", "most"), [(GRU_10, 1300), (LSTM_16, 3800)], ids=["gru", "lstm"])
def test_instructions_stay_within_their_budget(
    a: Architecture, most: int, optimisation: str
) -> None:
    board = qemu.simulate(source(a), DRY, [optimisation])
    multiplications = 3 * 10 * 12 if a is GRU_10 else 4 * 16 * 18
    assert multiplications < board.instructions_per_sample <= most
    assert 0 < board.instructions_per_single_sample - board.instructions_per_sample < 60


@pytest.mark.system
@needs_tools
def test_assembler_and_c_give_the_same_bits_at_different_cost() -> None:
    with_it = qemu.simulate(source(LSTM_16), DRY)
    without = qemu.simulate(source(LSTM_16), DRY, ["-O2", "-DMODEL_NO_ASSEMBLER"])
    assert np.array_equal(with_it.samples, without.samples)
    cycles = [trace.of_model(source(LSTM_16), flags).cycles_per_sample for flags in (
        ["-O2"], ["-O2", "-DMODEL_NO_ASSEMBLER"],
    )]  # fmt: skip
    assert cycles[1] > 1.1 * cycles[0]


@pytest.mark.system
@needs_tools
@pytest.mark.parametrize(("a", "most"), [(GRU_10, 1700), (LSTM_16, 4000)], ids=["gru", "lstm"])
def test_cycles_stay_within_their_budget(a: Architecture, most: int) -> None:
    assert trace.of_model(source(a)).cycles_per_sample <= most


@pytest.mark.system
@needs_tools
@pytest.mark.parametrize("a", [GRU_10, LSTM_16, Architecture("dense", 1, 6, 32)], ids=name)
def test_contraction_by_the_compiler_changes_nothing(a: Architecture) -> None:
    """Every multiply-add is written out, so that no build's habit makes other bits."""
    free = qemu.simulate(source(a), DRY, ["-O2", "-ffp-contract=fast", "-std=gnu11"])
    bound = qemu.simulate(source(a), DRY)
    assert np.array_equal(free.samples, bound.samples)
    assert free.instructions_per_sample == bound.instructions_per_sample


@pytest.mark.system
@needs_tools
def test_the_footprint_is_that_of_weights_state_and_stack() -> None:
    found = qemu.simulate(source(LSTM_16), DRY).footprint
    weights = 4 * sum(w.size for w in random_weights(LSTM_16))
    assert weights < found.flash_bytes < weights + 3000
    assert found.state_bytes == 4 * (2 * 16 + 16 + 1)
    assert 0 < found.stack_bytes < 512


@pytest.mark.system
@needs_tools
def test_a_simulation_that_takes_too_long_is_ended() -> None:
    with pytest.raises(InputError, match=r"within 0\.5 s"):
        qemu.simulate(source(LSTM_16), np.zeros(2_000_000, np.float32), timeout_s=0.5)


@pytest.mark.slow
@pytest.mark.system
@needs_tools
def test_two_seconds_of_guitar_are_those_of_the_host(tmp_path: Path) -> None:
    """A plucked phrase from the built-in dry signal, through GRU-10 at 44.1 kHz."""
    dry = dry_signal.generate(20.0, 0, RATE_HZ)
    loudest = int(np.abs(dry).argmax())
    phrase = dry[max(0, loudest - RATE_HZ) :][: 2 * RATE_HZ]
    assert len(phrase) == 2 * RATE_HZ
    assert np.sqrt(np.mean(phrase**2)) > 0.01
    model = source(GRU_10)
    board = qemu.simulate(model, phrase, timeout_s=300)
    assert np.array_equal(board.samples, run(build(model, tmp_path, "-DMODEL_FUSED"), phrase))
    assert esr(reference.respond(GRU_10, random_weights(GRU_10), phrase), board.samples) < 1e-9
    assert board.instructions_per_sample < 1300


@pytest.mark.system
@needs_tools
def test_no_samples_are_refused() -> None:
    with pytest.raises(InputError, match="one or more"):
        qemu.simulate(source(GRU_10), np.zeros(0, np.float32))


@pytest.mark.system
@needs_tools
def test_a_failing_compiler_or_simulator_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"arm-none-eabi-gcc.*unrecognized"):
        qemu.simulate(source(GRU_10), DRY, ["-fno-such-flag"])
    broken = tmp_path / "qemu-system-arm"
    broken.write_text("#!/bin/sh\necho no such board; exit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(InputError, match=r"qemu-system-arm.*3: no such board"):
        qemu.simulate(source(GRU_10), DRY)


def test_missing_tools_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    with pytest.raises(InputError, match=r"qemu-system-arm.*make system"):
        qemu.simulate(source(GRU_10), DRY)
