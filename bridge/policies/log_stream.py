"""Where log lines go: never in the way of a call.

A log is an aid. A full disk, a reader that has gone or one that has stopped reading must not fail
a call that worked, nor hold it up, so a line that cannot be written at once is dropped and counted. A
line goes out in one write, so lines of threads and processes do not mix.
"""

from __future__ import annotations

import os
import select
import stat
from contextlib import suppress
from threading import Lock


class LogStream:
    """Writes whole lines to a file descriptor. `lost` counts those that could not be written."""

    def __init__(self, fd: int) -> None:
        self.lost = 0
        self._torn = False
        self._fd = fd
        self._own: int | None = None
        self._lock = Lock()
        self._poll = select.poll()

    def __call__(self, line: str) -> None:
        """Write one line at once, or drop it. Never raises and never waits."""
        with self._lock:
            raw = b"\n" * self._torn + line.encode("ascii", "backslashreplace")
            try:
                written = self._write(raw)
            except (OSError, ValueError):
                written = 0
            self.lost += written < len(raw)
            self._torn = 0 < written < len(raw) or (self._torn and not written)

    def _write(self, raw: bytes) -> int:
        if self._own is None:
            self._own = _unblocked(self._fd)
            self._poll.register(self._own, select.POLLOUT)
        if not self._poll.poll(0):
            return 0
        return os.write(self._own, raw)


def _unblocked(fd: int) -> int:
    """Return a descriptor for the same place whose writes do not wait, where that is needed and can be had.

    A pipe is opened anew, since the flag on the given descriptor would hold for everybody who shares it. A
    regular file does not wait, and opened anew it would have a place to write of its own.
    """
    if stat.S_ISFIFO(os.fstat(fd).st_mode):
        with suppress(OSError):
            return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return fd
