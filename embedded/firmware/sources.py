"""The generated part of the firmware: the model's data and what the core needs to know of it.

The rest lies ready in ``firmware/``: ``core`` (portable) and ``boards``.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data import files
from data.audio import Samples
from data.errors import InputError
from embedded.c.generate import literal
from embedded.tflite.convert import Converted
from study.selection.boards import Board

FIRMWARE = Path(__file__).parent
MODEL_NAME = "pedal_model"
BENCH_BLOCKS = 32  # of music

# Hosts and boards differ a little in what they keep; see ``Converted.arena_needed_bytes``.
ARENA_SPARE_BYTES = 1024

# TFLite Micro's methods by the schema's names of operators.
_ADD = {
    "ADD": "AddAdd",
    "CONCATENATION": "AddConcatenation",
    "CONV_2D": "AddConv2D",
    "FULLY_CONNECTED": "AddFullyConnected",
    "LOGISTIC": "AddLogistic",
    "MUL": "AddMul",
    "RESHAPE": "AddReshape",
    "SLICE": "AddSlice",
    "SPLIT": "AddSplit",
    "SUB": "AddSub",
    "TANH": "AddTanh",
}


@dataclass(frozen=True)
class Golden:
    """What the firmware must answer.

    Attributes:
        dry: input, shape ``(samples,)``.
        wet: the exact answer to it.
        tolerance: largest error of the generated C.
        tflite_wet: the TFLite model's own answer, where there is one.
        tflite_tolerance: largest error of TFLite Micro.
    """

    dry: NDArray[np.floating]
    wet: NDArray[np.floating]
    tolerance: float
    tflite_wet: NDArray[np.floating] | None = None
    tflite_tolerance: float = 0.0


def copy_sources(board_kind: str, folder: Path) -> None:
    """The core, the host's sources and the board's."""
    shutil.copytree(FIRMWARE / "core", folder / "core")
    for kind in dict.fromkeys(["host", board_kind]):
        names = shutil.ignore_patterns("Makefile", "platformio.ini", "*.jinja")
        shutil.copytree(FIRMWARE / "boards" / kind, folder / "boards" / kind, ignore=names)
    shutil.copy(FIRMWARE / "boards" / "host" / "Makefile", folder / "Makefile")


def write_build_files(folder: Path, board: Board) -> None:
    """What builds and flashes the board's firmware: ``platformio.ini``, or ``daisy.mk``."""
    own = FIRMWARE / "boards" / board.kind
    for name, target in (("platformio.ini", "platformio.ini"), ("Makefile", f"{board.kind}.mk")):
        if (own / name).exists():
            text = (own / name).read_text("utf-8").replace("{{ board }}", board.name)
            # libDaisy's names for where a program lies.
            app_type = "BOOT_SRAM" if board.is_loaded else "BOOT_NONE"
            files.write_text(folder / target, text.replace("{{ app_type }}", app_type))


def config_header(board: Board, sample_rate_hz: int) -> str:
    """``pedal_config.h``: which engine, at which rate, in which blocks.

    The engine is the generated C unless the build names another, since TFLite Micro takes a
    library that not everybody has at hand.

    Raises:
        InputError: the board cannot run models of this rate.
    """
    resampling = board.resampling(sample_rate_hz)
    if resampling == "impossible":
        raise InputError(
            f"a model of {sample_rate_hz} Hz on {board.title}",
            expected=f"{board.sample_rate_hz} Hz, or with half-band filters "
            f"{board.sample_rate_hz // 2} or {2 * board.sample_rate_hz} Hz",
            found="another rate",
            remedy="Choose a run of such a rate, or train one: sample_rate_hz in the grid.",
        )
    return _guarded(
        "PEDAL_CONFIG_H",
        f"""/* Which engine computes the model: 1 TFLite Micro, if the build says so, 0 C. */
#ifndef PEDAL_USES_TFLITE
#define PEDAL_USES_TFLITE 0
#endif

/* The converters' rate; the model has {sample_rate_hz} Hz. */
#ifndef PEDAL_BOARD_RATE_HZ
#define PEDAL_BOARD_RATE_HZ {board.sample_rate_hz}u
#endif
#ifndef PEDAL_HALVES_RATE
#define PEDAL_HALVES_RATE {int(resampling == "halved")}
#endif
#ifndef PEDAL_DOUBLES_RATE
#define PEDAL_DOUBLES_RATE {int(resampling == "doubled")}
#endif

/* Samples at a time, at the converters' rate. */
#define PEDAL_BLOCK {board.block_samples}u
""",
    )


