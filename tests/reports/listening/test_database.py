"""The database refuses what the program would never write."""

import sqlite3
from pathlib import Path

import pytest

from reports.listening import database
from study.store.folders import Store
from tests.reports.listening.samples import abx, small_key


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO answers VALUES ('unknown', 0, 'a')",
        "INSERT INTO answers SELECT session, 99, 'x' FROM sessions",
        "INSERT INTO answers SELECT session, 0, 'a' FROM sessions",
        "INSERT INTO scores SELECT session, 0, build, build, 101 FROM sessions",
        "UPDATE sessions SET test = 'mushra'",
        "UPDATE sessions SET build = seed",
    ],
)
def test_the_database_keeps_its_own_rules(tmp_path: Path, statement: str) -> None:
    store = Store(tmp_path)
    database.register(store, small_key())
    database.save(store, abx("ab"), "server")
    connection = sqlite3.connect(database.database_file(store))
    connection.execute("PRAGMA foreign_keys = ON")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()
