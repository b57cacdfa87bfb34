"""Notices that a registry's files have changed, once whoever writes them is done.

A change is a different signature (time, size, inode) of any file or of a folder that holds
one. It counts when the files have rested for a moment and, where the system can say so
(Linux leases), when nobody has them open for writing: a file that is half written is not read.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

#: Seconds between two looks.
TICK = 0.25

#: How far behind the clock a file's time may be, in nanoseconds.
ROUNDING = 20_000_000

Signature = tuple[tuple[str, int, int, int], ...]


def signature(paths: Iterable[Path]) -> Signature:
    """Return what tells one state of the files (and their folders) from another."""
    found = []
    for path in sorted({*paths, *(path.parent for path in paths)}):
        with contextlib.suppress(OSError):
            status = path.stat()
            found.append((str(path), status.st_mtime_ns, status.st_size if path.is_file() else 0, status.st_ino))
    return tuple(found)


def touched_since(paths: Iterable[Path], began: int) -> bool:
    """Say whether a file may have changed after `began` (nanoseconds since 1970; file systems round down)."""
    try:
        return any(path.stat().st_mtime_ns >= began - ROUNDING for path in paths)
    except OSError:
        return True


def being_written(path: Path) -> bool:
    """Say whether some process has the file open for writing; False where nobody can tell."""
    if not hasattr(fcntl, "F_SETLEASE") or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


class Follower:
    """A daemon thread that calls `changed` after the files have changed, and `tick` at every look.

    `paths` says which files make up the registry now; `known` is the signature of the state already served.
    """

    def __init__(
        self,
        paths: Callable[[], Iterable[Path]],
        known: Signature,
        changed: Callable[[], None],
        tick: Callable[[], None],
    ) -> None:
        self._paths = paths
        self._known = self._seen = known
        self._changed = changed
        self._tick = tick
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="registry-follower", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking and wait for the thread to end."""
        self._stop.set()
        self._thread.join()

    def look(self) -> None:
        """Look once: a change must be seen twice alike before it counts."""
        paths = tuple(self._paths())
        now = signature(paths)
        rested, self._seen = now == self._seen, now
        if rested and now != self._known and not any(map(being_written, paths)):
            self._known = now
            self._changed()

    def _run(self) -> None:
        while not self._stop.wait(TICK):
            for step in (self.look, self._tick):
                try:
                    step()
                except Exception:
                    # One look that fails, for whatever reason, must not be the last.
                    logging.getLogger(__name__).exception("following the registry's files")
