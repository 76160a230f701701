"""Cases from a seed until the time is over; a failure tells how to have it again.

``PEDALFRAME_FUZZ_SECONDS`` is the time of one fuzzer, ``PEDALFRAME_FUZZ_SEED`` of the first
round of cases; ``make fuzz`` sets both.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import TypeVar

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

Case = TypeVar("Case")

SECONDS, SEED = "PEDALFRAME_FUZZ_SECONDS", "PEDALFRAME_FUZZ_SEED"
CASES_A_ROUND = 200  # one generator's: what it remembers of them grows

_SETTINGS = settings(
    max_examples=CASES_A_ROUND,
    deadline=None,
    database=None,  # the seed alone decides
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


class _Over(BaseException):
    """Ends a round in its middle; Hypothesis takes only ``Exception`` for a finding."""


def attack(check: Callable[[Case], None], strategy: SearchStrategy[Case]) -> None:
    """Call ``check`` with cases drawn from a strategy until the time is over.

    A failing case is shrunk and printed by Hypothesis, with the seed that finds it again.
    """
    ends, cases, has_failed = math.inf, 0, False

    def timed(case: Case) -> None:
        nonlocal ends, cases, has_failed
        if cases == 0:  # the first one is slow to draw
            ends = time.monotonic() + _seconds()
        elif not has_failed and time.monotonic() > ends:
            raise _Over
        cases += 1
        try:
            check(case)
        except Exception:
            has_failed = True
            raise

    for seed in count(_seed()):
        try:
            hypothesis.seed(seed)(_SETTINGS(given(case=strategy)(timed)))()
        except _Over:
            break
        except BaseException as error:
            _tell_seed(error, seed)
            raise
        if time.monotonic() > ends:
            break
    print(f"{cases:,} cases from seed {_seed()}")


def rounds(fewest: int) -> Iterator[np.random.Generator]:
    """A generator of random numbers a round, until the time is over, for at least so many.

    For what draws too little to be worth shrinking, such as the moment of a kill.
    """
    ends = time.monotonic() + _seconds()
    for done, seed in enumerate(count(_seed())):
        if done >= fewest and time.monotonic() > ends:
            print(f"{done:,} rounds from seed {_seed()}")
            return
        print(f"seed {seed}; to have it again: {SEED}={seed}")
        yield np.random.default_rng(seed)


def _seconds() -> float:
    return float(os.environ.get(SECONDS, "2"))


def _seed() -> int:
    return int(os.environ.get(SEED, "0"))


def _tell_seed(error: BaseException, seed: int) -> None:
    error.add_note(f"to have it again: {SEED}={seed}, for at least as many seconds")
