"""The candidates of a grid for the browser: ``browser.json``, which the report carries."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from data import files
from data.errors import InputError
from embedded.wasm import compiler
from study.config.rendering import STREAMING_TUNED
from study.config.run import RunConfig
from study.selection import choose
from study.selection.candidates import Candidate, candidates, read_budget
from study.store import received, tables
from study.store.folders import RunFolder, Store

PRESENTED = 4  # candidates of an effect


@dataclass(frozen=True)
class BrowserModel:
    """A candidate that a browser computes.

    Attributes:
        effect, run_id, rendering: of the results table.
        sample_rate_hz: of dry and wet.
        made_from: a hash of everything that the module depends on.
        wasm: the module, base64.
        dry, wet: golden vectors, float32 of little endian in base64.
        tolerance: the largest error that the page may find in them.
    """

    effect: str
    run_id: str
    rendering: str
    sample_rate_hz: int
    made_from: str
    wasm: str
    dry: str
    wet: str
    tolerance: float


@dataclass(frozen=True)
class Browser:
    """All of them, and why there may be none or fewer."""

    problem: str
    models: list[BrowserModel]


def path(store: Store) -> Path:
    """Where they lie."""
    return store.root / "browser.json"


def write(store: Store) -> Browser:
    """Compile what is presented of each effect; what was compiled from the same stays.

    Raises:
        InputError: the grid has no finished run.
    """
    words = compiler.found()
    kept = _kept(store)
    problems = [] if words else [compiler.MISSING]
    models = []
    for candidate in _presented(store, problems):
        folder = store.run(candidate.run_id)
        try:
            made_from = _fingerprint(folder, candidate)
        except FileNotFoundError as error:
            problems.append(f"{candidate.name}: {error.filename} is missing")
            continue
        model = kept.get(made_from)
        if model is None and words:
            try:
                model = _compiled(folder, candidate, made_from, words)
            except InputError as error:
                problems.append(str(error))
        if model is not None:
            models.append(model)
    made = Browser("; ".join(problems), models)
    files.write_json(path(store), asdict(made))
    return made


def _presented(store: Store, problems: list[str]) -> Iterator[Candidate]:
    """What boards render of it; why an effect has no choice goes to the problems."""
    results, budget = tables.collect(store), read_budget(store)
    everything = [own for own in candidates(results, budget) if not own.research]
    for effect in dict.fromkeys(own.effect for own in everything):
        try:
            choice = choose.chosen(store, effect)
        except InputError as error:  # as the report tells of it
            if str(error) not in problems:
                problems.append(str(error))
            continue
        found = choose.presented(choice, everything, PRESENTED)
        yield from (own for own in found if not own.research)


def _kept(store: Store) -> dict[str, BrowserModel]:
    try:
        stored = received.browser(path(store))
    except (FileNotFoundError, InputError):  # made anew
        return {}
    return {model["made_from"]: BrowserModel(**model) for model in stored["models"]}


def _weights_file(folder: RunFolder, rendering: str) -> Path:
    is_tuned = rendering == STREAMING_TUNED
    return folder.streaming_model_file if is_tuned else folder.model_file()


def _compiled(
    folder: RunFolder, candidate: Candidate, made_from: str, words: list[str]
) -> BrowserModel:
    # Keras takes seconds to import, which a page that changes nothing should not.
    from embedded.c import generate
    from study.rendering.weights import load_weights

    config: RunConfig = folder.config()
    is_tuned = candidate.rendering == STREAMING_TUNED
    file = _weights_file(folder, candidate.rendering)
    loaded = load_weights(config, file, is_sequence=is_tuned)
    weights = [np.asarray(array, np.float32) for array in loaded]
    rate_hz = config.sample_rate_hz
    metadata = generate.Metadata(compiler.NAME, candidate.effect, rate_hz, candidate.run_id)
    source = generate.generate(config.architecture, weights, metadata)
    dry, wet, tolerance = generate.golden(config.architecture, weights, rate_hz)
    return BrowserModel(
        effect=candidate.effect,
        run_id=candidate.run_id,
        rendering=candidate.rendering,
        sample_rate_hz=rate_hz,
        made_from=made_from,
        wasm=_base64(compiler.compiled(source, words)),
        dry=_base64(dry.astype("<f4").tobytes()),
        wet=_base64(wet.astype("<f4").tobytes()),
        tolerance=tolerance,
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _fingerprint(folder: RunFolder, candidate: Candidate) -> str:
    digest = hashlib.sha256(_code())
    digest.update(_weights_file(folder, candidate.rendering).read_bytes())
    digest.update(f"{candidate.effect} {candidate.name}".encode())
    return digest.hexdigest()


@cache
def _code() -> bytes:
    """Fingerprint of what generates and compiles."""
    digest = hashlib.sha256()
    for folder in (Path(__file__).parent, Path(__file__).parents[1] / "c"):
        for file in sorted(folder.rglob("*")):
            if file.suffix in (".py", ".c", ".h"):
                digest.update(file.read_bytes())
    return digest.digest()
