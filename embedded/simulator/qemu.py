"""Generated C on a simulated Cortex-M7: what it answers, what it costs, what it occupies.

The model is cross-compiled with a start-up of our own and run by QEMU's mps2-an500 board.
With ``-icount shift=5`` every instruction takes 32 ns of the board's time, and the timer
ticks every 40 ns, so ticks count *instructions*. They are not cycles: a Cortex-M7 issues
up to two instructions a cycle, and a division takes 14 cycles or more.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.audio import Samples
from data.errors import InputError
from embedded.c.generate import CSource

BOARD = Path(__file__).parent / "cortex_m7"
TOOLS = (
    "arm-none-eabi-gcc", "arm-none-eabi-size", "arm-none-eabi-nm", "arm-none-eabi-objdump",
    "qemu-system-arm",
)  # fmt: skip
INSTRUCTIONS_PER_TICK = 40 / 32
LINK = ("-nostartfiles", "-Wl,--no-warn-rwx-segments", "-T", str(BOARD / "mps2-an500.ld"))
CPU = ("-mcpu=cortex-m7", "-mfpu=fpv5-d16", "-mfloat-abi=hard", "-mthumb")
# As the boards' builds have it: contracted by the compiler's choice, sums have other bits.
CONTRACTION = "-ffp-contract=off"
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")


@dataclass(frozen=True)
class Footprint:
    """Memory that a model takes, in bytes.

    Attributes:
        flash_bytes: code and weights (text and read-only data of the object file).
        state_bytes: the state struct.
        stack_bytes: deepest stack of a call for one sample, as run.
    """

    flash_bytes: int
    state_bytes: int
    stack_bytes: int


@dataclass(frozen=True)
class Simulation:
    """A model's run on the simulated board.

    Attributes:
        samples: the output, as long as the input.
        instructions_per_sample: in blocks of 64 samples.
        instructions_per_single_sample: one sample a call; NaN for inputs below 64 samples.
        footprint: its memory.
    """

    samples: Samples
    instructions_per_sample: float
    instructions_per_single_sample: float
    footprint: Footprint


def missing_tools() -> list[str]:
    """Those of ``TOOLS`` that are not installed."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def simulate(
    model: CSource,
    dry: NDArray[np.floating],
    flags: Sequence[str] = ("-O2",),
    timeout_s: float = 120.0,
) -> Simulation:
    """Run a generated model on the simulated Cortex-M7.

    Args:
        model: the generated files.
        dry: input, shape ``(samples,)``, at least one sample.
        flags: the compiler's, for example ``("-O3", "-DSD1_EXACT_TANH")``.
        timeout_s: of the simulation; 2 s of audio at 44.1 kHz take some seconds.

    Raises:
        InputError: tools are missing, there are no samples, the time is up, or the compiler
            or the simulator fails.
    """
    _check(dry)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        build_model(model, here, flags)
        wet, report = _run(model.name, here, dry, timeout_s)
        return Simulation(
            wet,
            report["blocks"] * INSTRUCTIONS_PER_TICK / len(dry),
            report["singles"] * INSTRUCTIONS_PER_TICK / report["single"]
            if report["single"]
            else float("nan"),
            Footprint(_flash(here), _size_of(here / "program.elf", "model"), report["stack"]),
        )


@dataclass(frozen=True)
class TfliteMicro:
    """TensorFlow Lite Micro, as its own build leaves it.

    Attributes:
        sources: the folder of its checkout, with the downloads of its build.
        library: ``libtensorflow-microlite.a`` for ``cortex-m7+fp``.
    """

    sources: Path
    library: Path

    @property
    def flags(self) -> list[str]:
        """What to compile with what includes it."""
        downloads = self.sources / "tensorflow/lite/micro/tools/make/downloads"
        includes = [self.sources, downloads / "flatbuffers/include", downloads / "gemmlowp"]
        found = [word for path in includes for word in ("-isystem", str(path))]
        macros = ["TF_LITE_STATIC_MEMORY", "TF_LITE_STRIP_ERROR_STRINGS", "PEDAL_USES_TFLITE=1"]
        return [*(f"-D{name}" for name in macros), *found]


