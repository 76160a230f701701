"""What a browser hands in is checked; what is stored stays."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from data.errors import InputError
from reports.listening import database, key, sessions
from study.store.folders import Store
from tests.reports.listening.samples import abx, mushra, small_key, token


def as_bytes(**changes: Any) -> bytes:
    return json.dumps({**abx().model_dump(mode="json"), **changes}).encode()


@pytest.mark.parametrize("session", [abx(), abx(""), mushra(), mushra((100, 20, 60, 80, 70))])
def test_a_session_survives_json(session: sessions.AbxSession | sessions.MushraSession) -> None:
    assert sessions.parse(session.model_dump_json().encode(), "file") == session


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2}, {"test": "mushra"}, {"test": "other"}, {"seed": "0" * 32},
        {"seed": "<script>"}, {"session": "../../etc/passwd"}, {"build": "A" * 32},
        {"participant": "x" * 41}, {"participant": "a\u0007"}, {"participant": "a\u202eb"},
        {"participant": None}, {"started": "yesterday"}, {"started": "2026-03-01T12:00:00"},
        {"trials": 0}, {"trials": 201}, {"trials": True}, {"trials": "4"},
        {"answers": ["c"]}, {"answers": "abab"}, {"answers": ["a"] * 201}, {"extra": 1},
    ],
)  # fmt: skip
def test_what_is_no_session_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="expected answers of a listening page"):
        sessions.parse(as_bytes(**changes), "file")


@pytest.mark.parametrize("document", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 10_000])
def test_what_is_no_json_is_refused(document: bytes) -> None:
    with pytest.raises(InputError):
        sessions.parse(document, "file")


@pytest.mark.parametrize("name", ["test", "a\x1b[2J\n"])
def test_what_is_told_of_a_document_is_short_and_harmless(name: str) -> None:
    with pytest.raises(InputError) as told:
        sessions.parse(as_bytes(**{name: "\x1b[2J\n" + "a" * 10_000}), "file")
    assert str(told.value).isprintable() and len(str(told.value)) < 500


def test_too_much_is_refused() -> None:
    with pytest.raises(InputError, match="at most 262,144 bytes"):
        sessions.parse(as_bytes() + b" " * sessions.LARGEST_BYTES, "file")


@pytest.mark.parametrize("score", [-1, 101, 50.5, "50", True, None])
def test_scores_are_whole_numbers_to_100(score: object) -> None:
    document = mushra((100, 20, 60, 80, 70)).model_dump(mode="json")
    document["ratings"][0]["scores"][token(1000)] = score
    with pytest.raises(InputError):
        sessions.parse(json.dumps(document).encode(), "file")


def test_names_are_trimmed_and_kept_as_they_are() -> None:
    parsed = sessions.parse(as_bytes(participant="  <b>Ada & Đorđe</b> "), "file")
    assert parsed.participant == "<b>Ada & Đorđe</b>"


@pytest.mark.parametrize(
    "session",
    [
        abx(build=token(2)), abx(a=token(51)), abx(b=token(99)), abx(trials=5),
        abx("ababa"), mushra(items=3), mushra((100, 20, 60, 80)),
        mushra((100, 20, 60, 80, 70), (100, 20, 60, 80, 70), (100, 20, 60, 80, 70)),
    ],
)  # fmt: skip
def test_answers_to_something_else_are_refused(
    session: sessions.AbxSession | sessions.MushraSession,
) -> None:
    with pytest.raises(InputError):
        sessions.require_fitting(session, small_key(), "file")


def test_fitting_sessions_pass() -> None:
    sessions.require_fitting(abx("ab"), small_key(), "file")
    sessions.require_fitting(mushra((100, 20, 60, 80, 70)), small_key(), "file")


def test_answers_are_stored_as_they_come_and_are_final(tmp_path: Path) -> None:
    store = Store(tmp_path)
    database.register(store, small_key())
    assert database.load(store, token(7)) is None
    assert database.save(store, abx(""), "server") == "new"
    assert database.save(store, abx("ab"), "server") == "continued"
    assert database.save(store, abx("ab"), "file") == "unchanged"
    assert database.load(store, token(7)) == abx("ab")
    for changed in (abx("bba"), abx("a"), abx("aba", seed=token(9)), mushra(session=token(7))):
        with pytest.raises(InputError, match="Answers are final"):
            database.save(store, changed, "server")
    assert database.load(store, token(7)) == abx("ab")


def test_ratings_are_stored_by_item(tmp_path: Path) -> None:
    store = Store(tmp_path)
    database.register(store, small_key())
    one, two = (100, 20, 60, 80, 70), (99, 0, 50, 90, 70)
    assert database.save(store, mushra(one), "file") == "new"
    assert database.save(store, mushra(one, two), "file") == "continued"
    assert database.load(store, token(8)) == mushra(one, two)
    assert database.load_all(store) == [mushra(one, two)]


def test_a_name_cannot_change_the_database(tmp_path: Path) -> None:
    store = Store(tmp_path)
    database.register(store, small_key())
    hostile = abx(participant="'); DROP TABLE answers; --")
    database.save(store, hostile, "server")
    assert database.load(store, token(7)) == hostile


def test_answers_to_an_unknown_build_are_not_stored(tmp_path: Path) -> None:
    store = Store(tmp_path)
    database.register(store, small_key())
    with pytest.raises(sqlite3.IntegrityError):
        database.save(store, abx(build=token(2)), "server")
    assert database.load_all(store) == []


def test_no_database_is_no_answers_and_none_is_made(tmp_path: Path) -> None:
    assert database.load_all(Store(tmp_path)) == [] and database.builds(Store(tmp_path)) == {}
    assert list(tmp_path.iterdir()) == []


def test_the_key_is_the_owners_alone_and_survives(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert key.read(store) is None
    key.write(store, small_key())
    assert key.read(store) == small_key()
    assert key.key_file(store).stat().st_mode & 0o077 == 0
    key.key_file(store).write_text("{")
    assert key.read(store) is None
