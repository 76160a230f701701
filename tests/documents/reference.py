"""Writes the reference of keys in ``docs/grids.md``: ``python -m tests.documents.reference``.

Each key's row is what stands beside its field: annotation, range, default, and what it is
``About``. What a search may vary follows from the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from study.config.about import About, settings_of
from study.config.run import SEQUENCE_DEFAULTS, RunConfig, SignalConfig
from study.search.search_file import SEARCHABLE

PAGE = Path(__file__).parents[2] / "docs" / "grids.md"
APPLIES_TO = {"all": "", "frames": "frames", "segments": "sequences"}
VARIED = {
    None: "by a list of choices",
    int: "by a list, or a range of whole numbers",
    float: "by a list, or a range of numbers",
}


def written(page: str) -> str:
    """The page with its generated parts as the settings stand now.

    Raises:
        ValueError: it lacks the place of a part.
    """
    parts = {
        "keys": table(RunConfig, leave_out="signal", on_sequences=SEQUENCE_DEFAULTS),
        "signal": table(SignalConfig),
        "space": space(),
    }
    for name, part in parts.items():
        begin, end = (
            f"<!-- {name}, written by tests.documents.reference -->\n",
            f"\n<!-- end of {name} -->",
        )
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"expected {begin.strip()} and {end.strip()} in the page, found less")
        page = f"{before}{begin}\n{part}\n{end}{after}"
    return page


def table(
    kind: type[BaseModel], leave_out: str = "", on_sequences: Mapping[str, Any] | None = None
) -> str:
    """A row a field; a column of what a key is for where some are not for all runs.

    Args:
        kind: whose fields.
        leave_out: a field that is no key.
        on_sequences: defaults that training on sequences has of its own.
    """
    abouts = {name: own for name, own in settings_of(kind).items() if name != leave_out}
    is_told = any(own.applies_to != "all" for own in abouts.values())
    heads = ["key", "values", "default", *(["for"] if is_told else []), "meaning"]
    rows = [heads, ["---"] * len(heads)]
    for name, about in abouts.items():
        field = kind.model_fields[name]
        default = default_of(field)
        if on_sequences and name in on_sequences:
            default += f" (sequences: {literal(on_sequences[name])})"
        applies = [APPLIES_TO[about.applies_to]] if is_told else []
        rows.append([f"`{name}`", values_of(field), default, *applies, meaning_of(about)])
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows
    )


def meaning_of(about: About) -> str:
    """The meaning and the note as sentences."""
    return f"{about.meaning}. {about.note}" if about.note else about.meaning


def literal(value: Any) -> str:
    """A value as a grid file has it: TOML's, without quotes round names."""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def default_of(field: FieldInfo) -> str:
    """The default, or nothing where a key has none or it is empty."""
    empty = field.is_required() or field.default in ((), {})
    return "" if empty else literal(field.default)


def values_of(field: FieldInfo) -> str:
    """What a key takes: its choices, its range, or the kind of its values."""
    annotation: Any = field.annotation
    if get_origin(annotation) is Literal:
        return ", ".join(literal(value) for value in get_args(annotation))
    if annotation is bool:
        return "`true`, `false`"
    if get_origin(annotation) is tuple:
        (number, *_) = get_args(annotation)
        limits = [limit for own in number.__metadata__ for limit in own.metadata]
        return f"list of {range_of(limits)}"
    if get_origin(annotation) is dict:
        return "table of lists" if get_args(annotation)[1] == list[float] else "name or table"
    return range_of(field.metadata)


def range_of(metadata: list[Any]) -> str:
    """Limits in words: "1 to 8", "above 0, to 1", "0 or more"."""
    low, high, others = "", "", ""
    for limit in metadata:
        match limit:
            case Ge(ge=least):
                low = digits(least)
            case Gt(gt=below):
                low = f"above {digits(below)},"
            case Le(le=most):
                high = digits(most)
            case Lt(lt=int(end)):
                high = digits(end - 1)
            case MultipleOf(multiple_of=factor):
                others = f", multiples of {factor}"
    return (f"{low} to {high}" if high else f"{low} or more") + others


def digits(number: Any) -> str:
    """With commas between thousands."""
    return f"{number:,.10g}" if isinstance(number, float) else f"{number:,}"


def space() -> str:
    """What may stand in ``[space]``, by how it varies."""
    lines = []
    for kind, how in VARIED.items():
        names = [f"`{name}`" for name, own in SEARCHABLE.items() if own is kind]
        lines.append(f"- {how}: {', '.join(names)}")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), encoding="utf-8")
