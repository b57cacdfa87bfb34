"""The version of the distribution, read by packaging and by every answer that names the server."""

__version__ = "0.1.0"
