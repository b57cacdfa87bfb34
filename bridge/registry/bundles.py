"""The accepted registries, kept as bundles in the state folder: a broken edit never takes the last good one away.

A bundle is one JSON file with the text of every file of a registry. It is written
beside its place and renamed into it, so a reader sees all of it or none.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

#: Bundles kept besides the newest.
KEPT = 20


class BundleStore:
    """Bundles of the registry file `name` under the state folder (made with mode 0700 when the first one is saved)."""

    def __init__(self, state: Path, name: str) -> None:
        self._folder = state / "registries" / name

    def save(self, version: str, files: Mapping[str, bytes]) -> None:
        """Keep `files` as the newest accepted registry. Raises OSError where the folder cannot be written."""
        if self._newest() == version:
            return
        for folder in (*reversed(self._folder.parents[:2]), self._folder):
            folder.mkdir(mode=0o700, exist_ok=True)
        texts = {name: text.decode("utf-8") for name, text in files.items()}
        self._write(f"{version}.json", json.dumps({"version": version, "files": texts}))
        self._write("newest", version)
        self._prune()

    def newest(self) -> dict[str, bytes] | None:
        """Return the files of the newest accepted registry, the main file first; None if none is readable."""
        version = self._newest()
        if version is None:
            return None
        try:
            bundle = json.loads((self._folder / f"{version}.json").read_text("utf-8"))
            return {str(name): str(text).encode("utf-8") for name, text in bundle["files"].items()}
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return None

    def _newest(self) -> str | None:
        try:
            version = (self._folder / "newest").read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return version if version.isalnum() else None

    def _write(self, name: str, text: str) -> None:
        handle, temporary = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).rename(self._folder / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _prune(self) -> None:
        bundles = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in bundles[KEPT:]:
            old.unlink(missing_ok=True)
