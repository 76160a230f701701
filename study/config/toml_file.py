"""Grid and search files as dictionaries of plain values, whatever else is in them refused."""

from __future__ import annotations

import tomllib
import unicodedata
from pathlib import Path
from typing import Any

from data.errors import InputError, shown

LARGEST_BYTES = 1_000_000
DEEPEST = 8  # [[runs]], effect, a value of it: grids take half of this
_INT64 = range(-(2**63), 2**63)  # what TOML promises of every program
LONGEST_CHARACTERS = 1000  # of a text, a title or the path of a recording


def read(path: Path, where: str) -> dict[str, Any]:
    """A TOML file as a dictionary.

    Raises:
        InputError: the syntax is wrong, with the line; the file is far too large or too
            deeply nested, a whole number has more than 64 bits, or a text is too long or cannot be
            shown.
    """
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise _refused(where, f"at most {LARGEST_BYTES:,} bytes", f"{size:,}")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise _too_deep(where) from None
    except ValueError as error:  # of the syntax, the coding, or a number of 5,000 digits
        raise InputError(
            where, expected="a TOML file", found=str(error), remedy="Mend the syntax."
        ) from error
    _require_plain(table, where, 0)
    return table


def _require_plain(value: Any, where: str, depth: int) -> None:
    if depth > DEEPEST:
        raise _too_deep(where)
    if isinstance(value, dict):
        for key, own in value.items():
            _require_plain(key, where, depth)
            _require_plain(own, where, depth + 1)
    elif isinstance(value, list):
        for own in value:
            _require_plain(own, where, depth + 1)
    elif isinstance(value, int) and value not in _INT64:
        raise _refused(where, "whole numbers of 64 bits", f"one of {value.bit_length()} bits")
    elif isinstance(value, str) and len(value) > LONGEST_CHARACTERS:
        raise _refused(
            where, f"texts and keys of at most {LONGEST_CHARACTERS:,} characters", shown(value)
        )
    elif isinstance(value, str) and any(_is_control(character) for character in value):
        raise _refused(where, "texts without control characters", shown(value))


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc" and character not in "\n\t"


def _too_deep(where: str) -> InputError:
    return _refused(where, f"tables and lists at most {DEEPEST} deep", "deeper ones")


def _refused(where: str, expected: str, found: str) -> InputError:
    return InputError(
        where,
        expected=expected,
        found=found,
        remedy="The committed files show how one looks.",
    )
