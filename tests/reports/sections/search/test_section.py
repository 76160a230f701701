"""The section of a search: from stored files alone, complete, and frank about few trials."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data import files
from reports.pages import study_page
from reports.sections.search.section import search_section
from reports.sources.cache import Cache
from study.search import search_file
from study.search.importance import Importance
from study.search.search_file import Choices, Range, Search
from study.store.folders import Store
from tests.reports.page_reader import read_page
from tests.reports.synthetic import config, write_study

SPACE: dict[str, Any] = {
    "family": Choices(("lstm", "dense")),
    "units": Range(4, 12, step=4),
    "learning_rate": Range(1e-4, 1e-1, is_log=True),
}
ROWS = [
    # state, lowest loss, epochs, family, units, rate
    ("complete", 0.04, 6, "lstm", 4, 1e-3),
    ("complete", 0.01, 6, "dense", 8, 1e-2),
    ("pruned", 0.08, 3, "dense", 12, 1e-4),
    ("fail", None, 0, "lstm", 8, 1e-2),
    ("complete", 0.02, 6, "lstm", 12, 2e-2),
]
IMPORTANCES = [
    Importance("learning_rate", 0.7, 0.3, 0.9),
    Importance("units", 0.2, 0.1, 0.5),
    Importance("family", 0.1, 0.0, 0.2),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = write_study(tmp_path / "runs" / "mine", [config()])
    write_search(store)
    return store


def write_search(store: Store, importances: list[Importance] = IMPORTANCES) -> None:
    """What a search leaves behind."""
    search = Search("mine", "Mine", "mine", 5, 0, config(), SPACE, {"patience": 5})
    folder = search_file.folder(store)
    files.write_json(store.manifest_file, {**store.manifest(), "target": "search"})
    files.write_json(search_file.searched_file(store), search.to_dict())
    table = [
        {
            "trial": number,
            "state": state,
            "validation_loss": loss,
            "epochs": epochs,
            "reason": "too <b>hot" if state == "fail" else "",
            "family": family,
            "units": units,
            "learning_rate": rate,
        }
        for number, (state, loss, epochs, family, units, rate) in enumerate(ROWS)
    ]
    pd.DataFrame(table).to_parquet(folder / "trials.parquet")
    files.write_json(folder / "importances.json", [asdict(own) for own in importances])


def test_it_counts_names_the_best_and_doubts_importances(store: Store) -> None:
    section = search_section(store, Cache(store.report_folder))
    assert section
    told = " ".join(section.sentences)
    assert "5 trials of 6 epochs: 3 trained to the end, 1 stopped early" in told
    assert "1 failed" in told
    assert "saved 12 % of the epochs of those that did not fail" in told
    assert "trial 1: 0.0100 with family dense, units 8, learning rate 0.0100" in told
    assert "learning rate explains the largest share" in told and "in loss, 0.70." in told
    assert "4 trials tell that poorly" in told and "between 0.30 and 0.90" in told
    assert "not certain over units." in told  # the family's range lies below
    assert section.failures == (("trial 3", "too <b>hot"),)
    assert [picture.title for picture in section.pictures] == [
        "Settings and loss",
        "Course of the search",
        "Importance of the settings",
    ]


def test_without_importances_it_says_so(store: Store) -> None:
    write_search(store, [])
    section = search_section(store, Cache(store.report_folder))
    assert section
    assert "Too few trials differ" in section.sentences[-1]
    assert len(section.pictures) == 2


def test_a_grid_has_no_such_section(store: Store) -> None:
    files.write_json(store.manifest_file, {**store.manifest(), "target": "grid"})
    assert search_section(store, Cache(store.report_folder)) is None


def test_a_search_begun_since_does_not_change_what_is_told(store: Store) -> None:
    before = search_section(store, Cache(store.report_folder))
    space = {"layers": Range(1, 3)}
    begun = Search("mine", "Mine", "mine", 5, 0, config(), space, {"patience": 5})
    files.write_json(search_file.search_file(store), begun.to_dict())
    assert search_section(store, Cache(store.report_folder)) == before


@pytest.mark.slow
def test_the_page_shows_it(store: Store) -> None:
    page = study_page.build(store)
    parsed = read_page(page)
    assert "The search for settings" in parsed.text and "too <b>hot" in parsed.text
    pictures = [a["src"] for tag, a in parsed.tags if tag == "img"]
    for name in ("coordinates", "course", "importances"):
        [source] = [source for source in pictures if source.endswith(f"/{name}.svg")]
        assert (page.parent / source).is_file()
