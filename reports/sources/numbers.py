"""Numbers as people read them: few digits, but never fewer than the comparison needs."""

from __future__ import annotations

import math


def significant(value: float, digits: int = 3) -> str:
    """A number to so many significant digits, without an exponent where that is readable."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    if value == 0:
        return "0"
    if value < 0:
        return "\N{MINUS SIGN}" + significant(-value, digits)
    rounded = float(f"{value:.{digits - 1}e}")
    magnitude = math.floor(math.log10(abs(rounded)))
    if magnitude < -5:
        return f"{value:.{digits - 1}e}"
    return f"{rounded:,.{max(0, digits - 1 - magnitude)}f}"


def ranged(low: float, high: float, digits: int = 3) -> str:
    """From one number to another; not with a dash, which reads as a minus sign."""
    return f"{significant(low, digits)} to {significant(high, digits)}"


def short_count(count: int) -> str:
    """40000 as "40k", as in the names of runs."""
    return f"{count // 1000}k" if count and count % 1000 == 0 else f"{count:,}"


def counted(count: int, noun: str) -> str:
    """As in: 1 run, 3 runs, 2,000 runs."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def decibels(power_ratio: float) -> float:
    """10 log10 of a ratio of energies; minus infinity for zero."""
    return 10 * math.log10(power_ratio) if power_ratio > 0 else -math.inf
