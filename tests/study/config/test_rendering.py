"""A way of rendering and its name stand for each other, and nothing else has such a name."""

import pytest

from study.config.rendering import MOST_TIMES, Rendering

WAYS = {
    "framed": Rendering("framed"),
    "streaming": Rendering("streaming"),
    "streaming_tuned": Rendering("streaming", tuned=True),
    "framed_x2": Rendering("framed", factor=2),
    "framed_x16": Rendering("framed", factor=16),
}


@pytest.mark.parametrize("name", WAYS)
def test_a_name_and_its_way_are_one(name: str) -> None:
    assert Rendering.parse(name) == WAYS[name]
    assert WAYS[name].name == name
    assert WAYS[name].carries_state == name.startswith("streaming")


def test_all_are_told_apart_in_words() -> None:
    for words in ({way.label for way in WAYS.values()}, {way.meaning for way in WAYS.values()}):
        assert len(words) == len(WAYS)


@pytest.mark.parametrize(
    "name",
    ["", "Framed", "framed ", "framed_x", "framed_x1", "framed_x01", "framed_x17", "framed_x2\n",
     "framed_x1\u0663", "streaming_x2", "framed_tuned", "tuned", "effect", "../framed",
     f"framed_x{MOST_TIMES + 1}"],
)  # fmt: skip
def test_other_names_stand_for_nothing(name: str) -> None:
    with pytest.raises(ValueError, match="no way of rendering"):
        Rendering.parse(name)
