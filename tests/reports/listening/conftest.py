"""A synthetic study with a listening page, for the tests that only read it."""

from pathlib import Path

import pytest

from study.store import Store
from tests.reports.synthetic import config, write_study


@pytest.fixture(scope="session")
def study_to_hear(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Three models of one effect and a fourth of another."""
    configs = [
        *(config(family=family) for family in ("lstm", "gru", "dense")),
        config("crunch", family="lstm"),
    ]
    return write_study(tmp_path_factory.mktemp("runs") / "grid", configs)


@pytest.fixture()
def own_study(tmp_path: Path) -> Store:
    """Two models, for a test that changes what it finds."""
    return write_study(tmp_path / "grid", [config(family="lstm"), config(family="gru")])
