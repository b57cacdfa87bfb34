"""The HTTP API behind the tools, on the load generator's core: nginx for speed, a stand-in where it must be slow."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from benchmarks.processes import Server, Stage, free_port
from benchmarks.traffic import DIRECT, MARKER, wrong

PROJECT = Path(__file__).parent.parent

_CONFIGURATION = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000; keepalive_timeout 3600;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {content}
}}
"""
_ANSWERING = """
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location ~ ^(/v[0-9]+)?/customers/(?<id>[^/]+)$ {{
            default_type application/json;
            return 200 '{{"id": "$id", "name": "{marker}", "region": "$arg_region", "limit": $arg_limit}}';
        }}
    }}
"""
_PASSING = """
    upstream behind {{ server 127.0.0.1:{behind}; keepalive 64; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location / {{ proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
"""


def has_nginx() -> bool:
    """Whether nginx is installed (Debian keeps it where only root's PATH looks)."""
    return _nginx() is not None


def _nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")


def _start_nginx(stage: Stage, name: str, port: int, content: str, core: int) -> Server:
    folder = stage.file("")
    folder.mkdir()
    file = folder / "nginx.conf"
    file.write_text(_CONFIGURATION.format(folder=folder, content=content))
    server = stage.start(name, [str(_nginx()), "-c", str(file), "-p", str(folder)], port, core=core)
    server.wait_for(lambda: wrong(port, DIRECT, 10), 10)
    return server


def fast(stage: Stage) -> Server:
    """A backend that answers at once: nginx, or the stand-in where nginx is missing."""
    if not has_nginx():
        return slow(stage, 0)
    port = free_port()
    content = _ANSWERING.format(port=port, marker=MARKER)
    return _start_nginx(stage, "backend", port, content, stage.load_core)


def slow(stage: Stage, seconds: float) -> Server:
    """A backend that answers `seconds` after the question."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.standin", str(port), str(seconds)]
    server = stage.start("backend", command, port, core=stage.load_core, folder=PROJECT)
    server.wait_for(lambda: wrong(port, DIRECT, 10), 10)
    return server


def proxy(stage: Stage, behind: int) -> Server:
    """nginx passing everything on to another port: the least a hop can cost."""
    port = free_port()
    content = _PASSING.format(port=port, behind=behind)
    return _start_nginx(stage, "nginx proxy_pass", port, content, stage.server_core)
