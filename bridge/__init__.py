"""toolbridge: one declarative registry of tools, served over every protocol that AI clients speak."""

from bridge._version import __version__

__all__ = ["__version__"]
