"""Handlers: found by their names and called by phase."""
