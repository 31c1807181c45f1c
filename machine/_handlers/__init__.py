"""Handlers: finding them by their names, and calling them."""
