"""A report on a local address, so that browsers let it use the sound card."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class _Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, to this machine alone, without a line a request."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def end_headers(self) -> None:
        """Let browsers ask again after a report was built anew."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def send_head(self) -> Any:
        """Refuse whoever came by another name than this machine's, such as a page elsewhere."""
        host = (self.headers.get("Host") or "").rpartition(":")[0]
        if host not in ("localhost", "127.0.0.1"):
            self.send_error(403)
            return None
        return super().send_head()


def server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """A server of the folder, on a free port unless one is named; it has to be set going."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(folder)))


def address(own: ThreadingHTTPServer) -> str:
    """Of its page."""
    return f"http://localhost:{own.server_address[1]}/index.html"
