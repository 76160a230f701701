"""What a section of the report is, and what it is built from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reports.sections.choice import ChoiceSection, choice_section
from reports.sections.effects import EffectParts, effect_parts
from reports.sections.provenance import Provenance, provenance
from reports.sources.cache import Cache
from reports.sources.results import Results
from study.dataset import Datasets


@dataclass(frozen=True)
class Sources:
    """What sections are built from; what several of them need is made once.

    Attributes:
        results: of the grid.
        cache: of the report, to which figures and sounds are drawn.
        datasets: of the study's pairs.
    """

    results: Results
    cache: Cache
    datasets: Datasets

    @cached_property
    def choice(self) -> ChoiceSection:
        """The chosen candidates."""
        return choice_section(self.results)

    @cached_property
    def effects(self) -> tuple[EffectParts, ...]:
        """Numbers, pictures and sounds of each effect."""
        return effect_parts(self.results, self.cache, self.datasets, self.choice.choices)

    @cached_property
    def provenance(self) -> Provenance:
        """How the results came about."""
        return provenance(self.results)


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        anchor: its id, to which links lead.
        title: in the navigation.
        template: file in ``reports/templates``, from the opening to the closing tag. It knows
            this object as ``section``, and what was built as ``content``.
        build: makes the content. Where that is None or empty, the page has no such section.
    """

    anchor: str
    title: str
    template: str
    build: Callable[[Sources], Any]
