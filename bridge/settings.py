"""Every setting of a running bridge in one table; the only reader of the environment.

A setting is a row: name, variable, type, default, help. `serve --help`, docs/settings.md and
the test that compares them are made from the same rows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HOST = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?").fullmatch
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?").fullmatch


class SettingError(Exception):
    """A variable holds something that its setting cannot take."""


def _flag(text: str) -> bool:
    known = {"1": True, "true": True, "on": True, "yes": True, "0": False, "false": False, "off": False, "no": False}
    if text.lower() not in known:
        raise ValueError("write on or off")
    return known[text.lower()]


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _whole(text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 12 or not least <= int(text) <= most:
        raise ValueError(f"write a whole number from {least} to {most:,}")
    return int(text)


def _count(text: str) -> int:
    return _whole(text, 1, 1_000_000_000)


def _threads(text: str) -> int:
    return _whole(text, 1, 4_096)


def _port(text: str) -> int:
    return _whole(text, 0, 65_535)


def _hosts(text: str) -> tuple[str, ...]:
    names = _names(text)
    for name in names:
        if not _HOST(name):
            raise ValueError(f"{name!r} is no host name; write names like tools.example.com, without scheme or path")
    return names


def _origins(text: str) -> tuple[str, ...]:
    for origin in _names(text):
        if not _ORIGIN(origin):
            raise ValueError(f"{origin!r} is no origin; write origins like https://app.example.com, each by its name")
    return _names(text)


def _url(text: str) -> str:
    if not _ORIGIN(text.rstrip("/")):
        raise ValueError("write the address like https://tools.example.com")
    return text


def _engine(text: str) -> str:
    if text not in ("auto", "pycurl", "requests"):
        raise ValueError("write auto, pycurl or requests")
    return text


def _status(text: str) -> int | None:
    if text not in ("", "200"):
        raise ValueError("write 200 or leave it empty")
    return int(text) if text else None


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: `name` in code, `variable` in the environment, how it is read, and what it is for."""

    name: str
    variable: str
    read: Callable[[str], Any]
    default: Any
    help: str


TABLE: tuple[Setting, ...] = (
    Setting("registry", "TOOLBRIDGE_REGISTRY", Path, None, "The registry file to serve."),
    Setting("state", "TOOLBRIDGE_STATE", Path, None, "Folder for state (default: .toolbridge beside the registry)."),
    Setting("host", "TOOLBRIDGE_HOST", str, "127.0.0.1", "Address to listen on."),
    Setting("port", "PORT", _port, 5000, "Port to listen on."),
    Setting("workers", "TOOLBRIDGE_WORKERS", _count, 1, "Worker processes."),
    Setting("threads", "TOOLBRIDGE_THREADS", _threads, 64, "Threads per worker; threads minus 4 calls run at once."),
    Setting("max_body", "TOOLBRIDGE_MAX_BODY", _count, 1_048_576, "Largest request body, in bytes."),
    Setting("max_answer", "TOOLBRIDGE_MAX_ANSWER", _count, 5_242_880, "Largest decoded backend answer, in bytes."),
    Setting("allowed_hosts", "TOOLBRIDGE_ALLOWED_HOSTS", _hosts, (), "Host names this server answers for, by comma."),
    Setting("allowed_origins", "TOOLBRIDGE_ALLOWED_ORIGINS", _origins, (), "Origins that browsers may call from."),
    Setting("public_url", "TOOLBRIDGE_PUBLIC_URL", _url, None, "The address that clients see, behind a proxy."),
    Setting(
        "manifest_error_status", "TOOLBRIDGE_MANIFEST_ERROR_STATUS", _status, None,
        "200 answers coded errors of /api/execute with status 200, for old clients.",
    ),
    Setting("engine", "TOOLBRIDGE_ENGINE", _engine, "auto", "HTTP engine for backends: auto, pycurl or requests."),
    Setting("carrier", "TOOLBRIDGE_CARRIER", _flag, True, "Answer the hot POST routes in front of Flask."),
    Setting("reload", "TOOLBRIDGE_RELOAD", _flag, True, "Follow changes of the registry's files."),
    Setting("log", "TOOLBRIDGE_LOG", _flag, True, "Write one JSON line per call to standard error."),
)  # fmt: skip


class Settings:
    """The settings of one process; a row of `TABLE` is an attribute.

    `environ` is what `${NAME}` in a registry reads; nothing else looks at the environment.
    """

    registry: Path | None
    state: Path | None
    host: str
    port: int
    workers: int
    threads: int
    max_body: int
    max_answer: int
    allowed_hosts: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    public_url: str | None
    manifest_error_status: int | None
    engine: str
    carrier: bool
    reload: bool
    log: bool

    def __init__(self, environ: Mapping[str, str] | None = None, **given: Any) -> None:
        """Read the environment (this process's own unless one is passed); `given` wins over it."""
        self.environ: Mapping[str, str] = os.environ if environ is None else environ
        for row in TABLE:
            value = given.get(row.name)
            setattr(self, row.name, self._read(row) if value is None else value)

    def _read(self, row: Setting) -> Any:
        text = self.environ.get(row.variable)
        if text is None or text == "":
            return row.default
        try:
            return row.read(text)
        except ValueError as error:
            raise SettingError(f"{row.variable}={text!r}: {error}") from None

    @property
    def state_folder(self) -> Path:
        """Where this registry's state lives; the folder may not exist yet."""
        if self.state is not None:
            return self.state
        if self.registry is None:
            raise SettingError("TOOLBRIDGE_REGISTRY names no registry")
        return self.registry.resolve().parent / ".toolbridge"
