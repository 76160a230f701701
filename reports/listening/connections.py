"""Connections that a slow or absent client cannot hold: so many at once, each so long."""

from __future__ import annotations

import io
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MOST = 256  # at once, each with a thread; a browser opens up to six
IDLE_S = 30.0  # until a request begins
REQUEST_S = 20.0  # until it is here, its body too
SENDING_S = 60.0  # until an answer is gone

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


class BoundedServer(ThreadingHTTPServer):
    """A thread a connection, ``MOST`` at once; whoever comes then is told so."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[TimedHandler]) -> None:
        self._free = threading.BoundedSemaphore(MOST)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread, or refuse it."""
        if not self._free.acquire(blocking=False):
            request.sendall(_FULL)  # the first bytes on it: they never wait
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread was started
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve the connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away: that is how connections end."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class TimedHandler(BaseHTTPRequestHandler):
    """Requests of one connection, which ends where the client keeps us waiting.

    The standard library limits each read alone, so that a byte now and then holds a
    thread for ever.
    """

    timeout = SENDING_S  # of ``sendall`` in whole

    def setup(self) -> None:
        """Read by way of a deadline."""
        super().setup()
        self.rfile.close()
        self._incoming = _Incoming(self.connection)
        self._buffered = io.BufferedReader(self._incoming)
        self.rfile = self._buffered

    def handle_one_request(self) -> None:
        """Wait for a request and answer it."""
        self._incoming.must_end_in(IDLE_S)
        try:
            has_begun = bool(self._buffered.peek(1))
        except TimeoutError:
            has_begun = False
        if not has_begun:
            self.close_connection = True
            return
        self._incoming.must_end_in(REQUEST_S)
        super().handle_one_request()


class _Incoming(io.RawIOBase):
    """What a client sends, until a moment."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._end_s = 0.0

    def must_end_in(self, seconds: float) -> None:
        self._end_s = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the client is too slow")
        usual = self._connection.gettimeout()
        self._connection.settimeout(left_s)
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(usual)
