"""Trials are proposed once, whoever dies and however many processes share them."""

from pathlib import Path
from statistics import median
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from study.search import history, search_file
from study.search.search_file import STARTUP_TRIALS, Choices, Range, Search
from study.search.trials import Claimed, Trials
from study.store.folders import Store
from tests import tiny

pytestmark = pytest.mark.slow

SPACE: dict[str, Any] = {
    "family": Choices(("lstm", "dense")),
    "units": Range(4, 12, step=4),
    "learning_rate": Range(1e-4, 1e-1, is_log=True),
}


def search(trials: int = 14, seed: int = 0) -> Search:
    final = {"patience": 5}
    return Search("mine", "Mine", "mine.toml", trials, seed, tiny.config(), SPACE, final)


def loss(claimed: Claimed) -> float:
    """A made-up result: best at a rate near 0.01."""
    return float(abs(claimed.params["learning_rate"] - 0.01) + 0.01 / claimed.params["units"])


def do_one(trials: Trials) -> bool:
    with trials.claimed() as claimed:
        if claimed:
            trials.complete(claimed, loss(claimed), 1.0)
        return claimed is not None


def told(trials: Trials) -> list[tuple[int, TrialState, dict[str, Any], float | None]]:
    return [(t.number, t.state, t.params, t.value) for t in trials.all()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The trials of an undisturbed search."""
    trials = Trials(search(), tmp_path_factory.mktemp("whole"))
    while do_one(trials):
        pass
    return told(trials)


def test_proposals_differ_stay_in_their_ranges_and_then_learn(whole: list[Any]) -> None:
    params = [params for _, _, params, _ in whole]
    assert len({str(own) for own in params}) == len(whole) == 14
    assert {own["units"] for own in params} <= {4, 8, 12}
    assert all(1e-4 <= own["learning_rate"] <= 1e-1 for own in params)
    losses = [value for *_, value in whole]
    assert median(losses[STARTUP_TRIALS:]) < median(losses[:STARTUP_TRIALS])


def test_a_search_begun_anew_after_every_trial_has_the_same_trials(
    tmp_path: Path, whole: list[Any]
) -> None:
    while do_one(Trials(search(), tmp_path)):
        pass
    assert told(Trials(search(), tmp_path)) == whole


def test_tables_keep_the_search_that_they_are_of(tmp_path: Path) -> None:
    store = Store(tmp_path)
    trials = Trials(search(3), search_file.folder(store))
    while do_one(trials):
        pass
    history.write(trials, store)
    assert search_file.searched(store) == search(3)
    assert (search_file.folder(store) / "trials.parquet").exists()


def test_a_trial_of_a_dead_process_is_continued_by_the_next(
    tmp_path: Path, whole: list[Any]
) -> None:
    first = Trials(search(), tmp_path)
    for _ in range(3):
        do_one(first)
    with first.claimed() as claimed:  # and never ended, as by a kill
        assert claimed and claimed.number == 3
        claimed.report(1, 0.5)
        claimed.folder.checkpoint_file.parent.mkdir(exist_ok=True)
        claimed.folder.checkpoint_file.write_text("kept")
    second = Trials(search(), tmp_path)
    with second.claimed() as again:
        assert again and again.number == 3
        assert again.params == claimed.params
        assert again.reported == {1}
        assert again.folder.checkpoint_file.read_text() == "kept"
        second.complete(again, loss(again), 1.0)
        assert not again.folder.path.exists()
    while do_one(second):
        pass
    assert told(second) == whole


def test_what_a_process_leaves_that_dies_as_its_trial_ends_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = Trials(search(), tmp_path)
    with monkeypatch.context() as dying:
        dying.setattr("shutil.rmtree", lambda *args, **kwargs: None)
        do_one(trials)
    with trials.claimed():
        Trials(search(), tmp_path).tidy()
        assert [path.name for path in sorted(tmp_path.glob("*/0*"))] == ["0001"]


def test_a_process_that_dies_while_it_draws_changes_no_proposal(
    tmp_path: Path, whole: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = optuna.trial.Trial.suggest_int

    def dies(*_: Any, **__: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(optuna.trial.Trial, "suggest_int", dies)
    with pytest.raises(KeyboardInterrupt):
        do_one(Trials(search(), tmp_path))
    monkeypatch.setattr(optuna.trial.Trial, "suggest_int", drawn)
    [begun] = Trials(search(), tmp_path).all()
    assert list(begun.params) == ["family"]
    trials = Trials(search(), tmp_path)
    while do_one(trials):
        pass
    assert told(trials) == whole


def test_two_processes_never_hold_the_same_trial(tmp_path: Path) -> None:
    one, other = Trials(search(3), tmp_path), Trials(search(3), tmp_path)
    with one.claimed() as a, other.claimed() as b, one.claimed() as c:
        assert a and b and c
        assert {a.number, b.number, c.number} == {0, 1, 2}
        assert len({str(own.params) for own in (a, b, c)}) == 3
        for trials, own in ((one, a), (other, b), (one, c)):
            trials.complete(own, loss(own), 1.0)
    with other.claimed() as none:
        assert none is None


def test_more_trials_may_be_asked_for_later(tmp_path: Path, whole: list[Any]) -> None:
    few = Trials(search(5), tmp_path)
    while do_one(few):
        pass
    assert few.missing() == 0
    more = Trials(search(14), tmp_path)
    assert more.missing() == 9
    while do_one(more):
        pass
    assert told(more) == whole


def test_another_seed_and_another_space_have_trials_of_their_own(
    tmp_path: Path, whole: list[Any]
) -> None:
    while do_one(Trials(search(14), tmp_path)):
        pass
    other = Trials(search(14, seed=1), tmp_path)
    assert other.all() == []
    do_one(other)
    assert told(other)[0][2] != whole[0][2]


def ended(trials: Trials, *losses: float) -> FrozenTrial:
    """A trial that reports these losses and goes on while it is worth it."""
    with trials.claimed() as claimed:
        assert claimed
        for epoch, value in enumerate(losses, 1):
            if not claimed.report(epoch, value):
                trials.prune(claimed, "above the median")
                break
        else:
            trials.complete(claimed, min(losses), 1.0)
    return trials.all()[claimed.number]


def test_what_stays_above_the_median_is_pruned_once_there_is_one(tmp_path: Path) -> None:
    trials = Trials(search(), tmp_path)
    for scale in (9.0, 1.0, 2.0, 3.0):
        fine = ended(trials, *(scale / epoch for epoch in range(1, 9)))
        assert fine.state == TrialState.COMPLETE
    hopeless = ended(trials, *[5.0] * 8)
    assert hopeless.state == TrialState.PRUNED
    assert max(hopeless.intermediate_values) == 3  # as early as trials may be pruned
    assert hopeless.user_attrs["reason"] == "above the median"
    promising = ended(trials, *(1.5 / epoch for epoch in range(1, 9)))
    assert promising.state == TrialState.COMPLETE
    best = trials.best()
    assert best and best.number == 1


def test_a_failed_trial_counts_and_is_never_the_best(tmp_path: Path) -> None:
    trials = Trials(search(2), tmp_path)
    with trials.claimed() as claimed:
        assert claimed
        trials.fail(claimed.number, "too hot")
    assert trials.best() is None
    assert trials.missing() == 1
    trials.fail(0, "told again")  # as by the parent of a worker that had just ended it
    assert trials.all()[0].user_attrs["reason"] == "too hot"
