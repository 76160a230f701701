"""Answers that a listener saved from the static page, into the database."""

from __future__ import annotations

from pathlib import Path

from data.errors import InputError
from reports.listening import database, sessions
from reports.listening.sessions import LARGEST_BYTES, AbxSession, MushraSession
from study.store.folders import Store


def import_file(store: Store, file: Path) -> AbxSession | MushraSession:
    """Check a file of answers and store what it holds; a longer one continues a shorter.

    Raises:
        InputError: it cannot be read, is not of a build of this study, does not fit that
            build, contradicts stored answers, or was imported before.
    """
    subject = f"file {file}"
    session = sessions.parse(_content(file), subject)
    key = database.builds(store).get(session.build)
    if key is None:
        raise InputError(
            subject,
            expected=f"answers to a listening page of {store.root}",
            found=f"answers to build {session.build}, which is not one of them",
            remedy="Name the grid that the page was built from with GRID=.",
        )
    sessions.require_fitting(session, key, subject)
    if database.save(store, session, "file") == "unchanged":
        raise InputError(
            subject,
            expected="answers that are not stored yet",
            found="a session that was imported before",
            remedy="Nothing needs to be done.",
        )
    return session


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST_BYTES + 1)  # no more than tells that it is too large
    except OSError as error:
        raise InputError(
            f"file {file}",
            expected="the answers that a listening page saved",
            found=str(error.strerror),
            remedy="Check the path.",
        ) from error
