"""Search files: what they mean, and what is wrong with the others."""

from pathlib import Path

import pytest

from data.errors import InputError
from study.config import grid as grids
from study.search import search_file
from study.search.search_file import Choices, Range, Search

FILE = """
title = "Mine"
trials = 6
seed = 3

[signal]
seconds = 20
segment_seconds = 1

[run]
effect = {name = "sd1", drive = 0.9}
training_frames = 500
epochs = 10

[space]
family = ["lstm", "dense"]
units = {low = 4, high = 12, step = 4}
learning_rate = {low = 1e-4, high = 1e-1, log = true}

[final]
epochs = 20
patience = 5
seed = [0, 1]
"""


def load(folder: Path, text: str = FILE) -> Search:
    path = folder / "mine.toml"
    path.write_text(text)
    return search_file.load(str(path))


def test_a_file_says_what_varies_and_what_all_trials_share(tmp_path: Path) -> None:
    search = load(tmp_path)
    assert (search.name, search.title, search.trials, search.seed) == ("mine", "Mine", 6, 3)
    assert search.space == {
        "family": Choices(("lstm", "dense")),
        "units": Range(4, 12, step=4),
        "learning_rate": Range(1e-4, 1e-1, is_log=True),
    }
    config = search.trial_config({"family": "dense", "units": 8, "learning_rate": 0.02})
    assert (config.family, config.units, config.learning_rate) == ("dense", 8, 0.02)
    assert (config.training_frames, config.epochs, config.signal.seconds) == (500, 10, 20)
    assert config.effect["controls"]["drive"] == 0.9


def test_the_best_is_trained_as_a_grid_of_its_seeds(tmp_path: Path) -> None:
    grid = load(tmp_path).final_grid({"family": "dense", "units": 8, "learning_rate": 0.02})
    assert (grid.name, grid.title, grid.target) == ("mine", "Mine", "search")
    assert [(run.seed, run.epochs, run.patience) for run in grid.runs] == [(0, 20, 5), (1, 20, 5)]
    assert {(run.family, run.units, run.learning_rate) for run in grid.runs} == {("dense", 8, 0.02)}


def test_the_final_training_has_patience_and_three_seeds_unless_told(tmp_path: Path) -> None:
    search = load(tmp_path, FILE[: FILE.index("[final]")])
    runs = search.final_grid({"family": "dense", "units": 8, "learning_rate": 0.02}).runs
    assert [run.seed for run in runs] == [0, 1, 2]
    assert all(run.patience > 0 for run in runs)


def test_it_survives_being_stored(tmp_path: Path) -> None:
    search = load(tmp_path)
    assert search_file.from_dict(search.to_dict()) == search
    assert search_file.from_dict(search.to_dict()).digest == search.digest


def test_searches_share_their_trials_unless_these_would_differ(tmp_path: Path) -> None:
    digest = load(tmp_path).digest
    for same in (
        ("trials = 6", "trials = 60"),
        ('"Mine"', '"Ours"'),
        ("epochs = 20", "epochs = 9"),
    ):
        assert load(tmp_path, FILE.replace(*same)).digest == digest
    for other in (
        ("seed = 3", "seed = 4"),
        ("high = 12", "high = 16"),
        ("epochs = 10", "epochs = 11"),
        ("drive = 0.9", "drive = 0.8"),
        ("seconds = 20", "seconds = 21"),
    ):
        assert load(tmp_path, FILE.replace(*other, 1)).digest != digest


def test_sequences_are_searched_by_their_own_lengths(tmp_path: Path) -> None:
    text = FILE.replace('family = ["lstm", "dense"]', "window_samples = [512, 1024]")
    with pytest.raises(InputError, match="window_samples needs training"):
        load(tmp_path, text)
    text = text.replace("training_frames = 500", 'training = "sequence"')
    search = load(tmp_path, text)
    config = search.trial_config({"units": 8, "learning_rate": 0.02, "window_samples": 1024})
    assert (config.training, config.window_samples, config.loss) == (
        "sequence",
        1024,
        "esr_preemph_dc",
    )


@pytest.mark.parametrize("name", search_file.committed_names())
def test_committed_searches_are_valid_and_have_folders_of_their_own(name: str) -> None:
    search = search_file.load(name)
    assert search.trials == 20
    assert name not in grids.committed_names()


