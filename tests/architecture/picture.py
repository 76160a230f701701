"""Draws the rooms as boxes on their floors: ``python -m tests.architecture.picture``.

Floors are those that ``pyproject.toml`` has import-linter check, purposes the first sentences of
the rooms' own docstrings. Numbers follow a pair from WAV to firmware.
"""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "architecture.svg"
DIVIDED = ("study", "reports", "embedded")  # into rooms by stage

# The way of a pair: docs/architecture.md tells each stage.
WAY = (
    "study.config",
    "data",
    "study.execution",
    "study.dataset",
    "study.training",
    "study.evaluation",
    "study.store",
    "embedded.budget",
    "reports.pages",
    "study.selection",
    "embedded.c",
    "embedded.firmware",
)

WIDTH, GAP, PADDING = 1240.0, 8.0, 10.0
NAME_PX, TEXT_PX, LINE_PX = 14.0, 11.5, 15.0
CHARACTER_PX = 0.53 * TEXT_PX  # a little more than sans-serif fonts take on average
COLOURS = {
    "data": "#e3f1e5",
    "models": "#e3f1e5",
    "study": "#e4edf9",
    "reports": "#f5e9f6",
    "embedded": "#fbefdc",
}


@dataclass(frozen=True)
class Box:
    """A room in the picture.

    Attributes:
        name: as imports write it, ``study.store``.
        purpose: the first sentence of its docstring.
    """

    name: str
    purpose: str

    def lines(self, width_px: float) -> list[str]:
        """Its purpose, cut into lines that fit."""
        return textwrap.wrap(self.purpose, int((width_px - 2 * PADDING) / CHARACTER_PX))


class Floors(NamedTuple):
    """Boxes of one room of the top level, the highest floor first."""

    title: str
    rows: list[list[Box]]


def purpose(room: str) -> str:
    """The first sentence of a room's or module's docstring."""
    path = ROOT.joinpath(*room.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = " ".join((ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").split())
    sentence = re.split(r"(?<=[.!?]) (?=[A-Z])", text)[0]
    return sentence.replace("``", "")


def floors() -> list[Floors]:
    """Every room of the top level with its floors, as import-linter checks them."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    layers = {contract["id"]: contract["layers"] for contract in contracts if "layers" in contract}

    def boxes(names: list[str]) -> list[Box]:
        return [Box(name, purpose(name)) for name in names]

    found = []
    for title in DIVIDED:
        rows = [
            [f"{title}.{name}" for name in row.split(" | ") if name != "__main__"]
            for row in layers[title]
        ]
        found.append(Floors(title, [boxes(row) for row in rows if row]))
    found.append(Floors("data | models", [boxes(layers["rooms"][-1].split(" | "))]))
    return found


def row_height(row: list[Box], width_px: float) -> float:
    """Of the tallest of equally wide boxes side by side."""
    each = (width_px - GAP * (len(row) - 1)) / len(row)
    return max(len(box.lines(each)) for box in row) * LINE_PX + NAME_PX + 2 * PADDING


def drawn(group: Floors, x: float, y: float, width_px: float) -> Iterator[str]:
    """The group's boxes, the highest floor first, from (x, y) downwards."""
    for row in group.rows:
        height = row_height(row, width_px)
        each = (width_px - GAP * (len(row) - 1)) / len(row)
        for place, box in enumerate(row):
            left = x + place * (each + GAP)
            colour = COLOURS[box.name.split(".")[0]]
            yield (
                f'<rect x="{left:g}" y="{y:g}" width="{each:g}" height="{height:g}" rx="5" '
                f'fill="{colour}" stroke="#8a93a0"/>'
            )
            yield text(left + PADDING, y + PADDING + NAME_PX - 3, box.name, "name")
            for number, line in enumerate(box.lines(each), 1):
                base = y + PADDING + NAME_PX + number * LINE_PX - 3
                yield text(left + PADDING, base, line, "purpose")
            if box.name in WAY:
                yield from badge(left + each - 18, y + 18, str(WAY.index(box.name) + 1))
        y += height + GAP


def height_of(group: Floors, width_px: float) -> float:
    """Of all its floors, with the gaps between them."""
    return sum(row_height(row, width_px) + GAP for row in group.rows) - GAP


def text(x: float, y: float, content: str, kind: str) -> str:
    """One line of text, its base at y."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(content)}</text>'


def badge(x: float, y: float, number: str) -> Iterator[str]:
    """A number of the way in a disc."""
    yield f'<circle cx="{x:g}" cy="{y:g}" r="11" fill="#b3261e"/>'
    yield f'<text x="{x:g}" y="{y + 4:g}" class="badge">{number}</text>'


def picture() -> str:
    """The whole picture as SVG."""
    study, reports, embedded, ground = floors()
    half = (WIDTH - 5 * GAP) / 2
    whole = WIDTH - 4 * GAP
    top, left = 2 * GAP, 2 * GAP
    upper = max(height_of(reports, half), height_of(embedded, half))
    parts = [
        *drawn(reports, left, top + upper - height_of(reports, half), half),
        *drawn(embedded, left + half + GAP, top + upper - height_of(embedded, half), half),
    ]
    y = top + upper + 3 * GAP
    parts += drawn(study, left, y, whole)
    y += height_of(study, whole) + 3 * GAP
    parts += drawn(ground, left, y, whole)
    bottom = y + height_of(ground, whole) + 2 * GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {bottom:g}" '
            'font-family="sans-serif" role="img">',
            "<title>Rooms import only from the floors below; numbers follow a pair</title>",
            "<!-- Drawn by: python -m tests.architecture.picture -->",
            f"<style>.name{{font-size:{NAME_PX:g}px;font-weight:bold;fill:#1b1f24}}"
            f".purpose{{font-size:{TEXT_PX:g}px;fill:#1b1f24}}"
            ".badge{font-size:12px;font-weight:bold;fill:#fff;text-anchor:middle}</style>",
            f'<rect width="{WIDTH:g}" height="{bottom:g}" fill="#fff"/>',
            *parts,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    FILE.write_text(picture(), encoding="utf-8")
