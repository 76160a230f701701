"""One study with a listening page, shared by the tests that only read it."""

from pathlib import Path

import pytest

from reports.listening import building
from reports.listening.key import Key
from study.store.folders import Store
from tests.reports import synthetic
from tests.reports.listening.studies import SETTINGS, audible, audible_study, families


@pytest.fixture(scope="session")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Four models of one effect, each better than the one before."""
    root = tmp_path_factory.mktemp("heard") / "grid"
    return audible_study(root, families("rnn", "gru", "lstm", "dense"))


@pytest.fixture(scope="session")
def key(heard: Store) -> Key:
    """Of the page of that study."""
    return building.build(heard, SETTINGS)


@pytest.fixture(scope="session")
def study_to_hear(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Three models of one effect and a fourth of another."""
    configs = [
        *(audible(family=family) for family in ("lstm", "gru", "dense")),
        audible("crunch", family="lstm"),
    ]
    return audible_study(tmp_path_factory.mktemp("runs") / "grid", configs)


@pytest.fixture
def own_study(tmp_path: Path) -> Store:
    """Two models at 8 kHz, for a test that changes what it finds."""
    own = [synthetic.config(family="lstm"), synthetic.config(family="gru")]
    return synthetic.write_study(tmp_path / "grid", own)
