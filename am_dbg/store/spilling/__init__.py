"""Spilling: history that takes too much memory is moved to temporary files and read from there."""
