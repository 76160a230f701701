"""The server: one folder, one interface, and nobody else's pages."""

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data.errors import InputError
from reports.listening import building, database, server
from reports.listening.server import Server, Site, listening_on
from tests.reports.listening.samples import token
from tests.reports.listening.studies import SETTINGS, abx_of, audible_study, families


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Server]:
    store = audible_study(tmp_path / "grid", families("lstm"))
    with listening_on(Site.of(store, building.build(store, SETTINGS)), 0) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(
    running: Server, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, bytes, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", running.server_address[1], timeout=10)
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    sent = {
        "Content-Type": "application/json",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    connection.request(method, path, content, sent)
    reply = connection.getresponse()
    read = reply.read()
    connection.close()
    return reply.status, read, reply.headers


def put(running: Server, session: Any, **headers: str) -> int:
    document = session.model_dump(mode="json")
    return ask(running, "PUT", f"/api/sessions/{session.session}", document, **headers)[0]


def test_the_page_is_served_with_its_policy(running: Server) -> None:
    status, content, headers = ask(running, "GET", "/?x")
    assert status == 200 and b"<!doctype html>" in content
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    sound = next(iter(running.site.key.stimuli))
    assert ask(running, "GET", f"/{running.site.key.build}/{sound}.js")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../listening-key.json",
        "/%2e%2e/listening-key.json",
        "/..%2flistening-key.json",
        "/listening-key.json",
        "//etc/passwd",
        "/./index.html/../../grid.json",
        "/listening.sqlite",
        "/api/sessions/../build",
        "/api/sessions/" + "0" * 31 + "/",
    ],
)
def test_nothing_else_is_served(running: Server, path: str) -> None:
    status, content, _ = ask(running, "GET", path)
    assert status == 404 and b"made_from" not in content


def test_answers_are_stored_and_given_back(running: Server) -> None:
    key, store = running.site.key, running.site.store
    begun = abx_of(key, 2, answered=2)
    assert put(running, begun) == 200
    assert database.load(store, begun.session) == begun
    path = f"/api/sessions/{begun.session}"
    assert json.loads(ask(running, "GET", path)[1]) == begun.model_dump(mode="json")
    assert ask(running, "GET", f"{path}/results")[0] == 409
    assert put(running, abx_of(key, 1, answered=3)) == 409
    assert put(running, abx_of(key, 6)) == 200
    result = json.loads(ask(running, "GET", f"{path}/results")[1])
    assert (result["correct"], result["trials"]) == (6, 6)
    assert result["p_value"] == pytest.approx(1 / 64)


def test_wrong_requests_store_nothing(running: Server) -> None:
    key = running.site.key
    good = abx_of(key, 3)
    path = f"/api/sessions/{good.session}"
    assert put(running, good, Host="evil.example") == 421
    assert put(running, good, Host="127.0.0.1.evil.example:80") == 421
    assert put(running, good, Origin="http://evil.example") == 403
    assert put(running, good, Content_Type="text/plain") == 415
    assert put(running, abx_of(key, 3, build=token(3))) == 422
    assert ask(running, "PUT", path, b"{")[0] == 422
    assert ask(running, "PUT", f"/api/sessions/{token(5)}", good.model_dump(mode="json"))[0] == 422
    assert ask(running, "PUT", "/api/build", {})[0] == 404
    assert ask(running, "PUT", path, None, Content_Length="-1")[0] == 411
    assert ask(running, "PUT", path, None, Content_Length="999999999")[0] == 413
    assert ask(running, "POST", path, {})[0] == 501
    assert ask(running, "GET", "/", Host="evil.example")[0] == 421
    assert ask(running, "GET", path)[0] == 404
    assert database.load_all(running.site.store) == []


def test_the_next_free_port_is_taken(running: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = int(running.server_address[1])
    monkeypatch.setattr(server, "PORT", taken)
    with listening_on(running.site) as second:
        assert taken < int(second.server_address[1]) < taken + server.PORTS_TRIED
    with pytest.raises(InputError, match="--port"):
        listening_on(running.site, taken)
    with pytest.raises(InputError, match="--host"):
        listening_on(Site(running.site.store, running.site.key, "203.0.113.1"), 0)
