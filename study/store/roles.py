"""What a row of the results is of: the main model of its run, the same otherwise, or an epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from study.config.rendering import main_rendering

Role = Literal["main", "other", "checkpoint"]


def role(row: Mapping[str, Any]) -> Role:
    """Of a finished row.

    Args:
        row: with ``is_final``, ``rendering`` and, of a run on sequences, ``training``.

    Returns:
        ``main``: the final model as it was trained, by which the run is known; ``other``: the
        final model in another way of rendering; ``checkpoint``: weights of an epoch on the way,
        rendered as they were trained. Such an epoch may be later than the final model's:
        patience goes back to the best.
    """
    if row.get("is_final"):
        return "main"
    is_main_way = row.get("rendering") == main_rendering(row.get("training") or "framed")
    return "checkpoint" if is_main_way else "other"
