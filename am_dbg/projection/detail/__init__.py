"""One transition in full: its texts of any length, in tabs."""

__all__: list[str] = []
