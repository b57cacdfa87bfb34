"""Connections that are lent to one call at a time; their number is a backend's bulkhead.

Made when first needed and never before a fork: a child starts with an empty pool and keeps what it inherited
unclosed, because closing a TLS connection there would end it for the parent too. The one given back last is
lent first, so that a quiet backend keeps few connections warm.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from threading import Condition
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from bridge.errors import Overloaded

#: Longest wait for a free connection, in seconds.
PATIENCE = 1.0


class Closable(Protocol):
    """What a pool lends: one connection, or what holds one."""

    def close(self) -> None:
        """Close the connection."""


L = TypeVar("L", bound=Closable)


class Pool(Generic[L]):
    """At most `size` lines from `make`, each in one caller's hands."""

    def __init__(self, size: int, make: Callable[[], L]) -> None:
        self._size = size
        self._make = make
        self._closed = False
        self._start()
        _pools.add(self)

    def _start(self) -> None:
        self._idle: list[L] = []
        self._lent = self._waiting = 0
        self._returned = Condition()

    def take(self, deadline: float) -> L:
        """Lend a line; wait for one at most a second and not past `deadline`, then raise Overloaded.

        At most half as many wait as there are lines: whoever waits holds a thread that other backends could use.
        """
        with self._returned:
            if self._lent >= self._size and not self._wait(deadline):
                raise Overloaded(retry_after=PATIENCE, log=f"all {self._size} connections of the backend are in use")
            line = self._idle.pop() if self._idle else self._make()
            self._lent += 1
            return line

    def _wait(self, deadline: float) -> bool:
        if self._waiting >= max(1, self._size // 2):
            return False
        patience = min(PATIENCE, deadline - time.monotonic())
        self._waiting += 1
        try:
            return self._returned.wait_for(lambda: self._lent < self._size, patience)
        finally:
            self._waiting -= 1

    def give(self, line: L) -> None:
        """Take a line back."""
        with self._returned:
            self._lent -= 1
            if self._closed:
                line.close()
            else:
                self._idle.append(line)
            self._returned.notify()

    def close(self) -> None:
        """Close what is idle now, what is lent when it comes back; a late call gets a line of its own."""
        with self._returned:
            self._closed = True
            while self._idle:
                self._idle.pop().close()

    def forget(self) -> None:
        """Begin anew in a forked child."""
        _inherited.append(self._idle)
        self._start()


_pools: WeakSet[Pool[Any]] = WeakSet()
_inherited: list[Any] = []


def _begin_anew() -> None:
    for pool in _pools:
        pool.forget()


os.register_at_fork(after_in_child=_begin_anew)
