"""The instructions that a program executed for some samples, in order, from QEMU's log."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from data.errors import InputError
from embedded.c.generate import CSource, golden_input
from embedded.simulator import qemu, timing

SAMPLES = 8
MCA = "llvm-mca"
_CONDITIONS = "eq|ne|cs|cc|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le"


@dataclass(frozen=True)
class Executed:
    """What one call for ``samples`` samples executed.

    Attributes:
        texts: instructions as ``objdump`` writes them, without addresses.
        ends_of_loops: places in it of backward branches that were not taken.
        samples: how many the call was for.
    """

    texts: tuple[str, ...]
    ends_of_loops: tuple[int, ...]
    samples: int

    @property
    def instructions_per_sample(self) -> float:
        """As the simulated board's timer counts them."""
        return len(self.texts) / self.samples

    @property
    def cycles_per_sample(self) -> float:
        """By the rules of ``embedded.simulator.timing``."""
        known = {text: timing.parse(text) for text in set(self.texts)}
        executed = [known[text] for text in self.texts]
        return timing.cycles(executed, self.ends_of_loops) / self.samples

    def llvm_cycles_per_sample(self) -> float:
        """By LLVM's model of the Cortex-M7, a second opinion.

        It starts nothing that would end before a multiply-add that is under way, and takes a load
        of many registers for one of one; so such a load is told as loads of pairs here.

        Raises:
            InputError: ``llvm-mca`` is missing or does not take the code.
        """
        if shutil.which(MCA) is None:
            raise InputError(
                "cycles by LLVM", expected=f"the program {MCA}", found="none",
                remedy="Run `make system`, which installs it.",
            )  # fmt: skip
        lines = [line for text in _without_conditions(self.texts) for line in _for_llvm(text)]
        command = [MCA, "-mtriple=thumbv7em-none-eabihf", "-mcpu=cortex-m7", "-iterations=1"]
        done = subprocess.run(
            command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=300
        )
        found = re.search(r"Total Cycles:\s+(\d+)", done.stdout)
        if found is None:
            raise InputError(
                "cycles by LLVM", expected="code that llvm-mca takes", found=done.stderr[:500],
                remedy="Check the installed LLVM; version 14 is known to work.",
            )  # fmt: skip
        return int(found[1]) / self.samples


def of_model(model: CSource, flags: Sequence[str] = ("-O2",), samples: int = SAMPLES) -> Executed:
    """What a generated model executes; its way does not depend on what it hears.

    Raises:
        InputError: a tool is missing or fails.
    """
    qemu.require_tools()
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        qemu.build_model(model, here, flags)
        return of_program(here, f"{model.name}_process", samples)


def of_firmware(
    folder: Path, block: int, unit: int = 1, flags: Sequence[str] = ("-O2",)
) -> Executed:
    """What the whole firmware core executes for a block; arguments as ``simulate_firmware`` has."""
    qemu.require_tools()
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        qemu.build_firmware(folder.resolve(), here, block, unit, flags, None)
        return of_program(here, "firmware_process", block)


def of_program(here: Path, function: str, samples: int) -> Executed:
    """What ``program.elf`` executes in the second call of a function, the first for a block.

    Args:
        here: folder of the program, a runner of ``cortex_m7``.
        function: what the runner calls.
        samples: of the block, at most the runner's.
    """
    golden_input(samples, 44_100, 1).astype("<f4").tofile(here / "dry.f32")
    qemu.run_program(here, ["-D", "trace.log", "-d", "exec,nochain", *_one_at_a_time()], 300.0)
    log = (here / "trace.log").read_text()
    addresses = [int(found, 16) for found in re.findall(r"^Trace .*?/([0-9a-f]{8})/", log, re.M)]
    listing = qemu.command(
        ["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", "program.elf"], here
    )
    own = _call(addresses, _address_of(listing, function))
    return _executed(own, _instructions(listing), samples)


def _one_at_a_time() -> list[str]:
    """QEMU's options to log every instruction; they changed with version 8."""
    told = qemu.command(["qemu-system-arm", "--version"], Path.cwd())
    version = re.search(r"version (\d+)", told)
    is_new = version is not None and int(version[1]) >= 8
    return ["-accel", "tcg,one-insn-per-tb=on"] if is_new else ["-singlestep"]


