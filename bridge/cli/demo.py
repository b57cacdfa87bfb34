"""`toolbridge demo`: the demo CRM and the bridge in front of it, until Ctrl-C.

Both are processes of their own. The CRM gets a listening socket and a key that is made
here, and ends when its standard input does; the bridge is `toolbridge serve` over the example
registry, as anybody would run it, with its state in a folder that goes when the demo goes.
"""

from __future__ import annotations

import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import click

import bridge
from bridge.cli.reach import reach
from bridge.settings import Settings

Process = subprocess.Popen[bytes]

#: Seconds for the bridge to come up, and for it to finish what it is doing in the end.
STARTING, STOPPING = 30.0, 10.0

LINES = """
Behind it is a demo CRM; {registry} says what may be done with it.
Three calls to try in another terminal:

  curl -s {url}/api/manifest

  curl -s {url}/api/execute -H 'Content-Type: application/json' \\
    -d '{{"tool": "get_customer_profile", "parameters": {{"customer_id": "C-1001"}}}}'

  curl -s {url}/call -H 'Content-Type: application/json' \\
    -d '{{"name": "update_customer_notes", "arguments": {{"customer_id": "C-1001", "note": "Likes e-mail"}}}}'
"""


@click.command("demo")
@click.option("--port", type=click.IntRange(0, 65535), default=5000, show_default=True, help="0 takes a free one.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Worker processes.")
def command(port: int, workers: int) -> int:
    """Start a demo CRM with the bridge in front of it, and show three calls that work."""
    registry, port = example(), _free(port)
    signal.signal(signal.SIGTERM, _interrupt)
    url = f"http://127.0.0.1:{port}"
    try:
        with _crm() as environ, _bridge(registry, port, workers, environ) as process:
            _await(process, url)
            click.echo(LINES.format(registry=_near(registry), url=url))
            return _exit(process.wait())
    except KeyboardInterrupt:
        click.echo(err=True)
        return 0


def example() -> Path:
    """Return the example registry: inside an installed package, or beside it in a checkout."""
    package = Path(bridge.__file__).parent
    inside = package / "examples" / "crm.yaml"
    return inside if inside.is_file() else package.parent / "examples" / "crm.yaml"


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _free(port: int) -> int:
    try:
        with socket.create_server(("127.0.0.1", port)) as probe:
            return int(probe.getsockname()[1])
    except OSError:
        raise click.UsageError(f"Port {port} is taken; choose another with --port, or --port 0.") from None


@contextmanager
def _crm() -> Iterator[Mapping[str, str]]:
    """Run the CRM; yield the variables that lead the registry to it."""
    key = secrets.token_urlsafe(24)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        descriptor = listener.fileno()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        process = _start("bridge.demo", str(descriptor), stdin=subprocess.PIPE, pass_fds=[descriptor])
    keyhole = cast(IO[bytes], process.stdin)
    with _ended(process), keyhole:
        keyhole.write(f"{key}\n".encode())
        keyhole.flush()
        yield {"CRM_BASE_URL": address, "CRM_API_KEY": key}


@contextmanager
def _bridge(registry: Path, port: int, workers: int, environ: Mapping[str, str]) -> Iterator[Process]:
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    with tempfile.TemporaryDirectory(prefix="toolbridge-demo-") as state:
        more = {**Settings().environ, **environ, "TOOLBRIDGE_STATE": state}
        with _ended(_start("bridge", "serve", str(registry), *options, env=more)) as process:
            yield process


def _start(module: str, *arguments: str, **how: Any) -> Process:
    # -P: what lies in the current folder is not what is meant by the module's name.
    return subprocess.Popen([sys.executable, "-P", "-m", module, *arguments], **how)  # noqa: S603 - our own modules


@contextmanager
def _ended(process: Process) -> Iterator[Process]:
    """Yield the process, and end it with the block."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOPPING)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()


def _await(process: Process, url: str) -> None:
    """Return as soon as the bridge answers. Raises click.ClickException where it does not."""
    until = time.monotonic() + STARTING
    with reach(url) as running:
        while time.monotonic() < until and process.poll() is None:
            try:
                running.ask("GET", "/health/live")
            except click.ClickException:
                time.sleep(0.05)
            else:
                return
    raise click.ClickException("The bridge did not start.")


def _exit(code: int) -> int:
    return code if code >= 0 else 128 - code


def _near(path: Path) -> Path:
    """Return the path as it is best shown: from here, if it is below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
