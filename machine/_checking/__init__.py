"""Checks a schema for what is most likely not meant."""