def _address_of(listing: str, function: str) -> int:
    found = re.search(rf"^([0-9a-f]+) <{function}>:$", listing, re.M)
    if found is None:
        raise ValueError(f"no function {function}")
    return int(found[1], 16)


def _call(addresses: list[int], entry: int) -> list[int]:
    """The second call's instructions, from entry to return."""
    first, second = [n for n, address in enumerate(addresses) if address == entry][:2]
    assert first < second
    back = addresses[second - 1] + 4  # behind the call, an instruction of 4 bytes
    return addresses[second : addresses.index(back, second)]


def _instructions(listing: str) -> dict[int, str]:
    found = re.findall(r"^\s*([0-9a-f]+):\t([^\n;@]*)", listing, re.M)
    return {int(address, 16): text.replace("\t", " ").strip() for address, text in found}


def _executed(addresses: list[int], known: dict[int, str], samples: int) -> Executed:
    ends = []
    for place, (here, there) in enumerate(pairwise(addresses)):
        target = re.fullmatch(rf"b(?:{_CONDITIONS})(?:\.[nw])? ([0-9a-f]+) <.*", known[here])
        is_backward = target is not None and int(target[1], 16) < here
        if is_backward and 0 < there - here <= 4:
            ends.append(place)
    return Executed(tuple(known[address] for address in addresses), tuple(ends), samples)


def _without_conditions(texts: Sequence[str]) -> list[str]:
    """Instructions without ``it`` and the conditions that it allows; they take as long."""
    plain, left = [], 0
    for text in texts:
        name, _, rest = text.partition(" ")
        if re.fullmatch(r"it[te]{0,3}", name):
            left = len(name) - 1
            continue
        if left:
            root, dot, width = name.partition(".")
            name = re.sub(rf"({_CONDITIONS})$", "", root) + dot + width
            left -= 1
        plain.append(f"{name} {rest}")
    return plain


def _for_llvm(text: str) -> list[str]:
    """An instruction in what LLVM reads: branches to a name, many registers as loads of pairs."""
    branch = re.match(rf"((?:bl?|b(?:{_CONDITIONS}))(?:\.[nw])?|cbn?z r\d+,) *[0-9a-f]+ <", text)
    if branch:
        # It takes any call for one of an unknown function, of 100 cycles.
        return [f"{re.sub(r'^bl$', 'b', branch[1].replace('.n', ''))} elsewhere"]
    stepping = re.fullmatch(r"((?:ldr|str)\S*) (\w+), \[(\w+)(?:\], #(-?\d+)|, #(-?\d+)\]!)", text)
    if stepping:  # which ends llvm-mca 14 by an error of its own
        name, moved, base, behind, before = stepping.groups()
        step = int(behind or before)
        change = f"{'add' if step >= 0 else 'sub'}.w {base}, {base}, #{abs(step)}"
        return [f"{name} {moved}, [{base}]", change]
    moved = re.match(r"(vldmia|vstmia|vpush|vpop) (?:(\w+)(!?), )?\{(.*)\}", text)
    if not moved:
        return [
            re.sub(r"^(vmov\.f32 s\d+, )#\d+$", r"\1#1.0", text)
        ]  # a constant, told by its code
    name, base, changes, listed = moved.groups()
    operation = "vldr" if name in ("vldmia", "vpop") else "vstr"
    halves = [half for one in timing.registers(listed) for half in timing.halves(one)]
    numbers = sorted(int(half[1:]) for half in halves)
    lines = []
    for at in range(0, len(numbers), 2):
        is_pair = at + 1 < len(numbers) and numbers[at] % 2 == 0
        own = [f"d{numbers[at] // 2}"] if is_pair else [f"s{n}" for n in numbers[at : at + 2]]
        lines += [
            f"{operation} {one}, [{base or 'sp'}, #{4 * at + 4 * n}]" for n, one in enumerate(own)
        ]
    return [*lines, *([f"add {base}, #{4 * len(numbers)}"] if changes else [])]
