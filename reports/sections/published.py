"""What others have published of a grid's effects, beside the best of ours; never mixed."""

from __future__ import annotations

from dataclasses import dataclass

from reports.sources.numbers import significant
from reports.sources.results import Results


@dataclass(frozen=True)
class PublishedRow:
    """A published figure and ours, as text.

    Attributes:
        effect, structure: what they modelled, with what.
        esr: theirs, or that they give none.
        source: theirs.
        our_structure, our_esr: of the model of the effect that validation prefers; test
            split, mean over its seeds.
    """

    effect: str
    structure: str
    esr: str
    source: str
    our_structure: str
    our_esr: str


def published_section(results: Results) -> tuple[PublishedRow, ...]:
    """A line a published figure, in the grid file's order; empty where it has none.

    With a recording in the place of the grid's effects none of its figures applies.
    """
    lines = []
    for entry in results.store.manifest().get("published", []):
        ours = results.models_of(entry["effect"])
        lines.append(
            PublishedRow(
                entry["effect"],
                entry["structure"],
                "none given" if entry["esr"] is None else significant(entry["esr"]),
                entry["source"],
                ours[0].structure if ours else "",
                significant(ours[0].spread("esr").mean) if ours else "not finished",
            )
        )
    return tuple(lines)