def simulate_firmware(
    folder: Path,
    dry: NDArray[np.floating],
    block: int,
    unit: int = 1,
    flags: Sequence[str] = ("-O2",),
    tflite: TfliteMicro | None = None,
    timeout_s: float = 300.0,
) -> Simulation:
    """Run the whole firmware core, resampling and gains included, on the simulated Cortex-M7.

    Args:
        folder: with ``core`` and ``model``, as ``make deploy`` leaves it.
        dry: input at the board's rate, shape ``(samples,)``.
        block: samples at a time, as the firmware was configured.
        unit: of which ``block`` is a multiple, and which the model takes at least.
        flags: the compiler's.
        tflite: the library; without it the generated C is the engine.
        timeout_s: of the simulation.

    Returns:
        With the footprint of the whole program, C library included.

    Raises:
        InputError: as for ``simulate``.
    """
    _check(dry)
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        build_firmware(folder.resolve(), here, block, unit, flags, tflite)
        wet, report = _run("firmware", here, dry, timeout_s)
        # Berkeley format: text (with read-only data), data, bss, ...
        sizes = command(["arm-none-eabi-size", "program.elf"], here).splitlines()[1].split()
        text, data, bss = (int(word) for word in sizes[:3])
        return Simulation(
            wet,
            report["blocks"] * INSTRUCTIONS_PER_TICK / len(dry),
            float("nan"),
            Footprint(text + data, data + bss, report["stack"]),
        )


def bench(folder: Path, flags: Sequence[str] = ("-O2",), timeout_s: float = 120.0) -> str:
    """The line of JSON that the firmware's bench tells, which counts instructions here.

    Args:
        folder: with ``core`` and ``model``, as ``make deploy`` leaves it.
        flags: the compiler's.
        timeout_s: of the simulation.

    Raises:
        InputError: as for ``simulate``.
    """
    require_tools()
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        build_firmware(folder.resolve(), here, 1, 1, [*flags, "-DBENCH"], None)
        return run_program(here, ["-icount", "shift=5,sleep=off"], timeout_s)


def require_tools() -> None:
    """Refuse to go on without the tools.

    Raises:
        InputError: one is missing.
    """
    if missing := missing_tools():
        raise InputError(
            "simulated Cortex-M7",
            expected=f"the programs {', '.join(TOOLS)}",
            found=f"no {', no '.join(missing)}",
            remedy="Run `make system`, which installs them.",
        )


def _check(dry: NDArray[np.floating]) -> None:
    require_tools()
    if np.ndim(dry) != 1 or len(dry) == 0:
        raise InputError(
            "input of the simulated Cortex-M7",
            expected="samples in one dimension, one or more",
            found=f"shape {np.shape(dry)}",
            remedy="Pass a mono signal.",
        )


def build_model(model: CSource, here: Path, given: Sequence[str]) -> None:
    """Link ``program.elf`` of a model and the runner into a folder."""
    model.write(here)
    flags = [*CPU, CONTRACTION, *given]
    source = f"{model.name}.c"
    command(["arm-none-eabi-gcc", *WARNINGS, *flags, "-c", source, "-o", "model.o"], here)
    board = [f"-DMODEL={model.name}", f'-DHEADER="{model.name}.h"', str(BOARD / "runner.c")]
    command(
        ["arm-none-eabi-gcc", *flags, "-I.", *board, "model.o", *LINK, "-o", "program.elf", "-lm"],
        here,
    )


