"""The picture is that of the code as it is, and the page follows the numbers in it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from tests.architecture import picture

PAGE = (picture.ROOT / "docs" / "architecture.md").read_text("utf-8")
SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_is_drawn_from_the_code_as_it_is() -> None:
    assert picture.FILE.read_text("utf-8") == picture.picture(), (
        "docs/architecture.svg shows older rooms; draw it anew: "
        ".venv/bin/python -m tests.architecture.picture"
    )


def test_every_room_and_every_number_of_the_way_is_in_it_once() -> None:
    texts = [each.text for each in ElementTree.fromstring(picture.picture()).iter(f"{SVG}text")]
    for group in picture.floors():
        for row in group.rows:
            for box in row:
                assert texts.count(box.name) == 1
    numbers = [text for text in texts if text and text.isdigit()]
    assert sorted(numbers, key=int) == [str(1 + place) for place in range(len(picture.WAY))]


def test_the_page_tells_the_rooms_of_the_way_in_its_order() -> None:
    stages = re.findall(r"^\| (\d+) \|.*?\| `([\w/]+)[/.]", PAGE, re.MULTILINE)
    assert [int(number) for number, _ in stages] == list(range(1, len(picture.WAY) + 1))
    for (_, path), room in zip(stages, picture.WAY, strict=True):
        assert path.replace("/", ".").startswith(room)
