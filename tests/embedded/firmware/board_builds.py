"""Firmware built for a board as its own tools would, against stand-ins for the board's libraries.

The stand-ins (``stand_ins/``) declare what the real headers declare of what this firmware uses,
take as much memory as the real libraries were measured to, and have the real memories' sizes.
"""

import configparser
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from study.selection.boards import Board

STAND_INS = Path(__file__).parent / "stand_ins"
M7 = ["-mcpu=cortex-m7", "-mthumb", "-mfpu=fpv5-d16", "-mfloat-abi=hard"]
TOOLS = ("arm-none-eabi-g++", "arm-none-eabi-ar", "g++", "make")

# What TFLite Micro's core and the kernels of an LSTM take of the firmware (tflite_micro.json).
TFLITE_FLASH_BYTES = 62_000

# PlatformIO's Teensy platform: flags of both languages, of C++, and of the linker.
TEENSY_FLAGS = [*M7, "-ffunction-sections", "-fdata-sections", "-fsingle-precision-constant"]
TEENSY_CPP = ["-fno-exceptions", "-felide-constructors", "-fno-rtti", "-fno-threadsafe-statics"]
TEENSY_LINK = [*M7, "-O2", "-nostartfiles", "--specs=nosys.specs", "-Wl,--gc-sections,--relax"]


@dataclass(frozen=True)
class Tflite:
    """A stand-in for TFLite Micro.

    Attributes:
        sources: its checkout.
        board, host: folders of its library for each.
    """

    sources: Path
    board: Path
    host: Path

    @property
    def environment(self) -> dict[str, str]:
        """As the firmware's README has them set."""
        names = {"": self.sources, "_BOARD": self.board, "_HOST": self.host}
        return {f"TFLITE_MICRO{name}": str(path) for name, path in names.items()}


def libdaisy(folder: Path, board: Board) -> Path:
    """A libDaisy that has been built."""
    shutil.copytree(STAND_INS / "libdaisy", folder)
    shutil.copy(STAND_INS / "sections.ld", folder / "core")
    for script in (folder / "core").glob("*.ld"):
        script.write_text(script.read_text().replace("INCLUDE ", f"INCLUDE {folder}/core/"))
    _archive(folder / "build" / "libdaisy.a", folder / "library.cpp", [
        *_sizes(board.library_flash_bytes, board.library_ram_bytes), f"-I{folder / 'src'}",
    ])  # fmt: skip
    return folder


def tflite(folder: Path) -> Tflite:
    """A TFLite Micro that has been built for the board and for this machine."""
    shutil.copytree(STAND_INS / "tflite_micro", folder)
    downloads = folder / "tensorflow/lite/micro/tools/make/downloads"
    flags = ["-DTF_LITE_STATIC_MEMORY", f"-DLIBRARY_FLASH={TFLITE_FLASH_BYTES}", f"-I{folder}"]
    flags += [f"-I{downloads / 'flatbuffers/include'}", f"-I{downloads / 'gemmlowp'}"]
    found = Tflite(folder, folder / "gen" / "board", folder / "gen" / "host")
    _archive(found.board / "libtensorflow-microlite.a", folder / "library.cpp", flags)
    _archive(found.host / "libtensorflow-microlite.a", folder / "library.cpp", flags, "")
    return found


def built_by_platformio(
    firmware: Path, folder: Path, board: Board, environment: dict[str, str], name: str
) -> Path:
    """``pio run -e NAME``: the linked program.

    Reads ``platformio.ini`` as PlatformIO does: ``${section.option}`` and ``${sysenv.NAME}`` are
    put in, and a word that is no option is a library's name (since 6.1.17).
    """
    folder.mkdir()
    library = folder / "teensy.o"
    sizes = _sizes(board.library_flash_bytes, board.library_ram_bytes)
    include = f"-I{STAND_INS / 'teensy'}"
    command = ["arm-none-eabi-g++", *TEENSY_FLAGS, *TEENSY_CPP, "-std=gnu++17", "-O2", *sizes]
    run([*command, include, "-c", str(STAND_INS / "teensy" / "library.cpp"), "-o", str(library)])
    flags, sources = platformio_settings(firmware, environment, name)
    linked = [word for word in flags if word.startswith(("-L", "-l"))]
    flags = [word for word in flags if word not in linked]
    objects = []
    for source in sources:
        objects.append(str(folder / f"{source.name}.o"))
        is_c = source.suffix == ".c"
        language = [] if is_c else TEENSY_CPP
        own = [word for word in flags if not (is_c and "++" in word)]
        compiler = "arm-none-eabi-gcc" if is_c else "arm-none-eabi-g++"
        command = [compiler, *TEENSY_FLAGS, *language, *own, include, "-c", str(source)]
        run([*command, "-o", objects[-1]], firmware)
    script = [f"-T{STAND_INS / 'teensy' / 'teensy.ld'}", f"-L{STAND_INS}"]
    objects += [str(library), *linked, "-lm", "-lstdc++"]
    program = folder / "firmware.elf"
    run(["arm-none-eabi-g++", *TEENSY_LINK, *script, *objects, "-o", str(program)], firmware)
    return program


def platformio_settings(
    firmware: Path, environment: dict[str, str], name: str
) -> tuple[list[str], list[Path]]:
    """The compiler's flags of an environment of ``platformio.ini``, and its source files."""
    ini = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(" ;",))
    ini.read(firmware / "platformio.ini")

    def option(section: str, key: str) -> str:
        text = ini.get(section, key, fallback=None) or ini.get("env", key)
        return re.sub(r"\$\{([^.}]+)\.([^}]+)\}", value, text)

    def value(found: re.Match[str]) -> str:
        section, key = found.groups()
        return environment[key] if section == "sysenv" else option(section, key)

    words = shlex.split(option(f"env:{name}", "build_flags"))
    flags, takes_next = [], False
    for word in words:
        flags.append(word if takes_next or word.startswith("-") else f"-l{word}")
        takes_next = word in ("-I", "-L")
    sources: list[Path] = []
    chosen = option(f"env:{name}", "build_src_filter")
    for sign, pattern in re.findall(r"([+-])<([^>]+)>", chosen):
        if sign == "+":
            sources.append(firmware / pattern)
        else:
            sources = [path for path in sources if pattern != "*" and path != firmware / pattern]
    return flags, sources


def built_by_libdaisy(firmware: Path, libdaisy: Path, *words: str, **environment: str) -> Path:
    """``make -f daisy.mk``: the linked program."""
    command = ["make", "-s", "-f", "daisy.mk", f"LIBDAISY_DIR={libdaisy}", *words]
    run([*command, *(f"{name}={value}" for name, value in environment.items())], firmware)
    return firmware / "build" / "pedal.elf"


def run(command: list[str], folder: Path | None = None) -> str:
    """Standard output of a command that has to end well; ``AssertionError`` has what it said."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def _sizes(flash_bytes: int, ram_bytes: int) -> list[str]:
    return [f"-DLIBRARY_FLASH={flash_bytes}", f"-DLIBRARY_RAM={ram_bytes}"]


def _archive(path: Path, source: Path, flags: list[str], prefix: str = "arm-none-eabi-") -> None:
    path.parent.mkdir(parents=True)
    target = [*M7, "-fno-exceptions", "-fno-rtti"] if prefix else []
    object_file = path.with_suffix(".o")
    command = [f"{prefix}g++", "-std=gnu++17", "-O2", *target, *flags, "-c", str(source)]
    run([*command, "-o", str(object_file)])
    run([f"{prefix}ar", "rcs", str(path), str(object_file)])
