"""Long texts: stack traces and rows that are broken at a width."""

__all__: list[str] = []
