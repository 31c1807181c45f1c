"""Views as lines of ink: what a pane shows at a width, without any terminal library."""

__all__: list[str] = []
