"""What the twins of one world share: block time, storage that can be undone, and the event log.

A reverted call leaves nothing behind. Storage lies in ``Table`` and ``Cell``, which write down each
value they replace; ``external`` makes a method a call that is undone as a whole when it raises.
Calls nest, so that a callee that catches a revert sees what a contract would.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Generic, NamedTuple, ParamSpec, TypeVar

from bulkhead.model.types import Address

K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R")
P = ParamSpec("P")

_MISSING: Any = object()


class Event(NamedTuple):
    """A log entry: Solidity's event and argument names, structs as dataclasses."""

    name: str
    args: dict[str, object]
    emitter: Address


class Context:
    """Block time in Unix seconds, event log, undo log and the callbacks of buyers.

    ``callees`` maps an address to what its ``onAuctionTake(token, amountTokens, paymentTokens,
    data)`` does; an address that is not in it has no code.
    """

    def __init__(self, now: int) -> None:
        self.now = now
        self.events: list[Event] = []
        self.callees: dict[Address, Callable[[Address, int, int, bytes], None]] = {}
        self.undo: list[tuple[Any, Any, Any]] = []
        self._depth = 0

    def keep(self) -> None:
        """From now on keep what undoes each write, for ``rewind``."""
        self.undo.clear()
        self.events.clear()
        self._depth = 1

    def rewind(self) -> None:
        """Undo everything since ``keep``; the time is not storage."""
        self._roll_back(0, 0)

    def execute(self, call: Callable[[], R]) -> R:
        """Return what ``call`` returns; if it raises, undo its writes and events."""
        writes, events = len(self.undo), len(self.events)
        self._depth += 1
        try:
            result = call()
        except BaseException:
            self._roll_back(writes, events)
            raise
        finally:
            self._depth -= 1
        if self._depth == 0:
            self.undo.clear()
        return result

    def _roll_back(self, writes: int, events: int) -> None:
        while len(self.undo) > writes:
            place, key, old = self.undo.pop()
            if isinstance(place, Cell):
                place.value = old
            elif old is _MISSING:
                dict.pop(place, key)
            else:
                dict.__setitem__(place, key, old)
        del self.events[events:]


class Table(dict[K, V]):
    """A mapping of storage."""

    __slots__ = ("_undo",)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._undo = context.undo

    def __setitem__(self, key: K, value: V) -> None:
        self._undo.append((self, key, self.get(key, _MISSING)))
        super().__setitem__(key, value)

    def __delitem__(self, key: K) -> None:
        self._undo.append((self, key, self[key]))
        super().__delitem__(key)


class Cell(Generic[V]):
    """A variable of storage; read ``value``, write with ``set``."""

    __slots__ = ("_undo", "value")

    def __init__(self, context: Context, value: V) -> None:
        self._undo = context.undo
        self.value = value

    def set(self, value: V) -> None:
        """Replace the value."""
        self._undo.append((self, None, self.value))
        self.value = value


class Contract:
    """A twin: an address, a context and a way to log."""

    def __init__(self, context: Context, address: Address) -> None:
        self._context = context
        self.address = address

    def _emit(self, name: str, **args: object) -> None:
        self._context.events.append(Event(name, args, self.address))


C = TypeVar("C", bound=Contract)


def external(method: Callable[Concatenate[C, P], R]) -> Callable[Concatenate[C, P], R]:
    """Make a method a call that leaves nothing behind when it raises."""

    @wraps(method)
    def call(self: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._context.execute(lambda: method(self, *args, **kwargs))

    return call
