"""Both boards' firmware by both routes, linked against stand-ins for the boards' libraries."""

import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from data.errors import InputError
from embedded.budget import cost_model, on_board
from embedded.c import generate
from embedded.c.generate import Metadata
from embedded.firmware import sources
from embedded.firmware.sources import MODEL_NAME, Golden
from embedded.network import reference
from embedded.simulator import qemu
from embedded.tflite.convert import Converted, Origin
from embedded.tflite.manifest import Port
from models.architecture import Architecture
from study.selection.boards import BOARDS, Board, board
from tests.embedded.c import generated
from tests.embedded.c.generated import random_weights
from tests.embedded.firmware import board_builds
from tests.embedded.firmware.board_builds import Tflite, built_by_libdaisy, built_by_platformio
from tests.study import finished

pytestmark = [
    pytest.mark.slow,
    pytest.mark.system,
    pytest.mark.skipif(
        any(shutil.which(tool) is None for tool in board_builds.TOOLS),
        reason="needs make system",
    ),
]

LSTM = Architecture("lstm", 1, 16, 64)
WEIGHTS = random_weights(LSTM)
TFLITE_BYTES = 16_720


def firmware(folder: Path, own: Board) -> Path:
    """As ``make deploy`` writes it, with a TFLite model whose bytes nobody reads."""
    rate_hz = own.sample_rate_hz
    sources.copy_sources(own.kind, folder)
    metadata = Metadata(MODEL_NAME, "clipper", rate_hz, "run")
    generate.generate(LSTM, WEIGHTS, metadata).write(folder / "model")
    dry = generate.golden_input(512, rate_hz, 1)
    golden = Golden(dry, reference.respond(LSTM, WEIGHTS, dry), 1e-3)
    texts = {
        "pedal_config.h": sources.config_header(own, rate_hz),
        "golden.h": sources.golden_header(golden),
        "bench_data.h": sources.bench_header(
            "lstm-run", "streaming", own, "tflite_float32", rate_hz, dry
        ),
    }
    sources.write_texts(folder / "model", texts | sources.tflite_files(_converted(folder)))
    sources.write_build_files(folder, own)
    return folder


def _converted(folder: Path) -> Converted:
    path = folder / "model" / "pedal_model.tflite"
    path.write_bytes(bytes(TFLITE_BYTES))
    port = Port("dry", 0, (8, 1), "float32")
    return Converted(
        path=path, kind="float32", form="streaming", block=8, frame_size=1, inputs=(port,),
        outputs=(port,), states=(), operators=("FULLY_CONNECTED", "TANH", "ADD", "MUL"),
        multiply_accumulates=1, model_bytes=TFLITE_BYTES, arena_bytes=9000,
        arena_needed_bytes=9000, origin=Origin("run", "streaming", "clipper", 44_100),
        weights_sha256="", model_sha256="",
    )  # fmt: skip


@pytest.fixture(scope="module")
def tflite(tmp_path_factory: pytest.TempPathFactory) -> Tflite:
    return board_builds.tflite(tmp_path_factory.mktemp("tflite") / "tflite-micro")


def symbols(program: Path) -> str:
    return board_builds.run(["arm-none-eabi-nm", "-C", str(program)])


@pytest.mark.parametrize("name", ["teensy41", "teensy40"])
@pytest.mark.parametrize("route", ["", "_tflite", "_bench", "_tflite_bench"])
def test_a_teensy_links_by_both_routes(
    name: str, route: str, tmp_path: Path, tflite: Tflite
) -> None:
    folder = firmware(tmp_path / "f", board(name))
    program = built_by_platformio(
        folder, tmp_path / "built", board(name), tflite.environment, f"{name}{route}"
    )
    found = symbols(program)
    assert ("pedal_model_process" in found) == ("tflite" not in route)
    assert ("tflite::MicroInterpreter::Invoke()" in found) == ("tflite" in route)
    assert ("run_bench" in found) == ("bench" in route)


@pytest.mark.parametrize("name", ["daisy", "daisy_sram"])
def test_a_daisy_links_with_generated_c(name: str, tmp_path: Path) -> None:
    folder = firmware(tmp_path / "f", board(name))
    library = board_builds.libdaisy(tmp_path / "libDaisy", board(name))
    assert "pedal_model_process" in symbols(built_by_libdaisy(folder, library))
    board_builds.run(["make", "-s", "-f", "daisy.mk", f"LIBDAISY_DIR={library}", "clean"], folder)
    assert "run_bench" in symbols(built_by_libdaisy(folder, library, BENCH="1"))


