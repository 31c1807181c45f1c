"""Columns and tables that are loaded from files when a reader needs them, and their cache."""
