"""Answers of listeners, whoever wrote them: stored as given and final, or refused.

Neither an answer nor a request changes what others answered, shows what is hidden, or stops
the server.
"""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from data.errors import InputError
from reports.listening import addresses, analysis, database, importing, sessions
from reports.listening.server import Server, Site
from reports.listening.sessions import AbxSession, MushraSession
from study.store.folders import Store
from tests.fuzz.damage import VALUES, as_json, nested, spoilt_bytes, spoilt_document
from tests.fuzz.fuzzing import attack
from tests.reports.listening.samples import abx, mushra, small_key, token

KEY = small_key()
SCORES = st.tuples(*[st.integers(0, 100)] * 5)
MORE_HEADERS = [
    ("Origin", "http://localhost"),
    ("Origin", "null"),
    ("Origin", "http://["),
    ("Cookie", 'session=1; a="\\073'),
    ("Cookie", "=" * 5000),
    ("Host", "x"),
    ("Transfer-Encoding", "chunked"),
    ("Content-Type", "text/plain; charset="),
    ("Expect", "100-continue"),
    ("Connection", "close"),
    ("Upgrade", "x"),
]
GOOD = b"GET /api/build HTTP/1.1\r\nHost: localhost\r\n\r\n"


@st.composite
def right(draw: DrawFn) -> AbxSession | MushraSession:
    """Answers to the page of ``KEY``, by one of few sessions, so that they meet."""
    changes = {
        "session": token(draw(st.integers(1, 3))),
        "seed": token(draw(st.integers(1, 2))),
        "participant": draw(st.sampled_from(["", "Ada", "ada", "Đorđe", "'; DROP TABLE answers"])),
    }
    if draw(st.booleans()):
        return abx(draw(st.text("ab", max_size=KEY.trials)), **changes)
    return mushra(*draw(st.lists(SCORES, max_size=len(KEY.items))), **changes)


