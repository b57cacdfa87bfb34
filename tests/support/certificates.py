"""Throw-away certificates, made by the openssl command."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest


def make_certificate(folder: Path, names: str, *, days: int = 2) -> Path:
    """Return a file with a self-signed certificate for `names` (as in `IP:127.0.0.1`) and its key.

    It is good for so many days from now; a negative number gives an expired one. Skips the test, aloud, where the
    openssl command is missing or cannot do that.
    """
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key)
    _openssl("req", "-x509", *new_key, "-subj", "/CN=test", "-addext", f"subjectAltName={names}", "-out", certificate)
    signed = _openssl("x509", "-in", certificate, "-signkey", key, "-days", str(days))
    certificate.write_text(signed + key.read_text())
    return certificate


def _openssl(*arguments: str | Path) -> str:
    command = shutil.which("openssl")
    if command is None:
        pytest.skip("no openssl command here: no certificate can be made")
    done = subprocess.run([command, *arguments], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        pytest.skip(f"openssl {arguments[0]} failed, so no certificate can be made: {done.stderr.strip()}")
    return done.stdout


def server_context(certificate: Path) -> ssl.SSLContext:
    """Return the context of a TLS server that shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
