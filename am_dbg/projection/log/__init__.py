"""The log: entries of transitions, their log lines, gaps, and the window that is on show."""

__all__: list[str] = []
