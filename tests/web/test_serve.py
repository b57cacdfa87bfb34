"""gunicorn's options: the same however it is started."""

from __future__ import annotations

import runpy
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from bridge.settings import Settings
from bridge.web.app import create_app
from bridge.web.serve import options, refuse_an_open_address
from tests.support.server import ROOT
from tests.support.small_bridge import SmallBridge


def settings(**given: Any) -> Settings:
    return Settings(MappingProxyType({}), **given)


def test_the_settings_become_options_that_gunicorn_takes() -> None:
    config = Config()
    for name, value in options(settings(host="::1", port=8080, workers=3, threads=10)).items():
        config.set(name, value)
    assert config.address == [("::1", 8080)]
    assert (config.workers, config.threads, config.preload_app) == (3, 10, True)
    assert config.worker_class_str == "bridge.web.worker.BridgeWorker"
    assert config.worker_connections == 1010
    assert config.forwarded_allow_ips == []


def test_the_configuration_files_say_the_same_as_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8081")
    monkeypatch.setenv("TOOLBRIDGE_THREADS", "9")
    said = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    wanted = options(settings(port=8081, threads=9))
    assert {name: said[name] for name in wanted} == wanted


def server_at(app: object, *addresses: object) -> Any:
    return SimpleNamespace(app=SimpleNamespace(wsgi=lambda: app), cfg=SimpleNamespace(address=list(addresses)))


@pytest.mark.parametrize("address", [("0.0.0.0", 1), ("::", 1), ("", 1), ("10.0.0.1", 1), ("example.com", 1)])
def test_an_open_registry_is_served_to_this_machine_only(address: tuple[str, int]) -> None:
    app = create_app(SmallBridge(open=True))
    refuse_an_open_address(server_at(app, ("127.0.0.1", 1), ("::1", 1), ("localhost", 1), "/run/bridge.sock", 3))
    for bound in ((address,), (("127.0.0.1", 1), address)):
        with pytest.raises(SystemExit, match="will not listen on"):
            refuse_an_open_address(server_at(app, *bound))


@pytest.mark.parametrize("bridge", [SmallBridge(), SmallBridge(written=True)], ids=["callers", "anonymous"])
def test_a_registry_that_says_who_may_call_is_served_anywhere(bridge: SmallBridge) -> None:
    refuse_an_open_address(server_at(create_app(bridge), ("0.0.0.0", 1)))
