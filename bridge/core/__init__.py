"""The domain, pure: no Flask, no sockets, no files, no clock, no environment."""
