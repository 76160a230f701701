"""The firmware's core on this host: filters, gains, bypass, blocks and the golden vectors."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from data import audio
from embedded.c import generate
from embedded.c.generate import Metadata
from embedded.firmware import sources
from embedded.firmware.sources import MODEL_NAME, Golden
from embedded.network import reference
from embedded.simulator import qemu
from models.architecture import Architecture
from study.selection.boards import DELAY_SAMPLES, board
from tests.embedded.c.generated import esr, random_weights

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("make", "gcc", "g++", "clang++")),
    reason="needs gcc, clang and make: make system",
)
GRU = Architecture("gru", 1, 10, 64)
WEIGHTS = random_weights(GRU)
RATE_HZ = 44_100
FILTER = signal.firwin(79, 0.5, window=("kaiser", 8))

Wav = NDArray[np.floating]

HALVED = """
#include "halfband.h"
#include <cstdio>
int main()
{
    pedalframe::Halver halver;
    pedalframe::Doubler doubler;
    float pair[2], low;
    while (std::fread(pair, sizeof pair, 1, stdin) == 1) {
        low = halver(pair[0], pair[1]);
        std::fwrite(&low, sizeof low, 1, stdout);
        doubler(low, pair[0], pair[1]);
        std::fwrite(pair, sizeof pair, 1, stdout);
    }
}
"""

POISONED = """
#include "pedal.h"
#include <cstdio>
struct Sum final : pedalframe::Engine {
    float sum = 0;
    bool begin() override { return true; }
    void reset() override { sum = 0; }
    void process(const float *dry, float *wet, std::size_t samples) override
    {
        for (std::size_t n = 0; n < samples; ++n)
            wet[n] = sum += dry[n];
    }
};
int main(int count, char **)
{
    static Sum sum;
    static pedalframe::Pedal pedal(sum, 1000);
    float block[100];
    pedal.set_bypass(count > 1);
    pedal.begin(100);
    while (std::fread(block, sizeof block, 1, stdin) == 1) {
        pedal.process(block, block, 100);
        std::fwrite(block, sizeof block, 1, stdout);
    }
}
"""


def firmware(folder: Path, model_rate_hz: int) -> Path:
    """As ``make deploy`` writes it, bar the TFLite model."""
    sources.copy_sources("teensy", folder)
    metadata = Metadata(MODEL_NAME, "clipper", model_rate_hz, "run")
    generate.generate(GRU, WEIGHTS, metadata).write(folder / "model")
    dry = generate.golden_input(300, model_rate_hz, 1)
    golden = Golden(dry, reference.respond(GRU, WEIGHTS, dry), 1e-3)
    teensy = board("teensy41")
    texts = {
        "pedal_config.h": sources.config_header(teensy, model_rate_hz),
        "golden.h": sources.golden_header(golden),
    }
    sources.write_texts(folder / "model", texts)
    sources.write_build_files(folder, teensy)
    return folder


def made(folder: Path, *words: str) -> Path:
    command = ["make", "-s", "-C", str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(firmware(tmp_path_factory.mktemp("direct") / "f", RATE_HZ))


@pytest.fixture
def played(direct: Path, tmp_path: Path) -> Callable[..., Wav]:
    def play(dry: Wav, *words: str, folder: Path = direct) -> Wav:
        audio.write(tmp_path / "dry.wav", dry, RATE_HZ)
        names = [str(tmp_path / "dry.wav"), str(tmp_path / "wet.wav")]
        command = [str(folder / "pedal"), *names, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return audio.read(tmp_path / "wet.wav").samples

    return play


DRY = 0.5 * generate.golden_input(3000, RATE_HZ, 2)


def test_the_model_reaches_the_output(played: Callable[..., Wav]) -> None:
    expected = np.clip(reference.respond(GRU, WEIGHTS, DRY), -1, 1)
    wet = played(DRY)
    assert esr(expected, wet) < 1e-9
    assert np.array_equal(played(DRY, "--block", "37"), wet)


def test_golden_vectors_pass_and_fail_when_they_should(direct: Path, tmp_path: Path) -> None:
    done = subprocess.run([direct / "pedal", "--golden"], capture_output=True, timeout=60)
    assert done.returncode == 0
    spoilt = shutil.copytree(direct, tmp_path / "spoilt")
    header = spoilt / "model" / "golden.h"
    header.write_text(
        header.read_text().replace("WET[SAMPLES] = {\n    ", "WET[SAMPLES] = {\n    9")
    )
    made(spoilt)
    done = subprocess.run([spoilt / "pedal", "--golden"], capture_output=True, timeout=60)
    assert done.returncode == 1


@pytest.mark.slow
def test_other_switches_build_anew_and_the_same_do_not(direct: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(direct, tmp_path / "built")

    def built(*words: str) -> int:
        return (made(folder, *words) / "pedal").stat().st_mtime_ns

    first, other = built(), "DEFINES=-DPEDAL_BOARD_RATE_HZ=8000u"
    assert built() == first
    changed = built(other)
    assert changed > first
    assert built(other) == changed
    assert built() > changed


def test_gains_stand_before_and_after_the_model(played: Callable[..., Wav]) -> None:
    expected = 0.5 * reference.respond(GRU, WEIGHTS, 0.25 * DRY)
    wet = played(DRY, "--input-gain", "0.25", "--output-gain", "0.5")
    settled = RATE_HZ // 20  # gains fade in, and the model forgets what it heard meanwhile
    assert np.abs(wet - expected)[settled:].max() < 2e-3


def test_bypass_fades_to_the_dry_signal_without_a_jump(played: Callable[..., Wav]) -> None:
    slow = (0.4 * np.sin(np.arange(3000) / 300)).astype(np.float32)
    wet = played(slow, "--bypass")
    assert np.array_equal(wet[1500:], slow[1500:])
    assert np.abs(np.diff(wet)).max() < 0.02
    assert np.abs(wet[0] - slow[0]) > 0.01 or np.abs(wet[:50] - slow[:50]).max() > 0.01


def test_the_output_stays_within_full_scale(played: Callable[..., Wav]) -> None:
    wet = played(DRY, "--output-gain", "1000")
    assert np.abs(wet).max() == 1


@pytest.mark.parametrize("is_bypassed", [False, True])
def test_a_model_that_answers_nan_begins_anew_and_bypass_never_hears_it(
    tmp_path: Path, is_bypassed: bool
) -> None:
    (tmp_path / "main.cpp").write_text(POISONED)
    core = sources.FIRMWARE / "core"
    command = ["g++", "-O2", f"-I{core}", "main.cpp", str(core / "pedal.cpp"), "-o", "run"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120)
    dry = np.full(400, 0.001, np.float32)
    dry[250] = np.nan
    words = [str(tmp_path / "run"), *(["bypass"] if is_bypassed else [])]
    done = subprocess.run(words, input=dry.tobytes(), capture_output=True, timeout=60)
    wet = np.frombuffer(done.stdout, "<f4")
    assert wet[250] == 0
    expected = dry.copy()
    if not is_bypassed:
        expected[250:] = np.concatenate([np.zeros(50), np.cumsum(dry[300:])])
    np.testing.assert_allclose(wet[251:], expected[251:], rtol=1e-4)


@pytest.mark.parametrize("bad", ["missing", "rate", "text", "block"])
def test_bad_input_is_refused_with_a_sentence(direct: Path, tmp_path: Path, bad: str) -> None:
    path = tmp_path / "dry.wav"
    words: list[str] = []
    if bad == "rate":
        audio.write(path, DRY, 8000)
    elif bad == "text":
        path.write_text("no sound")
    elif bad == "block":
        audio.write(path, DRY, RATE_HZ)
        words = ["--block", "0"]
    command = [str(direct / "pedal"), str(path), str(tmp_path / "wet.wav"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("pedal: ")
    assert not (tmp_path / "wet.wav").exists()


def test_16_and_24_bit_stereo_is_read(direct: Path, tmp_path: Path) -> None:
    import soundfile

    wet = []
    for subtype in ("PCM_16", "PCM_24", "FLOAT"):
        both = np.stack([DRY, -DRY], axis=1)
        soundfile.write(tmp_path / "dry.wav", both, RATE_HZ, subtype=subtype)
        command = [direct / "pedal", tmp_path / "dry.wav", tmp_path / "wet.wav"]
        assert subprocess.run(command, capture_output=True, timeout=60).returncode == 0
        wet.append(audio.read(tmp_path / "wet.wav").samples)
    assert np.abs(wet[0] - wet[2]).max() < 1e-3
    assert np.abs(wet[1] - wet[2]).max() < 1e-5


@pytest.fixture(scope="module")
def halved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Wav, Wav, Wav]:
    """Noise, its halved and its doubled form."""
    folder = tmp_path_factory.mktemp("halved")
    (folder / "main.cpp").write_text(HALVED)
    core = sources.FIRMWARE / "core"
    command = ["g++", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{core}", "main.cpp", "-o", "run"]
    subprocess.run(command, cwd=folder, check=True, timeout=120)
    dry = np.random.default_rng(0).normal(size=2000).astype(np.float32)
    done = subprocess.run([folder / "run"], input=dry.tobytes(), capture_output=True, timeout=60)
    rows = np.frombuffer(done.stdout, "<f4").reshape(-1, 3)
    return dry, rows[:, 0], rows[:, 1:].reshape(-1)


def test_halving_is_scipys_filter_and_every_second_sample(halved: tuple[Wav, Wav, Wav]) -> None:
    dry, low, _ = halved
    np.testing.assert_allclose(
        low, signal.lfilter(FILTER, [1.0], dry.astype(np.float64))[1::2], atol=2e-5
    )


def test_doubling_is_scipys_filter_over_zeros_between(halved: tuple[Wav, Wav, Wav]) -> None:
    _, low, high = halved
    stuffed = np.zeros(2 * len(low))
    stuffed[::2] = low
    np.testing.assert_allclose(high, 2 * signal.lfilter(FILTER, [1.0], stuffed), atol=4e-5)


def test_the_filter_keeps_what_the_header_promises() -> None:
    frequencies_hz, response = signal.freqz(FILTER, worN=1 << 15, fs=RATE_HZ)
    level_db = 20 * np.log10(np.abs(response) + 1e-12)
    assert np.abs(level_db[frequencies_hz <= 9_500]).max() < 0.001
    assert level_db[frequencies_hz >= 12_550].max() < -80


@pytest.mark.slow
def test_a_model_of_half_the_rate_answers_late_by_the_stated_delay(
    played: Callable[..., Wav], tmp_path: Path
) -> None:
    folder = made(firmware(tmp_path / "half", RATE_HZ // 2))
    slow = (0.3 * np.sin(2 * np.pi * 500 * np.arange(8000) / RATE_HZ)).astype(np.float32)
    wet = played(slow, "--block", "128", folder=folder)
    expected = reference.respond(GRU, WEIGHTS, slow[::2])
    delay = 76  # 77, and the model takes in a pair at its second sample
    assert esr(expected[500:3500], wet[delay + 1000 : delay + 7000 : 2]) < 1e-3


@pytest.mark.slow
def test_a_model_of_twice_the_rate_is_filtered_on_both_sides_and_late_by_the_stated_delay(
    played: Callable[..., Wav], tmp_path: Path
) -> None:
    folder = made(firmware(tmp_path / "double", 2 * RATE_HZ))
    loud = (0.8 * np.sin(2 * np.pi * 4000 * np.arange(8000) / RATE_HZ)).astype(np.float32)
    wet = played(loud, "--block", "128", folder=folder)
    stuffed = np.zeros(2 * len(loud))
    stuffed[::2] = loud
    high = 2 * signal.lfilter(FILTER, [1.0], stuffed)
    expected = signal.lfilter(FILTER, [1.0], reference.respond(GRU, WEIGHTS, high))
    delay = DELAY_SAMPLES["doubled"]
    assert esr(expected[78 + 2000 : 78 + 14_000 : 2], wet[delay + 1000 : delay + 7000]) < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("model_rate_hz", [RATE_HZ // 2, 2 * RATE_HZ])
@pytest.mark.parametrize(("c", "cpp"), [("gcc", "g++"), ("clang", "clang++")])
def test_sanitizers_find_nothing(c: str, cpp: str, model_rate_hz: int, tmp_path: Path) -> None:
    folder = firmware(tmp_path / "f", model_rate_hz)
    checked = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
    made(folder, f"CC={c}", f"CXX={cpp}", f"OPTIMISATION={checked}")
    audio.write(tmp_path / "dry.wav", DRY, RATE_HZ)
    for words in (["--golden"], [str(tmp_path / "dry.wav"), str(tmp_path / "wet.wav")]):
        done = subprocess.run([folder / "pedal", *words], capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()[-2000:]


def test_nothing_in_the_core_allocates_or_locks() -> None:
    core = sources.FIRMWARE / "core"
    text = "".join(path.read_text() for path in core.iterdir() if path.name != "tflite_engine.cpp")
    for word in ("malloc", "std::vector", "std::string", "mutex", "printf", "throw "):
        assert word not in text
    engine = (core / "tflite_engine.cpp").read_text()
    assert engine.count("new (") == engine.count("new ") == 2  # in place, in static memory


@pytest.mark.system
@pytest.mark.slow
@pytest.mark.skipif(bool(qemu.missing_tools()), reason="needs make system")
@pytest.mark.parametrize("rate_hz", [RATE_HZ, RATE_HZ // 2])
def test_the_whole_core_on_a_cortex_m7_answers_as_on_the_host(
    played: Callable[..., Wav], tmp_path: Path, rate_hz: int
) -> None:
    folder = made(firmware(tmp_path / "f", rate_hz))
    dry = DRY[: 128 * 20]
    found = qemu.simulate_firmware(folder, dry, block=128, unit=RATE_HZ // rate_hz)
    assert np.abs(found.samples - played(dry, "--block", "128", folder=folder)).max() < 1e-5
    assert 0 < found.instructions_per_sample < 1300