def bench_header(
    run_id: str, rendering: str, board: Board, route: str, sample_rate_hz: int, dry: Samples
) -> str:
    """``bench_data.h``: whose times the bench measures, and the music that it plays.

    Args:
        run_id: of the model.
        rendering: of the model.
        board: that it is built for.
        route: of the TFLite model beside the generated C; ``c`` if there is none.
        sample_rate_hz: of the model and of ``dry``.
        dry: shape ``(samples,)``; the loudest part is taken, at whatever rate the board plays it.
    """
    samples = BENCH_BLOCKS * board.block_samples
    start = max(0, min(int(np.abs(dry).argmax()) - samples // 4, len(dry) - samples))
    music = np.round(32767 * np.clip(dry[start : start + samples], -1, 1)).astype(int)
    music = np.pad(music, (0, samples - len(music)))
    lines = (music[n : n + 12] for n in range(0, samples, 12))
    numbers = ",\n".join("    " + ", ".join(map(str, line)) for line in lines)
    return _guarded(
        "PEDAL_BENCH_DATA_H",
        f"""#include <cstdint>

#include "pedal_config.h"

namespace pedalframe {{
namespace bench {{

constexpr char RUN[] = "{run_id}";
constexpr char RENDERING[] = "{rendering}";
constexpr char BOARD[] = "{board.name}";
#if PEDAL_USES_TFLITE
constexpr char ROUTE[] = "{route}";
#else
constexpr char ROUTE[] = "c";
#endif
constexpr std::uint32_t MODEL_RATE_HZ = {sample_rate_hz}u;
constexpr std::int16_t MUSIC[{samples}] = {{
{numbers}
}};

}} // namespace bench
}} // namespace pedalframe
""",
    )


def golden_header(golden: Golden) -> str:
    """``golden.h``: input, exact output and tolerance, by engine."""
    own = _vector("WET", golden.wet, golden.tolerance)
    if golden.tflite_wet is not None:
        tflite = _vector("WET", golden.tflite_wet, golden.tflite_tolerance)
        own = f"#if PEDAL_USES_TFLITE\n{tflite}#else\n{own}#endif\n"
    return _guarded(
        "PEDAL_GOLDEN_H",
        f"""#include <cstddef>

#include "pedal_config.h"

namespace pedalframe {{
namespace golden {{

constexpr std::size_t SAMPLES = {len(golden.dry)};

constexpr float DRY[SAMPLES] = {{
{_floats(golden.dry)}
}};

{own}
}} // namespace golden
}} // namespace pedalframe
""",
    )


def _vector(name: str, values: NDArray[np.floating], tolerance: float) -> str:
    return (
        f"constexpr float TOLERANCE = {literal(tolerance)};\n"
        f"constexpr float {name}[SAMPLES] = {{\n{_floats(values)}\n}};\n"
    )


def _floats(values: NDArray[np.floating]) -> str:
    texts = [literal(v) for v in values]
    return ",\n".join("    " + ", ".join(texts[n : n + 6]) for n in range(0, len(texts), 6))


def tflite_files(model: Converted) -> dict[str, str]:
    """File names and texts of a TFLite model: data, sizes and operators.

    Raises:
        InputError: nobody measured its arena.
    """
    if model.arena_needed_bytes is None:
        raise InputError(
            f"converted model {model.path.name}",
            expected="the size of its arena",
            found="none: the tflite-micro wheel is not installed, so nothing could measure it",
            remedy="Convert on Linux on x86-64, where the wheel exists.",
        )
    content = model.path.read_bytes()
    state_bytes = sum(
        int(np.prod(model.inputs[s.before].shape)) * np.dtype(model.inputs[s.before].dtype).itemsize
        for s in model.states
    )
    arena = -(-(model.arena_needed_bytes + ARENA_SPARE_BYTES) // 16) * 16
    header = f"""#include <cstddef>

namespace pedalframe {{
namespace tflite_model {{

constexpr std::size_t BLOCK = {model.block}; /* samples an invoke answers */
constexpr std::size_t FRAME = {model.frame_size}; /* that each of them is computed from */
constexpr std::size_t STATES = {len(model.states)}; /* inputs and outputs behind the first */
constexpr std::size_t STATE_BYTES = {state_bytes};
constexpr std::size_t ARENA_BYTES = {arena};
extern const unsigned char DATA[{len(content)}];

}} // namespace tflite_model
}} // namespace pedalframe
"""
    source = f"""/* The model as a TFLite file ({model.kind}), read in place. */
#include "pedal_tflite.h"

namespace pedalframe {{
namespace tflite_model {{

alignas(16) const unsigned char DATA[{len(content)}] = {{
{_bytes(content)}
}};

}} // namespace tflite_model
}} // namespace pedalframe
"""
    added = " &&\n        ".join(
        f"operators.{_ADD[name]}() == kTfLiteOk" for name in model.operators
    )
    operators = f"""#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

namespace pedalframe {{
namespace tflite_model {{

using Resolver = tflite::MicroMutableOpResolver<{len(model.operators)}>;

/* The operators that the model needs and no others. */
inline bool add_operators(Resolver &operators)
{{
    return {added};
}}

}} // namespace tflite_model
}} // namespace pedalframe
"""
    return {
        "pedal_tflite.h": _guarded("PEDAL_TFLITE_H", header),
        "pedal_tflite.cpp": source,
        "pedal_operators.h": _guarded("PEDAL_OPERATORS_H", operators),
    }


def _bytes(content: bytes) -> str:
    lines = (content[n : n + 16] for n in range(0, len(content), 16))
    return ",\n".join("    " + ", ".join(f"0x{b:02x}" for b in line) for line in lines)


def _guarded(guard: str, text: str) -> str:
    return f"#ifndef {guard}\n#define {guard}\n\n{text}\n#endif\n"


def write_texts(folder: Path, texts: dict[str, str]) -> None:
    """Write files by name."""
    for name, text in texts.items():
        files.write_text(folder / name, text)
