"""Schemas: states as users define them, and as numbers for the machine."""
