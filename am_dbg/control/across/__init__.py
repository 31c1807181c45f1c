"""Actions over all machines: the scope of keys, and the lists of what occurred anywhere."""

__all__: list[str] = []
