"""Attacks on everything that is fed in: seconds in ``make test``, an hour by ``make fuzz``.

``attack`` (fuzzing.py) tries cases until its time is over; damage.py spoils what was right.
Commands are interrupted and killed at random moments as well (``rounds``).
Each fuzzer says what may happen to any input at all: taken whole, or refused in one sentence.
"""
