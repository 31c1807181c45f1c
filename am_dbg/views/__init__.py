"""The widgets: each draws its view and posts a message for each thing that the user does."""

__all__: list[str] = []
