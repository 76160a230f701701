"""The answers in SQLite: one file a grid, each answer stored as it is given.

Every build's key is stored beside the answers to it, so that they keep their meaning when
the page is built anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from data.errors import InputError
from reports.listening.key import Key
from reports.listening.sessions import AbxSession, MushraSession
from study.store.folders import Store

Origin = Literal["server", "file"]
Saved = Literal["new", "continued", "unchanged"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS builds (
    build TEXT PRIMARY KEY CHECK (length(build) = 32),
    key TEXT NOT NULL CHECK (json_valid(key))
) STRICT;
CREATE TABLE IF NOT EXISTS sessions (
    session TEXT PRIMARY KEY CHECK (length(session) = 32),
    build TEXT NOT NULL REFERENCES builds (build),
    test TEXT NOT NULL CHECK (test IN ('abx', 'mushra')),
    seed TEXT NOT NULL CHECK (length(seed) = 32),
    participant TEXT NOT NULL CHECK (length(participant) <= 40),
    started TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('server', 'file')),
    a TEXT CHECK (length(a) = 32),
    b TEXT CHECK (length(b) = 32),
    planned INTEGER NOT NULL CHECK (planned BETWEEN 1 AND 200),
    CHECK ((test = 'abx') = (a IS NOT NULL AND b IS NOT NULL AND a <> b))
) STRICT;
CREATE TABLE IF NOT EXISTS answers (
    session TEXT NOT NULL REFERENCES sessions (session),
    trial INTEGER NOT NULL CHECK (trial >= 0),
    answer TEXT NOT NULL CHECK (answer IN ('a', 'b')),
    PRIMARY KEY (session, trial)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scores (
    session TEXT NOT NULL REFERENCES sessions (session),
    position INTEGER NOT NULL CHECK (position >= 0),
    item TEXT NOT NULL CHECK (length(item) = 32),
    stimulus TEXT NOT NULL CHECK (length(stimulus) = 32),
    score INTEGER NOT NULL CHECK (score BETWEEN 0 AND 100),
    PRIMARY KEY (session, item, stimulus)
) STRICT, WITHOUT ROWID;
"""


def database_file(store: Store) -> Path:
    """Where the answers to a grid's pages lie."""
    return store.root / "listening.sqlite"


def register(store: Store, key: Key) -> None:
    """Keep a build's key, so that answers to it can be taken."""
    with _opened(store) as connection:
        connection.execute(
            "INSERT OR IGNORE INTO builds VALUES (?, ?)", (key.build, key.model_dump_json())
        )


def builds(store: Store) -> dict[str, Key]:
    """The keys of all builds by their names; empty where none was made."""
    if not database_file(store).exists():
        return {}
    with _opened(store) as connection:
        rows = connection.execute("SELECT build, key FROM builds").fetchall()
    return {build: Key.model_validate_json(text) for build, text in rows}


def save(store: Store, session: AbxSession | MushraSession, origin: Origin) -> Saved:
    """Store a session, or what is new of it; answers that are stored are final.

    The caller has checked that it fits its build.

    Raises:
        InputError: the stored session has other answers, or more.
    """
    with _opened(store) as connection:
        stored = _load(connection, session.session)
        if stored is None:
            _insert_session(connection, session, origin)
        elif not _continues(session, stored):
            raise InputError(
                f"session {session.session}",
                expected="the stored answers, or more of them",
                found="others",
                remedy="Answers are final; begin another session.",
            )
        elif session == stored:
            return "unchanged"
        _insert_answers(connection, session, stored)
    return "new" if stored is None else "continued"


def load(store: Store, session_id: str) -> AbxSession | MushraSession | None:
    """A stored session."""
    with _opened(store) as connection:
        return _load(connection, session_id)


