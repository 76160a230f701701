"""How much something changed, paired over seeds, and what chance alone allows.

Two models of one seed share their weights' beginning and their frames, so the difference
within a seed says more than the difference of means.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scipy import stats

from reports.sources.numbers import counted

CONFIDENCE = 0.95

Verdict = Literal["rose", "fell", "unclear", "one seed"]


@dataclass(frozen=True)
class Change:
    """A difference, after minus before, over the seeds that have both.

    Attributes:
        differences: by seed, in the order of the seeds.
        mean: of these.
        low, high: 95 % interval of the mean by Student's t; None for one seed.
    """

    differences: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None

    @property
    def verdict(self) -> Verdict:
        """``rose`` or ``fell`` only if the interval leaves zero out."""
        if self.low is None or self.high is None:
            return "one seed"
        if self.low > 0:
            return "rose"
        return "fell" if self.high < 0 else "unclear"


def change(before: Mapping[int, float | None], after: Mapping[int, float | None]) -> Change | None:
    """The change of values by seed; None where no seed has both.

    Student's t interval of the mean of paired differences, which takes them for normally
    distributed; with few seeds it is wide, as it should be.
    """
    pairs = [(before[seed], after[seed]) for seed in sorted(before) if seed in after]
    differences = [b - a for a, b in pairs if a is not None and b is not None]
    if not differences:
        return None
    count = len(differences)
    mean = math.fsum(differences) / count
    if count == 1:
        return Change(tuple(differences), mean, None, None)
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, count - 1) * stats.sem(differences))
    return Change(tuple(differences), mean, mean - half, mean + half)


def in_db(value: float | None, is_ratio: bool) -> float | None:
    """A ratio of energies in dB, or a level as it is; None for zero and for nothing."""
    if value is None or (is_ratio and value <= 0):
        return None
    return 10 * math.log10(value) if is_ratio else float(value)


def signed_db(value: float, digits: int = 1) -> str:
    """+3.2 or −0.4; a digit more where the sign would get lost, as in +0.04."""
    text = f"{value:+.{digits}f}"
    if _is_zero(text) and digits:
        text = f"{value:+.{digits + 1}f}"
    return f"{0:.{digits}f}" if _is_zero(text) else text.replace("-", "\N{MINUS SIGN}")


def _is_zero(text: str) -> bool:
    return not any(character in "123456789" for character in text)


def told(lead: str, changes: Sequence[tuple[str, Change | None]]) -> list[str]:
    """A sentence on what measures did: rose, fell, or nothing that the seeds allow to claim.

    Args:
        lead: what was compared, to begin with.
        changes: of each measure by name, over the same seeds; None is left out.

    Returns:
        One sentence, or none where nothing is known.
    """
    known = [(name, found) for name, found in changes if found is not None]
    if not known:
        return []
    moved = [_moved(name, found) for name, found in known if found.verdict != "unclear"]
    still = [
        f"{name} ({_interval(found, f'{signed_db(found.mean)} dB, ')})"
        for name, found in known
        if found.verdict == "unclear"
    ]
    clauses = ([", ".join(moved)] if moved else []) + (
        [f"no change beyond the spread of the seeds in {', '.join(still)}"] if still else []
    )
    seeds = max(len(found.differences) for _, found in known)
    return [f"{lead} ({over_seeds(seeds)}): {'; '.join(clauses)}."]


def _moved(name: str, found: Change) -> str:
    size = signed_db(abs(found.mean)).removeprefix("+")
    if _is_zero(size):
        return f"{name} stayed as it was"
    if found.verdict == "one seed":
        return f"{name} {'rose' if found.mean > 0 else 'fell'} by {size} dB"
    return f"{name} {found.verdict} by {size} dB ({_interval(found)})"


def _interval(found: Change, before: str = "") -> str:
    assert found.low is not None and found.high is not None  # neither of one seed
    return f"{before}{signed_db(found.low)} to {signed_db(found.high)}"


def over_seeds(seeds: int) -> str:
    """What stands behind the changes of a sentence."""
    if seeds == 1:
        return "one seed, so what chance alone does was not measured"
    return f"mean over {counted(seeds, 'seed')}, in brackets its 95 % interval"


@dataclass(frozen=True)
class Noted:
    """A cell of a table: a value, and in brackets what is to be known of it."""

    value: str = ""
    note: str = ""

    def __str__(self) -> str:
        return f"{self.value} ({self.note})" if self.note else self.value


def noted_change(found: Change | None) -> Noted:
    """The mean and its interval; empty where nothing is known."""
    if found is None:
        return Noted()
    if found.low is None or found.high is None:
        return Noted(signed_db(found.mean), "one seed")
    return Noted(signed_db(found.mean), f"{signed_db(found.low)} to {signed_db(found.high)}")


def noted_range(values: Sequence[float], show: Callable[[float], str]) -> Noted:
    """The mean over the seeds and their range; empty where there is none."""
    if not values:
        return Noted()
    mean = show(math.fsum(values) / len(values))
    if len(values) == 1:
        return Noted(mean)
    return Noted(mean, f"{show(min(values))} to {show(max(values))}")
