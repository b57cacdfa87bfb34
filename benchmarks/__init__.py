"""How fast toolbridge is, beside the servers that people would otherwise use (`python -m benchmarks --help`)."""
