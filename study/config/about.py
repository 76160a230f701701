"""What the program knows of a setting besides its range, beside its field in ``RunConfig``.

Tables, searches, ids, labels and the reference in ``docs/grids.md`` follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class About:
    """Of one setting.

    Attributes:
        meaning: in a few words, for the columns' explanations and the reference of keys.
        note: what else someone who writes a grid needs to know, as Markdown, for that reference.
        in_results: whether it is a column of the results table.
        applies_to: ``frames``: has no use in training on sequences; ``segments``: only there, and
            in fine-tuning for streaming.
        searched: by what a search may vary it: a list of choices, or a range too. Only what
            leaves the validation losses of trials comparable; the others change what is
            measured (effect, loss, rate) or how much is paid for it.
        of_the_end: whether trials do without it, being of a run's end.
        adds_rows: whether it leaves the trained model as it is, and only adds rows or seeds.
        neutral: of a setting that the first ids did not know, the value that means: as before
            it. It never changes; the field's default may.
    """

    meaning: str
    note: str = ""
    in_results: bool = True
    applies_to: Literal["all", "frames", "segments"] = "all"
    searched: Literal["choices", "integers", "numbers"] | None = None
    of_the_end: bool = False
    adds_rows: bool = False
    neutral: int | float | str | bool | tuple[int, ...] | None = None


def settings_of(kind: type[BaseModel]) -> dict[str, About]:
    """By name, in order of the fields.

    Raises:
        ValueError: a field says nothing, or two things.
    """
    return {name: _of(name, field) for name, field in kind.model_fields.items()}


def _of(name: str, field: FieldInfo) -> About:
    found = [own for own in field.metadata if isinstance(own, About)]
    if len(found) != 1:
        raise ValueError(f"the setting {name} has {len(found)} descriptions, not one")
    return found[0]


def dtype(kind: type[BaseModel], name: str) -> str:
    """Of a setting's column, for pandas."""
    annotation: Any = kind.model_fields[name].annotation
    return {int: "Int64", float: "Float64", bool: "boolean"}.get(annotation, "string")


def told(value: Any) -> Any:
    """A setting's value in a table's cell: a list's numbers in a row, nothing of an empty one."""
    return (" ".join(map(str, value)) or None) if isinstance(value, tuple) else value
