"""A pair that could not be judged is refused before training."""

from dataclasses import replace
from pathlib import Path

import jax
import pytest

from data import pairs
from data.errors import InputError
from study.config.run import SignalConfig
from study.dataset import Datasets
from tests import tiny


@pytest.mark.parametrize(("name", "start_s"), [("validation", 8.0), ("test", 9.0)])
def test_silence_in_a_held_out_part_is_refused(
    name: str, start_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wet = tiny.pair().wet.copy()
    wet[round(start_s * tiny.RATE_HZ) :][: tiny.RATE_HZ] = 0.0
    monkeypatch.setattr(pairs, "_made", lambda *_: replace(tiny.pair(), wet=wet))
    config = tiny.config(signal=SignalConfig(split="sequential", segment_seconds=0.5))
    datasets = Datasets(tmp_path)
    with pytest.raises(InputError, match=f"sound in the {name} split; found silence. Trim"):
        datasets.of(config)
    random = SignalConfig(split="random", segment_seconds=0.5)
    assert datasets.of(config.model_copy(update={"signal": random})).pair.name == "clipper"


def test_jax_takes_a_pair_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "_made", lambda *_: tiny.pair())
    config = tiny.config(signal=SignalConfig(segment_seconds=0.5))
    pair = Datasets(tmp_path).of(config).pair
    for signal in (pair.dry, pair.wet):
        assert jax.device_put(signal).unsafe_buffer_pointer() == signal.ctypes.data
