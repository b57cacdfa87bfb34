"""The demo CRM as a process of its own: `python -m bridge.demo FD`.

FD is a listening socket that the parent made; the API key is the first line of
standard input. The process ends when standard input does, so it never outlives its
parent, however that one ended.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading

from bridge.demo.crm import Crm
from bridge.demo.server import ThreadedServer


def main(descriptor: int) -> None:
    """Serve until standard input is closed."""
    # Ctrl-C reaches the whole process group; the parent decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    key = sys.stdin.readline().strip()
    with ThreadedServer(Crm(key), socket.socket(fileno=descriptor)) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        sys.stdin.read()
        server.shutdown()
        serving.join()


if __name__ == "__main__":
    main(int(sys.argv[1]))
