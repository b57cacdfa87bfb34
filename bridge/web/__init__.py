"""The web side: the only place that knows Flask and gunicorn."""
