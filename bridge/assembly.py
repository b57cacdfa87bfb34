"""The only place that knows every implementation, and hands them over as ports.

A `Bridge` is what one process serves: the accepted registry of the moment with
everything compiled around it (`Served`), swapped whole when the files change. A request
takes `current` once and keeps it, so a call ends with the version it began with.
"""

from __future__ import annotations

import contextlib
import gc
import json
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.auth.anonymous import OpenAuthenticator
from bridge.auth.tokens import TokenAuthenticator
from bridge.backends import BACKENDS
from bridge.core import null
from bridge.core.catalogue import ToolCatalogue
from bridge.core.exchange import Service
from bridge.core.located import Diagnostic, RegistryError
from bridge.core.model import Registry
from bridge.core.pipeline import Pipeline, Ports
from bridge.core.ports import AuditLog, Authenticator, Clock, Resources
from bridge.core.redact import Redactor
from bridge.core.timestamps import iso
from bridge.policies.call_log import CallLog
from bridge.policies.log_stream import LogStream
from bridge.protocols import PROTOCOLS, WireProtocol
from bridge.registry import loader
from bridge.registry.build import Builder, Built
from bridge.registry.bundles import BundleStore
from bridge.registry.follow import Follower, Signature, signature, touched_since
from bridge.settings import SettingError, Settings

#: Seconds that a replaced registry's backends stay open beyond its longest timeout.
GRACE = 5.0
#: Mistakes and warnings that one line of the log names.
MAX_NAMED = 20
#: Threads that never run a call, so that lists and health always have one.
SPARE_THREADS = 4


class SystemClock:
    """The port Clock over the machine's own."""

    monotonic = staticmethod(time.monotonic)
    unix = staticmethod(time.time)


#: Standard error, as every process of the bridge writes its log to it.
write_line = LogStream(2)


@dataclass(frozen=True, slots=True)
class Served:
    """One accepted registry and everything that answers for it."""

    registry: Registry
    service: Service
    authenticator: Authenticator


