"""The sections of the report, in the order of the page. A new one is a line here.

``FIRST`` is what everybody reads, ``EVIDENCE`` what it rests on, closed until it is asked for.
"""

from __future__ import annotations

from reports.sections import run_table
from reports.sections.aliasing.epochs import epoch_section
from reports.sections.aliasing.remedies import remedy_section
from reports.sections.aliasing.section import aliasing_section
from reports.sections.boards import boards_section
from reports.sections.effects import EffectParts
from reports.sections.knobs.section import knob_section
from reports.sections.listening.section import listening_section
from reports.sections.own_guitar import own_guitar
from reports.sections.player import effect_players
from reports.sections.published import published_section
from reports.sections.run_table import Listing
from reports.sections.search.section import search_section
from reports.sections.section import Section, Sources
from reports.sections.streaming import streaming_section
from reports.sections.verdicts import cards
from reports.sources.links import link_of


def _effects(own: Sources) -> tuple[EffectParts, ...]:
    return own.effects


def _listing(own: Sources) -> Listing:
    return run_table.listing(
        own.results.rows,
        {run_id: model.structure for run_id, model in own.results.model_of.items()},
        {row["run_id"]: link_of(row["run_id"]) for row in own.results.finals},
    )


FIRST: tuple[Section, ...] = (
    Section("answer", "What to build", "answer.html", lambda own: cards(own.results, own.choice)),
    Section(
        "listen",
        "Listen",
        "listen.html",
        lambda own: effect_players(own.results, own.choice, own.cache, own.datasets),
    ),
    Section("own", "Play your own guitar", "own.html", lambda own: own_guitar(own.results)),
)

EVIDENCE: tuple[Section, ...] = (
    Section("best", "What came out", "best.html", _effects),
    Section("data", "Data", "data.html", _effects),
    Section("structure", "Structure", "structure.html", _effects),
    Section("standing", "Baselines", "standing.html", _effects),
    Section("size", "Size", "size.html", lambda own: [e for e in own.effects if e.sizes]),
    Section("learning", "Learning", "learning.html", _effects),
    Section(
        "aliasing", "Aliases", "aliasing.html",
        lambda own: aliasing_section(own.results, own.cache, own.datasets),
    ),
    Section(
        "epochs", "Epochs", "epochs.html", lambda own: epoch_section(own.results, own.cache)
    ),
    Section(
        "remedies", "Remedies", "remedies.html",
        lambda own: remedy_section(own.results, own.cache),
    ),
    Section(
        "knobs", "Knobs", "knobs.html", lambda own: knob_section(own.results.store, own.cache)
    ),
    Section(
        "search", "Search", "search.html",
        lambda own: search_section(own.results.store, own.cache),
    ),
    Section(
        "published", "Published", "published.html", lambda own: published_section(own.results)
    ),
    Section(
        "streaming", "Streaming", "streaming.html", lambda own: streaming_section(own.results)
    ),
    Section(
        "boards", "Boards", "boards.html", lambda own: boards_section(own.results, own.cache)
    ),
    Section("fails", "Where it fails", "fails.html", _effects),
    Section("waveforms", "Waveforms", "waveforms.html", _effects),
    Section("spectrograms", "Spectrograms", "spectrograms.html", _effects),
    Section(
        "listening", "Listening tests", "listening_results.html",
        lambda own: listening_section(own.results.store, own.cache),
    ),
    Section("choice", "Choice", "choice.html", lambda own: own.choice),
    Section("rows", "All runs", "rows.html", _listing),
    Section("how", "Repeat it", "how.html", lambda own: own.provenance),
)  # fmt: skip
