"""The boards that a model can be built for, and what they offer: one list for all that names them.

Sources: NXP i.MX RT1060 data sheet and PJRC's pages on Teensy 4.0 and 4.1 (600 MHz, 512 kB of
tightly coupled and 512 kB of slower RAM, 2 and 8 MB of flash less the recovery image; the
Audio Library runs blocks of 128 samples at 44.1 kHz); ST's STM32H750 data sheet and libDaisy
(480 MHz, 128 kB of flash, 512 kB of RAM, blocks of 48 samples at 48 kHz by default; behind
libDaisy's bootloader the program has 480 kB of that RAM, its data 128 kB of another).

What the boards' libraries take was measured with firmware of an LSTM 1x16 in generated C (6,104
bytes, a state of 196): linked for a Teensy 4.1 by PlatformIO 6.2 with its Teensy platform, 73,724
bytes of flash and 88,960 of RAM, program included; for a Daisy Seed with libDaisy 8.1 by GCC 12.2,
100,920 of flash and 28,680 of RAM. What the model takes is taken off.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from data.errors import InputError

# Group delay of both half-band filters, in samples of the board: embedded/firmware/core/halfband.h.
DELAY_SAMPLES = {"none": 0, "halved": 77, "doubled": 39, "impossible": 0}

Resampling = Literal["none", "halved", "doubled", "impossible"]
"""What becomes of a board's rate on the way to a model."""


@dataclass(frozen=True)
class Board:
    """A microcontroller board.

    Attributes:
        name: as it is asked for.
        title: as people call it.
        kind: folder of its sources under ``embedded/firmware/boards``.
        clock_hz: of the processor, a Cortex-M7.
        sample_rate_hz: of its converters.
        block_samples: that its audio library hands over at a time.
        ram_bytes, flash_bytes: in all.
        library_ram_bytes, library_flash_bytes: what the firmware takes without a model, measured.
        runs_from_ram: whether code and constants are copied to RAM at the start, as Teensy's
            linker script does with all that is not marked otherwise.
        is_loaded: whether a bootloader loads the program, so that ``flash_bytes`` are the RAM
            that is kept for it.
    """

    name: str
    title: str
    kind: str
    clock_hz: int
    sample_rate_hz: int
    block_samples: int
    ram_bytes: int
    flash_bytes: int
    library_ram_bytes: int
    library_flash_bytes: int
    runs_from_ram: bool = False
    is_loaded: bool = False

    def resampling(self, sample_rate_hz: int) -> Resampling:
        """What half-band filters make of the board's rate for a model of this one."""
        if sample_rate_hz == self.sample_rate_hz:
            return "none"
        if 2 * sample_rate_hz == self.sample_rate_hz:
            return "halved"
        return "doubled" if sample_rate_hz == 2 * self.sample_rate_hz else "impossible"

    def latency_ms(self, sample_rate_hz: int) -> float:
        """From converter to converter: a block recorded, a block played, and the filters."""
        samples = 2 * self.block_samples + DELAY_SAMPLES[self.resampling(sample_rate_hz)]
        return 1000 * samples / self.sample_rate_hz


_TEENSY_41 = Board(
    name="teensy41",
    title="Teensy 4.1",
    kind="teensy",
    clock_hz=600_000_000,
    sample_rate_hz=44_100,
    block_samples=128,
    ram_bytes=524_288,
    flash_bytes=8_126_464,
    library_ram_bytes=15_040,
    library_flash_bytes=67_620,
    runs_from_ram=True,
)
_TEENSY_40 = replace(_TEENSY_41, name="teensy40", title="Teensy 4.0", flash_bytes=2_031_616)
_DAISY = Board(
    name="daisy",
    title="Daisy Seed",
    kind="daisy",
    clock_hz=480_000_000,
    sample_rate_hz=48_000,
    block_samples=48,
    ram_bytes=524_288,
    flash_bytes=131_072,
    library_ram_bytes=28_484,
    library_flash_bytes=94_816,
)
_DAISY_SRAM = replace(
    _DAISY,
    name="daisy_sram",
    title="Daisy Seed with bootloader",
    ram_bytes=131_072,
    flash_bytes=491_520,
    is_loaded=True,
)
BOARDS: dict[str, Board] = {own.name: own for own in (_TEENSY_41, _TEENSY_40, _DAISY, _DAISY_SRAM)}


def names() -> str:
    """All of them as the help of commands has them: "teensy41, teensy40 or daisy"."""
    *others, last = BOARDS
    return f"{', '.join(others)} or {last}"


def title(name: str) -> str:
    """What people call a board; its name, if a stored table has one that is not known here."""
    return BOARDS[name].title if name in BOARDS else name


def board(name: str) -> Board:
    """The board of a name.

    Raises:
        InputError: there is none.
    """
    if name in BOARDS:
        return BOARDS[name]
    raise InputError(
        f"board {name!r}",
        expected="one of " + ", ".join(BOARDS),
        found="another name",
        remedy="Name one of these.",
    )