def build_firmware(
    folder: Path,
    here: Path,
    block: int,
    unit: int,
    given: Sequence[str],
    tflite: TfliteMicro | None,
) -> None:
    """Link ``program.elf`` of a firmware's core and the runner into a folder."""
    sizes = [f"-DBLOCK={block}", f"-DUNIT={unit}"]
    runner = ["-DMODEL=firmware", '-DHEADER="firmware.h"', *sizes, str(BOARD / "runner.c")]
    flags = [*CPU, CONTRACTION, *given, "-ffunction-sections", "-fdata-sections"]
    flags += [f"-I{BOARD}", f"-I{folder / 'core'}", f"-I{folder / 'model'}"]
    model = folder / "model" / "pedal_model.c"
    command(["arm-none-eabi-gcc", *flags, "-c", *runner, "-o", "runner.o"], here)
    command(["arm-none-eabi-gcc", *flags, "-c", str(model), "-o", "model.o"], here)
    sources = [folder / "core" / "pedal.cpp", folder / "core" / "pedal_board.cpp"]
    sources.append(BOARD / "firmware.cpp")
    libraries = []
    if tflite is not None:
        sources += [folder / "core" / "tflite_engine.cpp", folder / "model" / "pedal_tflite.cpp"]
        flags += tflite.flags
        libraries = [str(tflite.library.resolve())]
    plain = ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"]
    objects = ["runner.o", "model.o", *libraries, *LINK, "-Wl,--gc-sections", "--specs=nosys.specs"]
    compiled = ["arm-none-eabi-g++", *plain, *flags, *map(str, sources), *objects]
    command([*compiled, "-o", "program.elf", "-lm"], here)


def _run(
    name: str, here: Path, dry: NDArray[np.floating], timeout_s: float
) -> tuple[Samples, dict[str, int]]:
    np.asarray(dry, "<f4").tofile(here / "dry.f32")
    try:
        told = run_program(here, ["-icount", "shift=5,sleep=off"], timeout_s)
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"simulation of {name}",
            expected=f"an end within {timeout_s:g} s",
            found="none",
            remedy="Pass fewer samples, or a longer time-out.",
        ) from error
    numbers = re.search(r"ticks (\d+) (\d+) single (\d+) stack (\d+)", told)
    if numbers is None:
        raise InputError(
            f"simulation of {name}",
            expected="the counts of the simulated board",
            found=repr(told[-500:]),
            remedy="Check the installed QEMU; version 7.2 is known to work.",
        )
    keys = ("blocks", "singles", "single", "stack")
    wet = np.fromfile(here / "wet.f32", "<f4").astype(np.float32)
    return wet, dict(zip(keys, map(int, numbers.groups()), strict=True))


def run_program(here: Path, options: Sequence[str], timeout_s: float) -> str:
    """Run ``program.elf`` of a folder on the simulated board; what it told.

    Raises:
        InputError: it failed.
        subprocess.TimeoutExpired: the time was up.
    """
    board = ["qemu-system-arm", "-M", "mps2-an500", *options, "-display", "none"]
    board += ["-monitor", "none", "-serial", "none", "-kernel", "program.elf"]
    return command([*board, "-semihosting-config", "enable=on,target=native"], here, timeout_s)


def command(words: list[str], here: Path, timeout_s: float = 120.0) -> str:
    """What a program wrote to both of its outputs.

    Raises:
        InputError: it failed.
    """
    done = subprocess.run(
        words,
        cwd=here,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
    )
    if done.returncode != 0:
        raise InputError(
            words[0],
            expected="its end without an error",
            found=f"exit status {done.returncode}: {done.stdout[-1000:].strip() or 'no message'}",
            remedy="Check the installed tools and the flags; `make system` installs known ones.",
        )
    return done.stdout


def _flash(here: Path) -> int:
    # Berkeley format: text (with read-only data), data, bss, ...
    line = command(["arm-none-eabi-size", "model.o"], here).splitlines()[1].split()
    return int(line[0]) + int(line[1])


def _size_of(program: Path, symbol: str) -> int:
    lines = command(["arm-none-eabi-nm", "-S", program.name], program.parent).splitlines()
    sizes = [line.split()[1] for line in lines if line.endswith(f" {symbol}")]
    return int(sizes[0], 16)
