import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.effects import resolve
from data.errors import InputError
from embedded.budget import host_timing
from study.config.run import RunConfig
from tests import tiny
from tests.embedded.c.generated import random_weights
from tests.study import finished


def test_time_is_told_a_second_of_audio(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def process(dry: np.ndarray) -> None:
        assert dry.shape == (100,)
        clock[0] += 0.005

    monkeypatch.setattr(time, "process_time", lambda: clock[0])
    # 5 ms a block of 100 samples, of which a second has 80.
    assert host_timing.seconds_per_second(process, 100, 8000) == pytest.approx(0.4)


SD1: dict[str, Any] = {"effect": resolve("sd1", Path()).to_dict(), "sample_rate_hz": 22_050}


def config(**changes: Any) -> RunConfig:
    return finished.config(**SD1, **changes)


@pytest.mark.slow
@pytest.mark.parametrize(
    "run",
    [
        config(family="gru"),
        config(family="dense"),
        tiny.sequence_config(frame_size=32, features=4, **SD1),
    ],
    ids=lambda run: run.run_id,
)
def test_every_method_takes_blocks_of_its_sizes(run: RunConfig, tmp_path: Path) -> None:
    methods = host_timing._methods(run, random_weights(run.architecture), str(tmp_path))
    assert {"circuit", "tflite", "c"} <= set(methods)
    assert ("keras_framed" in methods) == (run.training == "framed")
    assert ("keras_streaming" in methods) == (run.family == "gru")
    for method, prepare in methods.items():
        for block in (8, 256):
            process = prepare(block)
            assert (process is None) == (method == "keras_framed" and block == 8)
            if process is not None:
                process(np.zeros(block, np.float32))
                process(np.zeros(block, np.float32))


def test_what_a_run_does_not_do_is_not_timed(tmp_path: Path) -> None:
    turned = config(direction="reversed")
    weights = random_weights(turned.architecture)
    assert "circuit" not in host_timing._methods(turned, weights, str(tmp_path))
    sequence = tiny.sequence_config()
    drawn = random_weights(sequence.architecture)
    assert "keras_framed" not in host_timing._methods(sequence, drawn, str(tmp_path))
    unstable = [40 * array for array in weights]
    assert "c" not in host_timing._methods(turned, unstable, str(tmp_path))


@pytest.mark.slow
def test_models_that_no_c_is_written_of_leave_the_others_their_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = [tiny.sequence_config(family="conv_gru"), finished.config(family="dense")]
    store = finished.grid(tmp_path / "grid", *configs, validation_esr=0.1)
    finished.finish(store.run(configs[0].run_id), configs[0], validation_esr=0.01)
    monkeypatch.setattr(host_timing, "BLOCKS", (128,))
    monkeypatch.setattr(host_timing, "MEASURED_S", 0.001)
    assert set(host_timing.measure(store)["run_id"]) == {configs[1].run_id}
    alone = finished.grid(tmp_path / "alone", configs[0], validation_esr=0.1)
    with pytest.raises(InputError, match="firmware is written for"):
        host_timing.measure(alone)