@st.composite
def handed_in(draw: DrawFn) -> bytes:
    """Right answers, answers that are wrong somewhere, and what is none."""
    document = draw(right()).model_dump(mode="json")
    return draw(
        st.just(as_json(document))
        | spoilt_document(document).map(as_json)
        | spoilt_bytes(as_json(document))
        | VALUES.map(as_json)
        | st.binary(max_size=64)
        | st.sampled_from([1, 100, 100_000]).map(nested)
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A grid with a page, but no answers."""
    store = Store(tmp_path / "grid")
    store.root.mkdir()
    database.register(store, KEY)
    return store


def forget(store: Store) -> None:
    connection = sqlite3.connect(database.database_file(store))
    with connection:
        for table in ("answers", "scores", "sessions"):
            connection.execute(f"DELETE FROM {table}")
    connection.close()


def require_usable(store: Store) -> None:
    """Whatever is stored fits its page, and the report can be made of it."""
    found = database.load_all(store)
    for session in found:
        sessions.require_fitting(session, KEY, "stored")
        if session.is_finished:
            json.dumps(analysis.revealed(session, KEY), allow_nan=False)
    builds = database.builds(store)
    analysis.abx_results(found, builds)
    counted, _ = analysis.screened(analysis.votes(found, builds))
    analysis.by_condition(counted, KEY.labels)


def test_a_file_of_answers_is_stored_as_it_is_or_refused(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "answers.json"

    def check(content: bytes) -> None:
        forget(store)
        file.write_bytes(content)
        try:
            taken = importing.import_file(store, file)
        except InputError as error:
            assert str(error).isprintable() and len(str(error)) < 1000
            assert database.load_all(store) == []
            return
        assert database.load_all(store) == [taken]
        assert sessions.parse(content, "file") == taken
        require_usable(store)

    attack(check, handed_in())


def test_answers_are_final_in_whatever_order_they_come(store: Store) -> None:
    """Against a model: of what each session said, what it may still say, and what it may not."""

    def check(come: list[AbxSession | MushraSession]) -> None:
        forget(store)
        kept: dict[str, AbxSession | MushraSession] = {}
        for session in come:
            before = kept.get(session.session)
            if before is None or continues(session, before):
                saved = "new" if before is None else "continued"
                saved = "unchanged" if session == before else saved
                assert database.save(store, session, "server") == saved
                kept[session.session] = session
            else:
                with pytest.raises(InputError, match="Answers are final"):
                    database.save(store, session, "server")
            assert {own.session: own for own in database.load_all(store)} == kept
        require_usable(store)

    attack(check, st.lists(right(), max_size=8))


def continues(session: AbxSession | MushraSession, before: AbxSession | MushraSession) -> bool:
    given, known = (dict(own.model_dump(mode="json")) for own in (session, before))
    answers, earlier = (
        own.pop("answers", None) or own.pop("ratings", None) or [] for own in (given, known)
    )
    for own in (given, known):
        own.pop("ratings", None)
    return given == known and answers[: len(earlier)] == earlier


@st.composite
def request(draw: DrawFn) -> bytes:
    """One request, right but for a few things, or spoilt altogether."""
    session = draw(right())
    body = draw(handed_in() | st.just(as_json(session.model_dump(mode="json"))))
    method = draw(st.sampled_from(["GET", "PUT", "PUT", "PUT", "POST", "HEAD", "DELETE", "get"]))
    address = f"/api/sessions/{session.session}"
    path = draw(
        st.sampled_from([address, address, f"{address}/results", "/", "/api/build", "*", "//["])
        | st.sampled_from(["/../listening.sqlite", "/%2e%2e/grid.json", "http://[::1/", "/\0"])
        | st.text(st.characters(codec="latin-1", exclude_characters=" \r\n"), max_size=20)
    )
    host = draw(st.sampled_from(["localhost", "127.0.0.1:80", "[::1]", "[::1", "evil.example", ""]))
    length = draw(st.just(str(len(body))) | st.sampled_from(["0", "-1", "1e3", "٣", "9" * 30]))
    headers = [("Host", host), ("Content-Type", "application/json"), ("Content-Length", length)]
    headers += draw(st.lists(st.sampled_from(MORE_HEADERS), max_size=3))
    if draw(st.integers(0, 5)) == 0:
        headers.pop(draw(st.integers(0, len(headers) - 1)))
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers)
    whole = head.encode("utf-8", "surrogateescape") + b"\r\n" + body
    return draw(st.just(whole) | spoilt_bytes(whole))


@pytest.fixture
def serving(store: Store) -> Iterator[Server]:
    """A server of answers; of its page there is one file."""
    (store.root / "index.html").write_text("<!doctype html>")
    site = Site(store, KEY, "127.0.0.1", {"/": store.root / "index.html"})
    with Server(("127.0.0.1", 0), site) as made:
        thread = threading.Thread(target=made.serve_forever, args=[0.01])
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def replies(serving: Server, sent: bytes) -> bytes:
    """All that the server says to what one client sends before it falls silent."""
    received = b""
    address = ("127.0.0.1", int(serving.server_address[1]))
    # A server need not read to the end what it refuses.
    with socket.create_connection(address, 10) as client, suppress(ConnectionError):
        client.sendall(sent)
        with suppress(OSError):  # it is closed already
            client.shutdown(socket.SHUT_WR)
        while more := client.recv(65536):
            received += more
    return received


def test_no_request_stops_the_server_or_shows_what_is_hidden(
    serving: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    store = serving.site.store

    def check(sent: list[bytes]) -> None:
        forget(store)
        for one in sent:
            before = database.load_all(store)
            said = replies(serving, one)
            statuses = [int(line[9:12]) for line in said.split(b"\r\n") if is_status(line)]
            assert not {500} & set(statuses), said
            assert b"made_from" not in said and b"SQLite" not in said and b"anchor_" not in said
            assert b"Traceback" not in said
            if 200 not in statuses:
                assert database.load_all(store) == before
        require_usable(store)
        assert replies(serving, GOOD).startswith(b"HTTP/1.1 200 ")
        assert capfd.readouterr().err == ""

    attack(check, st.lists(request(), min_size=1, max_size=4))


def is_status(line: bytes) -> bool:
    return line.startswith(b"HTTP/1.") and line[9:12].isdigit()


@st.composite
def hosts(draw: DrawFn) -> str:
    """Names, addresses and neither, with and without ports and brackets."""
    name = draw(
        st.sampled_from(["localhost", "127.0.0.1", "::1", "evil.example", "127.0.0.1.evil.example"])
        | st.ip_addresses().map(str)
        | st.text(max_size=12)
    )
    form = draw(st.sampled_from(["{}", "{}:80", "[{}]", "[{}]:80", "[{}", "{}]", "a@{}", "{}%x"]))
    return form.replace("{}", name)


def test_no_host_is_let_in_but_this_machines_and_addresses() -> None:
    def check(host: str) -> None:
        is_known = {own: addresses.knows(own, host) for own in ("127.0.0.1", "::1", "0.0.0.0")}
        assert not any(is_known.values()) or "evil.example" not in host
        assert is_known["0.0.0.0"] or not is_known["127.0.0.1"]  # who is open knows no fewer
        local = ("localhost", "127.0.0.1", "::1")
        assert not is_known["127.0.0.1"] or any(name in host.lower() for name in local)

    attack(check, hosts())


def test_a_damaged_database_is_told_in_words(store: Store) -> None:
    database.save(store, abx(), "server")
    database.save(store, mushra((100, 20, 60, 80, 70)), "file")
    file = database.database_file(store)
    whole = file.read_bytes()

    def check(content: bytes) -> None:
        for suffix in ("-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        file.write_bytes(content)
        with suppress(InputError, sqlite3.DatabaseError):  # both are told by the command line
            require_usable(store)

    attack(check, spoilt_bytes(whole))
