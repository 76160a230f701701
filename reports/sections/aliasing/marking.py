"""Which bins of a stored probe spectrum are harmonics and which are aliases.

Period and cycles of a probe are primes (``study.measures.aliasing``), so every bin that is no
multiple of the cycles can be reached by folding alone, and each harmonic beyond half the
sample rate folds to a bin of its own. Where a board plays at half the rate, what its filter
leaves of a harmonic beyond its band is an alias, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from study.measures.aliasing import Float64s, Probe, heard_hz, played_rate_hz

FLOOR_DB = -100.0  # nothing below it is drawn
COLUMNS = 110  # as many lines as a phone shows apart


@dataclass(frozen=True)
class Alias:
    """The strongest alias of a response.

    Attributes:
        hz: where it is heard.
        level_db: against the fundamental (dBc).
        harmonic: of the probe, whose fold it is.
        unfolded_hz: where that harmonic would lie if the sample rate had room for it.
    """

    hz: float
    level_db: float
    harmonic: int
    unfolded_hz: float


@dataclass(frozen=True)
class Marked:
    """A spectrum as a screen shows it: in each of ``COLUMNS`` columns the strongest line.

    Attributes:
        harmonics_hz, harmonics_db: lines of harmonics, DC apart.
        aliases_hz, aliases_db: lines of everything else.
        strongest: the strongest alias, even if it is below what is drawn.
    """

    harmonics_hz: Float64s
    harmonics_db: Float64s
    aliases_hz: Float64s
    aliases_db: Float64s
    strongest: Alias


def marked(spectrum_db: npt.NDArray[np.floating], probe: Probe) -> Marked:
    """Take a spectrum of one period apart.

    Args:
        spectrum_db: against the fundamental, shape ``(period // 2 + 1,)``.
        probe: what it answers.
    """
    levels_db = np.asarray(spectrum_db, np.float64)
    is_alias = np.ones(len(levels_db), bool)
    is_alias[0] = False
    is_alias[probe.heard_harmonics] = False
    aliases = np.flatnonzero(is_alias)
    strongest = int(aliases[np.argmax(levels_db[aliases])])
    return Marked(
        *_drawn(probe.heard_harmonics, levels_db, probe),
        *_drawn(aliases, levels_db, probe),
        Alias(
            hz=bin_hz(strongest, probe),
            level_db=float(levels_db[strongest]),
            harmonic=folded_harmonic(strongest, probe),
            unfolded_hz=folded_harmonic(strongest, probe) * probe.f0_hz,
        ),
    )


def bin_hz(number: int, probe: Probe) -> float:
    """Where a bin is heard."""
    return float(heard_hz(np.asarray(number), probe))


def folded_harmonic(number: int, probe: Probe) -> int:
    """The harmonic that folds to a bin: the lowest h with h * cycles = ± bin modulo the period."""
    harmonic = number * pow(probe.cycles, -1, probe.period) % probe.period
    return min(harmonic, probe.period - harmonic)


def _drawn(
    bins: npt.NDArray[np.int64], levels_db: Float64s, probe: Probe
) -> tuple[Float64s, Float64s]:
    """Frequencies and levels of the strongest bin of each column, if it is above the floor."""
    loud = bins[levels_db[bins] > FLOOR_DB]
    nyquist_hz = played_rate_hz(probe.sample_rate_hz) / 2
    column = np.floor(heard_hz(loud, probe) / nyquist_hz * COLUMNS)
    order = np.lexsort((-levels_db[loud], column))  # by column, the strongest first
    _, first = np.unique(column[order], return_index=True)
    kept = loud[order[first]]
    return heard_hz(kept, probe), levels_db[kept]