class Bridge:
    """What one process serves.

    `protocols` are mounted by whoever carries them; `current` is the version to serve a new
    request with. After a fork each worker calls `start` once, and `close` when it ends.
    """

    def __init__(self, settings: Settings, write: Callable[[str], None] = write_line) -> None:
        self.settings = settings
        self.clock: Clock = SystemClock()
        self.protocols: tuple[WireProtocol, ...] = tuple(PROTOCOLS[name] for name in PROTOCOLS)
        self._write = write
        self._path = _registry_path(settings)
        self._bundles = BundleStore(settings.state_folder, self._path.name)
        self._builder = builder(settings)
        self._paths: tuple[Path, ...] = (self._path,)
        self._retired: list[tuple[float, Registry]] = []
        self._rejected: tuple[Diagnostic, ...] = ()
        self._follower: Follower | None = None
        self._lock = threading.Lock()
        self.current: Served = self._first()

    def start(self) -> None:
        """Begin to follow the files; first catch up with what changed since this process was forked."""
        if self.settings.reload and self._follower is None:
            self._follower = Follower(lambda: self._paths, self._known, self.refresh, self._release)
            self._follower.start()

    def close(self) -> None:
        """Stop following and close every backend."""
        if self._follower is not None:
            self._follower.stop()
            self._follower = None
        for _, registry in self._retired:
            _close(registry)
        self._retired.clear()
        _close(self.current.registry)

    def refresh(self) -> None:
        """Read the files again; serve what they hold if it can be served, keep what is served if not."""
        with self._lock:
            try:
                built = self._read_files()
            except Exception:
                # A bug of ours in reading one edit must not end the following of the next.
                self._note("registry_unread", traceback=traceback.format_exc())
                return
            if built.registry is None:
                self._reject(built.diagnostics)
                return
            self._rejected = ()
            if built.registry.version != self.current.registry.version:
                old, self.current = self.current, self._serve(built.registry)
                self._retire(old.registry)
                keep_from_collection(again=True)
                self._note("registry_reloaded", version=built.registry.version)

    def health(self) -> Mapping[str, Any]:
        """Return readiness: the registry, why its newest edit is not served, and each backend's state."""
        registry = self.current.registry
        error = [str(diagnostic) for diagnostic in self._rejected] or None
        return {
            "status": "ready",
            "registry": {"name": registry.name, "version": registry.version, "error": error},
            "backends": {name: dict(backend.health()) for name, backend in registry.backends.items()},
            "log": {"lost": write_line.lost},
        }

    def _first(self) -> Served:
        began = time.time_ns()
        built = self._read_files()
        # A file touched while it was being read is read again at the first look.
        self._known: Signature = () if touched_since(self._paths, began) else signature(self._paths)
        if built.registry is not None:
            return self._serve(built.registry)
        kept = self._bundles.newest()
        if kept is not None:
            found: list[Diagnostic] = []
            last_good = self._builder.build(loader.load_bundle(kept, found, loader.folder_of(self._path)), found)
            if last_good.registry is not None:
                self._reject(built.diagnostics)
                return self._serve(last_good.registry)
        raise RegistryError([item for item in built.diagnostics if item.severity == "error"])

    def _read_files(self) -> Built:
        """Build what the files hold now; what can be served is kept as the newest good bundle."""
        found: list[Diagnostic] = []
        with _all_of_it_kept():
            loaded = loader.load(self._path, found)
            built = self._builder.build(loaded, found)
        if loaded is not None:
            self._paths = loaded.paths
        if loaded is not None and built.registry is not None:
            self._keep(built.registry.version, loaded.files)
        return built

    def _keep(self, version: str, files: Mapping[str, bytes]) -> None:
        """Keep an accepted registry for a time when the files are broken; say so where it cannot be kept."""
        try:
            self._bundles.save(version, files)
        except OSError as error:
            self._note("registry_not_kept", version=version, error=str(error))

    def _serve(self, registry: Registry) -> Served:
        if registry.warnings:
            self._note("registry_warnings", warnings=[str(warning) for warning in registry.warnings[:MAX_NAMED]])
        catalogue = ToolCatalogue(registry, self.clock)
        pipeline = Pipeline(self._ports(registry, catalogue))
        options = {"manifest_error_status": self.settings.manifest_error_status}
        service = Service(
            pipeline, catalogue, self.clock, registry.name, registry.description, registry.version, options
        )
        return Served(registry, service, _authenticator(registry))

    def _ports(self, registry: Registry, catalogue: ToolCatalogue) -> Ports:
        audit: AuditLog = null.NullAuditLog()
        if self.settings.log:
            audit = CallLog(self._write, Redactor(registry.secrets).text, registry.version)
        return Ports(
            catalogue=catalogue,
            counters=null.NullCounters(),
            idempotency=null.NullIdempotencyStore(),
            cache=null.NullResponseCache(),
            confirmations=null.NullConfirmations(),
            cursors=null.NullCursors(),
            audit=audit,
            metrics=null.NullMetrics(),
            clock=self.clock,
        )

    def _reject(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self._rejected = tuple(item for item in diagnostics if item.severity == "error")
        self._note("registry_rejected", errors=[str(item) for item in self._rejected[:MAX_NAMED]])

    def _retire(self, registry: Registry) -> None:
        longest = max((tool.timeout for tool in registry.tools.values()), default=0.0)
        self._retired.append((self.clock.monotonic() + longest + GRACE, registry))

    def _release(self) -> None:
        """Close the backends of replaced registries once no call can be using them."""
        now = self.clock.monotonic()
        for entry in [entry for entry in self._retired if entry[0] <= now]:
            self._retired.remove(entry)
            _close(entry[1])

    def _note(self, event: str, **members: Any) -> None:
        if self.settings.log:
            self._write(json.dumps({"time": iso(self.clock.unix()), "event": event, **members}) + "\n")


@contextlib.contextmanager
def _all_of_it_kept() -> Iterator[None]:
    """Hold the garbage collector off: all that is read is kept, and looking through it takes a quarter of the time."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


def keep_from_collection(*, again: bool = False) -> None:
    """Let the garbage collector pass over all that there is now; for a server's process, once its registry is loaded.

    A full collection stops every call for 0.2 s with 10,000 tools, and it unshares the memory of forked workers.
    Nothing is lost: a registry holds no cycles. With `again`, only where it was done before.
    """
    if not again or gc.get_freeze_count():
        gc.freeze()


def build_bridge(settings: Settings) -> Bridge:
    """Return the bridge of this process. Raises RegistryError only where there is no registry to serve at all."""
    return Bridge(settings)


def builder(settings: Settings, *, no_env: bool = False) -> Builder:
    """Return what builds registries under these settings."""
    in_flight = max(1, settings.threads - SPARE_THREADS)
    resources = Resources(settings.engine, settings.max_answer, max(1, in_flight // 2))
    return Builder(BACKENDS, resources, settings.environ, no_env)


def check(path: Path, settings: Settings, *, no_env: bool = False) -> list[Diagnostic]:
    """Return every mistake and warning in a registry, in the order of the file."""
    found: list[Diagnostic] = []
    return list(builder(settings, no_env=no_env).build(loader.load(path, found), found).diagnostics)


def _registry_path(settings: Settings) -> Path:
    if settings.registry is None:
        raise SettingError("TOOLBRIDGE_REGISTRY names no registry")
    return settings.registry


def _authenticator(registry: Registry) -> Authenticator:
    if registry.anonymous is not None and not registry.anonymous_written:
        return OpenAuthenticator(registry.anonymous)
    return TokenAuthenticator(registry.credentials, registry.late_credentials, registry.anonymous)


def _close(registry: Registry) -> None:
    for backend in registry.backends.values():
        backend.close()
