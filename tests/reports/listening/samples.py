"""A key and sessions without a page, with tokens that are easy to read."""

from __future__ import annotations

from typing import Any

from reports.listening.key import ANCHORS, LABELS, REFERENCE, Key, KeyItem, Stimulus
from reports.listening.sessions import AbxSession, MushraSession

STARTED = "2026-03-01T12:00:00Z"


def token(number: int) -> str:
    return f"{number:032x}"


def small_key(
    runs: tuple[str, ...] = ("run-1", "run-2"),
    items: int = 2,
    build: int = 1,
    effect: str = "fuzz",
) -> Key:
    """Stimulus 1000 i + c is condition c of item i: reference, anchors, runs in order."""
    conditions = [REFERENCE, *ANCHORS, *runs]
    labels = {name: LABELS.get(name, name.upper()) for name in conditions}
    numbers = range(1, items + 1)
    sides = {token(50 + n): name for n, name in enumerate((REFERENCE, *runs))}
    return Key(
        build=token(build),
        made_from="x",
        effect=effect,
        sample_rate_hz=8000,
        trials=4,
        labels=labels,
        items={token(n): KeyItem(name=f"Item {n}", seconds=2, cut=f"{n}") for n in numbers},
        open_references={token(n): token(100 + n) for n in numbers},
        stimuli={
            token(1000 * n + c): Stimulus(item=token(n), condition=name, gain_db=0)
            for n in numbers
            for c, name in enumerate(conditions)
        },
        sides=sides,
        abx={token(n): {s: token(10_000 * n + k) for k, s in enumerate(sides)} for n in numbers},
    )


def abx(answers: str = "abab", **changes: Any) -> AbxSession:
    """Of reference against run-1; the truth of this seed is in the tests of the order."""
    return AbxSession.model_validate(
        {
            "version": 1, "test": "abx", "build": token(1), "session": token(7), "seed": token(5),
            "participant": "Ada", "started": STARTED, "a": token(50), "b": token(51),
            "trials": 4, "answers": tuple(answers), **changes,
        }
    )  # fmt: skip


def mushra(*scores: tuple[int, ...], **changes: Any) -> MushraSession:
    """One tuple of scores an item: reference, low anchor, mid anchor, runs."""
    ratings = [
        {"item": token(n), "scores": {token(1000 * n + c): s for c, s in enumerate(own)}}
        for n, own in enumerate(scores, 1)
    ]
    return MushraSession.model_validate(
        {
            "version": 1, "test": "mushra", "build": token(1), "session": token(8),
            "seed": token(6), "participant": "Ada", "started": STARTED, "items": 2,
            "ratings": ratings, **changes,
        }
    )  # fmt: skip
