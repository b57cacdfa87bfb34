"""The demo CRM as a process lives exactly as long as its parent wants it."""

from __future__ import annotations

import socket
import subprocess
import sys
from http.client import HTTPConnection


def _ask(port: int, key: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/v1/customers/C-1001", headers={"Authorization": f"Bearer {key}"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_it_serves_on_the_socket_it_was_given_and_ends_with_its_standard_input() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        descriptor = listener.fileno()
        command = [sys.executable, "-m", "bridge.demo", str(descriptor)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[descriptor], text=True
        )
    with process:
        process.stdin.write("sesame\n")
        process.stdin.flush()
        assert _ask(port, "sesame") == 200
        assert _ask(port, "demo-key") == 401
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