def load_all(store: Store) -> list[AbxSession | MushraSession]:
    """All stored sessions, oldest first; none where there is no database."""
    if not database_file(store).exists():
        return []
    with _opened(store) as connection:
        ids = connection.execute("SELECT session FROM sessions ORDER BY started, session")
        loaded = [_load(connection, session_id) for (session_id,) in ids.fetchall()]
    return [session for session in loaded if session is not None]


@contextmanager
def _opened(store: Store) -> Iterator[sqlite3.Connection]:
    """A connection in one transaction that is kept or, after an error, undone."""
    connection = sqlite3.connect(database_file(store), timeout=20, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.executescript(_SCHEMA)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    finally:
        connection.close()


def _continues(session: AbxSession | MushraSession, stored: AbxSession | MushraSession) -> bool:
    """Whether everything stored is in the session, in the same place."""
    if isinstance(session, AbxSession) and isinstance(stored, AbxSession):
        known = session.answers[: len(stored.answers)] == stored.answers
    elif isinstance(session, MushraSession) and isinstance(stored, MushraSession):
        known = session.ratings[: len(stored.ratings)] == stored.ratings
    else:
        return False
    answers = {"answers", "ratings"}
    return known and session.model_dump(exclude=answers) == stored.model_dump(exclude=answers)


def _insert_session(
    connection: sqlite3.Connection, session: AbxSession | MushraSession, origin: Origin
) -> None:
    sides = (session.a, session.b) if isinstance(session, AbxSession) else (None, None)
    planned = session.trials if isinstance(session, AbxSession) else session.items
    row = {
        **session.model_dump(include={"session", "build", "test", "seed", "participant"}),
        "started": session.model_dump(mode="json")["started"],
        "origin": origin,
        "a": sides[0],
        "b": sides[1],
        "planned": planned,
    }
    names = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    connection.execute(f"INSERT INTO sessions ({names}) VALUES ({places})", row)


def _insert_answers(
    connection: sqlite3.Connection,
    session: AbxSession | MushraSession,
    stored: AbxSession | MushraSession | None,
) -> None:
    if isinstance(session, AbxSession):
        known = len(stored.answers) if isinstance(stored, AbxSession) else 0
        new = [(session.session, n, a) for n, a in enumerate(session.answers) if n >= known]
        connection.executemany("INSERT INTO answers VALUES (?, ?, ?)", new)
        return
    known = len(stored.ratings) if isinstance(stored, MushraSession) else 0
    scores = [
        (session.session, position, rating.item, stimulus, score)
        for position, rating in enumerate(session.ratings)
        if position >= known
        for stimulus, score in rating.scores.items()
    ]
    connection.executemany("INSERT INTO scores VALUES (?, ?, ?, ?, ?)", scores)


def _load(connection: sqlite3.Connection, session_id: str) -> AbxSession | MushraSession | None:
    cursor = connection.execute("SELECT * FROM sessions WHERE session = ?", (session_id,))
    found = cursor.fetchone()
    if found is None:
        return None
    row: dict[str, Any] = dict(zip([c[0] for c in cursor.description], found, strict=True))
    shared = {k: row[k] for k in ("build", "session", "seed", "participant", "started")}
    if row["test"] == "abx":
        answers = connection.execute(
            "SELECT answer FROM answers WHERE session = ? ORDER BY trial", (session_id,)
        )
        return AbxSession(
            version=1, test="abx", **shared, a=row["a"], b=row["b"], trials=row["planned"],
            answers=tuple(answer for (answer,) in answers),
        )  # fmt: skip
    ratings: dict[str, dict[str, int]] = {}
    for item, stimulus, score in connection.execute(
        "SELECT item, stimulus, score FROM scores WHERE session = ? ORDER BY position",
        (session_id,),
    ):
        ratings.setdefault(item, {})[stimulus] = score
    return MushraSession.model_validate(
        {
            "version": 1, "test": "mushra", **shared, "items": row["planned"],
            "ratings": [{"item": item, "scores": own} for item, own in ratings.items()],
        }
    )  # fmt: skip
