"""Cycles by rule, against what was measured on a Cortex-M7 (github.com/jnk0le/random)."""

import pytest

from embedded.simulator import timing


def priced(*texts: str, times: int = 1) -> int:
    return timing.cycles([timing.parse(text) for text in texts] * times)


def fma(to: int, factor: str = "s31", other: str = "s30") -> str:
    return f"vfma.f32 s{to}, {factor}, {other}"


@pytest.mark.parametrize(
    ("texts", "each"),
    [
        ([fma(n) for n in range(3)], 3),  # three sums hide the latency of each
        ([fma(0), fma(1)], 3),
        ([fma(0)], 3),
        ([fma(0, "s0")], 5),  # as a factor
        (["vmul.f32 s0, s0, s1"], 3),
        (["vadd.f32 s0, s0, s1"], 3),
        (["vmul.f32 s0, s8, s9", "vmul.f32 s1, s8, s9", "vadd.f32 s2, s8, s9"], 3),
        ([fma(0), "vadd.f32 s2, s8, s9"], 5),  # a sum waits for 3 cycles
        ([fma(0), "vmul.f32 s2, s8, s9"], 3),
        (["vdiv.f32 s0, s1, s2"], 16),
        (["vdiv.f32 s0, s1, s2", "vmul.f32 s3, s4, s5"], 17),
        (["vsqrt.f32 s0, s1"], 14),
        (["vldr s0, [r0]", "vldr s1, [r0, #4]"], 1),  # an even and an odd word
        (["vldr s0, [r0]", "vldr s1, [r0, #8]"], 2),
        (["vldr d0, [r0]", "vldr d1, [r0, #8]"], 2),
        (["vldmia r0, {s0-s15}"], 8),
        (["vldmia r0!, {s0, s1, s2}"], 2),
        (["vldmia r0!, {s0-s15}", *(fma(16 + n % 8, f"s{n}") for n in range(16))], 27),
        (["add.w r0, r1, r2", "add.w r3, r1, r2"], 1),
        (["add.w r0, r0, r2", "add.w r0, r0, r2"], 2),
        (["ldr.w r0, [r1, #4]", "add.w r2, r3, r4"], 1),
        (["str.w r0, [r1, #4]", "str.w r0, [r1, #8]"], 2),
        (["push {r4, r5, r6, lr}"], 2),
    ],
    ids=lambda given: "; ".join(given[:3]) if isinstance(given, list) else str(given),
)
def test_a_pattern_takes_what_was_measured(texts: list[str], each: int) -> None:
    few, many = priced(*texts, times=50), priced(*texts, times=150)
    assert (many - few) / 100 == pytest.approx(each, abs=0.05)


def test_a_multiply_add_waits_for_what_it_takes() -> None:
    assert priced("vldr s0, [r0]", fma(1, "s0")) == 2  # a factor, in the next cycle
    assert priced("vldr s1, [r0]", fma(1)) == 4  # the sum, two later
    assert priced("vmul.f32 s0, s2, s3", fma(1, "s0")) == 4


def test_a_loop_that_ends_costs_a_misprediction() -> None:
    loop = [timing.parse("subs r0, #1"), timing.parse("bne.n 100 <x>")] * 3
    assert timing.cycles(loop, [5]) == timing.cycles(loop) + timing.MISPREDICTED_CYCLES


@pytest.mark.parametrize(
    ("text", "reads", "writes"),
    [
        ("vfma.f32 s1, s2, s3", {"s1", "s2", "s3"}, {"s1"}),
        ("vldr d1, [r5, #8]", {"r5"}, {"s2", "s3"}),
        ("vstr s7, [r5]", {"s7", "r5"}, set()),
        ("vldmia r7!, {s4-s6}", {"r7"}, {"r7", "s4", "s5", "s6"}),
        ("vpush {d8, d9}", {"sp", "s16", "s17", "s18", "s19"}, {"sp"}),
        ("ldr.w r1, [r5], #4", {"r5"}, {"r1", "r5"}),
        ("str.w r1, [r5, #4]!", {"r1", "r5"}, {"r5"}),
        ("ldrd r1, r2, [r5]", {"r5"}, {"r1", "r2"}),
        ("adds r1, #4", {"r1"}, {"r1", "flags"}),
        ("cmp r1, r2", {"r1", "r2"}, {"flags"}),
        ("bne.w 882 <x+0x5>", {"flags"}, set()),
        ("vmov.f32 s3, #7", set(), {"s3"}),
        ("vmov s3, r2", {"r2"}, {"s3"}),
        ("vcmpe.f32 s3, s4", {"s3", "s4"}, {"fpscr"}),
    ],
)
def test_registers_are_read_from_the_text(text: str, reads: set[str], writes: set[str]) -> None:
    found = timing.parse(text)
    assert (set(found.reads), set(found.writes)) == (reads, writes)
