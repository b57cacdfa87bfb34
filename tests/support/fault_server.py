"""A raw-socket HTTP server that misbehaves exactly as told, and remembers what it was sent.

A script is a list of steps. A step is bytes (sent as they are), a number (seconds to wait) or one
of the functions below (`CLOSE`, `RESET`, `HANG`, `READ`, `drip`, `flood`, or any function that takes the
`Connection`). After the last step the connection is kept alive and the next request is read.

    with FaultServer() as server:
        server.on("/ok", answer(200, b"{}", ("Content-Type", "application/json")))
        server.on("/half", b"HTTP/1.1 200 OK\\r\\nContent-Le", RESET)
        server.on("/once", CLOSE, times=1)              # the first request only,
        server.on("/once", answer(200, b"now"))         # this one from the second on
        server.on("/echo", lambda connection: connection.send(answer(200, connection.request.body)))
        ... call server.url("/ok") ...
        assert server.requests[0].target == "/ok" and server.accepted == 1

`server.greet(*steps)` plays before anything is read on a connection: for a reset at accept, or, with
`READ` in it, for a whole conversation. A path is looked up without its query; the path `"*"`
answers for all that have no script. Whoever leaves the `with` block leaves no thread and no socket.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.support.raw_client import Pairs, Wire, find, pairs


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived: `raw` is every byte of it, `connection` counts from 1."""

    method: str
    target: str
    headers: Pairs
    body: bytes
    raw: bytes
    connection: int

    def header(self, name: str) -> str | None:
        """Return one header whatever its case, repeated ones joined by a comma, None without one."""
        return find(self.headers, name)


class _Over(Exception):  # noqa: N818 - not an error
    """The script ended the connection."""


class Connection:
    """One accepted connection; what a step that is a function gets."""

    def __init__(self, server: FaultServer, sock: socket.socket, number: int) -> None:
        self.server = server
        self.sock = sock
        self.number = number
        self.wire = Wire(sock)
        self.request: Received

    def send(self, data: bytes) -> None:
        """Send these bytes."""
        self.sock.sendall(data)

    def wait(self, seconds: float) -> None:
        """Wait, but not past the end of the server."""
        if self.server.stopping.wait(seconds):
            raise _Over

    def read(self) -> None:
        """Read one request and record it."""
        head = self.wire.until(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        method, target, _ = first.decode("latin-1").split(" ")
        headers = pairs(lines)
        if (find(headers, "Transfer-Encoding") or "").lower() == "chunked":
            body, raw = self.wire.chunks()
        else:
            body = raw = self.wire.exactly(int(find(headers, "Content-Length") or 0))
        self.request = Received(method, target, headers, body, head + raw, self.number)
        self.server.record(self.request)


Step = bytes | float | Callable[[Connection], object]


def READ(connection: Connection) -> None:
    """Read the next request."""
    connection.read()


def CLOSE(_: Connection) -> None:
    """Close in order (FIN)."""
    raise _Over


def RESET(connection: Connection) -> None:
    """Close with a reset (RST)."""
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise _Over


def HANG(connection: Connection) -> None:
    """Say nothing until the client leaves or the server stops."""
    while connection.sock.recv(65536):
        pass
    raise _Over


def drip(data: bytes, every: float) -> Step:
    """Send `data` one byte every so many seconds."""

    def step(connection: Connection) -> None:
        for byte in data:
            connection.send(bytes((byte,)))
            connection.wait(every)

    return step


def flood(data: bytes, every: float = 0.0) -> Step:
    """Send `data` again and again until the client leaves or the server stops."""

    def step(connection: Connection) -> None:
        while True:
            connection.send(data)
            connection.wait(every)

    return step


def answer(status: int, body: bytes = b"", *headers: tuple[str, str]) -> bytes:
    """Return a whole, well-formed answer with its Content-Length."""
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body


@dataclass(slots=True)
class _Script:
    steps: tuple[Step, ...]
    left: int | None


class FaultServer:
    """The server, on a free port of 127.0.0.1; with `tls`, every connection goes through that context."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.requests: list[Received] = []
        self.accepted = 0
        self.stopping = threading.Event()
        self._scripts: dict[str, list[_Script]] = {}
        self._greeting: tuple[Step, ...] = ()
        self._changed = threading.Condition()
        self._open: dict[threading.Thread, socket.socket] = {}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="fault-server")

    def __enter__(self) -> FaultServer:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, path: str = "/") -> str:
        """Return the absolute URL of a path."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{path}"

    def on(self, path: str, *steps: Step, times: int | None = None) -> None:
        """Play `steps` for requests to `path`; with `times` only that often, then the next script of the path."""
        self._scripts.setdefault(path, []).append(_Script(steps, times))

    def greet(self, *steps: Step) -> None:
        """Play `steps` on every new connection before a request is read."""
        self._greeting = steps

    def bodies(self, path: str | None = None) -> list[bytes]:
        """Return the bodies received, at one path or at all."""
        return [one.body for one in self.requests if path is None or one.target.partition("?")[0] == path]

    def wait_until(self, seen: Callable[[], bool], seconds: float = 10.0) -> None:
        """Return once `seen()` holds: `server.wait_until(lambda: len(server.requests) == 2)`."""
        with self._changed:
            assert self._changed.wait_for(seen, seconds), "the server did not see what was waited for"

    def connections(self) -> int:
        """Return how many connections are open now."""
        with self._changed:
            return len(self._open)

    def record(self, request: Received) -> None:
        """Remember a request."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def stop(self) -> None:
        """Close everything and wait for every thread."""
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Close every open connection and wait for its thread; new ones are still accepted."""
        with self._changed:
            threads = dict(self._open)
        for sock in threads.values():
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                self.accepted += 1
                thread = threading.Thread(target=self._serve, args=(sock, self.accepted), name="fault-connection")
                self._open[thread] = sock
                self._changed.notify_all()
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            with contextlib.suppress(_Over, EOFError, OSError):
                self._converse(sock, number)
        finally:
            with self._changed:
                self._open.pop(threading.current_thread()).close()
                self._changed.notify_all()

    def _converse(self, plain: socket.socket, number: int) -> None:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self, self._secured(plain) if self.tls else plain, number)
        self._play(connection, self._greeting)
        while True:
            connection.read()
            self._play(connection, self._script(connection.request.target.partition("?")[0]))

    def _secured(self, plain: socket.socket) -> ssl.SSLSocket:
        assert self.tls
        secured = self.tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        with self._changed:
            self._open[threading.current_thread()] = secured
        secured.do_handshake()
        return secured

    def _script(self, path: str) -> tuple[Step, ...]:
        with self._changed:
            scripts = self._scripts.get(path) or self._scripts.get("*") or ()
            for script in scripts:
                if script.left is None:
                    return script.steps
                if script.left:
                    script.left -= 1
                    return script.steps
        return (answer(404, f"no script for {path}".encode()),)

    def _play(self, connection: Connection, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if isinstance(step, bytes):
                connection.send(step)
            elif isinstance(step, (int, float)):
                connection.wait(step)
            else:
                step(connection)


def refused_port() -> int:
    """Return a port of 127.0.0.1 where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """Yield a port whose queue is full, so that nobody's connection is taken up (Linux drops the SYN)."""
    with socket.socket() as listener, contextlib.ExitStack() as queued:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = queued.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Say whether `holds()` comes true within so many seconds."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True
