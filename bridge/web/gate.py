"""Which host names, origins and addresses may speak to this server.

A browser on the operator's own machine can be made to send requests to a loopback
address by any page it shows (DNS rebinding). Such a request names the page's host in
`Host` and its site in `Origin`, so both are checked, each by itself. A proxy on the same machine
comes from loopback too: it needs its host name in the settings. `X-Forwarded-*` is never
looked at: whoever sends a request can write it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit
from wsgiref.types import WSGIEnvironment

from bridge.core.model import Registry
from bridge.errors import ForbiddenOrigin, WrongHost
from bridge.settings import Settings

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

#: RFC 9110 section 7.2: a name or address and perhaps a port.
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::[0-9]{1,5})?", re.ASCII)


@lru_cache(maxsize=1024)
def host_name(authority: str) -> str | None:
    """Return the host of `host[:port]` in lower case, None where it is none (userinfo, spaces, nothing)."""
    match = _HOST.fullmatch(authority.lower())
    return match[1].removesuffix(".") if match else None


@lru_cache(maxsize=1024)
def is_loopback(address: str) -> bool:
    """Say whether an address is this machine's own."""
    if address == "localhost":
        return True
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped.is_loopback
    return parsed.is_loopback


def is_open(registry: Registry) -> bool:
    """Say whether nobody has to authenticate without anybody having written so: for this machine only."""
    return registry.anonymous is not None and not registry.anonymous_written


class Gate:
    """The rules of one server, made from its settings."""

    def __init__(self, settings: Settings) -> None:
        public = [] if settings.public_url is None else [urlsplit(settings.public_url)]
        named = [*settings.allowed_hosts, *(url.netloc for url in public)]
        self._hosts = LOCAL_NAMES | set(filter(None, map(host_name, named)))
        self._named = bool(named)
        origins = [*settings.allowed_origins, *(f"{url.scheme}://{url.netloc}" for url in public)]
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    def lists(self, origin: str) -> bool:
        """Say whether the settings name this origin, so that its pages may read answers (CORS)."""
        return origin.lower() in self._origins

    def check(self, environ: WSGIEnvironment, registry: Registry) -> None:
        """Let the request pass or raise WrongHost or ForbiddenOrigin."""
        peer = environ.get("REMOTE_ADDR")
        local = not peer or is_loopback(peer)  # a Unix socket's peer has no address
        if is_open(registry) and not local:
            raise ForbiddenOrigin("Only this machine may call while nobody has to authenticate")
        authority = environ.get("HTTP_HOST", "")
        host = host_name(authority)
        strict = self._named or registry.anonymous is not None or local
        if (host not in self._hosts) if strict else (host is None and authority != ""):
            raise WrongHost
        target = environ.get("RAW_URI", "/")
        if not target.startswith("/") and host_name(urlsplit(target).netloc) != host:
            raise WrongHost
        origin = environ.get("HTTP_ORIGIN")
        if origin is not None and not self._welcome(origin, host):
            raise ForbiddenOrigin

    def _welcome(self, origin: str, host: str | None) -> bool:
        """Say whether pages of `origin` may call: listed, of the same host, or both of this machine."""
        if self.lists(origin):
            return True
        scheme, _, authority = origin.partition("://")
        name = host_name(authority) if scheme.lower() in ("http", "https") else None
        return name is not None and (name == host or {name, host} <= LOCAL_NAMES)
