"""One player an effect: dry, what the pedal makes of it, what candidates make of it, the error.

The sounds lie in scripts, the one kind of file that a page may load from the file system, are
decoded when somebody wants to hear them, and run in step, so that switching has no gap.
"""

from __future__ import annotations

import base64
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from data.audio import Samples
from data.errors import InputError
from reports.audio import best_run, excerpts, players
from reports.listening import levels
from reports.sections import plain
from reports.sections.choice import ChoiceSection
from reports.sources.cache import Cache, Facts, fingerprint, pair_inputs, slug
from reports.sources.results import Results
from study.dataset import Datasets
from study.selection import choose
from study.selection.candidates import Candidate, candidates, read_budget
from study.selection.choose import Choice
from study.store import tables

PRESENTED = 2  # candidates beside dry, target and error: a key each from 1 to 5
EXCERPT_S = 8.0
MOST_GAIN = 4.0  # of what is made as loud as the target


@dataclass(frozen=True)
class Sound:
    """One of a player's: its key, what it is called, and its file's name."""

    key: int
    name: str
    token: str
    gain: float


@dataclass(frozen=True)
class EffectPlayer:
    """The player of an effect; ``problem`` says why there is nothing to hear."""

    effect: str
    anchor: str
    folder: str
    seconds: float
    outline: str
    sounds: tuple[Sound, ...]
    chosen: str
    details: str
    problem: str = ""


def effect_players(
    results: Results, choices: ChoiceSection, cache: Cache, datasets: Datasets
) -> tuple[EffectPlayer, ...]:
    """A player an effect that has a choice, in the grid's order."""
    everything = candidates(tables.typed(list(results.rows)), read_budget(results.store))
    made = []
    for number, (effect, choice) in enumerate(choices.choices.items(), 1):
        anchor = f"listen-{slug(effect)}-{number}"
        try:
            made.append(_player(results, choice, everything, anchor, cache, datasets))
        except InputError as error:
            made.append(EffectPlayer(effect, anchor, "", 0, "", (), "", "", str(error)))
    return tuple(made)


def _player(
    results: Results,
    choice: Choice,
    everything: Sequence[Candidate],
    anchor: str,
    cache: Cache,
    datasets: Datasets,
) -> EffectPlayer:
    config = results.configs[choice.run_id]
    alike = [
        own
        for own in everything
        if own.run_id in results.model_of
        and pair_inputs(results.configs[own.run_id]) == pair_inputs(config)
    ]
    shown = choose.presented(choice, alike, PRESENTED)
    sources = {f"candidate-{n}": _file(results, own) for n, own in enumerate(shown, 1)}

    def fill(folder: Path) -> Facts:
        dataset = datasets.of(config)
        target = dataset.test_target
        signals = {"dry": dataset.test_dry, "target": target} | {
            name: best_run.rendered(file, len(target)) for name, file in sources.items()
        }
        parts = excerpts.spans(dataset.split.test)
        rate_hz = config.sample_rate_hz
        pieces = excerpts.phrases(dataset.test_dry, rate_hz, parts, EXCERPT_S)
        return _fill(folder, signals, pieces, rate_hz)

    inputs = [*pair_inputs(config), [[name, fingerprint(own)] for name, own in sources.items()]]
    kept = cache.kept(f"{choice.effect}-player", inputs, fill)
    named = players.names(config)
    names = {"dry": named["dry"].partition(":")[0], "target": named["target"].partition(":")[0]}
    names |= {
        name: plain.candidate(results.configs[own.run_id], own.rendering)
        for name, own in zip(sources, shown, strict=True)
    }
    names["error"] = "Error alone"
    sounds = [
        Sound(key, names[own["name"]], own["token"], own["gain"])
        for key, own in enumerate(kept.facts["sounds"], 1)
    ]
    facts = kept.facts
    error_db = facts["error_db"]
    return EffectPlayer(
        effect=choice.effect,
        anchor=anchor,
        folder=kept.folder,
        seconds=facts["seconds"],
        outline=facts["outline"],
        sounds=tuple(sounds),
        chosen=next(s.token for s, own in zip(sounds, facts["sounds"], strict=True)
                    if own["name"] == "candidate-1"),
        details=(
            f"{facts['seconds']:.0f} s that no model was trained on. Here the error of the chosen "
            f"model lies {abs(error_db):.0f} dB {'below' if error_db < 0 else 'above'} the pedal."
        ),
    )  # fmt: skip


def _file(results: Results, own: Candidate) -> Path:
    run = results.store.run(own.run_id)
    return best_run.existing(run, run.prediction_file(None, own.rendering))


def _fill(
    folder: Path,
    signals: Mapping[str, Samples],
    pieces: Sequence[excerpts.Excerpt],
    sample_rate_hz: int,
) -> Facts:
    cut, rate_hz = players.heard(signals, pieces, sample_rate_hz)
    cut["error"] = cut["candidate-1"] - cut["target"]
    common = players.loudest_gain(cut.values())
    reference = _loudness(cut["target"], rate_hz)
    sounds = []
    for name, samples in cut.items():
        scaled = samples * samples.dtype.type(common)
        encoded = io.BytesIO()
        soundfile.write(encoded, scaled, rate_hz, subtype="PCM_16", format="FLAC")
        token = f"{name}-{hashlib.sha256(encoded.getvalue()).hexdigest()[:12]}"
        text = base64.b64encode(encoded.getvalue()).decode("ascii")
        script = f'"use strict";\nPedalframe.deliver("{token}", "{text}");\n'
        (folder / f"{token}.js").write_text(script, encoding="ascii")
        own = _loudness(samples, rate_hz)
        gain = 10 ** ((reference - own) / 20) if math.isfinite(reference - own) else 1.0
        # The error keeps its level: what is heard of it is how much there is.
        is_matched = name not in ("target", "error")
        sounds.append(
            {"name": name, "token": token, "gain": min(gain, MOST_GAIN) if is_matched else 1.0}
        )
    return {
        "sounds": sounds,
        "seconds": len(cut["target"]) / rate_hz,
        "outline": players.outlined(cut["target"] * cut["target"].dtype.type(common)),
        "error_db": players.ratio_db(cut["error"], cut["target"]),
    }


def _loudness(samples: Samples, rate_hz: int) -> float:
    if len(samples) < levels.BLOCK_S * rate_hz:
        return -math.inf
    return levels.loudness_lufs(samples, rate_hz)
