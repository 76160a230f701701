import shutil

import pytest

from embedded.c.generate import golden_input
from embedded.simulator import qemu, trace
from embedded.simulator.trace import Executed
from models.architecture import Architecture
from tests.embedded.c.generated import RATE_HZ, SHAPES, name, source

needs_tools = pytest.mark.skipif(bool(qemu.missing_tools()), reason="needs make system")
needs_llvm = pytest.mark.skipif(shutil.which(trace.MCA) is None, reason="needs make system")


@pytest.mark.slow
@pytest.mark.system
@needs_tools
@needs_llvm
@pytest.mark.parametrize("a", SHAPES, ids=name)
def test_a_trace_is_what_the_timer_counts_and_llvm_prices_it_alike(a: Architecture) -> None:
    model = source(a)
    executed = trace.of_model(model)
    counted = qemu.simulate(model, golden_input(256, RATE_HZ, 1)).instructions_per_sample
    # A call takes some instructions, here for 8 samples, there for 64.
    assert 0 < executed.instructions_per_sample - counted < 12
    ours, theirs = executed.cycles_per_sample, executed.llvm_cycles_per_sample()
    # LLVM lets products wait after a multiply-add: dilated layers of one channel are little else.
    assert (0.65 if a.family == "tcn" else 0.8) < ours / theirs < 1.02
    assert 0.95 < ours / executed.instructions_per_sample < 2.1


def test_llvm_reads_what_its_syntax_or_model_lacks() -> None:
    told = [line for text in (
        "vldmia r7!, {s13}", "vldmia r3, {s4-s7}", "vpush {d8, d9}", "bne.n 304 <f+0x10>",
        "bl 2f4 <g>", "vmov.f32 s23, #156", "ldr.w r1, [r5], #4", "add.w r0, r1, #4",
    ) for line in trace._for_llvm(text)]  # fmt: skip
    assert told == [
        "vldr s13, [r7, #0]", "add r7, #4", "vldr d2, [r3, #0]", "vldr d3, [r3, #8]",
        "vstr d8, [sp, #0]", "vstr d9, [sp, #8]", "bne elsewhere", "b elsewhere",
        "vmov.f32 s23, #1.0", "ldr.w r1, [r5]", "add.w r5, r5, #4", "add.w r0, r1, #4",
    ]  # fmt: skip
    conditional = ("cmp r0, #1", "ite ne", "movne r1, #2", "moveq.w r1, r3", "adds r0, #1")
    assert trace._without_conditions(conditional) == [
        "cmp r0, #1", "mov r1, #2", "mov.w r1, r3", "adds r0, #1",
    ]  # fmt: skip


def test_the_second_call_is_taken_and_the_end_of_its_loop_found() -> None:
    known = {
        0: "bl 100 <f>", 4: "bl 100 <f>", 8: "nop",
        100: "mov r0, #2", 102: "subs r0, #1", 104: "bne.n 66 <f+0x2>", 106: "bx lr",
    }  # fmt: skip
    call = [100, 102, 104, 102, 104, 106]
    own = trace._call([0, *call, 4, *call, 8], 100)
    assert own == call
    found = trace._executed(own, known, 2)
    assert found == Executed(tuple(known[address] for address in call), (4,), 2)
    assert found.instructions_per_sample == 3
