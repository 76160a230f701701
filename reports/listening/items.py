"""The pieces of music that people hear: up to four of up to 10 s, cut from the test split."""

from __future__ import annotations

from collections.abc import Sequence

from data.audio import Samples
from data.errors import InputError
from reports.audio import excerpts
from reports.audio.excerpts import Excerpt

ITEMS = 4
ITEM_S = 10.0
SHORTEST_ITEM_S = 4.5  # rather fewer items than shorter ones
_SHORTEST_PIECE_S = 1.0  # what is left of a span may be shorter than people can judge

Item = tuple[Excerpt, ...]


def cut(
    dry: Samples,
    sample_rate_hz: int,
    parts: Sequence[Excerpt],
    *,
    count: int = ITEMS,
    seconds: float = ITEM_S,
) -> list[Item]:
    """Choose items, the ones with the most onsets first; none shares a sample with another.

    An item longer than a span of the test split is several pieces, to be joined.

    Args:
        dry: scored test split, shape ``(samples,)``.
        sample_rate_hz: its rate.
        parts: where its spans lie.
        count: items wanted; fewer where the split is too short.
        seconds: longest item.

    Raises:
        InputError: no piece of the split is long enough.
    """
    available_s = sum(part.samples for part in parts) / sample_rate_hz
    count = max(1, min(count, int(available_s / min(0.9 * seconds, SHORTEST_ITEM_S))))
    seconds = min(seconds, available_s / count)
    shortest = round(min(_SHORTEST_PIECE_S, seconds) * sample_rate_hz)
    left = [part for part in parts if part.samples >= shortest]
    items: list[Item] = []
    while left and len(items) < count:
        whole = [_without_remainder(part, seconds, shortest, sample_rate_hz) for part in left]
        pieces = excerpts.phrases(dry, sample_rate_hz, whole, seconds)
        pieces = [piece for piece in pieces if piece.samples >= shortest]
        if not pieces or (items and _samples(pieces) < 0.5 * seconds * sample_rate_hz):
            break
        items.append(tuple(pieces))
        left = [rest for part in left for rest in _outside(part, pieces, shortest)]
    if not items:
        raise InputError(
            "listening items",
            expected=f"a span of at least {shortest / sample_rate_hz:g} s in the test split",
            found=f"spans of {available_s:.2f} s in all",
            remedy="Use a study with a longer signal.",
        )
    return items


def _samples(pieces: Sequence[Excerpt]) -> int:
    return sum(piece.samples for piece in pieces)


def _without_remainder(
    part: Excerpt, seconds: float, shortest: int, sample_rate_hz: int
) -> Excerpt:
    """The part, less a last piece that is too short to stand alone."""
    remainder = part.samples % round(seconds * sample_rate_hz)
    is_alone = remainder == part.samples
    return part if is_alone or remainder >= shortest else Excerpt(part.start, part.stop - remainder)


def _outside(part: Excerpt, pieces: Sequence[Excerpt], shortest: int) -> list[Excerpt]:
    """What no piece covers of a part, where it is long enough."""
    start, rest = part.start, []
    for piece in sorted(pieces, key=lambda p: p.start):
        if part.start <= piece.start < part.stop:
            rest.append(Excerpt(start, piece.start))
            start = piece.stop
    rest.append(Excerpt(start, part.stop))
    return [piece for piece in rest if piece.samples >= shortest]
