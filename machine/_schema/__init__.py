"""Schemas: states as users write them, and as numbers once they are taken in."""
