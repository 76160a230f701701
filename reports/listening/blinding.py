"""The blind order of a session, drawn from its seed.

The page draws a seed of 128 bits when a session begins and derives from it which sound X
is in each trial. A stored session is the seed and the answers alone: the truth is not in
it to be read, and is derived again here. The generator is xoshiro128** (Blackman & Vigna,
"Scrambled linear pseudorandom number generators", ACM TOMS 2021), since its 32-bit
arithmetic gives the same numbers in Python and in ``page/random.js``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

Side = Literal["a", "b"]

_WORD = 0xFFFF_FFFF


def words(state: tuple[int, int, int, int]) -> Iterator[int]:
    """Endless 32-bit words from four of them, not all zero."""
    s0, s1, s2, s3 = state
    while True:
        yield _rotated(s1 * 5 & _WORD, 7) * 9 & _WORD
        shifted = s1 << 9 & _WORD
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = _rotated(s3, 11)


def hidden_sides(seed: str, trials: int) -> list[Side]:
    """Which of A and B is X, by trial: the topmost bit of each word.

    Args:
        seed: 32 hexadecimal digits, the generator's four words in order.
        trials: how many.
    """
    state = (int(seed[:8], 16), int(seed[8:16], 16), int(seed[16:24], 16), int(seed[24:], 16))
    drawn = words(state)
    return ["b" if next(drawn) >> 31 else "a" for _ in range(trials)]


def _rotated(word: int, by: int) -> int:
    return (word << by | word >> (32 - by)) & _WORD
