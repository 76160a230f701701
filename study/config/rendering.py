"""Ways of rendering a trained model: their names in tables, files and answers, and in words.

*Framed* takes every sample from its own frame, from zero state; *streaming* carries the state
on. They are not the same function, and are never mixed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Mode = Literal["framed", "streaming"]

MOST_TIMES = 16
"""Largest factor of oversampling."""


@dataclass(frozen=True)
class Rendering:
    """One way.

    Attributes:
        mode: whether the state is carried from sample to sample.
        tuned: whether by the weights that were fine-tuned for it.
        factor: so many times the model's own rate.
    """

    mode: Mode
    tuned: bool = False
    factor: int = 1

    @staticmethod
    def parse(name: str) -> Rendering:
        """What a name stands for.

        Raises:
            ValueError: it is the name of none.
        """
        if name in _PLAIN:
            return _PLAIN[name]
        found = re.fullmatch(r"framed_x([1-9][0-9]?)", name)
        if found and 1 < int(found[1]) <= MOST_TIMES:
            return Rendering("framed", factor=int(found[1]))
        raise ValueError(f"no way of rendering: {name!r}")

    @property
    def name(self) -> str:
        """In tables and of files."""
        if self.factor > 1:
            return f"{self.mode}_x{self.factor}"
        return f"{self.mode}_tuned" if self.tuned else self.mode

    @property
    def carries_state(self) -> bool:
        """Whether it streams."""
        return self.mode == "streaming"

    @property
    def label(self) -> str:
        """In a word or two."""
        if self.factor > 1:
            return f"{self.mode}, at {self.factor} times the rate"
        return f"{self.mode}, fine-tuned" if self.tuned else self.mode

    @property
    def meaning(self) -> str:
        """In half a sentence."""
        if self.factor > 1:
            return f"every sample from its own frame, at {self.factor} times the rate"
        if self.tuned:
            return "state carried, fine-tuned for it"
        if self.carries_state:
            return "state carried from sample to sample"
        return "every sample from its own frame"


FRAMED, STREAMING, STREAMING_TUNED = "framed", "streaming", "streaming_tuned"

_PLAIN = {
    FRAMED: Rendering("framed"),
    STREAMING: Rendering("streaming"),
    STREAMING_TUNED: Rendering("streaming", tuned=True),
}


def main_rendering(training: str) -> str:
    """How a run's final row is rendered: as it was trained."""
    return STREAMING if training == "sequence" else FRAMED
