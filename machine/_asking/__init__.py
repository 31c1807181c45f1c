"""Mutations whose callers get an outcome."""
