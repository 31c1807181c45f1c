"""Draws views as lines of spans: what a pane shows at a width, without a terminal library."""

__all__: list[str] = []
