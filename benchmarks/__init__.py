"""Measurements of the library, by one command: `python -m benchmarks`."""
