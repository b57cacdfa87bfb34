"""gunicorn's configuration file: what `toolbridge serve` does, for those who start gunicorn themselves.

    TOOLBRIDGE_REGISTRY=crm.yaml gunicorn -c python:bridge.web.gunicorn_conf bridge.web.wsgi:app

gunicorn reads the names of this module as its options; its command line wins over them.
"""

from __future__ import annotations

from bridge.settings import SettingError, Settings
from bridge.web.serve import options

try:
    globals().update(options(Settings()))
except SettingError as error:
    raise SystemExit(f"toolbridge: {error}") from None
