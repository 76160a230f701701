"""Whom a server's address lets in, and by which names it may be asked for."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from urllib.parse import urlsplit

_LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}
_EVERYWHERE = {"0.0.0.0", "::"}
# Of the blocks kept for documentation: they lie behind the default route, and no packet is sent.
_ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def knows(host: str, asked: str | None) -> bool:
    """Whether a request's Host header names this machine, and no name that a stranger owns.

    A page of a stranger can make its own name lead here (DNS rebinding), but not an
    address, nor this machine's name.

    Args:
        host: the address that the server listens on.
        asked: the header; None or nonsense names nobody.
    """
    try:
        name = urlsplit(f"//{asked or ''}").hostname or ""
    except ValueError:  # half a bracket
        return False
    if name in _LOCAL_NAMES or name == host:
        return True
    return is_open(host) and (_is_address(name) or name == socket.gethostname())


def is_open(host: str) -> bool:
    """Whether other machines can reach a server that listens on an address."""
    is_loopback = _is_address(host) and ipaddress.ip_address(host).is_loopback
    return host not in _LOCAL_NAMES and not is_loopback


def url(host: str, port: int) -> str:
    """Where a browser on this machine finds the server."""
    return _url("127.0.0.1" if host in _EVERYWHERE else host, port)


def urls_from_elsewhere(host: str, port: int) -> list[str]:
    """Where browsers on other machines find it; empty where no network is up."""
    if host not in _EVERYWHERE:
        return [_url(host, port)]
    families = [socket.AF_INET] if host == "0.0.0.0" else [socket.AF_INET, socket.AF_INET6]
    return [_url(own, port) for family in families if (own := _own_address(family))]


def _own_address(family: socket.AddressFamily) -> str | None:
    """This machine's address on the network that its default route leads to."""
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((_ELSEWHERE[family], 9))
        return str(probe.getsockname()[0])
    return None


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
