"""What was right, spoilt: bytes of a file, or values of a document."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

_BYTES = st.binary(max_size=16) | st.sampled_from([b"\0" * 8, b"\xff" * 4, b"\n", b"\\", b'"'])
_NUMBERS = st.sampled_from([0, -1, 1, 2**31, 2**53 + 1, 2**63, 10**400, 0.5, -0.0, 1e308])
# Neither is JSON, and Python's own module reads and writes both.
_NO_NUMBERS = st.sampled_from([float("nan"), float("inf")])
_TEXTS = (
    st.text(max_size=8)
    | st.sampled_from(["", "\0", "..", "../../x", "/etc/passwd", "<script>", "[red]", "--help"])
    | st.sampled_from(["\u202e", "\ud800", "a" * 10_000, "é" * 41, "*/", "$(x)", "`x`"])
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | _NUMBERS | _NO_NUMBERS | _TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda own: st.lists(own, max_size=4) | st.dictionaries(_TEXTS, own, max_size=4),
    max_leaves=8,
)


@st.composite
def spoilt_bytes(draw: DrawFn, whole: bytes, changes: int = 4) -> bytes:
    """A few changes to bytes: overwritten, put in, cut out, doubled, cut off."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, changes))):
        start = draw(st.integers(0, len(content)))
        stop = min(len(content), start + draw(st.integers(0, 64)))
        new = draw(_BYTES)
        match draw(st.sampled_from(["over", "in", "out", "twice", "off"])):
            case "over":
                content[start : start + len(new)] = new
            case "in":
                content[start:start] = new
            case "out":
                del content[start:stop]
            case "twice":
                content[start:start] = content[start:stop]
            case _:
                del content[start:]
    return bytes(content)


@st.composite
def spoilt_document(draw: DrawFn, whole: Any, changes: int = 2) -> Any:
    """A JSON document of which a few values, at any depth, are other, gone or one more."""
    document = deepcopy(whole)
    for _ in range(draw(st.integers(1, changes))):
        places = list(_places(document))
        if not places:
            return draw(VALUES)
        holder, name = draw(st.sampled_from(places))
        match draw(st.sampled_from(["other", "gone", "more"])):
            case "gone":
                del holder[name]
            case "more" if isinstance(holder, list):
                holder.insert(name, draw(st.just(holder[name]) | VALUES))
            case "more":
                holder[draw(_TEXTS)] = draw(VALUES)
            case _:
                holder[name] = draw(VALUES)
    return document


def _places(value: Any) -> Any:
    """Every (list or table, index or key) in a document."""
    named: Any = ()
    if isinstance(value, dict):
        named = value.items()
    elif isinstance(value, list):
        named = enumerate(value)
    for name, own in named:
        yield value, name
        yield from _places(own)


def as_json(document: Any) -> bytes:
    """As a program would write it that checks nothing: NaN and half surrogates too."""
    return json.dumps(document).encode()


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    """Brackets in brackets."""
    return opening * depth + closing * depth
