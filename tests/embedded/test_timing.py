import time

import numpy as np
import pytest

from data.effects import resolve
from embedded import timing
from models.architecture import Architecture
from tests.embedded.generated import random_weights


def test_time_is_told_a_second_of_audio(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def process(dry: np.ndarray) -> None:
        assert dry.shape == (100,)
        clock[0] += 0.005

    monkeypatch.setattr(time, "process_time", lambda: clock[0])
    # 5 ms a block of 100 samples, of which a second has 80.
    assert timing.seconds_per_second(process, 100, 8000) == pytest.approx(0.4)


@pytest.mark.slow
@pytest.mark.parametrize("a", [Architecture("gru", 1, 6, 64), Architecture("dense", 1, 6, 32)])
def test_every_method_takes_blocks_of_its_sizes(a: Architecture, tmp_path: object) -> None:
    effect = resolve("sd1", None)  # type: ignore[arg-type]
    methods = timing._methods(effect, a, random_weights(a), 22_050, str(tmp_path))
    assert {"circuit", "keras_framed", "tflite"} <= set(methods)
    assert ("keras_streaming" in methods) == (a.family == "gru")
    for method, prepare in methods.items():
        for block in (8, 256):
            process = prepare(block)
            assert (process is None) == (method == "keras_framed" and block == 8)
            if process is not None:
                process(np.zeros(block, np.float32))
                process(np.zeros(block, np.float32))
