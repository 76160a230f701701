"""A drawn figure as a page shows it, in both its variants."""

from __future__ import annotations

from dataclasses import dataclass

from reports.sources.cache import Facts

WIDE_PX = 640


@dataclass(frozen=True)
class Picture:
    """A figure on the page; ``alt`` tells the finding, ``title`` what is drawn."""

    source: str
    dark_source: str
    width_px: int
    height_px: int
    title: str
    alt: str

    @property
    def is_wide(self) -> bool:
        """Whether it needs the whole page, and a phone has to scroll it."""
        return self.width_px > WIDE_PX


def shown(folder: str, facts: Facts, title: str, alt: str) -> Picture:
    """A figure of the cache, by what ``canvas.save`` told of it."""
    base = f"{folder}/{facts['name']}"
    return Picture(
        f"{base}.svg", f"{base}-dark.svg", facts["width_px"], facts["height_px"], title, alt
    )
