"""What a run learns from and is judged on: a pair and its split. Needs no Keras."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from data import pairs, splits
from data.audio import Samples
from data.errors import InputError
from data.pairs import Pair
from data.splits import Split
from study.config.run import RunConfig
from study.measures import linear_baseline, onsets

_JAX_ALIGNMENT_BYTES = 64


@dataclass(frozen=True)
class Dataset:
    """A pair at the run's sample rate and its train, validation and test spans."""

    pair: Pair
    split: Split

    @property
    def test_dry(self) -> Samples:
        """The scored part of the test split, dry."""
        return splits.scored(self.pair.dry, self.split.test)

    @property
    def test_target(self) -> Samples:
        """The scored part of the test split, wet."""
        return splits.scored(self.pair.wet, self.split.test)

    @property
    def test_parts(self) -> list[int]:
        """Lengths of the parts that the scored part of the test split is joined from."""
        return splits.scored_lengths(self.split.test)

    @cached_property
    def test_onsets(self) -> onsets.Indices:
        """Where notes begin in the scored part of the test split."""
        return onsets.find_onsets(self.test_dry, self.pair.sample_rate_hz, self.test_parts)

    def test_fir(self, taps: int) -> Samples:
        """The scored part of the test split as the best linear filter predicts it."""
        fir = linear_baseline.best_fir(self.pair.dry, self.pair.wet, self.split.train, taps)
        # By span, as models render: memory for the test split, not the whole signal.
        return splits.joined(
            linear_baseline.filtered(self.pair.dry[s.start : s.stop], fir) for s in self.split.test
        )


class Datasets:
    """Dataset by run, made once and kept in memory: many runs share few pairs."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._datasets: dict[str, Dataset] = {}
        self._firs: dict[tuple[str, int], Samples] = {}

    def of(self, config: RunConfig) -> Dataset:
        """The run's dataset, from memory, from the disk or made now.

        Raises:
            InputError: whatever the device, the import or the split finds wrong.
        """
        key = self._key(config)
        if key not in self._datasets:
            self._datasets[key] = self._load(config)
        return self._datasets[key]

    def test_fir(self, config: RunConfig) -> Samples:
        """The linear baseline of the run's frame size on its test split."""
        key = (self._key(config), config.fir_taps)
        if key not in self._firs:
            self._firs[key] = self.of(config).test_fir(config.fir_taps)
        return self._firs[key]

    def _key(self, config: RunConfig) -> str:
        return config.pair_key + config.signal.model_dump_json()

    def _load(self, config: RunConfig) -> Dataset:
        signal = config.signal
        pair = pairs.pair(config.made_by, signal.dry, config.sample_rate_hz, self._cache)
        if config.direction == "reversed":
            pair = replace(pair, dry=pair.wet, wet=pair.dry)
        split = splits.split(
            len(pair.dry),
            pair.sample_rate_hz,
            mode=signal.split,
            segment_seconds=signal.segment_seconds,
            seed=signal.split_seed,
        )
        # One by one, so that never both lie there twice.
        pair = replace(pair, dry=_aligned(pair.dry))
        pair = replace(pair, wet=_aligned(pair.wet))
        _require_sound(pair, split)
        return Dataset(pair, split)


def _aligned(signal: Samples) -> Samples:
    """The signal where JAX takes it as it lies; else training would hold it twice."""
    room = np.empty(signal.nbytes + _JAX_ALIGNMENT_BYTES, np.uint8)
    start = -room.ctypes.data % _JAX_ALIGNMENT_BYTES
    aligned = room[start : start + signal.nbytes].view(np.float32)
    aligned[:] = signal
    return aligned


def _require_sound(pair: Pair, split: Split) -> None:
    """Refuse held-out parts that no metric is defined on, before anything is trained."""
    for name, spans in (("validation", split.validation), ("test", split.test)):
        if np.ptp(splits.scored(pair.wet, spans)) == 0:
            raise InputError(
                f"wet signal of {pair.name}",
                expected=f"sound in the {name} split",
                found="silence",
                remedy='Trim the silence or use split = "random" in the grid.',
            )
