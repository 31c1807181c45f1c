"""Filters that the user types."""
