"""A bright study that has bands for both anchors and a test split for several items."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from data import audio, files
from data.pairs import key as pair_key
from reports.listening.blinding import hidden_sides
from reports.listening.building import Settings
from reports.listening.key import Key
from reports.listening.sessions import AbxSession
from study.config.run import RunConfig, SignalConfig
from study.store.folders import Store
from tests.reports.listening.samples import token
from tests.reports.synthetic import config, plucked, write_study

AUDIBLE_RATE_HZ = 22_050
AUDIBLE_SECONDS = 60.0
SETTINGS = Settings(trials=6, count=2, seconds=1.9)
SEED = "00000001000000020000000300000004"


def audible(name: str = "fuzz", **settings: object) -> RunConfig:
    """A small grid point at a rate that music needs."""
    signal = SignalConfig(seconds=AUDIBLE_SECONDS, segment_seconds=2.0)
    return config(name, **settings).model_copy(
        update={"sample_rate_hz": AUDIBLE_RATE_HZ, "signal": signal}
    )


def audible_study(root: Path, runs: Iterable[RunConfig], title: str = "Synthetic") -> Store:
    """A finished study of these runs. Its pairs are there before it is written."""
    own = list(runs)
    for run in own:
        folder = root.parent / "pairs" / pair_key(run.made_by, run.signal.dry, run.sample_rate_hz)
        dry = plucked(AUDIBLE_SECONDS, AUDIBLE_RATE_HZ)
        hiss = np.random.default_rng(1).standard_normal(len(dry)) * 0.1 * np.abs(dry)
        audio.write(folder / "dry.wav", dry, AUDIBLE_RATE_HZ)
        audio.write(folder / "wet.wav", np.tanh(8 * dry + hiss).astype(np.float32), AUDIBLE_RATE_HZ)
        files.write_json(folder / "pair.json", {"name": run.effect["name"], "report": []})
    return write_study(root, own, title)


def families(*names: str) -> list[RunConfig]:
    """One run a family, each larger than the one before."""
    return [audible(family=name, units=8 * 2**n) for n, name in enumerate(names)]


def abx_of(key: Key, correct: int, answered: int | None = None, **changed: Any) -> AbxSession:
    """A session with so many right answers first, and wrong ones after them."""
    truth = hidden_sides(SEED, key.trials)
    answers = [x if n < correct else "ab"[x == "a"] for n, x in enumerate(truth)]
    a, b, *_ = key.sides
    document = {
        "version": 1, "test": "abx", "build": key.build, "session": token(1), "seed": SEED,
        "participant": "Ada", "started": "2026-01-02T03:04:05.678Z", "a": a, "b": b,
        "trials": key.trials, "answers": answers[: key.trials if answered is None else answered],
    }  # fmt: skip
    return AbxSession.model_validate({**document, **changed})
