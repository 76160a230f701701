"""Neural Amp Modeler's own loader computes what the run does: within 1e-5 on 5 s of audio."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from study.rendering.streaming import stream
from study.rendering.trained_model import load
from tests.embedded.exports.test_load_back import SECONDS, TOLERANCE, exported, guitar
from tests.peers import venv

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(venv.missing() is not None, reason=str(venv.missing())),
]


@pytest.mark.parametrize(
    "settings",
    [
        {"units": 16, "sample_rate_hz": 22_050},
        {"units": 5, "layers": 2, "sample_rate_hz": 48_000},
    ],
)
def test_nams_loader_computes_what_the_run_does(settings: dict[str, Any], tmp_path: Path) -> None:
    store, text = exported("nam", settings, tmp_path)
    model = load(next(iter(store.runs())), "streaming")
    dry = guitar(model.sample_rate_hz)
    (tmp_path / "a.nam").write_text(text)
    np.save(tmp_path / "dry.npy", dry)
    files = [tmp_path / name for name in ("a.nam", "dry.npy", "wet.npy")]
    script = Path(__file__).with_name("nam_load.py")
    told = subprocess.run(
        [venv.nam_python(), script, *files], capture_output=True, text=True, timeout=500
    )
    assert told.returncode == 0, told.stderr
    wet = np.load(tmp_path / "wet.npy")
    assert wet.shape == (SECONDS * model.sample_rate_hz,)
    expected = stream(model.architecture, model.weights, dry[None])[0]
    difference = float(np.abs(wet - expected).max())
    print(f"largest difference {difference:.1e}")
    assert difference < TOLERANCE
