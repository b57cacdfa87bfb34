"""A raw-socket HTTP client: sends exactly the bytes it is given and reads one answer at a time.

    with RawClient("127.0.0.1", port) as client:
        client.send(b"POST /call HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
        answer = client.read()
        assert answer.status == 401 and answer.json()["error"]
        assert client.is_closed_by_server()

Every read is bounded by `timeout` seconds and ends in TimeoutError; an answer that is cut
short ends in EOFError.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.strict_json import strict_json

Pairs = tuple[tuple[str, str], ...]


class Wire:
    """A connected socket, read as HTTP/1.1 messages byte for byte."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._ahead = b""

    def _more(self) -> None:
        chunk = self.sock.recv(65536)
        if not chunk:
            raise EOFError(f"the other side closed after {self._ahead[-80:]!r}")
        self._ahead += chunk

    def until(self, mark: bytes) -> bytes:
        """Return everything up to and including `mark`."""
        while (at := self._ahead.find(mark)) < 0:
            self._more()
        return self.exactly(at + len(mark))

    def exactly(self, size: int) -> bytes:
        """Return `size` bytes."""
        while len(self._ahead) < size:
            self._more()
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        return taken

    def rest(self) -> bytes:
        """Return everything until the other side closes."""
        try:
            while True:
                self._more()
        except EOFError:
            return self.exactly(len(self._ahead))

    def chunks(self) -> tuple[bytes, bytes]:
        """Return a chunked body decoded, and as it came."""
        decoded, raw = b"", b""
        while True:
            line = self.until(b"\r\n")
            size = int(line.split(b";")[0], 16)
            data = self.exactly(size + 2) if size else self._trailers()
            raw += line + data
            if not size:
                return decoded, raw
            decoded += data[:-2]

    def _trailers(self) -> bytes:
        raw = b""
        while not raw.endswith(b"\r\n\r\n") and raw != b"\r\n":
            raw += self.until(b"\r\n")
        return raw


def pairs(lines: Sequence[bytes]) -> Pairs:
    """Split header lines into names and values, order and case kept."""
    split = (line.decode("latin-1").partition(":") for line in lines if line)
    return tuple((name, value.strip()) for name, _, value in split)


def find(headers: Pairs, name: str) -> str | None:
    """Return the header's values joined by a comma and a space, None without one."""
    values = [value for key, value in headers if key.lower() == name.lower()]
    return ", ".join(values) if values else None


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """One answer as it came; `head` holds the bytes of the status line and the headers."""

    status: int
    reason: str
    headers: Pairs
    body: bytes
    head: bytes

    def header(self, name: str) -> str | None:
        """Return one header whatever its case."""
        return find(self.headers, name)

    def json(self) -> Any:
        """Return the body as JSON."""
        return strict_json(self.body)


class RawClient:
    """One connection to `host:port`; with `tls`, through that context as `host`."""

    def __init__(self, host: str, port: int, *, timeout: float = 10.0, tls: ssl.SSLContext | None = None) -> None:
        sock = socket.create_connection((host, port), timeout=timeout)
        self._wire = Wire(tls.wrap_socket(sock, server_hostname=host) if tls else sock)

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._wire.sock.close()

    def send(self, data: bytes) -> RawClient:
        """Send these bytes and nothing else."""
        self._wire.sock.sendall(data)
        return self

    def end(self) -> RawClient:
        """Say that nothing more will be sent, and stay to read."""
        self._wire.sock.shutdown(socket.SHUT_WR)
        return self

    def read(self, *, head_only: bool = False) -> RawAnswer:
        """Read one final answer, interim ones (1xx) skipped; `head_only` for an answer to HEAD."""
        while True:
            head = self._wire.until(b"\r\n\r\n")
            first, *lines = head.split(b"\r\n")
            status, _, reason = first.decode("latin-1").partition(" ")[2].partition(" ")
            if not status.startswith("1"):
                break
        headers = pairs(lines)
        bodyless = head_only or status in ("204", "304")
        return RawAnswer(int(status), reason, headers, b"" if bodyless else self._body(headers), head)

    def _body(self, headers: Pairs) -> bytes:
        if (find(headers, "Transfer-Encoding") or "").lower() == "chunked":
            return self._wire.chunks()[0]
        length = find(headers, "Content-Length")
        return self._wire.rest() if length is None else self._wire.exactly(int(length))

    def is_closed_by_server(self) -> bool:
        """Wait for the server to close; False if it sends more or keeps the connection for `timeout`."""
        try:
            return self._wire.sock.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


def exchange(host: str, port: int, data: bytes, *, timeout: float = 10.0) -> RawAnswer:
    """Send `data` over a connection of its own and return the answer."""
    with RawClient(host, port, timeout=timeout) as client:
        return client.send(data).read()
