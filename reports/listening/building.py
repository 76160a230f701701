"""From a study to the listening page: sounds cut, made equally loud, and named at random."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from data import files, partial_files, templates
from data.audio import Samples
from reports.audio import excerpts
from reports.listening import anchors, conditions, database, items, levels
from reports.listening import key as keys
from reports.listening.conditions import Candidate
from reports.listening.key import ANCHORS, LABELS, REFERENCE, Key, KeyItem, Stimulus
from reports.sources import results
from study.dataset import Dataset, Datasets
from study.store.folders import Store

PAGE = Path(__file__).parent / "page"
REPORT_STYLE = Path(__file__).parents[1] / "templates" / "report.css"
DECK = Path(__file__).parents[1] / "templates" / "deck.js"  # shared with reports
SCRIPTS = ("random", "statistics", "deck", "sessions", "screens", "abx", "mushra", "start")

TRIALS = 16

# The same in the page, for the file system, and in the server's header.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'"
)

_TOKEN = re.compile("[0-9a-f]{32}")
_VERSION = 1  # goes up whenever the same inputs give other sounds


@dataclass(frozen=True)
class Settings:
    """What a page may be asked for; the same settings on the same study are one build.

    Attributes:
        run_ids: to compare; by default see ``conditions.chosen``.
        effect: which, where no run is named.
        trials: of an ABX session, fixed before it begins.
        count, seconds: of items.
    """

    run_ids: tuple[str, ...] = ()
    effect: str | None = None
    trials: int = TRIALS
    count: int = items.ITEMS
    seconds: float = items.ITEM_S


@dataclass(frozen=True)
class _Sounds:
    """The sounds of one item by condition, equally loud, and the gains that made them so."""

    item: KeyItem
    signals: Mapping[str, Samples]
    gains_db: Mapping[str, float]


def page_folder(store: Store) -> Path:
    """The static page."""
    return store.root / "listening"


def build(store: Store, settings: Settings) -> Key:
    """Write the listening page of a study, and its key outside it.

    A page whose sounds and settings have not changed keeps its tokens, so that sessions
    that began go on; its scripts and styles are written anew.

    Raises:
        InputError: nothing finished, or runs that cannot be compared.
    """
    read = results.read(store)
    candidates = conditions.chosen(read, settings.run_ids, settings.effect)
    with files.lock(store.root / "listening.lock", wait=True):
        made_from = _fingerprint(candidates, settings)
        key = keys.read(store)
        if key is None or key.made_from != made_from or not _is_whole(store, key):
            key = _make(store, candidates, settings, made_from)
        database.register(store, key)
        _write_page(store, key, read.title)
    return key


def _fingerprint(candidates: Sequence[Candidate], settings: Settings) -> str:
    sounds = [
        [own.run_id, own.label, hashlib.sha256(own.file.read_bytes()).hexdigest()]
        for own in candidates
        if own.file.is_file()
    ]
    split = conditions.split_key(candidates[0].config)
    content = json.dumps([_VERSION, split, sounds, asdict(settings)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _make(store: Store, candidates: Sequence[Candidate], settings: Settings, made_from: str) -> Key:
    dataset = Datasets(store.pairs).of(candidates[0].config)
    rate_hz = dataset.pair.sample_rate_hz
    labels = {REFERENCE: LABELS[REFERENCE]}
    labels |= {own.run_id: own.label for own in candidates}
    possible = [name for name, hz in ANCHORS.items() if anchors.can_be_made(hz, rate_hz)]
    labels |= {name: LABELS[name] for name in possible}
    key = Key(
        build=_token(),
        made_from=made_from,
        effect=candidates[0].effect,
        sample_rate_hz=rate_hz,
        trials=settings.trials,
        labels=labels,
        items={},
        open_references={},
        stimuli={},
        sides={_token(): name for name in (REFERENCE, *(own.run_id for own in candidates))},
        abx={},
        notes=tuple(_missing(name, rate_hz) for name in ANCHORS if name not in possible),
    )
    folder = page_folder(store)
    with partial_files.folder(folder) as aside:
        for sounds in _sounds(dataset, candidates, settings, possible):
            _write_sounds(aside, key, sounds)
        keys.write(store, key)
        aside.rename(folder / key.build)
    return key


def _missing(anchor: str, rate_hz: int) -> str:
    edge_hz = anchors.STOP_BAND * ANCHORS[anchor]
    return (
        f"There is no anchor at {ANCHORS[anchor] / 1000:g} kHz: at {rate_hz:,} Hz signals end at "
        f"{rate_hz // 2:,} Hz, and the filter's stop band would begin at {edge_hz:,.0f} Hz."
    )


def _sounds(
    dataset: Dataset,
    candidates: Sequence[Candidate],
    settings: Settings,
    possible_anchors: Sequence[str],
) -> list[_Sounds]:
    rate_hz = dataset.pair.sample_rate_hz
    target = dataset.test_target
    whole = {REFERENCE: target}
    whole |= {own.run_id: own.samples(len(target)) for own in candidates}
    whole |= {name: anchors.low_passed(target, rate_hz, ANCHORS[name]) for name in possible_anchors}
    parts = excerpts.spans(dataset.split.test)
    cut = items.cut(
        dataset.test_dry, rate_hz, parts, count=settings.count, seconds=settings.seconds
    )
    made = []
    for number, pieces in enumerate(cut, 1):
        joined = {name: excerpts.joined(x, pieces, rate_hz) for name, x in whole.items()}
        signals, gains_db = levels.matched(joined, REFERENCE, rate_hz)
        item = KeyItem(
            name=f"Item {number}",
            seconds=len(signals[REFERENCE]) / rate_hz,
            cut=" ".join(f"{piece.start}-{piece.stop}" for piece in pieces),
        )
        made.append(_Sounds(item, signals, gains_db))
    return made


def _write_sounds(folder: Path, key: Key, sounds: _Sounds) -> None:
    """Write an item's files and note in the key what they are.

    ABX and MUSHRA have files of their own: the first names A and B, the second must not.
    """
    item = _token()
    key.items[item] = sounds.item

    def write(name: str) -> str:
        token = _token()
        wav = _wav(sounds.signals[name], key.sample_rate_hz)
        (folder / f"{token}.js").write_text(_script(token, wav), encoding="ascii")
        return token

    key.open_references[item] = write(REFERENCE)
    for name, gain_db in sounds.gains_db.items():
        stimulus = Stimulus(item=item, condition=name, gain_db=gain_db)
        key.stimuli[write(name)] = stimulus
    key.abx[item] = {side: write(name) for side, name in key.sides.items()}


def _wav(samples: Samples, rate_hz: int) -> bytes:
    """16-bit WAV with triangular dither, so that no two files of a sound are equal bytes."""
    random = np.random.default_rng()
    dither = random.random(len(samples)) - random.random(len(samples))
    integers = np.round(samples * 32767.0 + dither).clip(-32768, 32767).astype(np.int16)
    encoded = io.BytesIO()
    soundfile.write(encoded, integers, rate_hz, subtype="PCM_16", format="WAV")
    return encoded.getvalue()


def _script(token: str, wav: bytes) -> str:
    """A sound as a script, the one kind of file that a page may load from the file system."""
    return f'"use strict";\nPedalframe.deliver("{token}", "{base64.b64encode(wav).decode()}");\n'


def _token() -> str:
    return secrets.token_hex(16)


def _is_whole(store: Store, key: Key) -> bool:
    folder = page_folder(store) / key.build
    return all((folder / f"{token}.js").is_file() for token in key.file_tokens)


def _write_page(store: Store, key: Key, title: str) -> None:
    """Write everything but the sounds, the page last, and remove the sounds of other builds."""
    folder = page_folder(store)
    style = REPORT_STYLE.read_text("utf-8") + (PAGE / "listening.css").read_text("utf-8")
    files.write_text(folder / "style.css", style)
    for name in SCRIPTS:
        source = DECK if name == DECK.stem else PAGE / f"{name}.js"
        files.write_text(folder / source.name, source.read_text("utf-8"))
    environment = templates.environment(PAGE, is_html=True)
    page = environment.get_template("index.html").render(
        title=title,
        effect=key.effect,
        content_security_policy=CONTENT_SECURITY_POLICY,
        scripts=SCRIPTS,
        content=page_content(key, store.source()),
    )
    files.write_text(folder / "index.html", page)
    for other in folder.iterdir():
        if _TOKEN.fullmatch(other.name) and other.name != key.build:
            partial_files.remove(other)


def page_content(key: Key, grid: str) -> dict[str, Any]:
    """What the page knows. Stimuli are in the order of their random tokens."""
    return {
        "build": key.build,
        "grid": grid,
        "trials": key.trials,
        "sample_rate_hz": key.sample_rate_hz,
        "items": {
            token: {"name": item.name, "seconds": item.seconds}
            for token, item in sorted(key.items.items())
        },
        "sides": [
            {"token": token, "label": "Target" if name == REFERENCE else key.labels[name]}
            for token, name in key.sides.items()
        ],
        "abx": key.abx,
        "references": key.open_references,
        "stimuli": {item: sorted(key.stimuli_of(item)) for item in key.items},
        "notes": key.notes,
    }
