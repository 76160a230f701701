"""The reference of keys is what the settings say of themselves, and says what is refused."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from models.families import FAMILIES
from models.losses import LOSSES
from study.config.about import About
from study.config.run import RunConfig, SignalConfig
from study.search.search_file import SEARCHABLE
from tests.documents import reference

PAGE = reference.PAGE.read_text("utf-8")


class Toy(BaseModel):
    needed: Annotated[int, Field(ge=64, le=64_000, multiple_of=64), About("a | b")]
    rate: Annotated[float, Field(gt=0, le=1), About("a rate", note="Of Adam.")] = 0.5
    seed: Annotated[int, Field(ge=0, lt=2**31), About("a seed")] = 0
    cell: Annotated[Literal["a", "b"], About("a cell", applies_to="segments")] = "a"
    is_on: Annotated[bool, About("whether", applies_to="frames")] = False
    times: Annotated[tuple[Annotated[int, Field(ge=2, le=16)], ...], About("factors")] = ()
    at: Annotated[dict[str, list[float]], About("values")] = {}


def rows_of(part: str) -> dict[str, list[str]]:
    """The cells of a table's rows, by key."""
    lines = [line for line in part.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert len({own[0] for own in cells}) == len(cells)
    return {name.strip("`"): rest for name, *rest in cells}


def test_the_page_tells_the_settings_as_they_are() -> None:
    assert reference.written(PAGE) == PAGE, (
        "docs/grids.md tells older settings; write it anew: "
        ".venv/bin/python -m tests.documents.reference"
    )


def test_a_row_tells_values_default_use_and_meaning() -> None:
    assert rows_of(reference.table(Toy, on_sequences={"rate": 0.25})) == {
        "needed": ["64 to 64,000, multiples of 64", "", "", "a \\| b"],
        "rate": ["above 0, to 1", "`0.5` (sequences: `0.25`)", "", "a rate. Of Adam."],
        "seed": ["0 to 2,147,483,647", "`0`", "", "a seed"],
        "cell": ["`a`, `b`", "`a`", "sequences", "a cell"],
        "is_on": ["`true`, `false`", "`false`", "frames", "whether"],
        "times": ["list of 2 to 16", "", "", "factors"],
        "at": ["table of lists", "", "", "values"],
    }
    assert "needed" not in rows_of(reference.table(Toy, leave_out="needed"))


def test_every_key_stands_in_its_table() -> None:
    keys, signal = PAGE.split("Keys of `[signal]`", 1)
    run = rows_of(keys.split("## Keys of a run", 1)[1])
    assert set(run) == set(RunConfig.model_fields) - {"signal"}
    assert set(rows_of(signal.split("<!-- end of signal -->")[0])) == set(SignalConfig.model_fields)
    assert set(re.findall(r"`(\w+)`", run["family"][0])) == set(FAMILIES)
    assert set(re.findall(r"`(\w+)`", run["loss"][0])) == set(LOSSES)
    told = signal.split("In `[space]` may stand", 1)[1].split("<!-- end", 1)[0]
    varied = "".join(line for line in told.splitlines() if line.startswith("- "))
    assert sorted(re.findall(r"`(\w+)`", varied)) == sorted(SEARCHABLE)


@pytest.mark.parametrize("name", ["seconds", "seed", "segment_seconds", "split_seed"])
def test_what_lies_beyond_the_values_is_refused_and_their_ends_are_not(name: str) -> None:
    told = rows_of(PAGE.split("Keys of `[signal]`", 1)[1].split("<!-- end")[0])[name][0]
    low, _, high = told.removesuffix(" or more").replace(",", "").partition(" to ")
    for end, beyond in ((low, -1), (high, 1)):
        if end:
            SignalConfig.model_validate({name: float(end)})
            with pytest.raises(ValidationError):
                SignalConfig.model_validate({name: float(end) + beyond})


def test_a_page_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="end of space"):
        reference.written(PAGE.replace("<!-- end of space -->", ""))
