"""Terminating signals as exceptions, so that ``with`` and ``finally`` tidy up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_FATAL = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))

_Handler = Callable[[int, FrameType | None], object] | int | None


@contextmanager
def exiting_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise ``SystemExit`` inside, as SIGINT raises ``KeyboardInterrupt``.

    Signals that are handled or ignored already stay so. Only the main thread can do this; in others
    it does nothing.
    """
    replaced: dict[int, _Handler] = {}
    if threading.current_thread() is threading.main_thread():
        for number in _FATAL:
            if signal.getsignal(number) == signal.SIG_DFL:
                replaced[number] = signal.signal(number, _raise_exit)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in replaced.items():
                signal.signal(number, handler)


def _raise_exit(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
