"""Signals reach a command wherever they meet it."""

import signal
import time

import pytest

from study.command_line import stopping


class Finalized:
    """Its end is where a signal arrives; what is raised there Python prints and forgets."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)


@pytest.mark.parametrize(
    "number, raised",
    [
        (signal.SIGINT, KeyboardInterrupt),
        (signal.SIGTERM, stopping.Stopped),
        (signal.SIGHUP, stopping.Stopped),
    ],
)
def test_a_signal_that_meets_a_finalizer_ends_the_command_all_the_same(
    number: int, raised: type[BaseException], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(raised) as caught, stopping.raising():
        forgotten = Finalized(number)
        del forgotten
        time.sleep(5)
    assert stopping.code(caught.value) == 128 + number
    assert capfd.readouterr().err == ""
