"""Cycles of a Cortex-M7, estimated from the instructions that a program executed.

Arm publishes no timing of this processor. The rules here are those that others measured on one
(an STM32H743: github.com/jnk0le/random, "pipeline cycle test"; an STM32H730:
quinapalus.com/cm7cycles.html), for code and data without wait states, as in tightly coupled
memory or a warm cache:

- Instructions start in order, two a cycle, but no two of single-precision arithmetic, no two
  stores, and two loads only from an even and an odd word. A division starts alone and holds up
  all for 16 cycles, a square root for 14; loads and stores of many registers, and of doubles,
  start alone and take a cycle a pair.
- A result of a sum or a product can be used 3 cycles later, of a fused multiply-add 3 cycles
  later as the sum of the next, 5 as a factor; what was loaded in the next cycle, as the sum of a
  multiply-add 3 cycles later.
- For 3 cycles after a multiply-add no sum and no load or store of several registers starts, and no
  load, store or move of one register beside another instruction.
- Branches are predicted, but where a loop ends; that costs 8 cycles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

DIVISION_CYCLES = 16
ROOT_CYCLES = 14
MISPREDICTED_CYCLES = 8
AFTER_MULTIPLY_ADD_CYCLES = 3

Kind = Literal[
    "fma", "add", "multiply", "divide", "move", "constant", "transfer", "load", "store", "many",
    "integer", "branch",
]  # fmt: skip

# Cycles from the start of what makes a number to the start of what takes it.
_LATENCY: dict[str, dict[str, int]] = {
    "fma": {"sum": 3, "store": 3, "factor": 5},
    "add": {"sum": 3, "store": 1, "factor": 3},
    "multiply": {"sum": 3, "store": 1, "factor": 3},
    "move": {"sum": 3, "store": 3, "factor": 3},
    "constant": {"sum": 3, "store": 3, "factor": 3},
    "transfer": {"sum": 3, "store": 3, "factor": 3},
    "load": {"sum": 3, "store": 1, "factor": 1},
    "many": {"sum": 3, "store": 1, "factor": 1},
}


@dataclass(frozen=True)
class Instruction:
    """One instruction, as far as timing asks.

    Attributes:
        kind: what it does.
        reads, writes: registers; halves of a double one by one.
        sums: the register that a multiply-add adds to, where it is no factor as well.
        alone: cycles for which nothing else starts; 0 if another may start beside it.
        is_float: whether the registers are of the floating-point unit.
        word: base register and number of the word that a load or store takes, where known.
    """

    kind: Kind
    reads: frozenset[str]
    writes: frozenset[str]
    sums: str | None = None
    alone: int = 0
    is_float: bool = False
    word: tuple[str, int] | None = None


def parse(text: str) -> Instruction:
    """An instruction as ``objdump`` writes it, without address and comment."""
    name, _, rest = text.strip().partition(" ")
    mnemonic = name.split(".")[0]
    named = registers(rest)
    if mnemonic.startswith("v"):
        return _float(mnemonic, rest, named)
    return _integer(mnemonic, rest, named)


def cycles(executed: Sequence[Instruction], ends_of_loops: Iterable[int] = ()) -> int:
    """Cycles that instructions take, in the order of their execution.

    Args:
        executed: all of them.
        ends_of_loops: places of the branches that were mispredicted.
    """
    mispredicted = set(ends_of_loops)
    made: dict[str, tuple[str, int]] = {}  # what made a register, and when it started
    now, older = 0, None  # the cycle that is filled, and what has started in it
    multiplied = -AFTER_MULTIPLY_ADD_CYCLES - 1
    for place, one in enumerate(executed):
        start = max(now, _operands(one, made))
        if one.is_float and one.kind in ("add", "constant", "many"):
            start = max(start, multiplied + AFTER_MULTIPLY_ADD_CYCLES + 1)
        is_pair = False
        if start == now and older is not None:
            is_pair = _beside(older, one, now - multiplied <= AFTER_MULTIPLY_ADD_CYCLES)
            start += not is_pair
        if one.kind == "fma":
            multiplied = start
        ended = start + max(0, one.alone - 1)
        made |= dict.fromkeys(one.writes, (one.kind, ended))
        now, older = (start, one) if not is_pair and not one.alone else (ended + 1, None)
        if place in mispredicted:
            now, older = start + 1 + MISPREDICTED_CYCLES, None
    return now + (older is not None)


def _operands(one: Instruction, made: dict[str, tuple[str, int]]) -> int:
    """The first cycle in which all that an instruction reads is there."""
    first = 0
    for register in one.reads:
        if register not in made:
            continue
        maker, started = made[register]
        role = "sum" if register == one.sums else "store" if one.kind == "store" else "factor"
        latency = _LATENCY.get(maker, {}).get(role, 1) if one.is_float else 1
        first = max(first, started + latency)
    return first


def _beside(older: Instruction, younger: Instruction, shadowed: bool) -> bool:
    """Whether two instructions start in one cycle, the first of which is free to have a partner."""
    if older.alone or younger.alone or (younger.kind == "branch" and older.kind == "branch"):
        return False
    if older.writes & (younger.reads | younger.writes):
        return False
    arithmetic = ("fma", "add", "multiply", "constant", "transfer")
    if older.kind in arithmetic and younger.kind in arithmetic:
        return False
    moves = ("load", "store", "move", "transfer")
    if older.kind == "fma" and younger.kind in moves and younger.is_float:
        return False
    if younger.kind == "fma" and older.kind in moves and older.is_float and shadowed:
        return False
    if younger.is_float and younger.kind in moves and shadowed:
        return False
    if older.kind == younger.kind == "store":
        return False
    if older.kind == younger.kind == "load":
        return _other_bank(older, younger)
    return True


def _other_bank(older: Instruction, younger: Instruction) -> bool:
    if older.word is None or younger.word is None or older.word[0] != younger.word[0]:
        return False
    return (older.word[1] - younger.word[1]) % 2 == 1


def _float(mnemonic: str, rest: str, named: list[str]) -> Instruction:
    if mnemonic in ("vldmia", "vldmdb", "vstmia", "vstmdb", "vpush", "vpop"):
        return _many(rest, named, mnemonic in ("vldmia", "vldmdb", "vpop"))
    if mnemonic in ("vldr", "vstr"):
        moved = halves(named[0])
        is_load = mnemonic == "vldr"
        word = _word(rest)
        if len(moved) > 1:
            base = frozenset(named[1:])
            reads, writes = (base, moved) if is_load else (base | moved, frozenset[str]())
            return Instruction("many", reads, writes, alone=1, is_float=True)
        reads = frozenset(named[1:]) if is_load else frozenset(named)
        writes = moved if is_load else frozenset()
        return Instruction(
            "load" if is_load else "store", reads, writes, is_float=True, word=word
        )  # fmt: skip
    everything = [half for register in named for half in sorted(halves(register))]
    target, given = frozenset(everything[:1]), frozenset(everything[1:])
    if mnemonic in ("vfma", "vfms", "vfnma", "vfnms", "vmla", "vmls"):
        sums = None if target & given else everything[0]
        return Instruction("fma", given | target, target, sums, is_float=True)
    if mnemonic in ("vmul", "vnmul"):
        return Instruction("multiply", given, target, is_float=True)
    if mnemonic in ("vdiv", "vsqrt"):
        alone = DIVISION_CYCLES if mnemonic == "vdiv" else ROOT_CYCLES
        return Instruction("divide", given, target, alone=alone, is_float=True)
    if mnemonic == "vmov":
        if "#" in rest:
            return Instruction("constant", frozenset(), target, is_float=True)
        if any(register[0] not in "sd" for register in named):
            return Instruction("transfer", given, target, alone=1, is_float=True)
        return Instruction("move", given, target, is_float=True)
    if mnemonic in ("vcmp", "vcmpe"):
        return Instruction("add", frozenset(everything), frozenset(["fpscr"]), is_float=True)
    if mnemonic in ("vmrs", "vmsr"):
        status, flags = frozenset(["fpscr"]), frozenset(["flags"])
        return Instruction("transfer", status, flags, alone=1, is_float=True)
    return Instruction("add", given, target, is_float=True)  # sums, extremes, signs, conversions


def _integer(mnemonic: str, rest: str, named: list[str]) -> Instruction:
    root = re.sub(r"(eq|ne|cs|cc|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)$", "", mnemonic)
    if root in ("b", "bl", "bx", "blx", "cbz", "cbnz", "tbb", "tbh"):
        asked = ["flags"] if root == "b" and root != mnemonic else []
        return Instruction("branch", frozenset([*named, *asked]), frozenset())
    if root in ("ldmia", "ldm", "ldmdb", "stmia", "stm", "stmdb", "push", "pop"):
        return _many(rest, named, root.startswith("ld") or root == "pop")
    if root.startswith("ldrd") or root.startswith("strd"):
        return _many(rest, named[2:] + named[:2], root.startswith("ld"), 2)
    changed = frozenset(named[1:2]) if "!" in rest or "], " in rest else frozenset[str]()
    if root.startswith("ldr"):
        reads = frozenset(named[1:])
        return Instruction("load", reads, frozenset(named[:1]) | changed, word=_word(rest))
    if root.startswith("str"):
        return Instruction("store", frozenset(named), changed, word=_word(rest))
    if root in ("cmp", "cmn", "tst", "teq"):
        return Instruction("integer", frozenset(named), frozenset(["flags"]))
    if root in ("sdiv", "udiv"):
        return Instruction("divide", frozenset(named[1:]), frozenset(named[:1]), alone=8)
    flags = ["flags"] if root.endswith("s") and root not in ("vs", "cs") else []
    reads = frozenset(named if len(named) == 1 or root == "bfi" else named[1:])
    if len(named) == 2 and root in ("add", "sub", "adds", "subs", "ands", "orrs", "eors"):
        reads = frozenset(named)
    return Instruction("integer", reads, frozenset([*named[:1], *flags]))


def _many(rest: str, named: list[str], is_load: bool, count: int = 0) -> Instruction:
    """Several named at once; the base comes first, but for a stack, which names none."""
    has_base = not rest.startswith("{")
    base = named[:1] if has_base else ["sp"]
    moved = named[1:] if has_base else named
    singles = frozenset(half for register in moved for half in halves(register))
    changed = frozenset(base) if "!" in rest or not has_base else frozenset[str]()
    is_float = any(register[0] in "sd" and register != "sp" for register in moved)
    words = count or len(singles)
    reads = frozenset(base) if is_load else frozenset(base) | singles
    writes = singles | changed if is_load else changed
    return Instruction("many", reads, writes, alone=-(-words // 2), is_float=is_float)


def registers(text: str) -> list[str]:
    """Registers in order, ranges such as ``{s0-s3}`` written out."""
    found: list[str] = []
    for one in re.finditer(r"\b([rsd])(\d+)(?:-[rsd](\d+))?\b|\b(sp|lr|pc|ip|fp|sl|sb)\b", text):
        bank, first, last, name = one.groups()
        if name:
            found.append(name)
        else:
            found += [f"{bank}{n}" for n in range(int(first), int(last or first) + 1)]
    return found


def halves(register: str) -> frozenset[str]:
    """A double as its two single registers."""
    if re.fullmatch(r"d\d+", register):
        number = 2 * int(register[1:])
        return frozenset([f"s{number}", f"s{number + 1}"])
    return frozenset([register])


def _word(rest: str) -> tuple[str, int] | None:
    found = re.search(r"\[(\w+)(?:, #(-?\d+))?\]", rest)
    return (found[1], int(found[2] or 0) // 4) if found else None
