"""The threads of a worker, each waiting for connections itself.

gunicorn's loop wakes up for a readable connection, hands it to a thread, and is woken up to take it
back: three changes of thread for a request. Here a connection at rest is watched by the kernel,
armed for one event, and whichever thread is free gets that event: 35 of 170 µs a request, measured.

A connection at rest stands in one table. Whoever takes it out of there owns it: a thread
because it has something to say, or the loop because its time is up. An event for a connection
that is not in the table has come too late and means nothing.

A connection whose call was shed rests in the table too, but is not listened to for a moment. Most
callers ask again at once, whatever `Retry-After` says, and refusing them again costs the time
that the calls in flight need: with three times the callers it took half of a core.
"""

from __future__ import annotations

import select
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from time import monotonic
from typing import Any, Protocol

#: Seconds for which a connection is not listened to after its call was shed; a tenth of what `Retry-After` asks for.
PAUSE_SECONDS = 0.1


class Connection(Protocol):
    """What the crew knows of a connection.

    `timeout` is the monotonic second at which its rest is over, `shed` says that its last call was,
    `ahead` that another request is there already.
    """

    sock: Any
    timeout: float
    shed: bool
    ahead: bool


if sys.platform == "linux":

    class Watch:
        """The kernel's list of descriptors at rest, each armed for one event."""

        def __init__(self) -> None:
            self._epoll = select.epoll()

        def add(self, fd: int) -> None:
            """Know a descriptor, without watching it yet."""
            self._epoll.register(fd, select.EPOLLONESHOT)

        def arm(self, fd: int, *, at_once: bool = False) -> None:
            """Watch until there is something to read, or let it come up after those that already are."""
            self._epoll.modify(fd, select.EPOLLIN | select.EPOLLONESHOT | (select.EPOLLOUT if at_once else 0))

        def wait(self, seconds: float | None) -> int | None:
            """Return a descriptor that can be read, None if there is none in time; it is not watched any more."""
            ready = self._epoll.poll(seconds, 1)
            return ready[0][0] if ready else None

else:

    class Watch:
        """The same with kqueue, for macOS."""

        def __init__(self) -> None:
            self._queue = select.kqueue()

        def add(self, fd: int) -> None:
            """Know a descriptor, without watching it yet."""

        def arm(self, fd: int, *, at_once: bool = False) -> None:
            """Watch until there is something to read, or let it come up after those that already are."""
            what = select.KQ_FILTER_WRITE if at_once else select.KQ_FILTER_READ
            event = select.kevent(fd, what, select.KQ_EV_ADD | select.KQ_EV_ONESHOT)
            self._queue.control([event], 0)

        def wait(self, seconds: float | None) -> int | None:
            """Return a descriptor that can be read, None if there is none in time; it is not watched any more."""
            ready = self._queue.control(None, 1, seconds)
            return int(ready[0].ident) if ready else None


class Crew:
    """So many threads that `serve` connections; one that is not to be kept is handed to `end`. Neither may raise.

    They are daemons: a process that has waited long enough for its calls can end.
    """

    def __init__(self, threads: int, serve: Callable[[Connection], bool], end: Callable[[Connection], None]) -> None:
        self._serve = serve
        self._end = end
        self._watch = Watch()
        self._resting: dict[int, Connection] = {}
        self._pausing: deque[tuple[float, int, Connection]] = deque()
        for number in range(threads):
            Thread(target=self._work, name=f"crew-{number}", daemon=True).start()

    def __len__(self) -> int:
        return len(self._resting)

    def welcome(self, connection: Connection) -> None:
        """Take a new connection."""
        fd = connection.sock.fileno()
        self._watch.add(fd)
        self._rest(fd, connection)

    def keep(self, connection: Connection) -> None:
        """Take a connection back that was handed to `end`."""
        self._rest(connection.sock.fileno(), connection)

    def hurry(self, deadline: float) -> None:
        """Let no connection rest for longer than until `deadline`."""
        for connection in tuple(self._resting.values()):
            connection.timeout = min(connection.timeout, deadline)

    def dismiss(self, now: float) -> list[Connection]:
        """Give back the connections that have rested long enough."""
        late = [fd for fd, connection in tuple(self._resting.items()) if connection.timeout <= now]
        taken = [(fd, self._resting.pop(fd, None)) for fd in late]
        for fd, connection in taken:
            if connection is not None and connection.timeout > now:  # it has been served since
                self._rest(fd, connection)
        return [connection for _, connection in taken if connection is not None and connection.timeout <= now]

    def shutdown(self, wait: bool = False) -> None:
        """Do nothing: the threads end with the process (gunicorn calls this)."""

    def resume(self) -> None:
        """Listen again to the connections whose pause is over; the threads do so between requests, the loop as well."""
        if not self._pausing:
            return
        with suppress(IndexError):  # another thread was faster
            while self._pausing[0][0] <= monotonic():
                _, fd, connection = self._pausing.popleft()
                if self._resting.get(fd) is connection:
                    with suppress(OSError):  # the loop has closed it since
                        self._watch.arm(fd)

    def _rest(self, fd: int, connection: Connection) -> None:
        self._resting[fd] = connection
        if connection.shed:
            self._pausing.append((monotonic() + PAUSE_SECONDS, fd, connection))
        else:
            with suppress(OSError):  # the loop may have closed it since it stands in the table
                self._watch.arm(fd, at_once=connection.ahead)

    def _work(self) -> None:
        while True:
            fd = self._watch.wait(PAUSE_SECONDS if self._pausing else None)
            self.resume()
            connection = None if fd is None else self._resting.pop(fd, None)
            if fd is None or connection is None:
                continue
            if self._serve(connection):
                self._rest(fd, connection)
            else:
                self._end(connection)