# What is replaced by what, and parts of the message.
MISTAKES = [
    ("trials = 6", "trials = 0", ["key 'trials'", "a whole number from 1", "found 0"]),
    ("trials = 6", "trails = 6", ["key 'trails'", "Did you mean 'trials'?"]),
    ("[space]", "[spice]", ["key 'spice'", "Did you mean 'space'?"]),
    ("seconds = 20", "seconds = 1", ["[signal], key 'seconds'", "greater than or equal to 20"]),
    ("epochs = 10", "epoch = 10", ["[run], key 'epoch'", "Did you mean 'epochs'?"]),
    ("epochs = 10", "epochs = [10, 20]", ["[run]", "one value a key", "lists", "[space]"]),
    ("epochs = 10", "patience = 5", ["[run], key 'patience'", "it in [final]"]),
    ("epochs = 10", "units = 8", ["key 'units'", "in [run] or in [space]", "both"]),
    ('family = ["lstm", "dense"]', 'family = ["lstm", "elm"]', ["[space], key 'family'", "'elm'"]),
    ('family = ["lstm", "dense"]', 'family = ["lstm"]', ["key 'family'", "two or more different"]),
    ('family = ["lstm", "dense"]', 'family = "lstm"', ["key 'family'", "a list of values"]),
    ('family = ["lstm", "dense"]', "loss = [1, 2]", ["key 'loss'", "one of family, layers"]),
    ("{low = 4, high = 12, step = 4}", "{low = 4}", ["key 'units'", "low and high"]),
    ("{low = 4, high = 12, step = 4}", "{low = 9, high = 4}", ["key 'units'", "low below high"]),
    ("low = 4, high = 12", "low = 0, high = 12", ["key 'units'", "greater than or equal to 1"]),
    ("low = 4, high = 12", "low = 4.5, high = 12", ["key 'units', low", "a whole number", "4.5"]),
    ("step = 4", "step = 0", ["key 'units'", "a step above 0", "found 0"]),
    ("step = 4", "step = 9", ["key 'units'", "between low and high", "found 9"]),
    ("high = 1e-1, log = true", "high = 1e-1, step = 1e-300", ["1 to 1,000,000 of them"]),
    ("trials = 6", "trials = 9223372036854775807", ["key 'trials'", "from 1 to 10,000"]),
    ("trials = 6", f"trials = 0x{'f' * 9000}", ["whole numbers of 64 bits"]),
    ("trials = 6", f"trials = {'[' * 100_000}", ["at most 8 deep"]),
    ('["lstm", "dense"]', str(list(range(1001))), ["two or more different values, 1000 at most"]),
    ("low = 1e-4", "low = 0", ["key 'learning_rate'", "low above 0"]),
    ("high = 1e-1", "high = 3", ["key 'learning_rate'", "less than or equal to 1"]),
    ("high = 1e-1", 'high = "much"', ["key 'learning_rate', high", "a number", "'much'"]),
    ("log = true", "log = 1", ["key 'learning_rate', log", "true or false"]),
    ("log = true", "lag = true", ["key 'lag'", "Did you mean 'log'?"]),
    ("patience = 5", "patience = 0", ["[final], key 'patience'", "1 or more"]),
    ("patience = 5", "units = 8", ["[final], key 'units'", "that the search leaves alone"]),
    ("patience = 5", "seed = []", ["TOML"]),
    ("seed = [0, 1]", "seed = []", ["[final], key 'seed'", "empty list"]),
]


@pytest.mark.parametrize(("old", "new", "parts"), MISTAKES, ids=[m[1][:60] for m in MISTAKES])
def test_a_mistake_is_told_with_its_key(
    tmp_path: Path, old: str, new: str, parts: list[str]
) -> None:
    assert old in FILE
    with pytest.raises(InputError) as told:
        load(tmp_path, FILE.replace(old, new, 1))
    for part in parts:
        assert part in str(told.value)


def test_without_a_run_or_a_space_there_is_nothing_to_search(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a table \[run\]; found none"):
        load(tmp_path, 'title = "x"')
    with pytest.raises(InputError, match=r"a table \[space\]; found none"):
        load(tmp_path, FILE[: FILE.index("[space]")])


def test_an_unknown_search_names_the_committed_ones() -> None:
    with pytest.raises(InputError, match=r"search 'sd1_serch'.*Did you mean 'sd1_search'\?"):
        search_file.load("sd1_serch")
