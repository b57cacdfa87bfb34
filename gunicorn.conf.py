"""What `gunicorn wsgi:app` in a checkout is configured by."""

from bridge.web.gunicorn_conf import *  # noqa: F403 - gunicorn reads this module's names
