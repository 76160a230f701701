"""The one error that bad input raises, worded for the person who supplied it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

_SHOWN_CHARACTERS = 200


class InputError(Exception):
    """Something the user supplied cannot be used.

    The message always answers three questions: what was expected, what was found,
    and what to do about it. The command line prints it without a traceback and
    exits with status 2.

    Args:
        subject: What the message is about, for example a file or a grid key.
        expected: What would have been accepted.
        found: What was there instead.
        remedy: What the user can do, in one sentence.
    """

    def __init__(self, subject: str, *, expected: str, found: str, remedy: str) -> None:
        self.subject = subject
        self.expected = expected
        self.found = found
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        return f"{self.subject}: expected {self.expected}; found {self.found}. {self.remedy}"

    def within(self, where: str) -> InputError:
        """The same, told of a part of something: a key of a file, for example."""
        subject = f"{where}: {self.subject}"
        return _rebuild(subject, self.expected, self.found, self.remedy)

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the four parts when the error crosses a process boundary."""
        return (_rebuild, (self.subject, self.expected, self.found, self.remedy))


def _rebuild(subject: str, expected: str, found: str, remedy: str) -> InputError:
    return InputError(subject, expected=expected, found=found, remedy=remedy)


def shown(value: Any) -> str:
    """A value for a message, cut short."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Which of the known names is most like one that is not; None where none is like it."""
    near = difflib.get_close_matches(name, list(known), 1)
    return near[0] if near else None


def suggestion(name: str, known: Iterable[str], otherwise: str) -> str:
    """The remedy for a name that is not known: the most alike, or ``otherwise``."""
    near = nearest(name, known)
    return f"Did you mean {near!r}?" if near else otherwise
