"""A small asyncio backend that answers like the nginx one after a delay: `python -m benchmarks.standin PORT SECONDS`.

nginx cannot sleep, so slow backends are played by this; without nginx it plays the fast one too.
"""

from __future__ import annotations

import asyncio
import json
import sys
from urllib.parse import parse_qsl, urlsplit

from benchmarks.traffic import MARKER


def answer(target: str) -> bytes:
    """The whole HTTP answer to a GET of this target."""
    url = urlsplit(target)
    query = dict(parse_qsl(url.query))
    _, _, identity = url.path.partition("/customers/")
    if not identity or "limit" not in query:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    found = {"id": identity, "name": MARKER, "region": query.get("region"), "limit": int(query["limit"])}
    body = json.dumps(found).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class Standin(asyncio.Protocol):
    """One connection: requests without a body, answered in order, each `delay` seconds after it came."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        *heads, self.waiting = (self.waiting + data).split(b"\r\n\r\n")
        for head in heads:
            whole = answer(head.split(b" ", 2)[1].decode("latin-1"))
            asyncio.get_running_loop().call_later(self.delay, self._write, whole)

    def _write(self, whole: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(whole)


async def serve(port: int, delay: float) -> None:
    """Listen on loopback until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Standin(delay), "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
