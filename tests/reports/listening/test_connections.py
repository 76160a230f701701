"""Over real sockets: clients that lie, dawdle, crowd or go away."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reports.listening import connections, database
from reports.listening.server import Server, Site
from study.store.folders import Store
from tests.reports.listening.samples import small_key, token

LINE = b"GET /api/build HTTP/1.1\r\n"
GET = LINE + b"Host: localhost\r\n\r\n"
JSON = b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
PUT = b"PUT /api/sessions/" + token(1).encode() + b" HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Server]:
    """A server of answers, without a page."""
    store, key = Store(tmp_path / "grid"), small_key()
    store.root.mkdir()
    database.register(store, key)
    with Server(("127.0.0.1", 0), Site(store, key, "127.0.0.1")) as made:
        thread = threading.Thread(target=made.serve_forever, args=[0.01])
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def connect(serving: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(serving.server_address[1])), timeout=10)


def reply(connection: socket.socket) -> int | None:
    """The status of the answer; None where the connection was closed instead."""
    answer = http.client.HTTPResponse(connection)
    try:
        answer.begin()
        answer.read()
    except (ConnectionError, http.client.RemoteDisconnected):
        return None
    return answer.status


def ask(serving: Server, request: bytes) -> int | None:
    with connect(serving) as connection:
        connection.sendall(request)
        return reply(connection)


def threads_of(serving: Server) -> int:
    return sum("process_request_thread" in thread.name for thread in threading.enumerate())


def settle(serving: Server, threads: int = 0) -> None:
    limit = time.monotonic() + 5
    while threads_of(serving) > threads and time.monotonic() < limit:
        time.sleep(0.01)
    assert threads_of(serving) <= threads


@pytest.mark.parametrize("host", ["[::1", "]", "[x]", "a" * 60_000, "\udcff"])
def test_a_broken_host_is_refused_in_silence(
    serving: Server, host: str, capfd: pytest.CaptureFixture[str]
) -> None:
    sent = LINE + b"Host: " + host.encode("utf-8", "surrogateescape") + b"\r\n\r\n"
    assert ask(serving, sent) == 421
    assert ask(serving, b"GET http://[::1/ HTTP/1.1\r\nHost: localhost\r\n\r\n") == 400
    assert ask(serving, GET) == 200
    assert capfd.readouterr().err == ""


def test_clients_that_go_away_are_no_news(
    serving: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    abort = (socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    for sent in (b"", b"GET", LINE, GET, GET * 500, PUT + JSON):
        for is_rude in (False, True):
            with connect(serving) as connection:
                if is_rude:
                    connection.setsockopt(*abort)
                connection.sendall(sent)
    settle(serving)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("begun", [b"", LINE, LINE + b"X: ", PUT + JSON])
def test_a_slow_client_holds_no_thread(
    serving: Server, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte every 50 ms: no single read ever waits for long."""
    monkeypatch.setattr(connections, "REQUEST_S", 0.3)
    monkeypatch.setattr(connections, "IDLE_S", 0.3)
    began = time.monotonic()
    with connect(serving) as connection:
        connection.sendall(begun)
        with pytest.raises(ConnectionError):
            while time.monotonic() < began + 5:
                time.sleep(0.05)
                connection.sendall(b"a" if begun else b"")
                if not begun and connection.recv(1) == b"":
                    raise ConnectionError
    assert time.monotonic() < began + 2
    settle(serving)


def test_a_listener_who_thinks_keeps_the_connection(
    serving: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "REQUEST_S", 0.2)
    with connect(serving) as connection:
        for _ in range(3):
            time.sleep(0.3)
            connection.sendall(GET)
            assert reply(connection) == 200


def test_a_crowd_is_bounded_and_leaves_room_when_it_goes(serving: Server) -> None:
    with ExitStack() as crowd:
        held = [crowd.enter_context(connect(serving)) for _ in range(connections.MOST)]
        for connection in (held[0], held[-1]):
            connection.sendall(GET)
            assert reply(connection) == 200
        assert [ask(serving, GET) for _ in range(3)] == [503] * 3
        assert threads_of(serving) == connections.MOST
    settle(serving)
    assert ask(serving, GET) == 200


def test_what_follows_an_unread_body_is_no_request(serving: Server) -> None:
    hidden = GET * 2
    length = b"Content-Length: %d\r\n\r\n" % len(hidden)
    for request in (
        LINE + b"Host: localhost\r\n" + length + hidden,
        PUT.replace(token(1).encode(), b"x") + length + hidden,
        PUT + length + hidden,
        PUT + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n" + length + hidden,
    ):
        with connect(serving) as connection:
            connection.sendall(request)
            received = b""
            while more := connection.recv(65536):
                received += more
        assert received.count(b"HTTP/1.1 ") == 1


def test_a_broken_database_is_a_status_and_a_line(
    serving: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    database.database_file(serving.site.store).write_bytes(b"no database" * 1000)
    path = f"/api/sessions/{token(1)}"
    assert ask(serving, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()) == 500
    told = capfd.readouterr().err
    assert told.count("\n") == 1 and told.startswith("error: GET request: ")
    assert ask(serving, GET) == 200
