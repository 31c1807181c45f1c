"""Reading long texts: the detail view, the rows of the log, the cursor of the reader."""

__all__: list[str] = []