@pytest.mark.skipif(bool(qemu.missing_tools()), reason="needs make system")
@pytest.mark.parametrize("name", ["teensy41", "daisy"])
def test_the_bench_runs_in_the_simulator_and_is_taken_in(name: str, tmp_path: Path) -> None:
    own = board(name)
    told = qemu.bench(firmware(tmp_path / "f", own))
    (tmp_path / "log").write_text(told)
    config = finished.config(family="lstm", units=16, sample_rate_hz=own.sample_rate_hz)
    store = finished.grid(tmp_path / "grid", config, validation_esr=0.1, esr=0.1)
    with pytest.raises(InputError, match="a run of this grid; found 'lstm-run'"):
        on_board.taken_in(store, tmp_path / "log")
    (tmp_path / "log").write_text(told.replace("lstm-run", config.run_id))
    [taken] = on_board.taken_in(store, tmp_path / "log")
    assert (taken.board, taken.route, taken.unit) == (name, "c", "instructions")
    assert (taken.block, taken.board_rate_hz) == (own.block_samples, own.sample_rate_hz)
    assert 0 < taken.golden_error_ppb < 10_000 < taken.golden_allowed_ppb == 1_000_000
    expected = cost_model.generated_c(LSTM).instructions + cost_model.around_the_model("none")[0]
    for counts in (taken.warm, taken.cold):
        assert taken.per_sample(counts[1]) == pytest.approx(expected, rel=0.03)
        assert taken.per_sample(counts[3] - counts[0]) < 10  # whatever is played


def test_tflite_micro_fits_a_daisy_only_behind_its_bootloader(
    tmp_path: Path, tflite: Tflite
) -> None:
    library = board_builds.libdaisy(tmp_path / "libDaisy", board("daisy"))
    words = {"ENGINE": "tflite"} | tflite.environment
    with pytest.raises(AssertionError, match="region `PROGRAM' overflowed by"):
        built_by_libdaisy(firmware(tmp_path / "small", board("daisy")), library, **words)
    folder = firmware(tmp_path / "large", board("daisy_sram"))
    assert "MicroInterpreter::Invoke" in symbols(built_by_libdaisy(folder, library, **words))
    told = board_builds.run(
        ["make", "-s", "-f", "daisy.mk", f"LIBDAISY_DIR={library}", "program-dfu"], folder
    )
    assert told == "build/pedal.elf to 0x90040000\n"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("void pedal_model_reset(", "void other(", "undefined reference"),
        ("ALWAYS_INLINE void clear(", "int main(void) { return 0; }\nALWAYS_INLINE void clear(",
         "multiple definition of `main'"),
    ],
    ids=["missing", "twice"],
)  # fmt: skip
def test_what_is_missing_or_twice_there_fails(
    before: str, after: str, message: str, tmp_path: Path
) -> None:
    own = board("daisy")
    folder = firmware(tmp_path / "f", own)
    source = folder / "model" / "pedal_model.c"
    source.write_text(source.read_text().replace(before, after))
    with pytest.raises(AssertionError, match=message):
        built_by_libdaisy(folder, board_builds.libdaisy(tmp_path / "libDaisy", own))


def test_this_machine_and_the_board_take_libraries_of_their_own(
    tmp_path: Path, tflite: Tflite
) -> None:
    folder = firmware(tmp_path / "f", board("teensy41"))
    make = ["make", "-s", *(f"{k}={v}" for k, v in tflite.environment.items())]
    board_builds.run([*make, "ENGINE=tflite"], folder)
    assert "MicroInterpreter::Invoke" in board_builds.run(["nm", "-C", "pedal"], folder)
    # Without the engine no library is asked for, wherever it lies.
    board_builds.run([*make, "TFLITE_MICRO_HOST=/nowhere"], folder)
    assert "pedal_model_process" in board_builds.run(["nm", "-C", "pedal"], folder)


def board_mode(own: Board, folder: Path) -> list[str]:
    """The flags by which the board's build compiles ``pedal_model.c``."""
    made = firmware(folder / "f", own)
    if own.kind == "teensy":
        flags, _ = board_builds.platformio_settings(made, {}, own.name)
        flags = [word for word in flags if "++" not in word]
        return [*board_builds.TEENSY_FLAGS, "-std=gnu17", *flags]
    library = board_builds.libdaisy(folder / "libDaisy", own)
    command = [
        "make", "-n", "--no-print-directory", "-f", "daisy.mk", f"LIBDAISY_DIR={library}",
        "build/pedal_model.o",
    ]  # fmt: skip
    words = shlex.split(board_builds.run(command, made).splitlines()[-1])
    words = words[1 : words.index("-o")]
    return [word for word in words if word != "-c" and not word.endswith(".c")]


@pytest.mark.skipif(bool(qemu.missing_tools()), reason="needs make system")
@pytest.mark.parametrize("name", ["teensy41", "daisy"])
@pytest.mark.parametrize("a", [LSTM, Architecture("gru", 1, 10, 64)], ids=["lstm", "gru"])
def test_boards_build_what_was_measured(name: str, a: Architecture, tmp_path: Path) -> None:
    """Bits and instructions, in the mode of the board's own build."""
    dry, model = generate.golden_input(1024, generated.RATE_HZ, 9), generated.source(a)
    built = qemu.simulate(model, dry, board_mode(board(name), tmp_path))
    host = generated.build(model, tmp_path / "host", "-DMODEL_FUSED")
    assert np.array_equal(built.samples, generated.run(host, dry))
    measured = cost_model.generated_c(a)
    assert measured.basis == "measured"
    assert built.instructions_per_sample == pytest.approx(measured.instructions, rel=0.001)


@pytest.mark.parametrize("own", BOARDS.values(), ids=lambda own: own.name)
def test_every_board_names_its_own_commands(own: Board, tmp_path: Path) -> None:
    folder = firmware(tmp_path / "f", own)
    for path in folder.glob("*"):
        if path.is_file():
            assert "{{" not in path.read_text(), path.name
