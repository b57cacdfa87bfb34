"""A load generator for machines without wrk: `python -m benchmarks.client PORT CONNECTIONS SECONDS FILE METHOD STATUS MARKER [NAME=VALUE...]`.

The same file of requests, the same judgement and the same last line as load.lua; about a fifth of wrk's speed.
"""  # noqa: E501

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any


def prepared(file: Path, method: str, port: int, headers: list[str]) -> list[bytes]:
    """Every request of the file as bytes."""
    fixed = "".join(f"{name}: {value}\r\n" for name, _, value in (header.partition("=") for header in headers))
    found = []
    for line in file.read_text().splitlines():
        target, _, body = line.partition("\t")
        length = f"Content-Length: {len(body.encode())}\r\n" if body else ""
        head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{fixed}{length}\r\n"
        found.append(head.encode() + body.encode())
    return found


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    """Status, head in small letters, body of one answer with Content-Length or chunks."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    if b"content-length:" in head:
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        return status, head, await reader.readexactly(length)
    body = b""
    while b"transfer-encoding: chunked" in head:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        body += (await reader.readexactly(size + 2))[:-2]
        if size == 0:
            break
    return status, head, body


class Tally:
    """Counts and times of one load."""

    def __init__(self, expected: int, marker: bytes) -> None:
        self.expected = expected
        self.marker = marker
        self.counts = {"right": 0, "shed": 0, "wrong": 0, "lost": 0}
        self.times: list[float] = []
        self.example = ""

    def judge(self, status: int, head: bytes, body: bytes) -> None:
        """Count one answer."""
        if status == self.expected and self.marker in body:
            self.counts["right"] += 1
        elif status == 503 and b"retry-after:" in head:
            self.counts["shed"] += 1
        else:
            self.counts["wrong"] += 1
            self.example = self.example or f"{status} {body[:200].decode(errors='replace')}"

    def line(self, seconds: float) -> dict[str, Any]:
        """What load.lua prints."""
        times = sorted(self.times) or [0.0]
        p50, p99 = (times[int(len(times) * part)] * 1e3 for part in (0.5, 0.99))
        return {"seconds": seconds, **self.counts, "p50_ms": p50, "p99_ms": p99, "example": self.example}


async def caller(port: int, requests: itertools.cycle[bytes], tally: Tally) -> None:
    """Ask over one connection until cancelled; a lost connection is counted and opened again."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while True:
                began = time.perf_counter()
                writer.write(next(requests))
                answer = await read_answer(reader)
                tally.times.append(time.perf_counter() - began)
                tally.judge(*answer)
        except (OSError, asyncio.IncompleteReadError):
            tally.counts["lost"] += 1
        finally:
            writer.close()


async def load(port: int, connections: int, seconds: float, requests: list[bytes], tally: Tally) -> float:
    """Run the callers for this long; the seconds it really took."""
    began, turn = time.perf_counter(), itertools.cycle(requests)
    callers = [asyncio.create_task(caller(port, turn, tally)) for _ in range(connections)]
    done, _ = await asyncio.wait(callers, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    took = time.perf_counter() - began
    for task in callers:
        task.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    for task in done:
        task.result()
    return took


if __name__ == "__main__":
    port, connections, seconds, file, method, expected, marker, *headers = sys.argv[1:]
    tally = Tally(int(expected), marker.encode())
    requests = prepared(Path(file), method, int(port), headers)
    took = asyncio.run(load(int(port), int(connections), float(seconds), requests, tally))
    print(json.dumps(tally.line(took)))
