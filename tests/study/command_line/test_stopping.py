"""Signals reach a command wherever they meet it."""

import importlib
import signal
import sys
import time
from pathlib import Path

import pytest

from study.command_line import stopping


class Finalized:
    """Its end is where a signal arrives; what is raised there Python prints and forgets."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)


SIGNALS = pytest.mark.parametrize(
    "number, raised",
    [
        (signal.SIGINT, KeyboardInterrupt),
        (signal.SIGTERM, stopping.Stopped),
        (signal.SIGHUP, stopping.Stopped),
    ],
)


@SIGNALS
def test_a_signal_that_meets_a_finalizer_ends_the_command_all_the_same(
    number: int, raised: type[BaseException], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(raised) as caught, stopping.raising():
        forgotten = Finalized(number)
        del forgotten
        time.sleep(5)
    assert stopping.code(caught.value) == 128 + number
    assert capfd.readouterr().err == ""


@SIGNALS
def test_a_signal_that_meets_an_import_waits_for_its_end(
    number: int, raised: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = [
        "import signal, time", f"signal.raise_signal({int(number)})", "time.sleep(0.1)",
        "is_whole = True",
    ]  # fmt: skip
    (tmp_path / "interrupted.py").write_text("\n".join(module))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "interrupted", raising=False)
    loaded = None
    with pytest.raises(raised), stopping.raising():
        loaded = importlib.import_module("interrupted")
        time.sleep(5)
    assert loaded is not None and loaded.is_whole
