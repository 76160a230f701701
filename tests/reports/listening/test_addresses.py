import pytest

from reports.listening import addresses
from reports.listening.addresses import knows

BROKEN = ["[::1", "::1]", "[", "[]", "[v1.x]:80", "127.0.0.1]", "a@b:c", "\x00"]


def test_host_names_of_strangers_are_refused() -> None:
    for host in ("localhost:8321", "127.0.0.1", "[::1]:80"):
        assert knows("127.0.0.1", host) and knows("0.0.0.0", host)
    assert knows("0.0.0.0", "192.168.1.7:8321") and not knows("127.0.0.1", "192.168.1.7:8321")
    for stranger in ("evil.example", "localhost.evil.example", "", None, *BROKEN):
        assert not knows("127.0.0.1", stranger) and not knows("0.0.0.0", stranger)


@pytest.mark.parametrize(
    ("host", "is_open"),
    [("127.0.0.1", False), ("localhost", False), ("::1", False), ("127.8.0.1", False),
     ("0.0.0.0", True), ("::", True), ("192.168.1.7", True), ("studio", True)],
)  # fmt: skip
def test_whom_an_address_lets_in(host: str, is_open: bool) -> None:
    assert addresses.is_open(host) == is_open


def test_where_others_find_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    assert addresses.urls_from_elsewhere("fe80::1", 1) == ["http://[fe80::1]:1/"]
    for url in addresses.urls_from_elsewhere("0.0.0.0", 8321):
        assert "0.0.0.0" not in url and url.endswith(":8321/")

    def unreachable(self: object, address: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr("socket.socket.connect", unreachable)
    assert addresses.urls_from_elsewhere("::", 1) == []
