"""Messages to the program's operator, through the standard `logging` package."""

from __future__ import annotations


def warn(text: str, *args: object) -> None:
    """Log a warning as `asyncmachine`."""
    import logging  # loading it costs more than the rest of this package

    logging.getLogger("asyncmachine").warning(text, *args)


def log_error(error: BaseException, text: str, *args: object) -> None:
    """Log an error with its stack trace as `asyncmachine`."""
    import logging

    logging.getLogger("asyncmachine").error(text, *args, exc_info=error)
