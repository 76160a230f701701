"""One synthetic study and its report, shared by the tests that only read them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from data import files
from reports.pages import study_page
from reports.sources.results import Results, read
from study.store import tables
from study.store.folders import Store
from tests.reports.chromium import CHROMIUM
from tests.reports.synthetic import config, write_study

REASON = "the loss is <b>not</b> a number & stays so"


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Three structures, two sizes and two seeds; one run failed, one is pending."""
    configs = [
        config(family=family, training_frames=frames, seed=seed, checkpoint_epochs=(2, 4))
        for family in ("lstm", "gru", "dense")
        for frames in (1000, 4000)
        for seed in (0, 1)
    ]
    root = tmp_path_factory.mktemp("runs") / "grid"
    made = write_study(root, [*configs, config(family="conv"), config(family="rnn")])
    failing, pending = config(family="conv"), config(family="rnn")
    for run in (failing, pending):
        made.run(run.run_id).result_file.unlink()
    tables.write_failure(failing, made.run(failing.run_id), REASON)
    # What an interrupt may leave behind must not show.
    files.write_text(made.report_folder / "old-0" / "facts.json", '{"files": [], "facts": {}}')
    return made


@pytest.fixture(scope="session")
def results(store: Store) -> Results:
    return read(store)


@pytest.fixture(scope="session")
def page(store: Store) -> Path:
    return study_page.build(store)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()
