"""The widgets: each draws the view value it is given and posts what the user asks for."""

__all__: list[str] = []
