"""The sentences on more epochs follow the table, whichever way it points."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from reports.sections.aliasing import epochs
from reports.sources.results import Results
from tests.reports.sections.aliasing.studies import Values, by_epoch, cache, results, row
from tests.reports.synthetic import config


def seed(
    esr: tuple[float, float, float],
    asr: tuple[float, float, float],
    high: tuple[float, float, float] = (0.5, 0.5, 0.5),
) -> Mapping[int, Values]:
    """Values at epochs 20, 50 and 200."""
    return {
        epoch: {
            "esr": esr[n],
            "asr_worst_db": asr[n],
            "esr_above_8khz": high[n],
            "lsd_above_8khz_db": 10.0 + n * 1e-3 * (-1) ** round(1000 * esr[0]),
        }
        for n, epoch in enumerate((20, 50, 200))
    }


# ESR falls by some 3 dB in every seed; the aliases rise, fall, or do what they like.
FALLING = [(0.04, 0.020, 0.010), (0.05, 0.024, 0.0121), (0.045, 0.022, 0.0109)]
RISING = [(-40.0, -30.0, -25.0), (-42.0, -31.0, -25.8), (-41.0, -30.5, -25.6)]
SINKING = [(-20.0, -25.0, -30.0), (-20.0, -26.0, -31.2), (-21.0, -25.5, -30.6)]
MIXED = [(-30.0, -30.0, -20.0), (-30.0, -30.0, -38.0), (-30.0, -30.0, -31.0)]


def told(found: Results) -> str:
    return " ".join(epochs.answer(epochs.studies(found, "fuzz")))


def one_table(found: Results) -> epochs.RecipeTable:
    [study] = epochs.studies(found, "fuzz")
    return epochs.table(study)


def test_falling_error_and_rising_aliases_confirm_the_claim(tmp_path: Path) -> None:
    found = by_epoch(tmp_path, [seed(*values) for values in zip(FALLING, RISING, strict=True)])
    assert "The measurement confirms the claim in every combination" in told(found)
    [sentence, *_] = one_table(found).sentences
    assert sentence.startswith("From epoch 50 to 200 (mean over 3 seeds, in brackets its 95 % ")
    assert "ESR fell by 3.0 dB" in sentence and "worst ASR rose by 5.0 dB" in sentence
    table = one_table(found)
    assert table.heads[-2:] == ("change from 50 to 200, dB", "change from 20 to 200, dB")
    assert table.sentences[1].startswith("From epoch 20 to 200 (")
    assert "worst ASR rose by 15.5 dB" in table.sentences[1]
    assert all(len(line.cells) == len(table.heads) for line in table.lines)


def test_falling_aliases_do_not_confirm_it(tmp_path: Path) -> None:
    found = by_epoch(tmp_path, [seed(*values) for values in zip(FALLING, SINKING, strict=True)])
    assert "The measurement does not confirm the claim." in told(found)
    assert "say: worse in 0, better in 1, one worse and another better in 0" in told(found)
    assert "worst ASR fell by 5.1 dB" in one_table(found).sentences[0]


def test_scattered_aliases_do_not_confirm_it_either(tmp_path: Path) -> None:
    found = by_epoch(tmp_path, [seed(*values) for values in zip(FALLING, MIXED, strict=True)])
    assert "does not confirm" in told(found)
    [sentence, *_] = one_table(found).sentences
    assert "no change beyond the spread of the seeds in worst ASR (+0.3 dB, " in sentence


def test_an_error_that_does_not_fall_refutes_the_first_half(tmp_path: Path) -> None:
    rising = [values[::-1] for values in FALLING]
    found = by_epoch(tmp_path, [seed(*values) for values in zip(rising, RISING, strict=True)])
    assert "so already the claim's first half is not confirmed" in told(found)
    assert "does not confirm the claim" in told(found)


def test_high_frequency_error_alone_counts_too(tmp_path: Path) -> None:
    high = [(0.2, 0.3, 0.6), (0.2, 0.31, 0.6), (0.2, 0.29, 0.61)]
    seeds = [seed(*values) for values in zip(FALLING, MIXED, high, strict=True)]
    assert "confirms the claim in every combination" in told(by_epoch(tmp_path, seeds))


def test_measures_that_contradict_one_another_leave_the_claim_open(tmp_path: Path) -> None:
    high = [(0.9, 0.6, 0.3), (0.9, 0.61, 0.3), (0.9, 0.6, 0.31)]
    seeds = [seed(*values) for values in zip(FALLING, RISING, high, strict=True)]
    text = told(by_epoch(tmp_path, seeds))
    assert "worse in 0, better in 0, one worse and another better in 1" in text
    assert "does not confirm the claim; where its measures contradict" in text


def test_one_seed_neither_confirms_nor_refutes(tmp_path: Path) -> None:
    found = by_epoch(tmp_path, [seed(FALLING[0], RISING[0])])
    assert "neither confirmed nor refuted" in told(found)
    assert "(one seed, so what chance alone does was not measured)" in one_table(found).sentences[0]
    assert one_table(found).lines[0].cells[-1].note == "one seed"


def test_without_epochs_near_the_claim_nothing_is_said_about_it(tmp_path: Path) -> None:
    both = zip(FALLING, RISING, strict=True)
    seeds = [{epoch // 10: own for epoch, own in seed(*values).items()} for values in both]
    found = by_epoch(tmp_path, seeds)
    assert "says nothing about the claim" in told(found)
    assert "From epoch 2 to 20" in one_table(found).sentences[0]


def test_the_number_of_intervals_is_told(tmp_path: Path) -> None:
    found = by_epoch(tmp_path, [seed(*values) for values in zip(FALLING, RISING, strict=True)])
    assert "These are 4 intervals of 95 %: about 0.2 of them" in told(found)


def test_worse_than_silence_is_said(tmp_path: Path) -> None:
    high = [(0.9, 1.1, 1.5), (0.9, 0.9, 0.98), (0.9, 1.0, 1.02)]
    seeds = [seed(*values) for values in zip(FALLING, RISING, high, strict=True)]
    sentences = " ".join(one_table(by_epoch(tmp_path, seeds)).sentences)
    assert "At epoch 200 the ESR above 8 kHz exceeds 1 in 2 of 3 seeds: silence" in sentences


def test_a_falling_rate_is_named_as_a_cause(tmp_path: Path) -> None:
    seeds = [seed(*values) for values in zip(FALLING, RISING, strict=True)]
    assert "The learning rate falls" in " ".join(one_table(by_epoch(tmp_path, seeds)).sentences)
    constant = by_epoch(tmp_path, seeds, schedule="constant")
    assert "learning rate" not in " ".join(one_table(constant).sentences)


def test_measures_that_the_rate_cannot_hold_are_left_out(tmp_path: Path) -> None:
    values: list[Mapping[int, Values]] = [
        {50: {"esr": 0.02, "asr_worst_db": None}, 200: {"esr": 0.01, "asr_worst_db": None}}
    ] * 2
    table = one_table(by_epoch(tmp_path, values))
    assert [line.measure for line in table.lines] == ["ESR"]


def test_fine_tuned_models_are_no_epoch_study(tmp_path: Path) -> None:
    seeds = [seed(*values) for values in zip(FALLING, RISING, strict=True)]
    assert epochs.studies(by_epoch(tmp_path, seeds, antialias_epochs=5), "fuzz") == []


def test_other_renderings_are_no_epochs(tmp_path: Path) -> None:
    run = config(epochs=200, checkpoint_epochs=(50,))
    values: Values = {"esr": 0.1, "asr_worst_db": -20.0}
    rows = [
        row(run, values, epoch=50, is_final=False),
        row(run, {"esr": 9.0}, rendering="streaming", is_final=False),
        row(run, values),
    ]
    [study] = epochs.studies(results(tmp_path, rows, [run]), "fuzz")
    assert study.epochs == [50, 200]
    assert [own["esr"] for own in study.rows[200].values()] == [0.1]


@pytest.mark.slow
def test_the_section_draws_once_and_only_when_values_change(tmp_path: Path) -> None:
    seeds = [seed(*values) for values in zip(FALLING, RISING, strict=True)]
    first = epochs.epoch_section(by_epoch(tmp_path, seeds), cache(tmp_path))
    again = epochs.epoch_section(by_epoch(tmp_path, seeds), cache(tmp_path))
    other = epochs.epoch_section(by_epoch(tmp_path, seeds[:2]), cache(tmp_path))
    assert first is not None and again is not None and other is not None
    assert first == again
    assert first.effects[0].picture.source != other.effects[0].picture.source
    assert (tmp_path / "report" / first.effects[0].picture.dark_source).is_file()


def test_no_checkpoints_no_section(tmp_path: Path) -> None:
    run = config()
    found = results(tmp_path, [row(run, {"esr": 0.1})], [run])
    assert epochs.epoch_section(found, cache(tmp_path)) is None


@pytest.mark.parametrize("recipes", [1, 6])
def test_no_more_recipes_are_drawn_than_can_be_told_apart(tmp_path: Path, recipes: int) -> None:
    rows, runs = [], []
    for number in range(recipes):
        run = config(epochs=200, checkpoint_epochs=(50,), learning_rate=0.001 * (1 + number))
        runs.append(run)
        rows += [row(run, {"esr": 0.1 + number}, epoch=e, is_final=e == 200) for e in (50, 200)]
    section = epochs.epoch_section(results(tmp_path, rows, runs), cache(tmp_path))
    assert section is not None
    [effect] = section.effects
    assert len(effect.tables) == min(recipes, 4) and effect.left_out == max(0, recipes - 4)
