"""How a program ends when it is told to: Ctrl-C, SIGTERM, a terminal that closes.

While a command works each of them raises, so that what is half done is removed. Before that
(imports take seconds) and after it there is nothing to remove: the process leaves at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ASKED = (signal.SIGTERM, signal.SIGHUP)

_received: int | None = None  # the last signal that raised while a command worked


class Stopped(SystemExit):
    """Raised where a command is at work by SIGTERM and SIGHUP; its code is a shell's for them."""


def leave_quietly() -> None:
    """Let Ctrl-C end the process without a traceback: a program's first line, before imports."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


@contextmanager
def raising() -> Iterator[None]:
    """Let signals raise ``KeyboardInterrupt`` and ``Stopped``, but those that are ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    global _received
    _received = None
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *_ASKED)}
    if before[signal.SIGINT] in (_leave, signal.default_int_handler):
        signal.signal(signal.SIGINT, _interrupt)
    for number in _ASKED:
        if before[number] is signal.SIG_DFL:  # nohup has SIGHUP ignored, and it stays so
            signal.signal(number, _stop)
    unraisable = sys.unraisablehook
    sys.unraisablehook = _raising_again(unraisable)
    try:
        yield
    finally:
        sys.unraisablehook = unraisable
        for number, handler in before.items():
            signal.signal(number, handler)


def code(error: BaseException) -> int | None:
    """The exit code after an error that a signal was, or that followed from one; else None.

    A terminal that is gone, for instance, cannot be told of its own end; and a library that a
    signal meets in its imports may take it for one that is not installed.
    """
    if _received is not None:
        return 128 + _received
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KeyboardInterrupt):
            return 128 + signal.SIGINT
        if isinstance(cause, Stopped):
            return int(str(cause.code))
        cause = cause.__context__
    return None


def _raising_again(
    otherwise: Callable[[sys.UnraisableHookArgs], object],
) -> Callable[[sys.UnraisableHookArgs], None]:
    """A hook for what Python cannot raise: a signal of ours that met ``__del__`` comes again.

    Python prints and forgets what is raised in finalizers and in the garbage collector's
    callbacks (JAX has one), where a signal arrives as anywhere else.
    """

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt | Stopped) or _received is None:
            otherwise(unraisable)
            return
        if _received in _ASKED:
            signal.signal(_received, _stop)
        _send_again(_received)

    return hook


def _send_again(number: int) -> None:
    """Let a signal come again a moment later.

    From another thread: sent from this one it would arrive before what is to pass.
    """
    threading.Timer(0.01, signal.pthread_kill, [threading.get_ident(), number]).start()


def _is_importing(frame: FrameType | None) -> bool:
    """Whether a module is being loaded, whose native code may crash if it is interrupted."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if _is_taken(number, frame):
        raise KeyboardInterrupt


def _stop(number: int, frame: FrameType | None) -> None:
    if _is_taken(number, frame):
        for asked in _ASKED:  # a second one must not disturb the tidying up
            signal.signal(asked, signal.SIG_IGN)
        raise Stopped(128 + number)


def _is_taken(number: int, frame: FrameType | None) -> bool:
    """Whether a signal may raise here; else it comes again. Noted in either case."""
    global _received
    _received = number
    if _is_importing(frame):
        _send_again(number)
        return False
    return True
