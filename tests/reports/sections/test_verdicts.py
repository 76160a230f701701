"""The verdict on an effect, in plain words."""

import pytest

from reports.sections.verdicts import aliases


@pytest.mark.parametrize(
    ("worst_db", "guitar_db", "effect_db", "words", "light"),
    [
        (-60.0, -80.0, -62.0, "no more than its own", "good"),
        (-50.0, -70.0, -60.0, "a little more", "fair"),
        (-26.0, -56.0, -68.0, "beyond a guitar", "fair"),
        (-26.0, -42.0, -68.0, "listen to high bends", "bad"),
        (-26.0, None, -68.0, "listen to high bends", "bad"),
        (-26.0, -56.0, None, "\N{MINUS SIGN}26 dB at the worst probe", "fair"),
    ],
)
def test_aliases_are_told_beside_the_effects_and_by_what_a_guitar_plays(
    worst_db: float, guitar_db: float | None, effect_db: float | None, words: str, light: str
) -> None:
    row = {
        "asr_worst_db": worst_db, "asr_guitar_db": guitar_db, "effect_asr_worst_db": effect_db,
    }  # fmt: skip
    told, colour = aliases(row)
    assert words in told
    assert colour == light
    notes = "at a guitar\N{RIGHT SINGLE QUOTATION MARK}s notes"
    assert (f"\N{MINUS SIGN}56 dB {notes}" in told) == (guitar_db == -56)
    assert (notes in told) == (guitar_db is not None)


def test_without_probes_nothing_is_told() -> None:
    assert aliases({}) == ("", "good")
