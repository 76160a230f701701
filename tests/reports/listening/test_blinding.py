"""The blind order: repeatable, fair, and the generator that it says it is."""

import secrets
from itertools import islice, pairwise

from scipy import stats

from reports.listening.blinding import hidden_sides, words


def test_first_words_by_hand() -> None:
    # State 1, 2, 3, 4: rotl(2 * 5, 7) * 9 = 1280 * 9. Then s1 becomes 2 ^ (3 ^ 1) = 0, whose
    # word is 0, and next 0 ^ (s2 ^ s0) with s2 = 2 ^ 1024 and s0 = 1 ^ (4 ^ 2) = 7.
    third = ((2 ^ 1024) ^ 7) * 5
    assert list(islice(words((1, 2, 3, 4)), 3)) == [11_520, 0, (third << 7) * 9]


def test_a_seed_gives_one_order() -> None:
    seed = "00000001000000020000000300000004"
    assert hidden_sides(seed, 16) == hidden_sides(seed, 20)[:16]
    assert hidden_sides(seed, 64) != hidden_sides(seed[::-1], 64)


def test_sides_are_even_and_independent_of_the_one_before() -> None:
    drawn = [hidden_sides(secrets.token_hex(16), 16) for _ in range(1000)]
    b = sum(side == "b" for sides in drawn for side in sides)
    turns = sum(x != y for sides in drawn for x, y in pairwise(sides))
    # Once in a billion runs each.
    assert stats.binomtest(b, 16_000).pvalue > 1e-9
    assert stats.binomtest(turns, 15_000).pvalue > 1e-9
