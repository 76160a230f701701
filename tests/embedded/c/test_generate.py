import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from data.errors import InputError
from embedded.c.generate import CSource, Metadata, generate, golden_input, literal
from embedded.network import reference
from models.architecture import Architecture
from tests.embedded.c import generated
from tests.embedded.c.generated import (
    RATE_HZ,
    SHAPES,
    build,
    esr,
    name,
    random_weights,
    run,
    source,
)

pytestmark = pytest.mark.skipif(
    shutil.which("gcc") is None or shutil.which("clang") is None,
    reason="needs gcc and clang: make system",
)
DRY = golden_input(1500, RATE_HZ, seed=7)
LSTM = Architecture("lstm", 1, 8, 64)


@pytest.fixture(scope="module", params=SHAPES, ids=name)
def compiled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Architecture, Path]:
    a: Architecture = request.param
    return a, build(source(a), tmp_path_factory.mktemp("compiled"))


def test_it_answers_as_exact_arithmetic_does(compiled: tuple[Architecture, Path]) -> None:
    a, program = compiled
    wet = run(program, DRY)
    expected = reference.respond(a, random_weights(a), DRY)
    assert esr(expected, wet) < 1e-9
    assert np.abs(wet - expected).max() < 1e-4


def test_blocks_and_reset_change_no_bit(compiled: tuple[Architecture, Path]) -> None:
    _, program = compiled
    whole = run(program, DRY, block=len(DRY))
    assert np.array_equal(run(program, DRY, block=1), whole)
    assert np.array_equal(run(program, DRY, block=37), whole)
    assert np.array_equal(run(program, DRY, block=37, way="r"), whole)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["lstm", "gru", "rnn", "dense", "conv"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_generated_test_passes_under_sanitizers(
    family: str, compiler: str, tmp_path: Path
) -> None:
    a = next(a for a in SHAPES[::-1] if a.family == family)
    source(a).write(tmp_path)
    checked = ["-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    command = [compiler, *generated.STRICT, *checked, "model.c", "model_test.c", "-lm", "-o", "t"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    done = subprocess.run([tmp_path / "t"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "blocks equal samples: yes" in done.stdout


@pytest.mark.skipif(shutil.which("llvm-nm") is None, reason="needs llvm: make system")
@pytest.mark.parametrize("a", SHAPES, ids=name)
def test_a_bare_target_needs_no_header_and_no_function_of_a_c_library(
    a: Architecture, tmp_path: Path
) -> None:
    source(a).write(tmp_path)
    bare = "clang --target=wasm32 -nostdlibinc -ffreestanding -fno-builtin -O2 -c model.c -o m.o"
    subprocess.run([*bare.split(), *generated.STRICT], cwd=tmp_path, check=True, timeout=60)
    done = subprocess.run(
        ["llvm-nm", "--undefined-only", "--just-symbol-name", "m.o"],
        cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert set(done.stdout.split()) <= {"__stack_pointer"}  # the linker's


def test_the_generated_test_notices_a_changed_weight(tmp_path: Path) -> None:
    files = source(LSTM)
    spoilt = re.sub(r"(static const float output_bias = )[^;]+", r"\g<1>0.5f", files.source)
    assert spoilt != files.source
    CSource(files.name, files.header, spoilt, files.test).write(tmp_path)
    subprocess.run(["gcc", "model.c", "model_test.c", "-lm", "-o", "t"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "t"], capture_output=True, timeout=60).returncode == 1


def test_exact_tanh_is_nearer_to_exact_arithmetic(tmp_path: Path) -> None:
    expected = reference.respond(LSTM, random_weights(LSTM), DRY)
    fast = run(build(source(LSTM), tmp_path / "a"), DRY)
    exact = run(build(source(LSTM), tmp_path / "b", "-DMODEL_EXACT_TANH"), DRY)
    assert esr(expected, exact) < 0.3 * esr(expected, fast)


def test_extremes_stay_finite_and_silence_settles(compiled: tuple[Architecture, Path]) -> None:
    _, program = compiled
    rng = np.random.default_rng(0)
    loud = np.concatenate([np.ones(300), -np.ones(300), rng.choice([-1.0, 1.0], 300)])
    tiny = np.array([1e-38, -1e-40, 1e-45, 0.0] * 50)
    parts = [loud, 1e6 * loud, tiny, np.zeros(3000)]
    wet = run(program, np.concatenate(parts).astype(np.float32))
    assert np.isfinite(wet).all()
    assert np.ptp(wet[-500:]) < 0.5


def test_text_cannot_leave_its_comment(tmp_path: Path) -> None:
    evil = 'a */ int evil; /* " \\\n#error no\r\n??/ \u202e ** //*/ end ???/'
    metadata = Metadata("model", evil, RATE_HZ, evil, license=evil)
    files = generate(LSTM, random_weights(LSTM), metadata)
    wet = run(build(files, tmp_path), DRY)
    assert np.array_equal(wet, run(build(source(LSTM), tmp_path / "plain"), DRY))
    for text in (files.header, files.source, files.test):
        without_comments = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        assert "evil" not in without_comments
        assert "#error" not in without_comments
        assert "\u202e" not in text


@pytest.mark.parametrize(
    "bad", ["", "a b", "1a", "a\n", "a*/", "Ä", "x" * 40, "a;b", "int", "class"]
)
def test_only_identifiers_are_names(bad: str) -> None:
    with pytest.raises(InputError, match="identifier"):
        Metadata(bad, "e", RATE_HZ, "r")


def test_wrong_weights_are_refused() -> None:
    weights = random_weights(LSTM)
    metadata = Metadata("model", "e", RATE_HZ, "r")
    with pytest.raises(InputError, match="shapes"):
        generate(LSTM, weights[:-1], metadata)
    for bad in (np.nan, np.inf):
        weights[0][0, 0] = bad
        with pytest.raises(InputError, match="float32"):
            generate(LSTM, weights, metadata)
    with pytest.raises(InputError, match="float32"):
        generate(LSTM, [1e39 * w.astype(np.float64) for w in random_weights(LSTM)], metadata)
    with pytest.raises(InputError, match="rate"):
        Metadata("model", "e", 0, "r")


def test_a_model_that_magnifies_errors_is_refused() -> None:
    chaotic = [40 * w for w in random_weights(Architecture("rnn", 1, 16, 64))]
    with pytest.raises(InputError, match="magnifies"):
        generate(Architecture("rnn", 1, 16, 64), chaotic, Metadata("model", "e", RATE_HZ, "r"))


def test_the_tolerance_grows_with_a_loud_output(tmp_path: Path) -> None:
    weights = random_weights(LSTM)
    loud = [*weights[:-2], 1e4 * weights[-2], weights[-1]]
    build(generate(LSTM, loud, Metadata("model", "e", RATE_HZ, "r")), tmp_path)
    subprocess.run(["gcc", "model.c", "model_test.c", "-lm", "-o", "t"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "t"], capture_output=True, timeout=60).returncode == 0


def test_the_same_model_gives_the_same_text() -> None:
    assert source(LSTM) == source(LSTM)


def test_literals_read_back_exactly() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=1000) * 10.0 ** rng.integers(-38, 38, 1000)
    values = np.append(values, [0, -0.0, 1, 1e-45, 3.4e38]).astype(np.float32)
    texts = [literal(v) for v in values]
    assert all(re.fullmatch(r"-?\d\.\d+(e[+-]\d+)?f", t) for t in texts)
    assert np.array_equal(np.array([t[:-1] for t in texts], np.float32), values)
