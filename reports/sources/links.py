"""Where the pages of a report lie, from its folder."""

from __future__ import annotations

FOLDER = "runs"


def link_of(run_id: str) -> str:
    """A run's page, from the report's folder."""
    return f"{FOLDER}/{run_id}.html"
