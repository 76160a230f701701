"""The worst five seconds of a run, to hear and to see."""

from __future__ import annotations

from dataclasses import dataclass

from reports.audio import players
from reports.drawing.pictures import Picture, shown
from reports.sections import wording
from reports.sources.cache import Kept


@dataclass(frozen=True)
class Worst:
    """The five seconds with the highest ESR."""

    sentence: str
    players: tuple[players.Player, ...]
    waveform: Picture


def worst(kept: Kept, whose: str) -> Worst:
    """The worst five seconds of a run, from what was drawn of it."""
    facts = kept.facts["worst"]
    return Worst(
        sentence=wording.worst(facts),
        players=tuple(
            players.shown(kept.folder, own, _worst_name(own["name"]), f"{whose}, worst moments")
            for own in facts["sounds"]
        ),
        waveform=shown(
            kept.folder,
            facts["waveform"]["picture"],
            "Where it errs most",
            wording.worst_waveform(facts),
        ),
    )


def _worst_name(name: str) -> str:
    return {
        "target": "Target",
        "prediction": "Prediction",
        "error": "Error: prediction minus target",
    }[name]
