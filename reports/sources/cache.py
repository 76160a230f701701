"""Folders of figures and sounds that are made once and kept while their inputs stay.

A folder is named by a hash of what it was made from, this room's source code included,
so it is never stale, and a report whose inputs have not changed draws nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from data import files, partial_files
from models.families import FAMILIES
from study.config.run import RunConfig

Facts = dict[str, Any]

_FACTS_FILE = "facts.json"


@dataclass(frozen=True)
class Kept:
    """A folder on the cache.

    Attributes:
        folder: relative to the report, for links.
        facts: what was found while it was filled.
    """

    folder: str
    facts: Facts


class Cache:
    """The folders of one report."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._in_use: set[str] = set()

    def kept(self, name: str, inputs: Any, fill: Callable[[Path], Facts]) -> Kept:
        """The folder made from these inputs, filled now if it is not there yet.

        Args:
            name: readable beginning of the folder's name; may hold any characters.
            inputs: whatever the content depends on, as JSON.
            fill: writes files into an empty folder and returns facts, as JSON.
        """
        folder = self._folder(name, inputs)
        self._in_use.add(folder.name)
        if not _is_whole(folder):
            self._make(folder, fill)
        return Kept(folder.name, files.read_json(folder / _FACTS_FILE)["facts"])

    def has(self, name: str, inputs: Any) -> bool:
        """Whether ``kept`` would have nothing to fill."""
        return _is_whole(self._folder(name, inputs))

    def sweep(self) -> None:
        """Remove the folders that the report no longer links to."""
        for facts_file in self._root.glob(f"*/{_FACTS_FILE}"):
            if facts_file.parent.name not in self._in_use:
                partial_files.remove(facts_file.parent)

    def _folder(self, name: str, inputs: Any) -> Path:
        return self._root / f"{slug(name)}-{_digest([name, inputs])}"

    def _make(self, folder: Path, fill: Callable[[Path], Facts]) -> None:
        """Fill a folder aside and rename it, so that an interrupt leaves nothing half done.

        Where another process has filled the same one meanwhile, that stays.
        """
        with partial_files.folder(self._root) as aside:
            facts = fill(aside)
            made = sorted(path.name for path in aside.iterdir())
            files.write_json(aside / _FACTS_FILE, {"files": made, "facts": facts})
            with files.lock(self._root / ".cache-lock", wait=True):
                if not _is_whole(folder):
                    shutil.rmtree(folder, ignore_errors=True)
                    aside.rename(folder)


def fingerprint(file: Path) -> str:
    """Of a file's content."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def pair_inputs(config: RunConfig) -> list[Any]:
    """What everything that is made of a run's pair and split depends on."""
    return [config.pair_key, config.signal.model_dump(mode="json")]


def slug(name: str) -> str:
    """A name fit for files, links and anchors, whatever its characters."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "unnamed"


def _is_whole(folder: Path) -> bool:
    facts_file = folder / _FACTS_FILE
    try:
        made = files.read_json(facts_file)["files"]
    except (FileNotFoundError, ValueError):  # never drawn, or broken by a power cut
        return False
    return all((folder / name).exists() for name in made)


def _digest(inputs: Any) -> str:
    content = json.dumps([_code(), inputs], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


@cache
def _code() -> str:
    """Fingerprint of what draws: this room's modules, its packages' too, and the libraries."""
    digest = hashlib.sha256()
    for module in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(module.read_bytes())
    digest.update(repr(FAMILIES).encode())  # their labels and colours
    for package in ("matplotlib", "seaborn"):
        digest.update(metadata.version(package).encode())
    return digest.hexdigest()
