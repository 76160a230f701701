"""The local server: the static page, and an interface that stores answers at once.

The standard library's server suffices for a handful of listeners and adds no dependency.
It answers for files that are in the page's folder when asked and for nothing else, so no
path can lead out of it.
"""

from __future__ import annotations

import errno
import json
import re
import socket
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from data.errors import InputError
from reports.listening import addresses, analysis, database, sessions
from reports.listening.building import CONTENT_SECURITY_POLICY, page_folder
from reports.listening.connections import BoundedServer, TimedHandler
from reports.listening.key import Key
from reports.listening.sessions import LARGEST_BYTES
from study.store.folders import Store

HOST, PORT = "127.0.0.1", 8321
PORTS_TRIED = 20

_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
_SESSION = re.compile(r"/api/sessions/([0-9a-f]{32})(/results)?")
_OF_A_BODY = ("Content-Length", "Transfer-Encoding")


@dataclass(frozen=True)
class Site:
    """What one server offers.

    Attributes:
        store, key: the study and the build of its page.
        host: the address it listens on.
        files: path in a URL to file.
    """

    store: Store
    key: Key
    host: str
    files: dict[str, Path] = field(default_factory=dict)

    @staticmethod
    def of(store: Store, key: Key, host: str = HOST) -> Site:
        """The page as it lies there now."""
        folder = page_folder(store)
        found = [
            path
            for path in folder.rglob("*")
            if path.suffix in _TYPES and path.is_file() and not path.is_symlink()
        ]
        files = {f"/{path.relative_to(folder).as_posix()}": path for path in found}
        return Site(store, key, host, {**files, "/": folder / "index.html"})


class Server(BoundedServer):
    """A server with the site that it offers."""

    def __init__(self, address: tuple[str, int], site: Site) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, Handler)
        self.site = site

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        return addresses.url(*self._bound)

    @property
    def urls_from_elsewhere(self) -> list[str]:
        """Where browsers on other machines find it; empty where none can."""
        host, port = self._bound
        return addresses.urls_from_elsewhere(host, port) if addresses.is_open(host) else []

    @property
    def _bound(self) -> tuple[str, int]:
        host, port = self.server_address[:2]
        return str(host), int(port)


def listening_on(site: Site, port: int | None = None) -> Server:
    """A server at a port, or at the first free one from ``PORT`` on.

    Raises:
        InputError: the address is not of this machine, or the port is taken.
    """
    for candidate in [port] if port is not None else range(PORT, PORT + PORTS_TRIED):
        try:
            return Server((site.host, candidate), site)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise _cannot_listen(site.host, candidate, str(error)) from error
    where = port if port is not None else f"{PORT} to {PORT + PORTS_TRIED - 1}"
    raise _cannot_listen(site.host, where, "in use")


def _cannot_listen(host: str, port: object, reason: str) -> InputError:
    return InputError(
        f"address {host}, port {port}",
        expected="an address of this machine and a free port",
        found=reason,
        remedy="Choose others with --host and --port.",
    )


class Handler(TimedHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Pedalframe", ""

    @property
    def _site(self) -> Site:
        return cast(Server, self.server).site

    def do_GET(self) -> None:
        """Send a file of the page, a session, or what a finished session showed."""
        self._answer(self._get)

    def do_PUT(self) -> None:
        """Store a session, or what is new of it."""
        self._answer(self._put)

    def _answer(self, method: Callable[[str], None]) -> None:
        """Answer with what a method makes of the path, or with what went wrong here."""
        self._is_unread = any(name in self.headers for name in _OF_A_BODY)
        try:
            path = urlsplit(self.path).path
        except ValueError:  # half a bracket
            self._fail(HTTPStatus.BAD_REQUEST, "This is no address.")
            return
        try:
            if self._is_for_us():
                method(path)
        except (ConnectionError, TimeoutError):
            raise  # of the client
        except (OSError, sqlite3.Error, ValueError) as error:
            print(f"error: {self.command} request: {error!r}", file=sys.stderr, flush=True)
            self._fail(HTTPStatus.INTERNAL_SERVER_ERROR, "The server could not do this.")

    def _get(self, path: str) -> None:
        asked = _SESSION.fullmatch(path)
        if path in self._site.files:
            file = self._site.files[path]
            self._send(HTTPStatus.OK, file.read_bytes(), _TYPES[file.suffix])
        elif path == "/api/build":
            self._send_json({"build": self._site.key.build})
        elif asked:
            self._send_session(asked[1], results=bool(asked[2]))
        else:
            self._fail(HTTPStatus.NOT_FOUND, "There is nothing here.")

    def _put(self, path: str) -> None:
        asked = _SESSION.fullmatch(path)
        if not self._is_from_our_page():
            return
        if not asked or asked[2]:
            self._fail(HTTPStatus.NOT_FOUND, "There is nothing here.")
            return
        body = self._body()
        if body is None:
            return
        try:
            session = sessions.parse(body, "request")
            if session.session != asked[1]:
                raise ValueError("The address names another session.")
            sessions.require_fitting(session, self._site.key, "request")
            self._send_json({"saved": database.save(self._site.store, session, "server")})
        except InputError as error:
            is_conflict = error.subject != "request"
            status = HTTPStatus.CONFLICT if is_conflict else HTTPStatus.UNPROCESSABLE_ENTITY
            self._fail(status, str(error))
        except ValueError as error:
            self._fail(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))

    def _send_session(self, session_id: str, *, results: bool) -> None:
        session = database.load(self._site.store, session_id)
        if session is None or session.build != self._site.key.build:
            self._fail(HTTPStatus.NOT_FOUND, "No such session.")
        elif not results:
            self._send_json(session.model_dump(mode="json"))
        elif not session.is_finished:
            self._fail(HTTPStatus.CONFLICT, "The session is not finished.")
        else:
            self._send_json(analysis.revealed(session, self._site.key))

    def _is_for_us(self) -> bool:
        if addresses.knows(self._site.host, self.headers.get("Host")):
            return True
        self.close_connection = True
        self._fail(HTTPStatus.MISDIRECTED_REQUEST, "This is not the name of this server.")
        return False

    def _is_from_our_page(self) -> bool:
        origin = self.headers.get("Origin")
        if origin is None or origin == f"http://{self.headers.get('Host')}":
            return True
        self.close_connection = True
        self._fail(HTTPStatus.FORBIDDEN, "Answers are taken from this server's own page.")
        return False

    def _body(self) -> bytes | None:
        """The request's JSON; None after it was refused."""
        length = self.headers.get("Content-Length", "")
        if self.headers.get_content_type() != "application/json":
            status, reason = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Expected application/json."
        elif not re.fullmatch(r"[0-9]{1,9}", length) or "Transfer-Encoding" in self.headers:
            status, reason = HTTPStatus.LENGTH_REQUIRED, "Expected a Content-Length."
        elif int(length) > LARGEST_BYTES:
            status, reason = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large."
        else:
            body = self.rfile.read(int(length))
            if len(body) < int(length):
                raise ConnectionAbortedError("the client left in the middle of a request")
            self._is_unread = False
            return body
        self._fail(status, reason)
        return None

    def _fail(self, status: HTTPStatus, reason: str) -> None:
        self._send_json({"error": reason}, status)

    def _send_json(self, value: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.close_connection |= self._is_unread  # what follows would pass for a request
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header(
            "Content-Security-Policy", CONTENT_SECURITY_POLICY + "; frame-ancestors 'none'"
        )
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the terminal shows the address."""
