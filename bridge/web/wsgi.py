"""`app`, for every WSGI server: the registry that TOOLBRIDGE_REGISTRY names."""

from __future__ import annotations

from bridge.assembly import build_bridge
from bridge.core.located import RegistryError
from bridge.settings import SettingError, Settings
from bridge.web.app import create_app

try:
    app = create_app(build_bridge(Settings()))
except (RegistryError, SettingError) as error:
    raise SystemExit(f"toolbridge: {error}") from None
