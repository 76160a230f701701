"""Which runs are compared."""

from pathlib import Path

import pytest

from data.errors import InputError
from reports.listening import conditions
from reports.sources import results
from study.store.folders import Store
from tests.reports.synthetic import config, write_study


def test_by_default_the_best_of_each_family_of_the_first_effect(study_to_hear: Store) -> None:
    chosen = conditions.chosen(results.read(study_to_hear))
    assert {own.effect for own in chosen} == {"fuzz"}
    assert sorted(own.config.family for own in chosen) == ["dense", "gru", "lstm"]
    assert len({own.label for own in chosen}) == 3
    assert all(own.file.is_file() for own in chosen)


def test_the_worst_model_is_among_at_most_five(tmp_path_factory: pytest.TempPathFactory) -> None:
    families = ("lstm", "gru", "rnn", "dense", "conv")
    configs = [config(family=f, training_frames=n) for f in families for n in (100, 1000)]
    read = results.read(write_study(tmp_path_factory.mktemp("runs") / "grid", configs))
    chosen = [own.run_id for own in conditions.chosen(read)]
    assert len(chosen) == conditions.MOST == 5
    assert read.models[-1].best_run["run_id"] == chosen[-1]


def test_another_effect_by_name(study_to_hear: Store) -> None:
    read = results.read(study_to_hear)
    assert [own.effect for own in conditions.chosen(read, effect="crunch")] == ["crunch"]
    with pytest.raises(InputError, match="one of fuzz, crunch"):
        conditions.chosen(read, effect="flanger")


def test_what_cannot_be_compared_is_refused(study_to_hear: Store) -> None:
    read = results.read(study_to_hear)
    ids = [row["run_id"] for row in read.finals]
    assert [own.run_id for own in conditions.chosen(read, ids[1::-1])] == ids[1::-1]
    with pytest.raises(InputError, match="sample rate and test split; found several"):
        conditions.chosen(read, ids)
    for wrong in ([ids[0], ids[0]], [ids[0], "../.."], ids[:3] * 2):
        with pytest.raises(InputError, match="at most 5 different finished runs"):
            conditions.chosen(read, wrong)


def test_the_way_there_and_back_are_not_compared(tmp_path: Path) -> None:
    configs = [config(), config(direction="reversed")]
    read = results.read(write_study(tmp_path / "grid", configs))
    ids = [row["run_id"] for row in read.finals]
    assert [conditions.chosen(read, [own])[0].run_id for own in ids] == ids
    with pytest.raises(InputError, match=r"one effect, direction, .* found several"):
        conditions.chosen(read, ids)


def test_runs_that_differ_by_seed_alone_are_told_apart(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = write_study(tmp_path_factory.mktemp("runs") / "grid", [config(seed=0), config(seed=1)])
    read = results.read(store)
    labels = [own.label for own in conditions.chosen(read, [row["run_id"] for row in read.finals])]
    assert [label.rpartition(", ")[2] for label in labels] == ["seed 0", "seed 1"]
