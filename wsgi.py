"""`gunicorn wsgi:app` in a checkout; inside a wheel the same is `bridge.web.wsgi:app`."""

from bridge.web.wsgi import app

__all__ = ["app"]
